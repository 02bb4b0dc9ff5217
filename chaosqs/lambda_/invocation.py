"""Lambda in process: requests and outcomes, modelled handlers, and invocations from start to end."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import attrs

from chaosqs.kernel.context import InjectedFault, SimulationContext, stream
from chaosqs.lambda_.machines.concurrency import Environment, Executions, Refused
from chaosqs.lambda_.machines.partial_batch import speaks_of_failures
from chaosqs.lambda_.machines.recursion_guard import passes_through
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import MOST_PASSES, ONE_CPU, EventSourceMapping, Function
from chaosqs.model.events import InvocationEnded, InvocationStarted, Outcome
from chaosqs.model.time import milliseconds
from chaosqs.sqs.machines.message import Receipt

# Requests and invocations ---------------------------------------------------------------------------------------------


@attrs.frozen
class Request:
    """One synchronous invocation of a function with a batch."""

    mapping: EventSourceMapping
    poller: int
    received: int | None
    """Index of the event of the receive, the cause of all that follows; None for an invocation by a client."""
    messages: tuple[int, ...]
    """Numbers of the messages."""
    batch: tuple[tuple[int, int], ...]
    """(message, receive count) of each message."""
    receipts: Sequence[Receipt] = ()


OnEnd: TypeAlias = Callable[[InvocationEnded, int], None]
"""Called with the end of an invocation and the index of that event, when the poller learns of it."""


@attrs.frozen
class InvocationOutcome:
    """The outcome of an invocation, decided in advance or after its end."""

    outcome: Outcome
    duration: int
    """Milliseconds."""
    failed: tuple[int, ...] = ()
    fault: str = ""
    rule: str = ""
    error: str = ""
    answer: str = ""
    trace: tuple[str, ...] = ()
    output: tuple[str, ...] = ()


@attrs.define(eq=False)
class Invocation:
    """One invocation that has an execution."""

    request: Request
    number: int
    index: int
    """Index of the event of its start."""
    environment: Environment
    begins: int
    """Moment at which its duration begins: after an initialisation that does not count as duration (LX-12)."""
    initialises: int
    """Milliseconds of an initialisation that counts as duration (LX-14)."""
    limit: int
    """Milliseconds after `begins` at which the function timeout ends it (LX-1)."""
    injected: InjectedFault | None
    """Fault that is injected into its handler."""
    on_end: OnEnd
    cold: int = 0
    """Milliseconds before `begins` in which a new environment is made; an import that takes time comes on top."""

    @property
    def task(self) -> str:
        """Name of its task if its handler is real code, for the pauses of a fault plan: `worker#3`."""
        return f"{self.request.mapping.function}#{self.number}"


# Modelled handlers: duration and failure ------------------------------------------------------------------------------

RESPONSE_LIMIT = 6_291_556
"""Bytes that a function may return (LX-5)."""
TIMED_OUT = "Sandbox.Timedout"  # LX-9
CRASHED = "Runtime.ExitError"
NOT_INITIALISED = "Runtime.ImportModuleError"  # Assumed: the Python runtime's error for a module it cannot import
TOO_LARGE = "Function.ResponseSizeTooLarge"  # LX-5
NOT_JSON = "Runtime.MarshalError"
UNANSWERABLE = (TOO_LARGE, NOT_JSON)
"""Errors of answers that Lambda refuses, whatever the message was."""
_DURATION, _ERROR = stream("duration"), stream("error")
NEVER_RUNS = "init_failure"
"""The fault that keeps a handler from being called at all (LX-12)."""
KILLS = {"crash": CRASHED, "out_of_memory": "Runtime.OutOfMemory"}
"""Faults that kill the environment while the handler runs, and Lambda's error for each. Assumed: the second one."""
BROWN_OUT, MALFORMED = "brown_out", "malformed_response"
SLOWER = 10
"""Factor by which a handler takes longer in a brown-out."""


@attrs.frozen
class Models:
    """The modelled handlers of one run."""

    context: SimulationContext
    behaviours: Callable[[str], Behaviour]
    functions: Mapping[str, Function]

    def outcome(self, invocation: Invocation) -> InvocationOutcome:
        """Return the outcome of an invocation: by its fault or else by the behaviour, limited by the timeout."""
        injected, limit = invocation.injected, invocation.limit
        outcome = self._modelled(invocation) if injected is None else self._injected(invocation, injected, limit)
        if invocation.initialises:
            outcome = attrs.evolve(outcome, duration=outcome.duration + invocation.initialises)
        if outcome.duration < limit:
            return outcome
        return InvocationOutcome("timed_out", limit, fault=outcome.fault, error=TIMED_OUT)  # LX-1, LX-9

    def _injected(self, invocation: Invocation, injected: InjectedFault, limit: int) -> InvocationOutcome:
        request = invocation.request
        normal = self._duration(invocation, self.behaviours(request.mapping.function), len(request.batch))
        ended = _ended(injected, normal, limit, dies_at=normal // 2)
        if ended is not None:
            return ended
        if injected.kind == "slow":
            return InvocationOutcome("succeeded", max(normal, limit - 1 - invocation.initialises), fault=injected.name)
        outcome = self._modelled(invocation)
        if injected.kind == MALFORMED:
            return _malformed(outcome, invocation, injected)
        assert injected.kind == BROWN_OUT, injected
        duration = SLOWER * outcome.duration
        shows = outcome.outcome == "succeeded" or duration + invocation.initialises >= limit
        return attrs.evolve(outcome, duration=duration, fault=injected.name if shows else "")

    def _modelled(self, invocation: Invocation) -> InvocationOutcome:
        """Return the outcome by the behaviour: messages one after another, up to the first poison or the end."""
        request = invocation.request
        behaviour, messages = self.behaviours(request.mapping.function), request.messages
        poison = _poison(request, behaviour) if behaviour.poison else ()
        loud = behaviour.hangs or behaviour.crashes
        rate = behaviour.error_rate
        if rate and self.context.random.fraction(_ERROR, invocation.number) >= 1 - rate:
            return _failure(behaviour, self._duration(invocation, behaviour, len(messages)))
        if poison and (loud or not request.mapping.report_batch_item_failures):
            reached = messages.index(poison[0]) + 1
            return _failure(behaviour, self._duration(invocation, behaviour, reached))
        reached = len(messages)
        if poison and request.mapping.queue.endswith(".fifo") and not behaviour.goes_on_after_failure:
            reached = messages.index(poison[0]) + 1
            poison = messages[reached - 1 :]  # PB-15: AWS's advice
        duration = self._duration(invocation, behaviour, reached)
        if behaviour.response_bytes > RESPONSE_LIMIT:
            return InvocationOutcome("raised", duration, rule="LX-5", error=TOO_LARGE)
        return InvocationOutcome("succeeded", duration, poison)

    def _duration(self, invocation: Invocation, behaviour: Behaviour, messages: int) -> int:
        seconds = behaviour.seconds_per_batch + messages * behaviour.seconds_per_message
        if behaviour.memory_scales:
            memory = self.functions[invocation.request.mapping.function].memory
            seconds *= ONE_CPU / min(ONE_CPU, memory)  # LX-3
        return milliseconds(self.context.random.around(seconds, behaviour.spread, _DURATION, invocation.number))


def _poison(request: Request, behaviour: Behaviour) -> tuple[int, ...]:
    """Return the messages of a batch that always fail; a copy fails if its original does (OR-4, MV-4)."""
    first = {receipt.message.number: receipt.message.copy_of for receipt in request.receipts}
    same = [(message, first.get(message)) for message in request.messages]
    return tuple([message for message, of in same if (message if of is None else of) in behaviour.poison])


def _failure(behaviour: Behaviour, duration: int) -> InvocationOutcome:
    if behaviour.hangs:
        return InvocationOutcome("timed_out", 1 << 40)
    if behaviour.crashes:
        return InvocationOutcome("crashed", duration, error=CRASHED)
    return InvocationOutcome("raised", duration, error=behaviour.raises)


def faulted(outcome: InvocationOutcome, invocation: Invocation) -> InvocationOutcome:
    """Return the outcome of real code with its fault applied. Of code that has failed by itself it stays the same."""
    injected, limit = invocation.injected, invocation.limit
    if injected is None or outcome.fault:  # it was injected inside of the code
        return outcome
    if injected.kind == BROWN_OUT:  # its waits have been longer already
        return attrs.evolve(outcome, fault=injected.name) if outcome.outcome in ("succeeded", "timed_out") else outcome
    if outcome.outcome != "succeeded":
        return outcome
    if injected.kind == "slow":
        return attrs.evolve(outcome, duration=max(outcome.duration, limit - 1), fault=injected.name)
    if injected.kind == MALFORMED:
        return _malformed(outcome, invocation, injected)
    ended = _ended(injected, outcome.duration, limit, dies_at=outcome.duration)
    assert ended is not None, injected
    return ended


def _ended(injected: InjectedFault, duration: int, limit: int, *, dies_at: int) -> InvocationOutcome | None:
    """Return the outcome of an invocation that a fault ends, or None for a fault of another kind."""
    match injected.kind:
        case "error":
            return InvocationOutcome("raised", duration, fault=injected.name)
        case "timeout":
            return InvocationOutcome("timed_out", limit, fault=injected.name, error=TIMED_OUT)
        case kind if kind in KILLS:
            return killed(injected, dies_at)
        case kind if kind == NEVER_RUNS:
            return InvocationOutcome("crashed", 0, fault=injected.name, error=NOT_INITIALISED)
        case _:
            return None


def killed(injected: InjectedFault, duration: int) -> InvocationOutcome:
    """Return the outcome of an invocation whose environment a fault kills."""
    return InvocationOutcome("crashed", duration, fault=injected.name, error=KILLS[injected.kind])


def _malformed(outcome: InvocationOutcome, invocation: Invocation, injected: InjectedFault) -> InvocationOutcome:
    """Return the outcome of an invocation that does its work and then responds with misnamed items (PB-8)."""
    request = invocation.request
    if outcome.outcome != "succeeded":
        return outcome
    if not request.mapping.report_batch_item_failures:
        return attrs.evolve(outcome, failed=(), fault=injected.name, rule="EF-2")
    return attrs.evolve(outcome, failed=request.messages, fault=injected.name, rule="PB-8")


# The functions of one run ---------------------------------------------------------------------------------------------

_COLD = stream("cold start")
_COLD_SPREAD = 0.4  # Assumed: standard deviation of the logarithm of a cold start (LX-15 gives 0.1 to over 1 s)
LONGEST_INITIALISATION = 10_000
"""Milliseconds after which the initialisation of a new environment is repeated within its first invocation (LX-12)."""
_SLOW_INITIALISATION = 9_000
"""Milliseconds of an initialisation that a fault makes slow: below the 10 s at which it would be repeated (LX-12)."""


class HandlerRuntime(Protocol):
    """Runs real handlers."""

    def handles(self, function: str) -> bool:
        """Return whether a function is real code."""
        ...

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Hand the batch to the handler; a step of the event queue calls `done` when the handler has ended."""
        ...


ENDLESS_PASSES = 200
"""Passes of one chain through a function that allows loops, after which a run ends: more of it shows nothing new."""
ENDLESS_INVOCATIONS = 2_000
"""Invocations that the guard would have dropped, after which a run ends: a loop may send more than it receives."""


@attrs.define(eq=False)
class Lambda:
    """All functions of one run."""

    context: SimulationContext
    executions: Executions
    models: Models
    functions: Mapping[str, Function]
    handlers: HandlerRuntime | None = None
    """Set if a function of the run is real code."""
    invocations: int = 0
    running: int = 0
    end_run: Callable[[], None] | None = None
    """Ends the run; called when a loop that its function allows goes on for ever. None: a test says when to stop."""
    _let_through: int = 0
    """Invocations that the guard against recursive loops would have dropped, of functions that allow loops."""

    def drops(self, request: Request) -> bool:
        """Return whether the guard against recursive loops drops a batch (LX-16, LX-17, LX-20).

        Only real code sends messages, so a loop needs it.
        """
        name = request.mapping.function
        count = passes_through(name, (receipt.message for receipt in request.receipts))
        if count < MOST_PASSES:
            return False
        if self.functions[name].recursive_loop == "Terminate":
            return True
        self._let_through += 1
        if self.end_run is not None and (count >= ENDLESS_PASSES or self._let_through >= ENDLESS_INVOCATIONS):
            self.end_run()
        return False

    def invoke(self, request: Request, on_end: OnEnd, cold_start: str = "") -> Refused | None:
        """Start an invocation, or return why no execution is free; `on_end` is called when it has ended.

        `cold_start` names a fault that removes all idle environments and slows down the initialisation of a new one.
        """
        name, now = request.mapping.function, self.context.event_queue.now
        if cold_start:
            self.executions.forget_idle(name)
        refused = self.executions.refuse(name, now=now)
        if refused is not None:
            return refused
        environment = self.executions.start(name, now=now)
        self.running += 1
        self.invocations = number = self.invocations + 1
        mapping, cold, busy = request.mapping.name, environment.new, self.executions.running[name]
        poller, messages = request.poller, request.messages
        fault = cold_start if cold else ""
        index = self.context.record(
            InvocationStarted(now, request.received, name, mapping, poller, number, messages, cold, busy, fault)
        )
        injected = None if self.context.injector.calm else self._injected("handler", request)
        before = within = 0
        if cold or environment.reset or injected is not None:
            before, within = self._initialisation(environment, number, injected, slow=bool(fault))
        limit = self.functions[name].timeout * 1000
        self._begin(
            Invocation(request, number, index, environment, now + before, within, limit, injected, on_end, before)
        )
        return None

    def _injected(self, injection_point: str, request: Request) -> InjectedFault | None:
        mapping = request.mapping
        scopes = (mapping.queue, mapping.function, mapping.name)
        return self.context.injector.injected(injection_point, scopes, request.batch, self.context.now)

    def _initialisation(
        self, environment: Environment, number: int, injected: InjectedFault | None, *, slow: bool
    ) -> tuple[int, int]:
        """Return the milliseconds of an environment's initialisation before its invocation and within it.

        A new environment is initialised before, and again within if that takes too long or fails (LX-12). One that
        crashed or timed out is initialised within (LX-14). Assumed: so is a warm one whose initialisation fails.
        """
        length = round(self.context.random.around(self.context.assumptions.cold_start, _COLD_SPREAD, _COLD, number))
        if slow:
            length = _SLOW_INITIALISATION
        fails = injected is not None and injected.kind == NEVER_RUNS
        if not environment.new:
            return 0, length if environment.reset or fails else 0
        before = min(length, LONGEST_INITIALISATION)
        return before, length if before < length or fails else 0

    def _begin(self, invocation: Invocation) -> None:
        runs = invocation.injected is None or invocation.injected.kind != NEVER_RUNS
        if runs and self.handlers is not None and self.handlers.handles(invocation.request.mapping.function):
            step = partial(self.handlers.begin, invocation, partial(self._handler_ended, invocation))
            self.context.event_queue.at(invocation.begins, step, invocation.task)
        else:
            outcome = self.models.outcome(invocation)
            self.context.event_queue.at(invocation.begins + outcome.duration, partial(self._end, invocation, outcome))

    def _handler_ended(self, invocation: Invocation, outcome: InvocationOutcome) -> None:
        """End an invocation of real code. The effects of the code stand; a fault replaces the outcome."""
        outcome = faulted(self._as_assumed(outcome, invocation), invocation)
        self.context.event_queue.at(invocation.begins + outcome.duration, partial(self._end, invocation, outcome))

    def _as_assumed(self, outcome: InvocationOutcome, invocation: Invocation) -> InvocationOutcome:
        """Return the outcome of an answer that AWS's sources disagree about, as it is assumed (PB-8, PB-11, PB-17)."""
        assumed = self.context.assumptions
        if outcome.rule == "PB-11" and assumed.other_answers_fail:
            answer = outcome.answer or "with other keys"
            return attrs.evolve(outcome, failed=invocation.request.messages, answer=answer)
        if outcome.rule in ("PB-8", "PB-17") and not assumed.other_shapes_fail:
            return attrs.evolve(outcome, failed=(), answer=outcome.answer if speaks_of_failures(outcome.answer) else "")
        return outcome

    def _end(self, invocation: Invocation, outcome: InvocationOutcome) -> None:
        now, request = self.context.event_queue.now, invocation.request
        name, mapping = request.mapping.function, request.mapping.name
        reusable = outcome.outcome in ("succeeded", "raised")
        self.executions.end(name, invocation.environment, now=now, reusable=reusable)
        self.running -= 1
        self.context.event_queue.may_be_over = True
        lost = None if self.context.injector.calm else self._injected("response", request)
        event = InvocationEnded(
            at=now,
            cause=invocation.index,
            function=name,
            mapping=mapping,
            invocation=invocation.number,
            messages=request.messages,
            outcome=outcome.outcome,
            failed=outcome.failed,
            duration=outcome.duration,
            answered=lost is None,
            fault=lost.name if lost is not None else outcome.fault,
            rule=outcome.rule,
            error=outcome.error,
            answer=outcome.answer,
            trace=outcome.trace,
            output=outcome.output,
        )
        invocation.on_end(event, self.context.record(event))
