"""Tells histories by hand, so that a test can say what a simulation would never do.

A `Story` keeps the time, the receive counts and the causes; whatever a test says against them is taken as it is.
"""

from __future__ import annotations

from collections import Counter

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    Outcome,
    Received,
    Released,
    ReleaseReason,
    Returned,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
UNRESERVED = "ConcurrentInvocationLimitExceeded"


def orders_design(
    *,
    queue: Queue | None = None,
    max_receive_count: int | None = 2,
    retention_period: int = 345_600,
    function: Function | None = None,
    mapping: EventSourceMapping | None = None,
    account: Account | None = None,
) -> Design:
    """A queue `orders` with its dead-letter queue, and `worker` with two reserved executions, mapped to it."""
    redrive = None if max_receive_count is None else Redrive("orders-dlq", max_receive_count)
    return Design(
        queues=[queue or Queue("orders", retention_period=retention_period, redrive=redrive), Queue("orders-dlq")],
        functions=[function or Function("worker", timeout=5, reserved_concurrency=2)],
        mappings=[mapping or EventSourceMapping("orders", "worker", batch_size=1)],
        account=account or Account(),
    )


def fifo_design(
    *,
    max_receive_count: int | None = 2,
    visibility_timeout: int = 30,
    batch_size: int = 10,
    report_batch_item_failures: bool = False,
) -> Design:
    """The same with FIFO queues: `orders.fifo` and its dead-letter queue `orders-dlq.fifo`."""
    redrive = None if max_receive_count is None else Redrive("orders-dlq.fifo", max_receive_count)
    queue = Queue("orders.fifo", visibility_timeout=visibility_timeout, redrive=redrive)
    mapping = EventSourceMapping(
        "orders.fifo", "worker", batch_size, report_batch_item_failures=report_batch_item_failures
    )
    return Design([queue, Queue("orders-dlq.fifo")], [Function("worker", timeout=5, reserved_concurrency=2)], [mapping])


@attrs.define(eq=False)
class Story:
    """A history in the making."""

    design: Design
    now: int = 0
    """The moment of what is told next, in milliseconds."""
    events: list[Event] = attrs.field(factory=list[Event])
    receives: Counter[int] = attrs.field(factory=Counter[int])
    running: Counter[str] = attrs.field(factory=Counter[str])
    invocations: int = 0
    sent: int = 0

    def at(self, seconds: float) -> Story:
        """Go to a moment."""
        self.now = round(seconds * 1000)
        return self

    def tell(self, event: Event) -> int:
        """Add an event as it is; return its place."""
        self.events.append(event)
        return len(self.events) - 1

    def send(self, count: int = 1, queue: str = "orders", group: str = "") -> Story:
        """Send the next messages."""
        for _ in range(count):
            self.tell(Sent(self.now, None, queue, self.sent, 100, group))
            self.sent += 1
        return self

    def receive(self, *messages: int, mapping: str = "orders→worker", poller: int = 1, fault: str = "") -> Batch:
        """Receive messages; each receive count goes up by one."""
        self.receives.update(messages)
        queue = mapping.partition("→")[0]
        counts = tuple(self.receives[message] for message in messages)
        visible_at = self.now + self.design.queue(queue).visibility_timeout * 1000
        lost = fault.startswith("lost_receive")
        index = self.tell(Received(self.now, None, queue, mapping, poller, messages, counts, visible_at, fault, lost))
        return Batch(self, mapping, poller, index, messages)

    def client_receives(self, message: int, *, count: int, visible_for: int = 30, queue: str = "orders") -> Story:
        """Receive a message as code does that talks to SQS by itself."""
        visible_at = self.now + visible_for * 1000
        self.tell(Received(self.now, None, queue, "", 0, (message,), (count,), visible_at, ""))
        return self

    def client_deletes(self, *messages: int, queue: str = "orders", fault: str = "") -> Story:
        """Delete messages as code does that talks to SQS by itself, or as the owner of the queue does."""
        self.tell(Deleted(self.now, None, queue, "", messages, (), fault))
        return self

    def give_back(self, *messages: int, queue: str = "orders", fault: str = "") -> Story:
        """End the visibility timeout of messages; by a fault: before it is over, or after their delete."""
        for message in messages:
            self.tell(Returned(self.now, None, queue, message, self.receives[message], fault))
        return self

    def dead_letter(self, message: int, queue: str = "orders", target: str = "orders-dlq") -> Story:
        """Move a message to a dead-letter queue."""
        self.tell(DeadLettered(self.now, None, queue, target, message, self.receives[message]))
        return self

    def expire(self, message: int, queue: str = "orders") -> Story:
        """End the retention of a message."""
        self.tell(Expired(self.now, None, queue, message, self.receives[message]))
        return self

    def operate(self, target: str, setting: str, value: int) -> Story:
        """Have an operator change a setting."""
        self.tell(Operated(self.now, None, "change", target, setting, repr(value)))
        return self

    def end(self, *, drained: bool = False, behaviour: Behaviour | None = None) -> History:
        """Return what was told up to now; `behaviour`: how the first function is said to behave."""
        behaviours = {} if behaviour is None else {self.design.functions[0].name: behaviour}
        scenario = Scenario(self.design, behaviours=behaviours)
        return History(scenario, tuple(self.events), self.now, self.now if drained else None)


@attrs.define(eq=False)
class Batch:
    """What one receive brought, and what becomes of it."""

    story: Story
    mapping: str
    poller: int
    received: int
    messages: tuple[int, ...]
    last: int = -1
    """Place of what happened to it last."""
    invocation: int = 0
    started: int = 0

    @property
    def function(self) -> str:
        """The function that the mapping invokes."""
        return self.mapping.partition("→")[2]

    def throttle(self, *, reason: str = RESERVED, fault: str = "", running: int | None = None) -> Batch:
        """Refuse it an execution."""
        limit = self.story.design.concurrency_limit(self.function)
        attempt = 1 + sum(isinstance(event, Throttled) and event.cause == self.received for event in self.story.events)
        event = Throttled(
            at=self.story.now,
            cause=self.received,
            function=self.function,
            mapping=self.mapping,
            poller=self.poller,
            messages=self.messages,
            attempt=attempt,
            reason=reason,
            running=limit if running is None else running,
            limit=limit,
            fault=fault,
        )
        self.last = self.story.tell(event)
        return self

    def service_error(self, fault: str = "") -> Batch:
        """Answer its invocation with an error of Lambda's own, and release it."""
        event = ServiceFailed(
            self.story.now, self.received, self.function, self.mapping, self.poller, self.messages, fault
        )
        self.last = self.story.tell(event)
        return self.release("service error")

    def filter_out(self) -> Batch:
        """Let no filter match it."""
        queue, rules = self.mapping.partition("→")[0], ("FL-2",) * len(self.messages)
        event = FilteredOut(self.story.now, self.received, queue, self.mapping, self.poller, self.messages, rules)
        self.last = self.story.tell(event)
        return self

    def hold(self, seconds: float, fault: str) -> Batch:
        """Have a fault keep it in the poller's hand."""
        until = self.story.now + round(seconds * 1000)
        self.story.tell(Held(self.story.now, self.received, self.mapping, self.poller, self.messages, until, fault))
        return self

    def start(self) -> Batch:
        """Start an invocation with it."""
        self.story.invocations += 1
        self.story.running[self.function] += 1
        self.invocation, busy = self.story.invocations, self.story.running[self.function]
        event = InvocationStarted(
            at=self.story.now,
            cause=self.received,
            function=self.function,
            mapping=self.mapping,
            poller=self.poller,
            invocation=self.invocation,
            messages=self.messages,
            cold=False,
            running=busy,
        )
        self.last = self.started = self.story.tell(event)
        return self

    def finish(
        self, outcome: Outcome = "succeeded", *, failed: tuple[int, ...] = (), answered: bool = True, fault: str = ""
    ) -> Batch:
        """End its invocation."""
        self.story.running[self.function] -= 1
        event = InvocationEnded(
            at=self.story.now,
            cause=self.started,
            function=self.function,
            mapping=self.mapping,
            invocation=self.invocation,
            messages=self.messages,
            outcome=outcome,
            failed=failed,
            duration=self.story.now - self.story.events[self.started].at,
            answered=answered,
            fault=fault,
        )
        self.last = self.story.tell(event)
        return self

    def release(self, why: ReleaseReason) -> Batch:
        """Forget it without deleting anything."""
        event = Released(self.story.now, self.last, self.mapping, self.poller, self.messages, why)
        self.last = self.story.tell(event)
        return self

    def delete(self, *messages: int, stayed: tuple[int, ...] = (), fault: str = "") -> Batch:
        """Delete some of its messages, or all."""
        cause = None if self.last < 0 else self.last
        queue = self.mapping.partition("→")[0]
        gone = messages or self.messages
        self.last = self.story.tell(Deleted(self.story.now, cause, queue, self.mapping, gone, stayed, fault))
        return self
