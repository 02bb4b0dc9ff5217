"""A handler as a model: how long it takes with a batch, and whether it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Function
from chaosqs.model.time import milliseconds
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Strike
from chaosqs.simulator.request import Course, Invocation, Request

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
