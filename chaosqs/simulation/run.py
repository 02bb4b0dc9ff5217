"""`simulate(scenario) → History`: one run, a pure function of its scenario."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

import attrs
import trio

from chaosqs.errors import NotDeterministic
from chaosqs.esm.machines.scaling import Scaling, scaling_limits
from chaosqs.esm.mapping import Mapping, MappingLifecycle
from chaosqs.faults.injector import FaultInjector
from chaosqs.kernel.clock import VirtualClock
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.kernel.rng import RandomStreams
from chaosqs.kernel.schedule import Policy, event_queue_of
from chaosqs.lambda_.invocation import Lambda, Models
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.lambda_.module_state import unchanged
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.event import DeadLettered, Deleted, Event, Expired, InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival, arrivals
from chaosqs.simulation.producer import Producer
from chaosqs.sqs.service import Service

if TYPE_CHECKING:
    from chaosqs.lambda_.handler_runtime import RealCode
    from chaosqs.simulation.operator import Operator

_LEAVES = (Deleted, DeadLettered, Expired, InvocationEnded)
"""After the last of these events nothing is left to do."""


def simulate(scenario: Scenario, *, verify: bool = False) -> History:
    """Run a scenario in virtual time and return all that happened.

    With `verify` it runs twice, and raises `NotDeterministic` with the first events that differ, if any do. Raises
    `InvalidScenario` for a handler that cannot be imported, `Livelock` for a run that never ends.
    """
    if not verify:
        return World.of(scenario).run()
    first = isolated(scenario)
    history = World.of(scenario).run()
    _compare(first, history)
    return history


def isolated(scenario: Scenario, *, verify: bool = False) -> History:
    """Simulate, and put the globals of handlers that are real code back to what they were: for runs of a search."""
    if all(behaviour.handler is None for behaviour in scenario.behaviours.values()):
        return simulate(scenario, verify=verify)
    with unchanged(scenario):
        return simulate(scenario, verify=verify)


def _compare(first: History, second: History) -> None:
    if first.digest == second.digest:
        return
    for index, (one, other) in enumerate(zip(first.events, second.events, strict=False)):
        if one != other:
            message = f"two runs of one scenario differ at event {index}:\n  {one}\n  {other}"
            raise NotDeterministic(message)
    message = f"two runs of one scenario differ in length: {len(first.events)} and {len(second.events)} events"
    raise NotDeterministic(message)


@attrs.define(eq=False)
class World:
    """Everything that takes part in one run."""

    scenario: Scenario
    event_queue: EventQueue
    events: list[Event]
    service: Service
    functions: Lambda
    mappings: list[Mapping]
    """All that poll, or did."""
    lifecycle: MappingLifecycle
    producer: Producer
    real: RealCode | None = None
    """What runs handlers that are real code; None where all are modelled."""
    operator: Operator | None = None
    """Who carries out the plan's actions; None where there are none."""
    to_come: int = 0
    """Messages that producers have not sent yet."""

    @classmethod
    def of(cls, scenario: Scenario, policy: Policy | None = None) -> World:
        """Build the world that a scenario describes; `policy`: who else is held back than by its pauses."""
        design, assumptions = scenario.design, scenario.assumptions
        streams, injector, events = RandomStreams(scenario.seed), FaultInjector(scenario.faults), list[Event]()
        event_queue = event_queue_of(scenario, policy)
        record = partial(_record, events)
        service = Service(event_queue, streams, record, assumptions.partial_receives)
        for queue in design.queues:
            service.open(queue)
        by_name = {function.name: function for function in design.functions}
        models, executions = Models(streams, scenario.behaviour, by_name), Executions(design, assumptions)
        functions = Lambda(event_queue, streams, injector, record, executions, models, assumptions, by_name)
        settings = {mapping.name: mapping for mapping in design.mappings}
        make = partial(_mapping, scenario, event_queue, streams, injector, record, service, functions)
        producer = Producer(event_queue, injector, record, service, assumptions.send_retry)
        lifecycle = MappingLifecycle(event_queue, injector, record, make, settings)
        functions.stage = real = _real_code(scenario, event_queue, streams, service, by_name)
        operator = _operator(scenario, functions, by_name, lifecycle, service, real)
        return cls(
            scenario, event_queue, events, service, functions, lifecycle.mappings, lifecycle, producer, real, operator
        )

    def run(self) -> History:
        """Run to the end."""
        until = self.scenario.until
        clock = VirtualClock(self.event_queue, None if until is None else milliseconds(until), self.done, self.waiting)
        self._schedule_arrivals()
        self.lifecycle.start()
        if self.operator is not None:
            self.operator.start(self.scenario.faults)
        with _without_garbage_collection():
            if self.real is None:
                trio.run(clock.run, clock=clock)
            else:
                self.real.run(clock)
        for mapping in self.mappings:
            mapping.stop()
        left = any(mapping.state.machine.stored for mapping in self.mappings)  # where an operator has disabled one
        gone = (event.at for event in self.events if isinstance(event, _LEAVES))
        drained = max(gone, default=0) if self.done() and not left else None
        return History(self.scenario, tuple(self.events), self.event_queue.now, drained)

    def done(self) -> bool:
        """Tell whether every message that a mapping can reach is gone and nothing runs."""
        if self.to_come or self.service.to_come or self.functions.running:
            return False
        mappings = self.mappings
        if self.operator is not None:
            if self.operator.busy:
                return False
            mappings = [mapping for mapping in mappings if self.operator.waits_for(mapping)]
        return not any(mapping.carried or mapping.state.machine.stored for mapping in mappings)

    def waiting(self) -> str:
        """Say who waits for what."""
        stored = {name: state.machine.stored for name, state in self.service.states.items()}
        carried = {mapping.mapping.name: mapping.carried for mapping in self.mappings}
        running, to_come = self.functions.running, self.to_come + self.service.to_come
        return f"{to_come} messages to come, stored {stored}, batches in hand {carried}, {running} running"

    def _schedule_arrivals(self) -> None:
        numbered = enumerate(arrivals(self.scenario.workload))
        for at, group in groupby(numbered, key=lambda entry: entry[1].at):
            batch = tuple(group)
            self.to_come += len(batch)
            self.event_queue.at(at, partial(self._send, batch))
        self.service.numbers.next_free = max(self.service.numbers.next_free, self.to_come)

    def _send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        self.to_come -= len(batch)
        self.event_queue.may_be_over = True
        self.producer.send(batch)


def _mapping(  # noqa: PLR0913, PLR0917 - all that a mapping has to do with
    scenario: Scenario,
    event_queue: EventQueue,
    streams: RandomStreams,
    injector: FaultInjector,
    record: Callable[[Event], int],
    service: Service,
    functions: Lambda,
    settings: EventSourceMapping,
    numbered_from: int,
) -> Mapping:
    scaling, assumed = _scaling(settings, scenario), scenario.assumptions
    return Mapping(
        settings, event_queue, streams, injector, record, service, functions, scaling, assumed, numbered_from
    )


def _scaling(mapping: EventSourceMapping, scenario: Scenario) -> Scaling:
    assumed = scenario.assumptions
    return Scaling(
        scaling_limits(mapping, scenario.design.era),
        held_batches=assumed.held_batches,
        throttled_growth=assumed.throttled_growth,
        long_poll=assumed.long_poll,
        idle_reduction=assumed.idle_reduction,
        let_go_on_error=assumed.let_go_on_error,
    )


def _real_code(
    scenario: Scenario, event_queue: EventQueue, streams: RandomStreams, service: Service, by_name: dict[str, Function]
) -> RealCode | None:
    if all(behaviour.handler is None for behaviour in scenario.behaviours.values()):
        return None
    from chaosqs.lambda_.handler_runtime import RealCode  # noqa: PLC0415 - greenback and boto3 wait until they are wanted

    return RealCode.of(scenario, event_queue, streams, service, by_name)


def _record(events: list[Event], event: Event) -> int:
    events.append(event)
    return len(events) - 1


def _operator(  # noqa: PLR0917 - all that an operator has to do with
    scenario: Scenario,
    functions: Lambda,
    by_name: dict[str, Function],
    lifecycle: MappingLifecycle,
    service: Service,
    real: RealCode | None,
) -> Operator | None:
    if not scenario.faults.actions:
        return None
    from chaosqs.simulation.operator import Operator  # noqa: PLC0415
    from chaosqs.sqs.api.sqs import Sqs  # noqa: PLC0415 - the operations wait until they are wanted

    sqs = Sqs.of(service, len(arrivals(scenario.workload))) if real is None else real.calls.sqs
    return Operator.of(scenario.design, sqs, functions, by_name, lifecycle)


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    """Keep the moments of garbage collection out of the run: finalisers may run code."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# One history with many futures: a run whose chance is another one from some moment on. -------------------------------
#
# Chance is a hash of the seed, site and keys, never a stream. So with another seed from a moment on, everything that was
# drawn by then stays, byte for byte, and everything after it is drawn anew. What had been drawn by then for later (how
# long a running invocation takes, when a throttled batch is tried next) is history too.


def redrawn(scenario: Scenario, until: int, streams: int) -> History:
    """Simulate a scenario that keeps its own seed up to a moment in milliseconds, this included, then has another."""
    world = World.of(scenario)
    world.event_queue.first_at(until + 1, partial(_turn, world, streams))
    with unchanged(scenario):
        return world.run()


def _turn(world: World, streams: int) -> None:
    world.service.streams.seed = streams  # the one that all parts of the world share
    world.event_queue.reseed(streams)
