"""`simulate(scenario) → History`: one run, a pure function of its scenario."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import attrs
import trio

from chaosqs.errors import NotDeterministic
from chaosqs.machine.concurrency import Executions
from chaosqs.machine.scaling import Scaling, law
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import DeadLettered, Deleted, Event, Expired, InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival, arrivals
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.clock import VirtualClock
from chaosqs.simulator.course import Models
from chaosqs.simulator.function import Lambda
from chaosqs.simulator.luck import Luck
from chaosqs.simulator.mapping import Mapping
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.simulator.service import Service

if TYPE_CHECKING:
    from chaosqs.simulator.stage import RealCode

_LEAVES = (Deleted, DeadLettered, Expired, InvocationEnded)
"""After the last of these events nothing is left to do."""


def simulate(scenario: Scenario, *, verify: bool = False) -> History:
    """Run a scenario in virtual time and return all that happened.

    With `verify` it runs twice, and raises `NotDeterministic` with the first events that differ, if any do. Raises
    `InvalidScenario` for a handler that cannot be imported, `Livelock` for a run that never ends.
    """
    history = World.of(scenario).run()
    if verify:
        _compare(history, World.of(scenario).run())
    return history


def _compare(first: History, second: History) -> None:
    if first.digest == second.digest:
        return
    for place, (one, other) in enumerate(zip(first.events, second.events, strict=False)):
        if one != other:
            message = f"two runs of one scenario differ at event {place}:\n  {one}\n  {other}"
            raise NotDeterministic(message)
    message = f"two runs of one scenario differ in length: {len(first.events)} and {len(second.events)} events"
    raise NotDeterministic(message)


@attrs.define(eq=False)
class World:
    """Everything that takes part in one run."""

    scenario: Scenario
    agenda: Agenda
    events: list[Event]
    service: Service
    functions: Lambda
    mappings: list[Mapping]
    real: RealCode | None = None
    """What runs handlers that are real code; None where all are modelled."""
    to_come: int = 0
    """Messages that producers have not sent yet."""

    @classmethod
    def of(cls, scenario: Scenario) -> World:
        """Build the world that a scenario describes."""
        design, assumptions = scenario.design, scenario.assumptions
        luck, nemesis, events = Luck(scenario.luck), Nemesis(scenario.faults), list[Event]()
        agenda = Agenda(scenario.luck)
        record = partial(_record, events)
        service = Service(agenda, luck, record, assumptions.partial_receives)
        for queue in design.queues:
            service.open(queue)
        by_name = {function.name: function for function in design.functions}
        models, executions = Models(luck, scenario.behaviour, by_name), Executions(design, assumptions)
        functions = Lambda(agenda, luck, nemesis, record, executions, models, assumptions, by_name)
        mappings = [
            Mapping(
                mapping,
                agenda,
                luck,
                nemesis,
                record,
                service,
                functions,
                _scaling(mapping, scenario),
                assumptions,
            )
            for mapping in design.mappings
            if mapping.enabled
        ]
        functions.stage = real = _real_code(scenario, agenda, luck, service)
        return cls(scenario, agenda, events, service, functions, mappings, real)

    def run(self) -> History:
        """Run to the end."""
        until = self.scenario.until
        clock = VirtualClock(self.agenda, None if until is None else milliseconds(until), self.done, self.waiting)
        self._schedule_arrivals()
        for mapping in self.mappings:
            mapping.start()
        with _without_garbage_collection():
            if self.real is None:
                trio.run(clock.run, clock=clock)
            else:
                self.real.run(clock)
        for mapping in self.mappings:
            mapping.stop()
        drained = (
            max((event.at for event in self.events if isinstance(event, _LEAVES)), default=0) if self.done() else None
        )
        return History(self.scenario, tuple(self.events), self.agenda.now, drained)

    def done(self) -> bool:
        """Tell whether every message that a mapping can reach is gone and nothing runs."""
        if self.to_come or self.functions.running:
            return False
        return not any(mapping.carried or mapping.line.machine.stored for mapping in self.mappings)

    def waiting(self) -> str:
        """Say who waits for what."""
        stored = {name: line.machine.stored for name, line in self.service.lines.items()}
        carried = {mapping.mapping.name: mapping.carried for mapping in self.mappings}
        running = self.functions.running
        return f"{self.to_come} messages to come, stored {stored}, batches in hand {carried}, {running} running"

    def _schedule_arrivals(self) -> None:
        numbered = enumerate(arrivals(self.scenario.workload))
        for at, group in groupby(numbered, key=lambda entry: entry[1].at):
            batch = tuple(group)
            self.to_come += len(batch)
            self.agenda.at(at, partial(self._send, batch))

    def _send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        self.to_come -= len(batch)
        self.agenda.may_be_over = True
        self.service.send(batch)


def _scaling(mapping: EventSourceMapping, scenario: Scenario) -> Scaling:
    assumed = scenario.assumptions
    return Scaling(
        law(mapping, scenario.design.era),
        held_batches=assumed.held_batches,
        throttled_growth=assumed.throttled_growth,
        long_poll=assumed.long_poll,
        idle_reduction=assumed.idle_reduction,
        let_go_on_error=assumed.let_go_on_error,
    )


def _real_code(scenario: Scenario, agenda: Agenda, luck: Luck, service: Service) -> RealCode | None:
    if all(behaviour.handler is None for behaviour in scenario.behaviours.values()):
        return None
    from chaosqs.simulator.stage import RealCode  # noqa: PLC0415 - greenback and boto3 wait until they are wanted

    return RealCode.of(scenario, agenda, luck, service)


def _record(events: list[Event], event: Event) -> int:
    events.append(event)
    return len(events) - 1


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    """Keep the moments of garbage collection out of the run: finalisers may run code (search-notes 3.2)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
