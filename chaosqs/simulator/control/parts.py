"""The parts of a world, and how its callers wait: the test moves time itself, handlers are moved by it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import attrs

from chaosqs.errors import Livelock
from chaosqs.model.event import Event
from chaosqs.model.time import milliseconds
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.control.calendar import text
from chaosqs.simulator.control.control import Control
from chaosqs.simulator.control.fibers import Ended, Fibers
from chaosqs.simulator.control.region import World
from chaosqs.simulator.luck import Luck
from chaosqs.simulator.operations.region import EPOCH
from chaosqs.simulator.operations.sqs import Sqs
from chaosqs.simulator.operations.waiting import Wait
from chaosqs.simulator.turn import Turn, turns


@attrs.frozen(eq=False)
class Parts:
    """SQS, Lambda, time and the record of one world; a `Waiter` for the door."""

    sqs: Sqs
    control: Control
    fibers: Fibers
    events: list[Event]
    _turn: Turn

    @classmethod
    def new(cls) -> Parts:
        """Return a world with nothing in it."""
        agenda, luck, events = Agenda(0), Luck(0), list[Event]()
        record, fibers = partial(_record, events), Fibers(agenda)
        sqs = Sqs(agenda, luck, record)
        world = World(
            agenda,
            luck,
            record,
            EPOCH,
            fibers,
            lambda: text(EPOCH + agenda.now, "Z"),
            lambda moment: text(EPOCH + moment, "+0000"),
        )
        return cls(sqs, Control(sqs, world), fibers, events, turns())

    def turn(self) -> AbstractContextManager[object]:
        """Return what the test's threads take turns by; a handler runs within the turn of whoever moves time."""
        return nullcontext() if self.fibers.inside is not None else self._turn

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of SQS; a long poll takes its time."""
        with self.turn():
            result = self.sqs.call(operation, parameters, region=region)
            return self._finish(result) if isinstance(result, Wait) else result

    def call_lambda(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of Lambda; a synchronous invocation takes its time."""
        with self.turn():
            return self.control.call(operation, parameters, region=region)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the caller."""
        with self.turn():
            self.fibers.sleep(milliseconds(seconds))

    def jitter(self) -> float:
        """Return the middle."""
        return 0.5

    def epoch(self) -> float:
        """Return the time as AWS's clocks have it, in seconds since 1970."""
        return (self.sqs.epoch + self.sqs.now) / 1000

    def run_until_idle(self, limit: int) -> int:
        """Take steps until nobody has anything to do; return how many milliseconds that took. Raises `Livelock`."""
        agenda, since = self.sqs.agenda, self.sqs.now
        while self.control.busy():
            due = agenda.next_due()
            if due > since + limit:
                agenda.now = since + limit
                raise Livelock(f"not idle after {limit / 1000:g} s: {'; '.join(self.control.busy())}")
            agenda.take()()
            while agenda.next_due() <= agenda.now:
                agenda.take()()
        return agenda.now - since

    def _finish(self, wait: Wait) -> Mapping[str, object]:
        try:
            return self.fibers.wait(wait.then)
        except Ended:
            wait.cancel()
            raise


def _record(events: list[Event], event: Event) -> int:
    events.append(event)
    return len(events) - 1
