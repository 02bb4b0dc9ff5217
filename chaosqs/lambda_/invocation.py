"""Lambda in process: one invocation, from the request to its end. The handler is a model, or real code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import attrs

from chaosqs.faults.injector import Nemesis, Strike
from chaosqs.kernel.event_queue import Agenda
from chaosqs.kernel.rng import Luck, site
from chaosqs.lambda_.machines.concurrency import Executions, Refused
from chaosqs.lambda_.machines.environments import Environment
from chaosqs.lambda_.machines.recursion_guard import loops
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.event import Event, InvocationEnded, InvocationStarted
from chaosqs.model.time import milliseconds
from chaosqs.sqs.machines.message import Receipt

# What the pollers ask of Lambda, and what one invocation is between its start and its end. ---------------------------


@attrs.frozen
class Request:
    """One synchronous invocation of a function with a batch."""

    mapping: EventSourceMapping
    poller: int
    received: int | None
    """Place of the event by which the batch was received: the cause of all that follows; None: somebody invokes."""
    messages: tuple[int, ...]
    """Their numbers."""
    batch: tuple[tuple[int, int], ...]
    """(message, receive count) of each."""
    receipts: Sequence[Receipt] = ()


Answer: TypeAlias = Callable[[InvocationEnded, int], None]
"""Called with the end of an invocation, and its place in the history, when the poller learns of it."""


@attrs.frozen
class Course:
    """How an invocation goes, or went."""

    outcome: str
    duration: int
    """Milliseconds."""
    failed: tuple[int, ...] = ()
    fault: str = ""
    rule: str = ""
    error: str = ""


@attrs.define(eq=False)
class Invocation:
    """One invocation that has an execution."""

    request: Request
    number: int
    place: int
    """Place of its start in the history."""
    environment: Environment
    begins: int
    """When its handler gets the batch: after an initialisation that does not count (LX-12)."""
    initialises: int
    """Milliseconds that an initialisation takes which counts (LX-14)."""
    limit: int
    """Milliseconds after `begins` at which the function timeout ends it (LX-1)."""
    strike: Strike | None
    """What the fault plan has for its handler."""
    answer: Answer

    @property
    def task(self) -> str:
        """Its name where its handler is real code: what a pause of the fault plan names."""
        return f"{self.request.mapping.function}#{self.number}"


# A handler as a model: how long it takes with a batch, and whether it fails. -----------------------------------------

RESPONSE_LIMIT = 6_291_556
"""Bytes that a function may return (LX-5)."""
TIMED_OUT = "Sandbox.Timedout"  # LX-9
CRASHED = "Runtime.ExitError"
NOT_INITIALISED = "Runtime.ImportModuleError"  # Assumed: what the Python runtime says of a module that it cannot import
TOO_LARGE = "Function.ResponseSizeTooLarge"  # LX-5
_ONE_CPU = 1769  # MB that come with one vCPU (LX-3)
_DURATION, _ERROR = site("duration"), site("error")
NEVER_RUNS = "init_failure"
"""The fault that keeps a handler from being called at all (LX-12)."""
KILLS = {"crash": CRASHED, "out_of_memory": "Runtime.OutOfMemory"}
"""The faults that kill the environment while the handler runs, and how Lambda names that. Assumed: the second."""
BROWN_OUT, MALFORMED = "brown_out", "malformed_response"
SLOWER = 10
"""How many times as long a handler takes in a brown-out."""


@attrs.frozen
class Models:
    """The modelled handlers of one run."""

    luck: Luck
    behaviours: Callable[[str], Behaviour]
    functions: Mapping[str, Function]

    def course(self, invocation: Invocation) -> Course:
        """Decide how an invocation goes: first the fault plan, then the behaviour, and the timeout over all."""
        strike, limit = invocation.strike, invocation.limit
        course = self._modelled(invocation) if strike is None else self._struck(invocation, strike, limit)
        if invocation.initialises:
            course = attrs.evolve(course, duration=course.duration + invocation.initialises)
        if course.duration < limit:
            return course
        return Course("timed_out", limit, fault=course.fault, error=TIMED_OUT)  # LX-1, LX-9

    def _struck(self, invocation: Invocation, strike: Strike, limit: int) -> Course:
        request = invocation.request
        normal = self._duration(invocation, self.behaviours(request.mapping.function), len(request.batch))
        ended = _ended(strike, normal, limit, dies_at=normal // 2)
        if ended is not None:
            return ended
        if strike.kind == "slow":
            return Course("succeeded", max(normal, limit - 1 - invocation.initialises), fault=strike.name)
        course = self._modelled(invocation)
        if strike.kind == MALFORMED:
            return _malformed(course, invocation, strike)
        assert strike.kind == BROWN_OUT, strike
        duration = SLOWER * course.duration
        shows = course.outcome == "succeeded" or duration + invocation.initialises >= limit
        return attrs.evolve(course, duration=duration, fault=strike.name if shows else "")

    def _modelled(self, invocation: Invocation) -> Course:
        """What the behaviour does: messages one after another, up to the first poison or the end."""
        request = invocation.request
        behaviour, messages = self.behaviours(request.mapping.function), request.messages
        poison = _poison(request, behaviour) if behaviour.poison else ()
        loud = behaviour.hangs or behaviour.crashes
        rate = behaviour.error_rate
        if rate and self.luck.fraction(_ERROR, invocation.number) >= 1 - rate:
            return _failure(behaviour, self._duration(invocation, behaviour, len(messages)))
        if poison and (loud or not request.mapping.report_batch_item_failures):
            reached = messages.index(poison[0]) + 1
            return _failure(behaviour, self._duration(invocation, behaviour, reached))
        duration = self._duration(invocation, behaviour, len(messages))
        if behaviour.response_bytes > RESPONSE_LIMIT:
            return Course("raised", duration, rule="LX-5", error=TOO_LARGE)
        return Course("succeeded", duration, poison)

    def _duration(self, invocation: Invocation, behaviour: Behaviour, messages: int) -> int:
        seconds = behaviour.seconds_per_batch + messages * behaviour.seconds_per_message
        if behaviour.memory_scales:
            memory = self.functions[invocation.request.mapping.function].memory
            seconds *= _ONE_CPU / min(_ONE_CPU, memory)
        return milliseconds(self.luck.around(seconds, behaviour.spread, _DURATION, invocation.number))


def _poison(request: Request, behaviour: Behaviour) -> tuple[int, ...]:
    """Return the messages of a batch that always fail; copies are as what they are copies of (OR-4, MV-4)."""
    first = {receipt.message.number: receipt.message.copy_of for receipt in request.receipts}
    same = [(message, first.get(message)) for message in request.messages]
    return tuple([message for message, of in same if (message if of is None else of) in behaviour.poison])


def _failure(behaviour: Behaviour, duration: int) -> Course:
    if behaviour.hangs:
        return Course("timed_out", 1 << 40)
    if behaviour.crashes:
        return Course("crashed", duration, error=CRASHED)
    return Course("raised", duration, error=behaviour.raises)


def struck(course: Course, invocation: Invocation) -> Course:
    """Return how real code ends that a fault strikes; where it has failed by itself, there is nothing to replace."""
    strike, limit = invocation.strike, invocation.limit
    if strike is None:
        return course
    if strike.kind == BROWN_OUT:  # its waits have been longer already
        return attrs.evolve(course, fault=strike.name) if course.outcome in ("succeeded", "timed_out") else course
    if course.outcome != "succeeded":
        return course
    if strike.kind == "slow":
        return attrs.evolve(course, duration=max(course.duration, limit - 1), fault=strike.name)
    if strike.kind == MALFORMED:
        return _malformed(course, invocation, strike)
    ended = _ended(strike, course.duration, limit, dies_at=course.duration)
    assert ended is not None, strike
    return ended


def _ended(strike: Strike, duration: int, limit: int, *, dies_at: int) -> Course | None:
    """Return how an invocation ends that a fault ends, or None for the other faults."""
    match strike.kind:
        case "error":
            return Course("raised", duration, fault=strike.name)
        case "timeout":
            return Course("timed_out", limit, fault=strike.name, error=TIMED_OUT)
        case kind if kind in KILLS:
            return killed(strike, dies_at)
        case kind if kind == NEVER_RUNS:
            return Course("crashed", 0, fault=strike.name, error=NOT_INITIALISED)
        case _:
            return None


def killed(strike: Strike, duration: int) -> Course:
    """Return how an invocation ends whose environment a fault kills."""
    return Course("crashed", duration, fault=strike.name, error=KILLS[strike.kind])


def _malformed(course: Course, invocation: Invocation, strike: Strike) -> Course:
    """Return how an invocation ends that does its work and then answers with items that have another name (PB-8)."""
    request = invocation.request
    if course.outcome != "succeeded":
        return course
    if not request.mapping.report_batch_item_failures:
        return attrs.evolve(course, failed=(), fault=strike.name, rule="EF-2")
    return attrs.evolve(course, failed=request.messages, fault=strike.name, rule="PB-8")


# ---------------------------------------------------------------------------------------------------------------------


_COLD = site("cold start")
_COLD_SPREAD = 0.4  # Assumed: standard deviation of the logarithm of a cold start (LX-15 gives 0.1 to over 1 s)
_LONGEST_INITIALISATION = 10_000  # LX-12
_SLOW_INITIALISATION = 9_000
"""Milliseconds of the initialisation that a fault makes long: it comes before the handler still (LX-12)."""


class Stage(Protocol):
    """Where real handlers run."""

    def plays(self, function: str) -> bool:
        """Tell whether a function is real code."""
        ...

    def begin(self, invocation: Invocation, done: Callable[[Course], None]) -> None:
        """Hand the batch to the handler; `done` is called, as a step of the agenda, when that has come to an end."""
        ...


@attrs.define(eq=False)
class Lambda:
    """All functions of one run."""

    agenda: Agenda
    luck: Luck
    nemesis: Nemesis
    record: Callable[[Event], int]
    executions: Executions
    models: Models
    assumptions: Assumptions
    functions: Mapping[str, Function]
    stage: Stage | None = None
    """Set where a function of the run is real code."""
    invocations: int = 0
    running: int = 0

    def drops(self, request: Request) -> bool:
        """Tell whether the guard against recursive loops takes a batch for the next turn of one (LX-16, LX-17).

        Only real code sends messages, so no other batch can be.
        """
        return loops((receipt.message for receipt in request.receipts), request.mapping.function)

    def invoke(self, request: Request, answer: Answer, cold_start: str = "") -> Refused | None:
        """Start an invocation, or return why no execution is free; `answer` is called when it has ended.

        `cold_start` names a fault by which no idle environment is left, and the initialisation of a new one is slow.
        """
        name, now = request.mapping.function, self.agenda.now
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
        place = self.record(
            InvocationStarted(now, request.received, name, mapping, poller, number, messages, cold, busy, fault)
        )
        strike = None if self.nemesis.calm else self._strike("handler", request)
        before = within = 0
        if cold or environment.reset or strike is not None:
            before, within = self._initialisation(environment, number, strike, slow=bool(fault))
        limit = self.functions[name].timeout * 1000
        self._begin(Invocation(request, number, place, environment, now + before, within, limit, strike, answer))
        return None

    def _strike(self, boundary: str, request: Request) -> Strike | None:
        mapping = request.mapping
        scopes = (mapping.queue, mapping.function, mapping.name)
        return self.nemesis.strike(boundary, scopes, request.batch, self.agenda.now)

    def _initialisation(
        self, environment: Environment, number: int, strike: Strike | None, *, slow: bool
    ) -> tuple[int, int]:
        """Return how long an environment is initialised: before its invocation, and within it.

        A new one's comes before, but for one that takes too long or fails, which is done again (LX-12); that of one
        that crashed or timed out comes within (LX-14). Assumed: so does one that fails in what was a warm one.
        """
        length = round(self.luck.around(self.assumptions.cold_start, _COLD_SPREAD, _COLD, number))
        if slow:
            length = _SLOW_INITIALISATION
        fails = strike is not None and strike.kind == NEVER_RUNS
        if not environment.new:
            return 0, length if environment.reset or fails else 0
        before = min(length, _LONGEST_INITIALISATION)
        return before, length if before < length or fails else 0

    def _begin(self, invocation: Invocation) -> None:
        runs = invocation.strike is None or invocation.strike.kind != NEVER_RUNS
        if runs and self.stage is not None and self.stage.plays(invocation.request.mapping.function):
            step = partial(self.stage.begin, invocation, partial(self._played, invocation))
            self.agenda.at(invocation.begins, step, invocation.task)
        else:
            course = self.models.course(invocation)
            self.agenda.at(invocation.begins + course.duration, partial(self._end, invocation, course))

    def _played(self, invocation: Invocation, course: Course) -> None:
        """End an invocation of real code: what that did stands, and a fault replaces how it ended."""
        course = struck(course, invocation)
        self.agenda.at(invocation.begins + course.duration, partial(self._end, invocation, course))

    def _end(self, invocation: Invocation, course: Course) -> None:
        now, request = self.agenda.now, invocation.request
        name, mapping = request.mapping.function, request.mapping.name
        reusable = course.outcome in ("succeeded", "raised")
        self.executions.end(name, invocation.environment, now=now, reusable=reusable)
        self.running -= 1
        self.agenda.may_be_over = True
        lost = None if self.nemesis.calm else self._strike("response", request)
        event = InvocationEnded(
            at=now,
            cause=invocation.place,
            function=name,
            mapping=mapping,
            invocation=invocation.number,
            messages=request.messages,
            outcome=course.outcome,
            failed=course.failed,
            duration=course.duration,
            answered=lost is None,
            fault=lost.name if lost is not None else course.fault,
            rule=course.rule,
            error=course.error,
        )
        invocation.answer(event, self.record(event))
