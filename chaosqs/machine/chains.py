"""The chains of a function that invokes itself: which are alive, and which the schedule starts."""

from __future__ import annotations

import attrs

from chaosqs.model.alternative import SelfPolling


@attrs.define(eq=False)
class Chains:
    """The chains of one function; each has a number, from 1."""

    polling: SelfPolling
    alive: dict[int, None] = attrs.field(factory=dict[int, None])
    """Those of which an invocation runs, or an event waits, in the order of their starts."""
    _latest: int = 0

    def start(self) -> list[int]:
        """Return the numbers of the chains that the schedule starts: those that are missing, or as many again."""
        if self.polling.lock:
            numbers = [number for number in range(1, self.polling.chains + 1) if number not in self.alive]
        else:
            numbers = [self._latest + place for place in range(1, self.polling.chains + 1)]
            self._latest += self.polling.chains
        self.alive.update(dict.fromkeys(numbers))
        return numbers

    def end(self, number: int) -> None:
        """Forget a chain that nothing continues."""
        self.alive.pop(number, None)
