"""Clients that push each message through a front with a rate limit, and retry until they give up."""

from collections.abc import Sequence
from functools import partial

import attrs

from chaosqs.comparison.simulation import AlternativeSimulation, label, request_of
from chaosqs.kernel.context import stream
from chaosqs.lambda_.machines.concurrency import RateLimiter
from chaosqs.model.alternative import RateLimitedFront
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import InvocationEnded
from chaosqs.model.figures import Happened
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival

_PAUSE = stream("pause of a client")


@attrs.define(eq=False)
class _Push:
    """One request of a client."""

    message: int
    attempt: int
    answered: bool = False


@attrs.define(eq=False)
class Pushing:
    """All clients of one front."""

    front: RateLimitedFront
    simulation: AlternativeSimulation
    waiting: int = 0
    """Number of clients that have neither succeeded nor given up."""
    machine: RateLimiter = attrs.field(init=False)
    label: EventSourceMapping = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Make the rate limiter."""
        self.machine, self.label = RateLimiter(self.front), label(self.front)

    @property
    def busy(self) -> bool:
        """True if a client still waits."""
        return self.waiting > 0

    @property
    def idling(self) -> int:
        """0: every invocation has work to do."""
        return 0

    def start(self) -> None:
        """Do nothing: clients come by themselves."""

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Push each message by a client of its own."""
        for number, _ in batch:
            self.simulation.note(number, Happened.SENT)
            self.waiting += 1
            self._push(number, 1)

    def _push(self, message: int, attempt: int) -> None:
        push = _Push(message, attempt)
        if self.machine.admits(now=self.simulation.context.now):
            self.simulation.after(self.simulation.invoke_latency(message, attempt), partial(self._invoke, push))
        else:
            self.simulation.note(message, Happened.REFUSED)
            self._failed(push)

    def _invoke(self, push: _Push) -> None:
        request = request_of(self.label, push.message + 1, [(push.message, push.attempt)])
        if self.simulation.invoke(request, push.attempt, partial(self._ended, push)) is not None:
            self._failed(push)  # 500: a client cannot tell a throttle of Lambda's from any other error
        else:
            self.simulation.after(milliseconds(self.front.integration_timeout), partial(self._timed_out, push))

    def _ended(self, push: _Push, event: InvocationEnded, _: int) -> None:
        if push.answered:
            return
        push.answered = True
        if event.outcome == "succeeded":
            self.waiting -= 1
            self.simulation.context.event_queue.may_be_over = True
        else:
            self._failed(push)  # 502

    def _timed_out(self, push: _Push) -> None:
        """Answer 504; the function works on, but its result is lost."""
        if not push.answered:
            push.answered = True
            self._failed(push)

    def _failed(self, push: _Push) -> None:
        share = self.simulation.context.random.fraction(_PAUSE, push.message, push.attempt)
        pause = self.machine.pause(push.attempt, share)
        if pause is None:
            self.waiting -= 1
            self.simulation.note(push.message, Happened.GIVEN_UP)
        else:
            self.simulation.after(pause, partial(self._push, push.message, push.attempt + 1))
