"""The code of one invocation of a function that polls its queue itself: receive, work, delete, and again.

What the work costs is what the function's behaviour says, in two parts: `seconds_per_batch`, and whether it fails by
`error_rate`, once for each receive; `seconds_per_message`, and poison, message by message. Assumed: a failure by rate
shows at the last message of a receive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.message import Receipt
from chaosqs.model.alternative import SelfPolling
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Deleted, Received, ReceivedNothing
from chaosqs.model.figures import Happened
from chaosqs.model.time import milliseconds
from chaosqs.simulator.alternatives.ground import Ground, request_of
from chaosqs.simulator.course import TIMED_OUT, Models
from chaosqs.simulator.request import Course, Invocation
from chaosqs.simulator.service import Line

_MOST_PER_RECEIVE = 10  # RX-1
_NEVER = 1 << 60


@attrs.frozen
class Work:
    """What the work of a receive costs, and each message in it."""

    receive: Models
    message: Models

    @classmethod
    def of(cls, ground: Ground) -> Work:
        """Take the behaviours of a scenario apart."""
        functions, behaviour = ground.functions.functions, ground.scenario.behaviour

        def once(name: str) -> Behaviour:
            return attrs.evolve(behaviour(name), seconds_per_message=0, poison=())

        def each(name: str) -> Behaviour:
            return attrs.evolve(behaviour(name), seconds_per_batch=0, error_rate=0, response_bytes=0)

        return cls(Models(ground.luck, once, functions), Models(ground.luck, each, functions))


@attrs.define(eq=False)
class Consumer:
    """One invocation while it runs."""

    polling: SelfPolling
    ground: Ground
    work: Work
    label: EventSourceMapping
    invocation: Invocation
    done: Callable[[Course], None]
    """Called when it has come to an end."""
    invoke_again: Callable[[], None]
    """Has the chain go on."""
    over: bool = False
    idle: bool = False
    """Whether it waits for messages."""
    receives: int = 0
    calls: int = 0

    @property
    def line(self) -> Line:
        """The queue that it polls."""
        return self.ground.service.lines[self.polling.queue]

    @property
    def left(self) -> int:
        """Milliseconds until the function timeout."""
        return self.invocation.begins + self.invocation.limit - self.ground.now

    def start(self) -> None:
        """Begin: a step of the agenda."""
        self.ground.after(self.invocation.limit, self._time_out)
        self._later(self.invocation.initialises, self._call_receive)

    # Receiving

    def _call_receive(self) -> None:
        self.receives += 1
        self._call(self._receive)

    def _receive(self) -> None:
        if self._took():
            return
        since, self.idle = self.ground.now, True
        self.ground.agenda.may_be_over = True
        if self.polling.wait_time:
            self.line.waiting.append(partial(self._woken, self.receives))
        self._later(self.polling.wait_time * 1000, partial(self._found_nothing, self.receives, since))

    def _woken(self, receive: int) -> None:
        """Look again, as there may be something (RX-5, RX-6), unless the wait is over."""
        if not self.over and receive == self.receives and not self._took():
            self.line.waiting.append(partial(self._woken, receive))

    def _found_nothing(self, receive: int, since: int) -> None:
        if receive == self.receives:
            queue, wait = self.polling.queue, self.polling.wait_time * 1000
            place, chain = self.invocation.place, self.invocation.request.poller
            event = ReceivedNothing(self.ground.now, place, queue, self.label.name, chain, 1, since, wait)
            self.ground.record(event)
            self._end(Course("succeeded", self._duration))

    def _took(self) -> bool:
        """Receive; tell whether anything came."""
        receipts = self.ground.service.receive(self.polling.queue, _MOST_PER_RECEIVE)
        if not receipts:
            return False
        first = receipts[0].message
        place = self.ground.record(
            Received(
                at=self.ground.now,
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
            receipt.message.last_event = place
        self.receives += 1
        self.idle = False
        self._later(0, partial(self._begin, receipts, place))
        return True

    # Working

    def _begin(self, receipts: Sequence[Receipt], place: int) -> None:
        course = self.work.receive.course(self._part(receipts, self.receives << 8))
        step = partial(self._work, receipts, 0, place, course if course.outcome != "succeeded" else None)
        self._later(course.duration, step)

    def _work(self, receipts: Sequence[Receipt], number: int, place: int, failure: Course | None) -> None:
        """Work on one message of a receive; `failure`: what its last one comes to."""
        course = self.work.message.course(self._part(receipts[number : number + 1], (self.receives << 8) + number + 1))
        if failure is not None and number == len(receipts) - 1 and course.outcome == "succeeded":
            course = attrs.evolve(failure, duration=course.duration)
        step = partial(self._worked, receipts, number, place, failure)
        if course.outcome != "succeeded":
            step = partial(self._fail, course)
        self._later(course.duration, step)

    def _worked(self, receipts: Sequence[Receipt], number: int, place: int, failure: Course | None) -> None:
        self.ground.note(receipts[number].message.number, Happened.PROCESSED)
        last = number == len(receipts) - 1
        then = self._go_on if last else partial(self._work, receipts, number + 1, place, failure)
        if self.polling.delete == "each":
            self._call(partial(self._delete, receipts[number : number + 1], place, then))
        elif last:
            self._call(partial(self._delete, receipts, place, then))
        else:
            then()

    def _delete(self, receipts: Sequence[Receipt], place: int, then: Callable[[], None]) -> None:
        queue, numbers = self.polling.queue, tuple(receipt.message.number for receipt in receipts)
        stayed = tuple(self.ground.service.delete(queue, receipts))
        self.ground.record(Deleted(self.ground.now, place, queue, self.label.name, numbers, stayed, ""))
        self.ground.agenda.may_be_over = True
        then()

    def _part(self, receipts: Sequence[Receipt], key: int) -> Invocation:
        """Return the work on some messages as if it were an invocation of its own; the key tells its chance."""
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
        self._end(Course("succeeded", self._duration))

    def _fail(self, course: Course) -> None:
        self._end(attrs.evolve(course, duration=self._duration))

    def _time_out(self) -> None:
        if not self.over:
            self._end(Course("timed_out", self.invocation.limit, error=TIMED_OUT))

    @property
    def _duration(self) -> int:
        return self.ground.now - self.invocation.begins

    def _end(self, course: Course) -> None:
        self.over = True
        self.done(course)

    def _call(self, step: Callable[[], None]) -> None:
        self.calls += 1
        self._later(self.ground.call_latency(self.invocation.number, self.calls), step)

    def _later(self, wait: int, step: Callable[[], None]) -> None:
        """Run a step of this invocation, unless it is over by then."""
        if wait < self.left:
            self.ground.after(wait, partial(self._unless_over, step))

    def _unless_over(self, step: Callable[[], None]) -> None:
        if not self.over:
            step()
