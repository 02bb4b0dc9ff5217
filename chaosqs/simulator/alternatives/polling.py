"""A function that polls its queue itself: its chains of asynchronous invocations, and the schedule that starts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.asynchronous import AsynchronousEvent
from chaosqs.machine.chains import Chains
from chaosqs.model.alternative import TERMINATE, SelfPolling
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import InvocationEnded
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival
from chaosqs.simulator.alternatives.consuming import Consumer, Work
from chaosqs.simulator.alternatives.ground import Ground, label, request_of
from chaosqs.simulator.request import Course, Invocation


@attrs.define(eq=False)
class Polling:
    """All chains of one function: a `Stage` for it."""

    polling: SelfPolling
    ground: Ground
    waiting: dict[int, AsynchronousEvent] = attrs.field(factory=dict[int, AsynchronousEvent])
    """The event of each chain whose invocation is to come or runs."""
    consumers: dict[int, Consumer] = attrs.field(factory=dict[int, Consumer])
    """Those that run, by their invocation."""
    chains: Chains = attrs.field(init=False)
    label: EventSourceMapping = attrs.field(init=False)
    work: Work = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Take the function's invocations over."""
        self.chains, self.label, self.work = Chains(self.polling), label(self.polling), Work.of(self.ground)
        self.ground.functions.stage = self

    @property
    def busy(self) -> bool:
        """Whether messages are left."""
        return self.ground.service.lines[self.polling.queue].machine.stored > 0

    @property
    def idling(self) -> int:
        """How many invocations wait for messages."""
        return sum(consumer.idle for consumer in self.consumers.values())

    def start(self) -> None:
        """Begin with the schedule."""
        self.ground.after(0, self._tick)

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Take no message over: they go to the queue."""
        assert not batch, "a function that polls its queue takes nothing over"

    def _tick(self) -> None:
        for number in self.chains.start():
            self._accept(AsynchronousEvent(number, self.ground.now))
        self.ground.after(milliseconds(self.polling.schedule), self._tick)

    # Lambda's queue of events

    def _accept(self, event: AsynchronousEvent) -> None:
        self.waiting[event.chain] = event
        self.ground.after(self.ground.invoke_latency(event.chain, self.ground.functions.invocations), self._try(event))

    def _try(self, event: AsynchronousEvent) -> Callable[[], None]:
        return partial(self._invoke, event)

    def _invoke(self, event: AsynchronousEvent) -> None:
        request = request_of(self.label, event.chain, ())
        if self.ground.invoke(request, event.throttles + 1, partial(self._ended, event)) is not None:
            self._later(event, event.after_throttle(now=self.ground.now))

    def _ended(self, event: AsynchronousEvent, ended: InvocationEnded, _: int) -> None:
        if ended.outcome != "succeeded":
            self._later(event, event.after_error())
        elif self.waiting.get(event.chain) is event:
            self._later(event, None)

    def _later(self, event: AsynchronousEvent, wait: int | None) -> None:
        if wait is not None:
            self.ground.after(wait, self._try(event))
        else:
            del self.waiting[event.chain]
            self.chains.end(event.chain)

    # The stage

    def plays(self, function: str) -> bool:
        """Tell whether invocations of a function are played here."""
        return function == self.polling.function

    def begin(self, invocation: Invocation, done: Callable[[Course], None]) -> None:
        """Play an invocation: a step of the agenda."""
        again = partial(self._go_on, invocation.request.poller)
        ended = partial(self._over, invocation.number, done)
        consumer = Consumer(self.polling, self.ground, self.work, self.label, invocation, ended, again)
        self.consumers[invocation.number] = consumer
        consumer.start()

    def _over(self, number: int, done: Callable[[Course], None], course: Course) -> None:
        del self.consumers[number]
        done(course)

    def _go_on(self, chain: int) -> None:
        guarded = self.polling.recursive_loop == TERMINATE
        event = self.waiting[chain].following(now=self.ground.now, guarded=guarded)
        if event is not None:
            self._accept(event)
