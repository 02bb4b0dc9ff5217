"""A function that polls its queue itself: its invocations, the chains of them, and the schedule that starts chains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.comparison.simulation import AlternativeSimulation, label, request_of
from chaosqs.lambda_.invocation import TIMED_OUT, Invocation, InvocationOutcome, Models
from chaosqs.lambda_.machines.asynchronous import AsynchronousEvent, InvocationChains
from chaosqs.model.alternative import TERMINATE, SelfPolling
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import Deleted, InvocationEnded, Received, ReceivedNothing
from chaosqs.model.figures import Happened
from chaosqs.model.time import milliseconds
from chaosqs.model.workload import Arrival
from chaosqs.sqs.machines.message import Receipt
from chaosqs.sqs.service import QueueState

# One invocation: receive, work, delete, and again ---------------------------------------------------------------------
#
# The function's behaviour gives the duration and failures of the work: `seconds_per_batch` and `error_rate` count once
# for each receive, `seconds_per_message` and poison for each message. Assumed: a failure by rate shows at the last
# message of a receive.

_MOST_PER_RECEIVE = 10  # RX-1
_NEVER = 1 << 60


@attrs.frozen
class Work:
    """Models of the work of one receive and of each message in it."""

    receive: Models
    message: Models

    @classmethod
    def of(cls, simulation: AlternativeSimulation) -> Work:
        """Split each behaviour of a scenario into a part for a receive and a part for a message."""
        functions, behaviour = simulation.functions.functions, simulation.scenario.behaviour

        def once(name: str) -> Behaviour:
            return attrs.evolve(behaviour(name), seconds_per_message=0, poison=())

        def each(name: str) -> Behaviour:
            return attrs.evolve(behaviour(name), seconds_per_batch=0, error_rate=0, response_bytes=0)

        return cls(Models(simulation.context, once, functions), Models(simulation.context, each, functions))


@attrs.define(eq=False)
class Consumer:
    """One invocation while it runs."""

    polling: SelfPolling
    simulation: AlternativeSimulation
    work: Work
    label: EventSourceMapping
    invocation: Invocation
    done: Callable[[InvocationOutcome], None]
    """Called when the invocation has ended."""
    invoke_again: Callable[[], None]
    """Invokes the next invocation of the chain."""
    over: bool = False
    idle: bool = False
    """True while it waits for messages."""
    receives: int = 0
    calls: int = 0

    @property
    def state(self) -> QueueState:
        """The queue that it polls."""
        return self.simulation.service.states[self.polling.queue]

    @property
    def left(self) -> int:
        """Milliseconds until the function timeout."""
        return self.invocation.begins + self.invocation.limit - self.simulation.context.now

    def start(self) -> None:
        """Begin, in a step of the event queue."""
        self.simulation.after(self.invocation.limit, self._time_out)
        self._later(self.invocation.initialises, self._call_receive)

    # Receiving

    def _call_receive(self) -> None:
        self.receives += 1
        self._call(self._receive)

    def _receive(self) -> None:
        if self._took():
            return
        since, self.idle = self.simulation.context.now, True
        self.simulation.context.event_queue.may_be_over = True
        if self.polling.wait_time:
            self.state.waiting.append(partial(self._woken, self.receives))
        self._later(self.polling.wait_time * 1000, partial(self._found_nothing, self.receives, since))

    def _woken(self, receive: int) -> None:
        """Receive again, as there may be messages (RX-5, RX-6), unless the wait is over."""
        if not self.over and receive == self.receives and not self._took():
            self.state.waiting.append(partial(self._woken, receive))

    def _found_nothing(self, receive: int, since: int) -> None:
        if receive == self.receives:
            queue, wait = self.polling.queue, self.polling.wait_time * 1000
            index, chain = self.invocation.index, self.invocation.request.poller
            event = ReceivedNothing(self.simulation.context.now, index, queue, self.label.name, chain, 1, since, wait)
            self.simulation.context.record(event)
            self._end(InvocationOutcome("succeeded", self._duration))

    def _took(self) -> bool:
        """Receive; return whether there were messages."""
        receipts = self.simulation.service.receive(self.polling.queue, _MOST_PER_RECEIVE)
        if not receipts:
            return False
        first = receipts[0].message
        index = self.simulation.context.record(
            Received(
                at=self.simulation.context.now,
                cause=first.last_event,
                queue=self.polling.queue,
                mapping=self.label.name,
                poller=self.invocation.request.poller,
                messages=tuple(receipt.message.number for receipt in receipts),
                receive_counts=tuple(receipt.message.receive_count for receipt in receipts),
                visible_at=first.visible_at,
                fault="",
            )
        )
        for receipt in receipts:
            receipt.message.last_event = index
        self.receives += 1
        self.idle = False
        self._later(0, partial(self._begin, receipts, index))
        return True

    # Working

    def _begin(self, receipts: Sequence[Receipt], index: int) -> None:
        outcome = self.work.receive.outcome(self._part_of_work(receipts, self.receives << 8))
        step = partial(self._work, receipts, 0, index, outcome if outcome.outcome != "succeeded" else None)
        self._later(outcome.duration, step)

    def _work(self, receipts: Sequence[Receipt], number: int, index: int, failure: InvocationOutcome | None) -> None:
        """Work on one message of a receive; `failure`: outcome of the receive's last message, None if it succeeds."""
        outcome = self.work.message.outcome(
            self._part_of_work(receipts[number : number + 1], (self.receives << 8) + number + 1)
        )
        if failure is not None and number == len(receipts) - 1 and outcome.outcome == "succeeded":
            outcome = attrs.evolve(failure, duration=outcome.duration)
        step = partial(self._worked, receipts, number, index, failure)
        if outcome.outcome != "succeeded":
            step = partial(self._fail, outcome)
        self._later(outcome.duration, step)

    def _worked(self, receipts: Sequence[Receipt], number: int, index: int, failure: InvocationOutcome | None) -> None:
        self.simulation.note(receipts[number].message.number, Happened.PROCESSED)
        last = number == len(receipts) - 1
        then = self._go_on if last else partial(self._work, receipts, number + 1, index, failure)
        if self.polling.delete == "each":
            self._call(partial(self._delete, receipts[number : number + 1], index, then))
        elif last:
            self._call(partial(self._delete, receipts, index, then))
        else:
            then()

    def _delete(self, receipts: Sequence[Receipt], index: int, then: Callable[[], None]) -> None:
        queue, numbers = self.polling.queue, tuple(receipt.message.number for receipt in receipts)
        stayed = tuple(self.simulation.service.delete(queue, receipts))
        self.simulation.context.record(
            Deleted(self.simulation.context.now, index, queue, self.label.name, numbers, stayed, "")
        )
        self.simulation.context.event_queue.may_be_over = True
        then()

    def _part_of_work(self, receipts: Sequence[Receipt], key: int) -> Invocation:
        """Return the work on some messages as an invocation of its own; `key` selects its random numbers."""
        batch = [(receipt.message.number, receipt.message.receive_count) for receipt in receipts]
        request = request_of(self.label, self.invocation.request.poller, batch)
        number = (self.invocation.number << 32) + key
        return attrs.evolve(self.invocation, request=request, number=number, initialises=0, limit=_NEVER)

    # Ending

    def _go_on(self) -> None:
        if self.left >= milliseconds(self.polling.reserve):
            self._call_receive()
        else:
            self._call(self._hand_over)

    def _hand_over(self) -> None:
        self.invoke_again()
        self._end(InvocationOutcome("succeeded", self._duration))

    def _fail(self, outcome: InvocationOutcome) -> None:
        self._end(attrs.evolve(outcome, duration=self._duration))

    def _time_out(self) -> None:
        if not self.over:
            self._end(InvocationOutcome("timed_out", self.invocation.limit, error=TIMED_OUT))

    @property
    def _duration(self) -> int:
        return self.simulation.context.now - self.invocation.begins

    def _end(self, outcome: InvocationOutcome) -> None:
        self.over = True
        self.done(outcome)

    def _call(self, step: Callable[[], None]) -> None:
        self.calls += 1
        self._later(self.simulation.call_latency(self.invocation.number, self.calls), step)

    def _later(self, wait: int, step: Callable[[], None]) -> None:
        """Run a step of this invocation, unless it is over by then."""
        if wait < self.left:
            self.simulation.after(wait, partial(self._unless_over, step))

    def _unless_over(self, step: Callable[[], None]) -> None:
        if not self.over:
            step()


# All chains of one function -------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Polling:
    """All chains of one function. It is also the function's `HandlerRuntime`."""

    polling: SelfPolling
    simulation: AlternativeSimulation
    waiting: dict[int, AsynchronousEvent] = attrs.field(factory=dict[int, AsynchronousEvent])
    """Event of each chain that has a coming or running invocation."""
    consumers: dict[int, Consumer] = attrs.field(factory=dict[int, Consumer])
    """Running consumers, by the number of their invocation."""
    chains: InvocationChains = attrs.field(init=False)
    label: EventSourceMapping = attrs.field(init=False)
    work: Work = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Register as the handler runtime of the simulation."""
        self.chains, self.label, self.work = (
            InvocationChains(self.polling),
            label(self.polling),
            Work.of(self.simulation),
        )
        self.simulation.functions.handlers = self

    @property
    def busy(self) -> bool:
        """True if messages are left in the queue."""
        return self.simulation.service.states[self.polling.queue].machine.stored > 0

    @property
    def idling(self) -> int:
        """Number of invocations that wait for messages."""
        return sum(consumer.idle for consumer in self.consumers.values())

    def start(self) -> None:
        """Start the schedule."""
        self.simulation.after(0, self._tick)

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Assert that the batch is empty: all messages go to the queue."""
        assert not batch, "a function that polls its queue takes nothing over"

    def _tick(self) -> None:
        for number in self.chains.start():
            self._accept(AsynchronousEvent(number, self.simulation.context.now))
        self.simulation.after(milliseconds(self.polling.schedule), self._tick)

    # Lambda's queue of events

    def _accept(self, event: AsynchronousEvent) -> None:
        self.waiting[event.chain] = event
        self.simulation.after(
            self.simulation.invoke_latency(event.chain, self.simulation.functions.invocations), self._try(event)
        )

    def _try(self, event: AsynchronousEvent) -> Callable[[], None]:
        return partial(self._invoke, event)

    def _invoke(self, event: AsynchronousEvent) -> None:
        request = request_of(self.label, event.chain, ())
        if self.simulation.invoke(request, event.throttles + 1, partial(self._ended, event)) is not None:
            self._later(event, event.after_throttle(now=self.simulation.context.now))

    def _ended(self, event: AsynchronousEvent, ended: InvocationEnded, _: int) -> None:
        if ended.outcome != "succeeded":
            self._later(event, event.after_error())
        elif self.waiting.get(event.chain) is event:
            self._later(event, None)

    def _later(self, event: AsynchronousEvent, wait: int | None) -> None:
        if wait is not None:
            self.simulation.after(wait, self._try(event))
        else:
            del self.waiting[event.chain]
            self.chains.end(event.chain)

    # As a handler runtime

    def handles(self, function: str) -> bool:
        """Return whether this runtime runs the invocations of a function."""
        return function == self.polling.function

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Run an invocation, beginning in this step of the event queue."""
        again = partial(self._go_on, invocation.request.poller)
        ended = partial(self._over, invocation.number, done)
        consumer = Consumer(self.polling, self.simulation, self.work, self.label, invocation, ended, again)
        self.consumers[invocation.number] = consumer
        consumer.start()

    def _over(self, number: int, done: Callable[[InvocationOutcome], None], outcome: InvocationOutcome) -> None:
        del self.consumers[number]
        done(outcome)

    def _go_on(self, chain: int) -> None:
        function = self.simulation.functions.functions[self.polling.function]
        guarded = self.polling.recursive_loop == function.recursive_loop == TERMINATE
        event = self.waiting[chain].following(now=self.simulation.context.now, guarded=guarded)
        if event is not None:
            self._accept(event)
