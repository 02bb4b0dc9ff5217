"""Whether an idle execution environment is used before a new one is made (LX-13), as far as a history tells.

It tells of no environment, only of invocations that started cold. So this counts: what an invocation leaves behind is
idle from its end on, until another one starts warm, or its time is over.
"""

from __future__ import annotations

import attrs

from chaosqs.model.event import InvocationEnded, InvocationStarted, Operated
from chaosqs.model.history import History


@attrs.define
class Warmth:
    """The idle environments of all functions, event by event."""

    lifetime: int
    """Milliseconds without an invocation after which one goes."""
    idle: dict[str, list[int]]
    """For each function that is watched, since when its environments are idle: those used last are last."""
    running: dict[int, InvocationStarted] = attrs.field(factory=dict[int, InvocationStarted])
    """The invocations whose environments will be idle."""

    @classmethod
    def of(cls, history: History) -> Warmth:
        """Watch the functions of a run; none with environments that are provisioned, which nobody sees start (LC-9).

        Nor does anybody see which environments a fault has taken.
        """
        scenario = history.scenario
        kinds = {*(window.kind for window in scenario.faults.windows)}.union(*scenario.faults.messages)
        functions = () if "cold_start" in kinds else scenario.design.functions
        watched = [function.name for function in functions if not function.provisioned_concurrency]
        return cls(scenario.assumptions.environment_lifetime, {name: [] for name in watched})

    def started(self, event: InvocationStarted) -> int | None:
        """Take a start in; return since when an environment is idle that should have been used, or None."""
        idle = self.idle.get(event.function)
        if idle is None:
            return None
        self.running[event.invocation] = event
        while idle and event.at - idle[-1] > self.lifetime:
            idle.pop()
        since = idle.pop() if idle else None
        return since if event.cold else None

    def ended(self, event: InvocationEnded) -> None:
        """Take an end in: its environment is idle, if it is of the latest deployment."""
        if self.running.pop(event.invocation, None) is not None:
            self.idle[event.function].append(event.at)

    def operated(self, event: Operated) -> None:
        """Forget the environments of a function that was deployed anew, or that an operator changed."""
        if event.target in self.idle:
            self.idle[event.target].clear()
            running = {number: start for number, start in self.running.items() if start.function != event.target}
            self.running = running
            if event.kind == "change":
                del self.idle[event.target]
