"""Lambda in process: one invocation, from the request to its end. The handler is a model of durations and failures."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import attrs

from chaosqs.machine.concurrency import Executions, Refused
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.event import Event, InvocationEnded, InvocationStarted
from chaosqs.model.time import milliseconds
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Nemesis, Strike

_DURATION, _ERROR, _COLD = site("duration"), site("error"), site("cold start")
_COLD_SPREAD = 0.4  # Assumed: standard deviation of the logarithm of a cold start (LX-15 gives 0.1 to over 1 s)


@attrs.frozen
class Request:
    """One synchronous invocation of a function with a batch."""

    mapping: EventSourceMapping
    poller: int
    received: int
    """Place of the event by which the batch was received: the cause of all that follows."""
    messages: tuple[int, ...]
    """Their numbers."""
    batch: tuple[tuple[int, int], ...]
    """(message, receive count) of each."""


Answer: TypeAlias = Callable[[InvocationEnded, int], None]
"""Called with the end of an invocation, and its place in the history, when the poller learns of it."""


@attrs.frozen
class Course:
    """How an invocation will go."""

    outcome: str
    duration: int
    failed: tuple[int, ...] = ()
    fault: str = ""


@attrs.define(eq=False)
class Lambda:
    """All functions of one run."""

    agenda: Agenda
    luck: Luck
    nemesis: Nemesis
    record: Callable[[Event], int]
    executions: Executions
    behaviours: Callable[[str], Behaviour]
    assumptions: Assumptions
    functions: dict[str, Function]
    invocations: int = 0
    running: int = 0

    def invoke(self, request: Request, answer: Answer) -> Refused | None:
        """Start an invocation, or return why no execution is free; `answer` is called when it has ended."""
        name = request.mapping.function
        refused = self.executions.refuse(name)
        if refused is not None:
            return refused
        cold = self.executions.start(name)
        self.running += 1
        self.invocations += 1
        number, now = self.invocations, self.agenda.now
        busy = self.executions.running[name]
        place = self.record(
            InvocationStarted(
                now, request.received, name, request.mapping.name, request.poller, number, request.messages, cold, busy
            )
        )
        course = self._course(request, number)
        initialisation = (
            round(self.luck.around(self.assumptions.cold_start, _COLD_SPREAD, _COLD, number)) if cold else 0
        )
        self.agenda.at(
            now + initialisation + course.duration, partial(self._end, request, number, place, course, answer)
        )
        return None

    def _end(self, request: Request, number: int, started: int, course: Course, answer: Answer) -> None:
        now, name = self.agenda.now, request.mapping.function
        self.executions.end(name, reusable=course.outcome in ("succeeded", "raised"))
        self.running -= 1
        self.agenda.may_be_over = True
        lost = self.nemesis.strike("response", (name,), request.batch, now)
        fault = lost.name if lost is not None else course.fault
        event = InvocationEnded(
            at=now,
            cause=started,
            function=name,
            mapping=request.mapping.name,
            invocation=number,
            messages=request.messages,
            outcome=course.outcome,
            failed=course.failed,
            duration=course.duration,
            answered=lost is None,
            fault=fault,
        )
        answer(event, self.record(event))

    def _course(self, request: Request, number: int) -> Course:
        """Decide how an invocation goes: first the fault plan, then the behaviour, and the timeout over all."""
        function = self.functions[request.mapping.function]
        behaviour, limit = self.behaviours(function.name), function.timeout * 1000
        strike = self.nemesis.strike("handler", (function.name,), request.batch, self.agenda.now)
        course = (
            self._modelled(request, number, behaviour)
            if strike is None
            else self._struck(request, number, strike, limit)
        )
        if course.duration < limit:
            return course
        return Course("timed_out", limit, fault=course.fault)  # LX-1, LX-9

    def _struck(self, request: Request, number: int, strike: Strike, limit: int) -> Course:
        normal = self._duration(request, number, len(request.batch))
        match strike.kind:
            case "slow":
                return Course("succeeded", max(normal, limit - 1), fault=strike.name)
            case "timeout":
                return Course("timed_out", limit, fault=strike.name)
            case "crash":
                return Course("crashed", normal // 2, fault=strike.name)
            case _:
                return Course("raised", normal, fault=strike.name)

    def _modelled(self, request: Request, number: int, behaviour: Behaviour) -> Course:
        """What the behaviour does: messages one after another, up to the first poison or the end."""
        messages = request.messages
        poison = tuple(message for message in messages if message in behaviour.poison)
        loud = behaviour.hangs or behaviour.crashes
        if self.luck.fraction(_ERROR, number) >= 1 - behaviour.error_rate:
            return self._failure(behaviour, self._duration(request, number, len(messages)))
        if poison and (loud or not request.mapping.report_batch_item_failures):
            reached = messages.index(poison[0]) + 1
            return self._failure(behaviour, self._duration(request, number, reached))
        return Course("succeeded", self._duration(request, number, len(messages)), poison)

    def _failure(self, behaviour: Behaviour, duration: int) -> Course:
        if behaviour.hangs:
            return Course("timed_out", 1 << 40)
        return Course("crashed" if behaviour.crashes else "raised", duration)

    def _duration(self, request: Request, number: int, messages: int) -> int:
        behaviour = self.behaviours(request.mapping.function)
        seconds = behaviour.seconds_per_batch + messages * behaviour.seconds_per_message
        return milliseconds(self.luck.around(seconds, behaviour.spread, _DURATION, number))
