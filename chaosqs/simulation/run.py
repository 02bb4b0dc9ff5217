"""`simulate(scenario) → History`: one run, a pure function of its scenario."""

from __future__ import annotations

import gc
import mmap
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Self

import attrs

from chaosqs.errors import InvalidInput, NotDeterministic, SimulationError
from chaosqs.esm.mapping import Mapping, MappingLifecycle
from chaosqs.faults.injector import FaultInjector
from chaosqs.kernel.clock import VirtualClock
from chaosqs.kernel.context import InjectedFault, RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.kernel.schedule import Policy, holding_event_queue
from chaosqs.lambda_.invocation import Lambda, Models
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.model.design import Function
from chaosqs.model.events import DeadLettered, Deleted, Expired, InvocationEnded, SendFailed
from chaosqs.model.history import History
from chaosqs.model.liveness import run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival, arrivals, as_sent
from chaosqs.sqs.service import Service

# Producers: they send the workload, and resend after a failure (OR-4) -------------------------------------------------

_LATE = 5_000
"""Milliseconds for which receives do not find a message that a `late_send` affects."""


@attrs.frozen
class _Attempt:
    """One request to send one message."""

    number: int
    arrival: Arrival
    cause: int | None = None
    """Index of the event of the previous attempt; None for the first attempt."""
    copy_of: int | None = None
    """Number of the message that SQS has already without the producer's knowledge."""


@attrs.define(eq=False)
class Producer:
    """All producers of one run. They retry forever."""

    context: SimulationContext
    service: Service
    _due: dict[int, list[_Attempt]] = attrs.field(factory=dict[int, list[_Attempt]])
    """Attempts to be made later, by moment."""

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Send messages that come at one moment."""
        if self.context.injector.asks("send"):
            self._send([_Attempt(number, arrival) for number, arrival in batch])
        else:
            self.service.send(batch)

    def _send(self, attempts: Sequence[_Attempt]) -> None:
        """Let each attempt succeed or fail, then serve the waiting receives."""
        for attempt in attempts:
            self._decide(attempt)
        for name in dict.fromkeys(attempt.arrival.queue for attempt in attempts):
            self.service.serve(self.service.states[name])

    def _decide(self, attempt: _Attempt) -> None:
        now, arrival = self.context.now, attempt.arrival
        injected = None
        if attempt.copy_of is None:  # Assumed: the response to a copy never gets lost, so copies have no copies
            injected = self.context.injector.send(arrival.queue, attempt.number, now, again=attempt.cause is not None)
        match injected:
            case None:
                self._accept(attempt)
            case InjectedFault(kind="late_send"):
                delay = self.service.states[arrival.queue].queue.delay * 1000 + _LATE
                self._accept(attempt, delay=delay, fault=injected.name)
            case InjectedFault(kind="lost_send_response"):
                self._accept(attempt, fault=injected.name, repeats=True)
            case _:
                index = self.context.record(
                    SendFailed(now, attempt.cause, arrival.queue, attempt.number, injected.name)
                )
                due = now + self.context.assumptions.send_retry
                if injected.kind == "outage" and injected.until is not None:
                    due = injected.until
                self._later(attrs.evolve(attempt, cause=index), due)

    def _accept(self, attempt: _Attempt, *, delay: int | None = None, fault: str = "", repeats: bool = False) -> None:
        """Put a message into its queue.

        A producer that `repeats` its send gives a standard queue a second message. On a FIFO queue the repeat has the
        same deduplication id, within its five minutes, and adds nothing (FF-5).
        """
        arrival = attempt.arrival
        message = self.service.enqueue(
            attempt.number, arrival, delay=delay, cause=attempt.cause, fault=fault, copy_of=attempt.copy_of
        )
        if repeats and message is not None and not self.service.states[arrival.queue].queue.fifo:
            copy = _Attempt(self.service.numbers.take(), arrival, message.last_event, attempt.number)
            self._later(copy, self.context.now + self.context.assumptions.send_retry)

    def _later(self, attempt: _Attempt, due: int) -> None:
        """Send again at a moment, together with all other attempts due then."""
        self.service.to_come += 1
        if due not in self._due:
            self._due[due] = []
            self.context.event_queue.at(due, partial(self._again, due))
        self._due[due].append(attempt)

    def _again(self, due: int) -> None:
        attempts = self._due.pop(due)
        self.service.to_come -= len(attempts)
        self.context.event_queue.may_be_over = True
        self._send(attempts)


# The run --------------------------------------------------------------------------------------------------------------

if TYPE_CHECKING:
    from chaosqs.lambda_.handlers import Handlers
    from chaosqs.simulation.operator import Operator

_FINAL_EVENTS = (Deleted, DeadLettered, Expired, InvocationEnded)
"""Events that can end a run."""


def simulate(scenario: Scenario, *, verify: bool = False) -> History:
    """Run a scenario in virtual time and return its history.

    With `verify` it runs twice; if the two differ, `NotDeterministic` names the first event that does. Raises
    `InvalidScenario` for a handler that cannot be imported, `Livelock` for a run that never ends.
    """
    __tracebackhide__ = True
    if not verify:
        return Simulation.of(scenario).run()
    first = Simulation.of(scenario).run()
    history = Simulation.of(scenario).run()
    _compare(first, history)
    return history


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
class Simulation:
    """Everything that takes part in one run."""

    scenario: Scenario
    context: SimulationContext
    service: Service
    functions: Lambda
    lifecycle: MappingLifecycle
    producer: Producer
    real: Handlers | None = None
    """Runs the real handlers; None if all are modelled."""
    operator: Operator | None = None
    """Carries out the plan's actions; None if there are none."""
    to_come: int = 0
    """Messages that producers have not sent yet."""

    @classmethod
    def of(cls, scenario: Scenario, policy: Policy | None = None) -> Self:
        """Build the simulation of a scenario; `policy`: scheduling policy on top of the scenario's pauses."""
        design, held = scenario.design, policy is not None or scenario.faults.pauses
        event_queue = holding_event_queue(scenario, policy) if held else EventQueue(scenario.seed)
        context = SimulationContext(
            event_queue, RandomStreams(scenario.seed), FaultInjector(scenario.faults), scenario.assumptions
        )
        service = Service(context)
        for queue in design.queues:
            service.open(queue)
        by_name = {function.name: function for function in design.functions}
        models, executions = Models(context, scenario.behaviour, by_name), Executions(design, scenario.assumptions)
        functions = Lambda(context, executions, models, by_name)
        settings = {mapping.name: mapping for mapping in design.mappings}
        lifecycle = MappingLifecycle(context, partial(Mapping, context, service, functions, design.era), settings)
        functions.handlers = real = _handlers(scenario, context, service, by_name)
        simulation = cls(scenario, context, service, functions, lifecycle, Producer(context, service), real)
        simulation.operator = _operator(simulation, by_name)
        return simulation

    def run(self) -> History:
        """Run to the end and return the history."""
        __tracebackhide__ = True
        until = self.scenario.until
        clock = VirtualClock(
            self.context.event_queue,
            None if until is None else milliseconds(until),
            self.done if until is None else self.only_repeats,
            self.waiting,
        )
        self.functions.end_run = clock.end_now
        self._schedule_arrivals()
        self.lifecycle.start()
        if self.operator is not None:
            self.operator.start(self.scenario.faults)
        self._run(clock)
        for mapping in self.lifecycle.mappings:
            mapping.stop()
        left = any(mapping.state.machine.stored for mapping in self.lifecycle.mappings)  # of a disabled mapping
        gone = (event.at for event in self.context.events if isinstance(event, _FINAL_EVENTS))
        drained = max(gone, default=0) if self.done() and not left else None
        return History(self.scenario, tuple(self.context.events), self.context.now, drained)

    def _run(self, clock: VirtualClock) -> None:
        """Run the clock to its end. Errors lose their traceback: to print its frames prints the whole simulation."""
        __tracebackhide__ = True
        try:
            with _without_garbage_collection():
                if self.real is None:
                    clock.drive()
                else:
                    self.real.run(clock)
        except (InvalidInput, SimulationError) as error:
            raise error.with_traceback(None) from None

    def done(self) -> bool:
        """Return whether every message that a mapping can reach is gone and nothing runs."""
        if self.only_repeats():
            return True
        if self.to_come or self.service.to_come or self.functions.running:
            return False
        if self.operator is not None and self.operator.busy:
            return False
        return not any(mapping.carried or mapping.state.machine.stored for mapping in self._waited_for())

    def _waited_for(self) -> Sequence[Mapping]:
        """Return the mappings that may still do something."""
        mappings = self.lifecycle.mappings
        return mappings if self.operator is None else [each for each in mappings if self.operator.waits_for(each)]

    def only_repeats(self) -> bool:
        """Return whether all messages that are left only do what they have done before, and nothing can end that.

        They go round in a loop of redrive policies, or come back to a queue without one to fail again. What a function
        does may differ from time to time if it is real code, or fails by chance. A run with an end of the user's own
        goes on to it.
        """
        service = self.service
        if not (service.circling or service.cycling) or self.real is not None:
            return False
        if self.operator is not None and self.operator.busy:
            return False
        if self.to_come or service.to_come or self.context.now < milliseconds(self.scenario.faults.ends_at):
            return False
        polling = {queue: self._polling(queue) for queue in service.cycling}
        failing = {function.name for functions in polling.values() for function in functions}
        if self.functions.running > sum(self.functions.executions.running[name] for name in failing):
            return False
        if self.scenario.until is not None and not self._has_usual_length:
            return False
        by_chance = any(0 < behaviour.error_rate < 1 for behaviour in self.scenario.behaviours.values())
        repeating = 0 if by_chance else sum(message.stored for message in service.circling.values())
        repeating += sum(self._hopeless(queue, functions) for queue, functions in polling.items())
        return repeating == sum(
            {mapping.mapping.queue: mapping.state.machine.stored for mapping in self._waited_for()}.values()
        )

    @cached_property
    def _has_usual_length(self) -> bool:
        """True if the end of the run is the one that searches give it, which shows what can go wrong."""
        own = self.scenario
        return own.until == run_length(own.design, own.workload, own.behaviours, own.faults, own.assumptions)

    def _polling(self, queue: str) -> list[Function]:
        mappings = (each.mapping for each in self.lifecycle.mappings)
        return [self.scenario.design.function(mapping.function) for mapping in mappings if mapping.queue == queue]

    def _hopeless(self, queue: str, functions: Sequence[Function]) -> int:
        """Count the messages that have come back to a queue often, and on which all of its functions always fail.

        Messages that expire within the run are not counted, nor any in a run without an end.
        """
        until = self.scenario.until
        if until is None:
            return 0
        last = milliseconds(until - self.scenario.design.queue(queue).retention_period)
        behaviours = [(self.scenario.behaviour(function.name), function.timeout) for function in functions]
        return sum(
            message.stored
            and message.sent_at > last
            and all(each.always_fails(message.number, limit, message.copy_of) for each, limit in behaviours)
            for message in self.service.cycling[queue]
        )

    def waiting(self) -> str:
        """Return a description of what has not ended yet, for `Deadlock` and `Livelock`."""
        stored = {name: state.machine.stored for name, state in self.service.states.items()}
        carried = {mapping.mapping.name: mapping.carried for mapping in self.lifecycle.mappings}
        running, to_come = self.functions.running, self.to_come + self.service.to_come
        return f"{to_come} messages to come, stored {stored}, batches in hand {carried}, {running} running"

    def _schedule_arrivals(self) -> None:
        numbered = enumerate(as_sent(self.scenario.workload))
        for at, group in groupby(numbered, key=lambda entry: entry[1].at):
            batch = tuple(group)
            self.to_come += len(batch)
            self.context.event_queue.at(at, partial(self._send, batch))
        self.service.numbers.next_free = max(self.service.numbers.next_free, self.to_come)

    def _send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        self.to_come -= len(batch)
        self.context.event_queue.may_be_over = True
        self.producer.send(batch)


def _handlers(
    scenario: Scenario, context: SimulationContext, service: Service, by_name: dict[str, Function]
) -> Handlers | None:
    if all(behaviour.handler is None for behaviour in scenario.behaviours.values()):
        return None
    from chaosqs.lambda_.handlers import Handlers  # noqa: PLC0415 - greenlet and boto3 are imported only where needed

    return Handlers.of(scenario, context, service, by_name)


def _operator(simulation: Simulation, by_name: dict[str, Function]) -> Operator | None:
    scenario, service, real = simulation.scenario, simulation.service, simulation.real
    if not scenario.faults.actions:
        return None
    from chaosqs.simulation.operator import Operator  # noqa: PLC0415
    from chaosqs.sqs.api.region import ACCOUNT, REGION  # noqa: PLC0415
    from chaosqs.sqs.api.sqs import Sqs  # noqa: PLC0415

    sqs = Sqs.of(service, len(arrivals(scenario.workload))) if real is None else real.calls.sqs
    region = sqs.accounts.region(ACCOUNT, REGION)
    return Operator(simulation.context, scenario.design, region, simulation.functions, by_name, simulation.lifecycle)


@contextmanager
def _without_garbage_collection() -> Generator[None]:
    """Disable garbage collection during the run: its moments vary, and finalisers may run code."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
        elif _SIZE and _resident() - _SIZE[0] >= _GARBAGE:
            gc.collect()
            _SIZE[:] = [_resident()]


_GARBAGE = 128 << 20
"""Bytes by which a process that collects rarely may grow."""
_SIZE: list[int] = []
"""Bytes of this process after its last collection; empty: it collects garbage as usual."""
_STATM = Path("/proc/self/statm")


def collect_rarely() -> None:
    """Collect garbage only after runs, and only if this process has grown.

    A run of real code leaves thousands of cycles, and to collect them takes a quarter of a search's time. For processes
    that end soon, where their size can be read.
    """
    if _STATM.exists():
        gc.freeze()
        gc.disable()
        _SIZE[:] = [_resident()]


def _resident() -> int:
    """Return the bytes of memory that this process has."""
    return int(_STATM.read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE


# Redrawn runs: one past, many futures ---------------------------------------------------------------------------------
#
# A random number is a hash of seed, stream and keys. So with another seed from some moment on, everything drawn before
# stays the same, byte for byte, and everything after is drawn anew. What was drawn before for later stays, too: the
# duration of a running invocation, and the moment at which a throttled batch is tried next.


def redrawn(scenario: Scenario, until: int, seed: int) -> History:
    """Simulate a scenario with its own seed up to and including moment `until` (milliseconds), then with another."""
    simulation = Simulation.of(scenario)
    simulation.context.event_queue.first_at(until + 1, partial(_reseed, simulation.context, seed))
    return simulation.run()


def _reseed(context: SimulationContext, seed: int) -> None:
    context.random.seed = seed
    context.event_queue.reseed(seed)
