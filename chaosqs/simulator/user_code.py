"""What the code of an invocation tells the simulation, and asks of it (`chaosqs.user_code.Simulation`).

Nothing of it takes time. What code says that was ended by its timeout or a crash counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from chaosqs.model.event import Effect, Event, PointPassed, Reached
from chaosqs.simulator.execution import Execution
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.user_code import Value


@attrs.define(eq=False)
class UserCode:
    """The code of one invocation."""

    execution: Execution
    nemesis: Nemesis
    record: Callable[[Event], int]
    messages: Mapping[str, int]
    """The numbers of the batch's messages, by their ids."""
    _marks: set[str] = attrs.field(factory=set[str])

    def strikes(self, site: str, message_id: str | None) -> bool:
        """Ask the fault plan about a site, and record what it says."""
        invocation, now = self.execution.invocation, self.execution.agenda.now
        request, number = invocation.request, self._number(message_id)
        if self.execution.over:
            return False
        batch = [entry for entry in request.batch if number in (None, entry[0])]
        scopes = (request.mapping.queue, request.mapping.function, request.mapping.name)
        strike = self.nemesis.point(site, scopes, batch, now)
        fault = "" if strike is None else strike.name
        self.record(PointPassed(now, invocation.place, request.mapping.function, invocation.number, site, fault))
        return strike is not None

    def reached(self, mark: str) -> None:
        """Record a mark, once."""
        invocation, now = self.execution.invocation, self.execution.agenda.now
        if mark not in self._marks and not self.execution.over:
            self._marks.add(mark)
            self.record(Reached(now, invocation.place, invocation.request.mapping.function, invocation.number, mark))

    def had_effect(self, name: str, values: tuple[tuple[str, Value], ...], message_id: str | None) -> None:
        """Record an effect."""
        invocation, now = self.execution.invocation, self.execution.agenda.now
        function, message = invocation.request.mapping.function, self._number(message_id)
        if not self.execution.over:
            self.record(Effect(now, invocation.place, function, invocation.number, name, values, message))

    def _number(self, message_id: str | None) -> int | None:
        if message_id is None or message_id in self.messages:
            return None if message_id is None else self.messages[message_id]
        raise ValueError(f"{message_id} is no message of the batch that this invocation has")
