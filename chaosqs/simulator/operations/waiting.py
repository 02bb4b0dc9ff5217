"""A ReceiveMessage that found nothing and may wait: a long poll (RX-5)."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from chaosqs.simulator.line import Line
from chaosqs.simulator.service import Service


@attrs.define(eq=False)
class Wait:
    """The answer to a long poll that has to wait; `then` says whom to tell what comes in the end.

    A door without a simulation calls `Sqs.finish`, which moves virtual time on to the answer. A door inside of one
    calls `then` with a function that wakes its caller, and `cancel` where the caller is gone before.
    """

    until: int
    """When the wait is over, in milliseconds of virtual time."""
    service: Service
    line: Line
    attempt: Callable[[], dict[str, object] | None]
    """Receives; returns the answer, or None where there is nothing yet."""
    nothing: Callable[[], dict[str, object]]
    """Returns the answer of a poll that found nothing."""
    _answer: Callable[[dict[str, object]], None] | None = None

    def then(self, answer: Callable[[dict[str, object]], None]) -> None:
        """Have a function called with the answer: as soon as there is a message, at `until` at the latest."""
        self._answer = answer
        self._park()
        self.service.agenda.at(self.until, self._over)

    def cancel(self) -> None:
        """Forget about it: nobody waits for the answer any more."""
        self._answer = None

    def _park(self) -> None:
        self.line.waiting.append(self._woken)

    def _woken(self) -> None:
        if self._answer is None:
            return
        found = self.attempt()
        if found is None:
            self._park()
        else:
            self._tell(found)

    def _over(self) -> None:
        if self._answer is not None:
            self._tell(self.nothing())

    def _tell(self, result: dict[str, object]) -> None:
        answer, self._answer = self._answer, None
        assert answer is not None
        answer(result)
