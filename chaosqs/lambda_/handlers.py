"""The real handlers of one simulation: their SQS calls, their messages to the simulation, and their invocations."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

import attrs
import trio

from chaosqs import user_code
from chaosqs.kernel.clock import VirtualClock
from chaosqs.kernel.context import SimulationContext, stream
from chaosqs.lambda_.execution_environment import (
    ExecutionEnvironment,
    Handler,
    code_of,
    facts_of,
    root_for,
)
from chaosqs.lambda_.guards import unanswered
from chaosqs.lambda_.handler_loading import definition, require
from chaosqs.lambda_.handler_runtime import HandlerTask, current_task, within
from chaosqs.lambda_.invocation import BROWN_OUT, SLOWER, Invocation, InvocationOutcome
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.output import Output
from chaosqs.lambda_.project_modules import CodeRoot
from chaosqs.lambda_.results import Result, batch_event, explained
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.lambda_.service_calls import ADVICE, NOT_INSTALLED, ServiceCalls, moto_is_installed
from chaosqs.lambda_.watch import watched
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Function, Resource
from chaosqs.model.events import Effect, Event, PointPassed, Reached, Sent
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Arrival, arrivals
from chaosqs.sqs.api.parameters import Parameters, traced
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.region import ACCOUNT, EPOCH, REGION, QueueResource
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.message import message_id
from chaosqs.sqs.service import Service
from chaosqs.user_code import Value
from chaosqs.wire import stubs

# SQS calls: boto3 calls reach the queues of the run, take virtual time, and are recorded ------------------------------
#
# A call first takes its time and then has its effect, so the calls of an invocation that ends meanwhile have no effect.
# A message that an invocation has deleted stays deleted, whatever becomes of its batch (EF-4).


@attrs.define(eq=False)
class Causes:
    """Records events; those without a cause get the invocation that makes the present call as their cause.

    Messages that it sends get the place of the call, too.
    """

    record: Callable[[Event], int]
    cause: int | None = None

    def __call__(self, event: Event) -> int:
        """Record an event."""
        if self.cause is not None and event.cause is None:
            event = attrs.evolve(event, cause=self.cause)
            task = current_task()
            if isinstance(event, Sent) and task is not None:
                event = attrs.evolve(event, place=task.place)
        return self.record(event)


@attrs.define(eq=False)
class Calls:
    """Carries out the boto3 calls of handlers, for `Transport`."""

    sqs: Sqs
    causes: Causes

    @classmethod
    def of(cls, service: Service, messages: int) -> Calls:
        """Return the calls to the queues of a run; `messages`: number of messages of its workload."""
        causes = Causes(service.context.record)
        service.context = attrs.evolve(service.context, record=causes)
        return cls(Sqs.of(service, messages), causes)

    def call(self, operation: str, parameters: Parameters, *, region: str) -> Parameters:
        """Carry out an operation on the design's queues, whatever Region and account the client has."""
        del region
        task = current_task()
        parameters = _addressed(parameters)
        if task is None:  # a module calls while it is imported
            result = self.sqs.call(operation, parameters)
            return result.nothing() if isinstance(result, Wait) else result
        task.call()
        self.causes.cause = task.invocation.index
        try:
            result = self.sqs.call(operation, traced(operation, parameters, _trace(task)))
        finally:
            self.causes.cause = None
        return task.response(result.then, result.cancel) if isinstance(result, Wait) else result

    def sleep(self, seconds: float) -> None:
        """Suspend the calling handler before botocore's next attempt."""
        task = current_task()
        if task is not None:
            task.sleep(seconds)

    def jitter(self) -> float:
        """Return the random share by which botocore shortens such a sleep."""
        task = current_task()
        return 0.5 if task is None else task.chance.random()

    def epoch(self) -> float:
        """Return the virtual time, in seconds since 1970."""
        return (self.sqs.epoch + self.sqs.now) / 1000

    def refuse(self, call: str, why: str) -> NoReturn:
        """End the run, as a handler makes a call that nothing answers."""
        unanswered(call, why)

    def send(self, parameters: Parameters, region: str, cause: int | None) -> None:
        """Send a message for another service."""
        del region
        self.causes.cause = cause
        try:
            self.sqs.call("SendMessage", parameters)
        finally:
            self.causes.cause = None


@contextmanager
def transport(calls: Calls, services: ServiceCalls) -> Generator[None]:
    """Connect HTTP clients to the run; boto3 and botocore, too, if they are installed."""
    own = stubs.Stubs(services, calls.refuse)
    with stubs.opened(own):
        try:
            from chaosqs.wire import botocore_hook as sdk  # noqa: PLC0415 - boto3 is an extra
            from chaosqs.wire.transport import Transport  # noqa: PLC0415
        except ModuleNotFoundError:
            yield
            return
        answers, advice = (services, ADVICE) if moto_is_installed() else (None, NOT_INSTALLED)
        transport = Transport(calls, others=answers, advice=advice, answers=own.answers, has_configuration=False)
        with sdk.session_of_handlers(), sdk.opened(transport):
            yield


def _pass_time() -> None:
    task = current_task()
    if task is not None:
        task.call()


def _addressed(parameters: Parameters) -> Parameters:
    """Reduce a queue's URL to the name: the handler may use the URL of a deployment in another account or Region."""
    url = parameters.get("QueueUrl")
    return {**parameters, "QueueUrl": url.rstrip("/").rpartition("/")[2]} if isinstance(url, str) else parameters


def _trace(task: HandlerTask) -> str:
    """Return the trace header that the SDK passes on with what the handler sends (LX-16)."""
    request = task.invocation.request
    messages = (receipt.message for receipt in request.receipts)
    return trace_header(task.request_id, messages, request.mapping.function)


# Messages of user code to the simulation (`chaosqs.user_code.Simulation`) ---------------------------------------------
#
# They take no time. Those of an invocation that a timeout or a crash has ended have no effect.


@attrs.define(eq=False)
class UserCode:
    """The code of one invocation."""

    task: HandlerTask
    context: SimulationContext
    messages: Mapping[str, int]
    """Numbers of the batch's messages, by their ids."""
    _reached: set[str] = attrs.field(factory=set[str])

    def fails_at(self, name: str, message_id: str | None) -> bool:
        """Return whether a fault is injected at a named point of the code, and record that the code passed it."""
        invocation, now = self.task.invocation, self.context.now
        request, number = invocation.request, self._number(message_id)
        if self.task.over:
            return False
        batch = [entry for entry in request.batch if number in (None, entry[0])]
        scopes = (request.mapping.queue, request.mapping.function, request.mapping.name)
        injected = self.context.injector.point(name, scopes, batch, now)
        fault = "" if injected is None else injected.name
        self.context.record(
            PointPassed(now, invocation.index, request.mapping.function, invocation.number, name, fault)
        )
        return injected is not None

    def reached(self, name: str) -> None:
        """Record that the code reached a named place; once for each name."""
        invocation, now = self.task.invocation, self.context.now
        if name not in self._reached and not self.task.over:
            self._reached.add(name)
            self.context.record(
                Reached(now, invocation.index, invocation.request.mapping.function, invocation.number, name)
            )

    def had_effect(self, name: str, values: tuple[tuple[str, Value], ...], message_id: str | None) -> None:
        """Record an effect."""
        self.task.step()
        invocation, now = self.task.invocation, self.context.now
        function, message = invocation.request.mapping.function, self._number(message_id)
        if not self.task.over:
            self.context.record(Effect(now, invocation.index, function, invocation.number, name, values, message))

    def _number(self, message_id: str | None) -> int | None:
        if message_id is None or message_id in self.messages:
            return None if message_id is None else self.messages[message_id]
        raise ValueError(f"{message_id} is not a message of the batch that this invocation has")


# Invocations ----------------------------------------------------------------------------------------------------------

_CALL = stream("call latency")


@attrs.define(eq=False, repr=False)
class Handlers:
    """The real handlers of one run."""

    context: SimulationContext
    calls: Calls
    behaviours: Mapping[str, Behaviour]
    """Behaviour of each function that is real code."""
    queues: Mapping[str, QueueResource]
    functions: Mapping[str, Function]
    """The functions as they are deployed now."""
    services: ServiceCalls
    resources: tuple[Resource, ...]
    """Resources of other services."""
    arrivals: Sequence[Arrival]
    """The messages that producers send."""
    _environments: dict[tuple[str, int], ExecutionEnvironment] = attrs.field(
        factory=dict[tuple[str, int], ExecutionEnvironment]
    )
    _roots: dict[str, CodeRoot] = attrs.field(factory=dict[str, CodeRoot])
    _running: dict[int, HandlerTask] = attrs.field(factory=dict[int, HandlerTask])

    @classmethod
    def of(
        cls, scenario: Scenario, context: SimulationContext, service: Service, functions: Mapping[str, Function]
    ) -> Handlers | None:
        """Return the real handlers of a scenario, or None if all are modelled."""
        behaviours = {name: known for name, known in scenario.behaviours.items() if known.handler is not None}
        if not behaviours:
            return None
        sent = arrivals(scenario.workload)
        calls = Calls.of(service, len(sent))
        queues = dict(calls.sqs.accounts.region(ACCOUNT, REGION).queues)
        services = ServiceCalls(context, service, calls.send, _pass_time)
        return cls(context, calls, behaviours, queues, functions, services, scenario.design.resources, sent)

    def handles(self, function: str) -> bool:
        """Return whether a function is real code."""
        return function in self.behaviours

    def run(self, clock: VirtualClock) -> None:
        """Run the clock to its end; raise `InvalidScenario` before for a handler that can never be imported."""
        __tracebackhide__ = True
        for name, behaviour in self.behaviours.items():
            require(self.functions[name], behaviour)
            self._roots[name] = root_for(behaviour)
        with watched(), Sandbox(EPOCH)(), transport(self.calls, self.services):
            if moto_is_installed():
                self.services.make(self.resources, self._bodies())
            self.services.prepare(dict.fromkeys(each.setup for each in self.behaviours.values() if each.setup))
            try:
                trio.run(clock.run, clock=clock)
            finally:
                for task in list(self._running.values()):
                    task.close()
                for environment in self._environments.values():
                    environment.close()
                self.services.close()

    def _bodies(self) -> Iterable[str]:
        """Return the bodies of messages that tell the truth about objects of S3: not those with a wrong key."""
        messages = (arrival.message for arrival in self.arrivals)
        return dict.fromkeys(each.body for each in messages if each is not None and "key" not in each.note)

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Hand the batch to the handler in this step of the event queue; another step calls `done` at the end."""
        request, number = invocation.request, invocation.number
        name = request.mapping.function
        key = name, invocation.environment.number
        environment = self._environments.get(key)
        if environment is None or invocation.initialises:  # a fault may have reset it (LX-14)
            if environment is not None:
                environment.close()
            self._environments[key] = environment = self._environment(invocation)
        output = Output()
        end = partial(self._end, invocation, output, done)
        self._running[number] = task = self._task(invocation, environment, output, end)
        receipts = (receipt.message for receipt in request.receipts)
        environment.trace = trace_header(task.request_id, receipts, name)
        event = batch_event(request, self.queues[request.mapping.queue], EPOCH)
        context = environment.facts.context(task.request_id, lambda: task.remaining)
        messages = {message_id(message): message for message in request.messages}
        code = UserCode(task, self.context, messages)

        def load() -> Handler:
            user_code.enter(code)
            output.here()
            return environment.load()

        def call() -> object:
            return load()(event, context)

        task.start(call, None if environment.is_loaded or within(invocation) else load)

    def _environment(self, invocation: Invocation) -> ExecutionEnvironment:
        name, environment = invocation.request.mapping.function, invocation.environment
        behaviour, root = self.behaviours[name], self._roots[name]
        facts = facts_of(self.functions[name], behaviour, root, environment.number, provisioned=environment.provisioned)
        return ExecutionEnvironment(code_of(behaviour, root), facts)

    def _task(
        self,
        invocation: Invocation,
        environment: ExecutionEnvironment,
        output: Output,
        done: Callable[[InvocationOutcome, Result], None],
    ) -> HandlerTask:
        injected, seed, code = invocation.injected, self.context.random.seed, environment.facts.root
        pace = SLOWER if injected is not None and injected.kind == BROWN_OUT else 1
        latency = partial(_latency, self.context, invocation.number)
        queue, threads = self.context.event_queue, environment.threads
        around = partial(_around, environment, output)
        return HandlerTask(invocation, queue, around, done, seed, latency, pace, code=code, threads=threads)

    def _end(
        self,
        invocation: Invocation,
        output: Output,
        done: Callable[[InvocationOutcome], None],
        outcome: InvocationOutcome,
        result: Result,
    ) -> None:
        task = self._running.pop(invocation.number)
        behaviour = self.behaviours[invocation.request.mapping.function]
        outcome = explained(outcome, result, output, task.code, partial(definition, behaviour))
        if result.outcome in ("timed_out", "crashed"):
            key = invocation.request.mapping.function, invocation.environment.number
            self._environments.pop(key, None)  # LX-14
        done(outcome)


@contextmanager
def _around(environment: ExecutionEnvironment, output: Output) -> Generator[None]:
    """Surround one stretch in which a handler runs."""
    with output.captured(), environment.active():
        yield


def _latency(context: SimulationContext, number: int, wait: int) -> int:
    assumed = context.assumptions
    return max(1, round(context.random.around(assumed.call_latency, assumed.latency_spread / 100, _CALL, number, wait)))
