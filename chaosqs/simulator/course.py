"""A handler as a model: how long it takes with a batch, and whether it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Function
from chaosqs.model.time import milliseconds
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Strike
from chaosqs.simulator.request import Course, Invocation

RESPONSE_LIMIT = 6_291_556
"""Bytes that a function may return (LX-5)."""
TIMED_OUT = "Sandbox.Timedout"  # LX-9
CRASHED = "Runtime.ExitError"
TOO_LARGE = "Function.ResponseSizeTooLarge"  # LX-5
_ONE_CPU = 1769  # MB that come with one vCPU (LX-3)
_DURATION, _ERROR = site("duration"), site("error")


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
        match strike.kind:
            case "slow":
                return Course("succeeded", max(normal, limit - 1 - invocation.initialises), fault=strike.name)
            case "timeout":
                return Course("timed_out", limit, fault=strike.name, error=TIMED_OUT)
            case "crash":
                return Course("crashed", normal // 2, fault=strike.name, error=CRASHED)
            case _:
                return Course("raised", normal, fault=strike.name)

    def _modelled(self, invocation: Invocation) -> Course:
        """What the behaviour does: messages one after another, up to the first poison or the end."""
        request = invocation.request
        behaviour, messages = self.behaviours(request.mapping.function), request.messages
        poison = tuple([message for message in messages if message in behaviour.poison]) if behaviour.poison else ()
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


def _failure(behaviour: Behaviour, duration: int) -> Course:
    if behaviour.hangs:
        return Course("timed_out", 1 << 40)
    if behaviour.crashes:
        return Course("crashed", duration, error=CRASHED)
    return Course("raised", duration, error=behaviour.raises)
