"""Lambda in process: one invocation, from the request to its end. The handler is a model, or real code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import attrs

from chaosqs.machine.concurrency import Executions, Refused
from chaosqs.machine.environments import Environment
from chaosqs.machine.recursion import loops
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Function
from chaosqs.model.event import Event, InvocationEnded, InvocationStarted
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.course import NEVER_RUNS, Models, struck
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Nemesis, Strike
from chaosqs.simulator.request import Answer, Course, Invocation, Request

__all__ = ["Answer", "Lambda", "Request", "Stage"]

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
