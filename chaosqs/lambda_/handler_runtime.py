"""Where real handlers run: one nursery for a run, one task for an invocation, and everything around it virtual."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib import import_module

import attrs
import trio

from chaosqs.kernel.clock import VirtualClock
from chaosqs.kernel.context import SimulationContext
from chaosqs.kernel.rng import stream
from chaosqs.lambda_.batch_event import batch_event
from chaosqs.lambda_.execution import Execution, patches
from chaosqs.lambda_.handler import Handler, load
from chaosqs.lambda_.handler import context as lambda_context
from chaosqs.lambda_.invocation import BROWN_OUT, KILLS, SLOWER, Invocation, InvocationOutcome
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.sandbox import Source, current, source, worn
from chaosqs.model.design import Function
from chaosqs.model.event import Effect, Event, PointPassed, Reached
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import arrivals
from chaosqs.sqs.api.parameters import Parameters
from chaosqs.sqs.api.queue_resource import QueueResource
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.region import ACCOUNT, REGION
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.message import message_id, uuid
from chaosqs.sqs.service import Service
from chaosqs.user_code import Value
from chaosqs.wire.http import traced

# What real handlers ask of SQS: their boto3 calls reach the queues of the run, take virtual time, and are recorded. ---
#
# A call takes its time first and has its effect then, so an invocation that ends meanwhile has not made it. What it has
# deleted stays deleted, whatever becomes of its batch (EF-4).


@attrs.define(eq=False)
class Causes:
    """Names who made a call as the cause of what it did, where nothing nearer is the cause."""

    record: Callable[[Event], int]
    cause: int | None = None

    def __call__(self, event: Event) -> int:
        """Record an event."""
        if self.cause is not None and event.cause is None:
            event = attrs.evolve(event, cause=self.cause)
        return self.record(event)


@attrs.define(eq=False)
class Calls:
    """Answers the calls of handlers: a `Waiter` of the boto3 door."""

    sqs: Sqs
    causes: Causes

    @classmethod
    def of(cls, service: Service, messages: int) -> Calls:
        """Return what answers for the queues of a run; `messages`: how many its workload sends."""
        causes = Causes(service.context.record)
        service.context = attrs.evolve(service.context, record=causes)
        return cls(Sqs.of(service, messages), causes)

    def call(self, operation: str, parameters: Parameters, *, region: str) -> Parameters:
        """Carry out an operation. Whatever the Region and the account of the client, the design's queues are meant."""
        del region
        execution = _caller()
        parameters = _addressed(parameters)
        if execution is None:  # a module that asks while it is imported
            result = self.sqs.call(operation, parameters)
            return result.nothing() if isinstance(result, Wait) else result
        execution.call()
        self.causes.cause = execution.invocation.index
        try:
            result = self.sqs.call(operation, traced(operation, parameters, _trace(execution)))
        finally:
            self.causes.cause = None
        return execution.answer(result) if isinstance(result, Wait) else result

    def sleep(self, seconds: float) -> None:
        """Let the handler sleep that waits for its next attempt."""
        execution = _caller()
        if execution is not None:
            execution.sleep(seconds)

    def jitter(self) -> float:
        """Return the chance by which botocore shortens such a sleep."""
        execution = _caller()
        return 0.5 if execution is None else execution.chance.random()

    def epoch(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return (self.sqs.epoch + self.sqs.now) / 1000


@contextmanager
def transport(calls: Calls) -> Generator[None]:
    """Let boto3 and botocore reach the run, where they are installed."""
    try:
        from chaosqs.wire import botocore_hook as sdk  # noqa: PLC0415 - boto3 is an extra
        from chaosqs.wire.transport import Transport  # noqa: PLC0415
    except ModuleNotFoundError:
        yield
        return
    with sdk.opened(Transport(calls)):
        yield


def _caller() -> Execution | None:
    here = current()
    assert here is None or isinstance(here, Execution)
    return here


def _addressed(parameters: Parameters) -> Parameters:
    """Leave of a queue's URL its name: the handler may have it from a deployment in another account or Region."""
    url = parameters.get("QueueUrl")
    return {**parameters, "QueueUrl": url.rstrip("/").rpartition("/")[2]} if isinstance(url, str) else parameters


def _trace(execution: Execution) -> str:
    """Return the trace header that the SDK passes on with what the handler sends (LX-16)."""
    request, number = execution.invocation.request, execution.invocation.number
    messages = (receipt.message for receipt in request.receipts)
    return trace_header(uuid(b"invocation", number), messages, request.mapping.function)


# What the code of an invocation tells the simulation, and asks of it (`chaosqs.user_code.Simulation`). ---------------
#
# Nothing of it takes time. What code says that was ended by its timeout or a crash counts for nothing.


@attrs.define(eq=False)
class UserCode:
    """The code of one invocation."""

    execution: Execution
    context: SimulationContext
    messages: Mapping[str, int]
    """The numbers of the batch's messages, by their ids."""
    _marks: set[str] = attrs.field(factory=set[str])

    def fails_at(self, stream: str, message_id: str | None) -> bool:
        """Ask the fault plan about a site, and record what it says."""
        invocation, now = self.execution.invocation, self.context.now
        request, number = invocation.request, self._number(message_id)
        if self.execution.over:
            return False
        batch = [entry for entry in request.batch if number in (None, entry[0])]
        scopes = (request.mapping.queue, request.mapping.function, request.mapping.name)
        injected = self.context.injector.point(stream, scopes, batch, now)
        fault = "" if injected is None else injected.name
        self.context.record(
            PointPassed(now, invocation.index, request.mapping.function, invocation.number, stream, fault)
        )
        return injected is not None

    def reached(self, mark: str) -> None:
        """Record a mark, once."""
        invocation, now = self.execution.invocation, self.context.now
        if mark not in self._marks and not self.execution.over:
            self._marks.add(mark)
            self.context.record(
                Reached(now, invocation.index, invocation.request.mapping.function, invocation.number, mark)
            )

    def had_effect(self, name: str, values: tuple[tuple[str, Value], ...], message_id: str | None) -> None:
        """Record an effect."""
        invocation, now = self.execution.invocation, self.context.now
        function, message = invocation.request.mapping.function, self._number(message_id)
        if not self.execution.over:
            self.context.record(Effect(now, invocation.index, function, invocation.number, name, values, message))

    def _number(self, message_id: str | None) -> int | None:
        if message_id is None or message_id in self.messages:
            return None if message_id is None else self.messages[message_id]
        raise ValueError(f"{message_id} is no message of the batch that this invocation has")


# ---------------------------------------------------------------------------------------------------------------------

_CALL, _CRASH, _CHANCE = stream("call latency"), stream("crash"), stream("random numbers of a handler")
_LATEST_CRASH = 3
"""Assumed: an environment that a fault kills dies at one of the first so many waits of its handler."""


@attrs.define(eq=False)
class RealCode:
    """The real handlers of one run: a `Stage` of its functions."""

    context: SimulationContext
    calls: Calls
    names: Mapping[str, str]
    """The handler of each function that is real code."""
    queues: Mapping[str, QueueResource]
    functions: Mapping[str, Function]
    """As they are deployed now."""
    _handlers: dict[str, Handler] = attrs.field(factory=dict[str, Handler])
    _clock: VirtualClock | None = None
    _nursery: trio.Nursery | None = None

    @classmethod
    def of(
        cls, scenario: Scenario, context: SimulationContext, service: Service, functions: Mapping[str, Function]
    ) -> RealCode | None:
        """Return what runs the handlers of a scenario, or None where all are modelled."""
        names = {name: known.handler for name, known in scenario.behaviours.items() if known.handler is not None}
        if not names:
            return None
        calls = Calls.of(service, len(arrivals(scenario.workload)))
        queues = dict(calls.sqs.accounts.region(ACCOUNT, REGION).queues)
        return cls(context, calls, names, queues, functions)

    def plays(self, function: str) -> bool:
        """Tell whether a function is real code."""
        return function in self.names

    def run(self, clock: VirtualClock) -> None:
        """Take the clock through the run; raise `InvalidScenario` for a handler that cannot be imported."""
        with worn(self.calls.sqs.epoch, patches()) as cover, transport(self.calls), _ordered(self.context.random.seed):
            for function, name in self.names.items():
                self._handlers[function] = load(function, name)
                cover(self._handlers[function].module)
            trio.run(self._main, clock, clock=clock)

    async def _main(self, clock: VirtualClock) -> None:
        error: BaseException | None = None
        async with trio.open_nursery() as nursery:
            self._clock, self._nursery = clock, nursery
            try:
                await clock.run()
            except BaseException as found:  # noqa: BLE001 - raised below, outside of the nursery's group
                error = found
            nursery.cancel_scope.cancel()
        if error is not None:
            raise error

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Start the task of an invocation: a step of the event queue."""
        assert self._clock is not None
        assert self._nursery is not None
        request = invocation.request
        invocation.begins = self.context.now  # later than planned where a pause held it back
        function = self.functions[request.mapping.function]
        execution = self._execution(invocation, done, self._clock)
        self.context.event_queue.at(invocation.begins + invocation.limit, execution.time_out)
        event = batch_event(request, self.queues[request.mapping.queue], self.calls.sqs.epoch)
        request_id = uuid(b"invocation", invocation.number)
        given = lambda_context(function, request_id, invocation.environment.number, lambda: execution.remaining)
        messages = {message_id(number): number for number in request.messages}
        code = UserCode(execution, self.context, messages)
        self._nursery.start_soon(execution.run, self._handlers[function.name], event, given, messages, code)
        self._clock.wake_others()

    def _execution(
        self, invocation: Invocation, done: Callable[[InvocationOutcome], None], clock: VirtualClock
    ) -> Execution:
        number, injected = invocation.number, invocation.injected
        kind, dies_at = "" if injected is None else injected.kind, 0
        if kind in KILLS:
            dies_at = 1 + int(self.context.random.fraction(_CRASH, number) * _LATEST_CRASH)
        pace = SLOWER if kind == BROWN_OUT else 1

        def latency(wait: int) -> int:
            return _latency(self.context, number, wait)

        chance = source((self.context.random.seed << 96) + (_CHANCE << 64) + number)
        return Execution(invocation, self.context.event_queue, clock.wake_others, chance, done, latency, dies_at, pace)


def _latency(context: SimulationContext, number: int, wait: int) -> int:
    assumed = context.assumptions
    return max(1, round(context.random.around(assumed.call_latency, assumed.latency_spread / 100, _CALL, number, wait)))


@contextmanager
def _ordered(seed: int) -> Generator[None]:
    """Have trio wake the tasks that one handler has started itself in an order that seed decides.

    All others wake one by one. trio has no public way to say so; Hypothesis uses the same private one. Without it a
    handler with several tasks of its own may take another course each time, and `verify` says so.
    """
    inside = vars(import_module("trio._core._run"))
    flag, chance = inside.get("_ALLOW_DETERMINISTIC_SCHEDULING"), inside.get("_r")
    if flag is None or not isinstance(chance, Source):
        yield
        return
    state = chance.getstate()
    chance.seed(seed)
    inside["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    try:
        yield
    finally:
        inside["_ALLOW_DETERMINISTIC_SCHEDULING"] = flag
        chance.setstate(state)
