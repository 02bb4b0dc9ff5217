"""A history made by hand, the one of the house plan, and counterexamples of it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    InvocationEnded,
    InvocationStarted,
    Outcome,
    Received,
    Released,
    ReleaseReason,
    Returned,
    Sent,
    Throttled,
)
from chaosqs.model.explanation import Change, Evidence, Explanation, Fix, Origin, Price, Setting, SettingPath, Threshold
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst

MAPPING = "orders→worker"
RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
INVARIANT = "no-dead-lettering-by-throttling"
SENTENCE = (
    "Message 4 went to orders-dlq although worker never failed on it, and never saw it: "
    "it was received 2 times, and each time all 2 reserved executions of worker were busy."
)


def design(max_receive_count: int | None = 2) -> Design:
    redrive = None if max_receive_count is None else Redrive("orders-dlq", max_receive_count)
    return Design(
        queues=[Queue("orders", redrive=redrive), Queue("orders-dlq")],
        functions=[Function("worker", timeout=10, reserved_concurrency=2)],
        mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
    )


@attrs.define
class Book:
    """Writes a history event by event."""

    events: list[Event] = attrs.field(factory=list[Event])
    received: dict[int, int] = attrs.field(factory=dict[int, int])
    started: dict[int, int] = attrs.field(factory=dict[int, int])

    def add(self, event: Event) -> int:
        self.events.append(event)
        return len(self.events) - 1

    def send(self, *messages: int, at: int = 0) -> None:
        for message in messages:
            self.add(Sent(at, None, "orders", message, 100, ""))

    def receive(self, message: int, poller: int, *, at: int, count: int = 1, fault: str = "") -> int:
        received = Received(
            at, message, "orders", MAPPING, poller, (message,), (count,), at + 30_000, fault, bool(fault)
        )
        self.received[message] = self.add(received)
        return self.received[message]

    def throttle(self, message: int, poller: int, attempt: int, *, at: int) -> int:
        cause = self.received[message]
        return self.add(Throttled(at, cause, "worker", MAPPING, poller, (message,), attempt, RESERVED, 2, 2, ""))

    def start(self, message: int, poller: int, *, at: int) -> int:
        index = self.add(
            InvocationStarted(
                at,
                self.received[message],
                "worker",
                MAPPING,
                poller,
                len(self.events),
                (message,),
                cold=False,
                running=1,
            )
        )
        self.started[message] = index
        return index

    def end(self, message: int, *, at: int, outcome: Outcome = "succeeded") -> int:
        begin = self.started[message]
        ended = InvocationEnded(
            at, begin, "worker", MAPPING, begin, (message,), outcome, (), 5_000, answered=True, fault=""
        )
        index = self.add(ended)
        if outcome == "succeeded":
            self.add(Deleted(at, index, "orders", MAPPING, (message,), (), ""))
        return index

    def give_back(self, message: int, poller: int, *, at: int, count: int, why: ReleaseReason = "throttled") -> int:
        returned = self.add(Returned(at, self.received[message], "orders", message, count))
        self.add(Released(at, self.received[message], MAPPING, poller, (message,), why))
        return returned

    def move(self, message: int, *, at: int, count: int) -> int:
        return self.add(DeadLettered(at, self.received[message], "orders", "orders-dlq", message, count))

    def history(self, *, max_receive_count: int | None = 2, count: int = 6) -> History:
        scenario = Scenario(design(max_receive_count), workload=[Burst("orders", count)])
        return History(scenario, tuple(self.events), max(event.at for event in self.events), None)


def throttled() -> tuple[Counterexample, History]:
    """Six messages, two executions, two receives: the fourth message never gets one (the example of the house plan)."""
    book = Book()
    book.send(*range(6))
    for message in range(5):
        book.receive(message, message + 1, at=0)
    for message in (0, 1):
        book.start(message, message + 1, at=10)
    for message in (2, 3, 4):
        book.throttle(message, message + 1, 1, at=10)
    book.end(0, at=5_010)
    book.end(1, at=5_010)
    for message in (2, 4):
        book.start(message, message + 1, at=5_020)
    blamed = [book.throttle(3, 4, 2, at=9_000)]
    book.end(2, at=10_020)
    book.end(4, at=10_020)
    blamed.append(book.give_back(3, 4, at=30_000, count=1))
    book.receive(5, 1, at=30_000)
    book.start(5, 1, at=30_010)
    book.receive(3, 3, at=30_100, count=2)
    blamed.append(book.throttle(3, 3, 1, at=30_110))
    blamed.append(book.give_back(3, 3, at=60_100, count=2))
    moved = book.move(3, at=60_100, count=2)
    return counterexample(book.history(), Violation(INVARIANT, SENTENCE, 60_100, "orders", (3,), (*blamed, moved)))


def counterexample(history: History, violation: Violation) -> tuple[Counterexample, History]:
    versions: Mapping[str, str] = {"chaosqs": "0.1.0", "python": "3.11.7"}
    found = Counterexample(
        "template.yaml", MAPPING, violation.invariant, violation, history.scenario, history.digest, versions
    )
    return found, history


def fixed(change: Change, violations: int, trials: int, price: Price = Price(), breaks: tuple[str, ...] = ()) -> Fix:
    """Return a fix of one change, by its trials."""
    return Fix((change,), Evidence(violations, trials, "larger_loads"), price, breaks=breaks)


def from_value(value: int) -> tuple[Threshold, ...]:
    """Return the threshold of a setting that holds from a value on."""
    return (Threshold("at_least", value, Evidence(0, 200, "larger_loads"), 400, 200),)


def patched(patch: str) -> Explanation:
    """Return the example's explanation with a patch of its fixes that prevent it."""
    fixes = (attrs.evolve(fix, patch=patch) if fix.prevents else fix for fix in EXPLANATION.fixes)
    return attrs.evolve(EXPLANATION, fixes=tuple(fixes))


RESERVED_CONCURRENCY = SettingPath("function", "worker", "reserved_concurrency")
VISIBILITY_TIMEOUT = SettingPath("queue", "orders", "visibility_timeout")
MAXIMUM_CONCURRENCY = SettingPath("mapping", MAPPING, "maximum_concurrency")
EXPLANATION = Explanation(
    settings=(
        Setting(RESERVED_CONCURRENCY, 2, from_value(5), Origin("template.yaml", 41, "ReservedConcurrentExecutions: 2")),
        Setting(SettingPath("queue", "orders", "max_receive_count"), 2, from_value(6)),
        Setting(VISIBILITY_TIMEOUT, 30, from_value(61)),
        Setting(SettingPath("mapping", MAPPING, "batch_size"), 1, same_at=(2, 10)),
        Setting(SettingPath("function", "worker", "memory"), 128),
        Setting(SettingPath("queue", "orders", "receive_wait_time"), 0, same_at=(1, 20)),
    ),
    rate=Evidence(380, 1000, "seeds"),
    fixes=(
        fixed(Change(VISIBILITY_TIMEOUT, 30, 60), 12, 2000, Price(0.25)),
        fixed(Change(MAXIMUM_CONCURRENCY, None, 2), 0, 2000, Price(0.0)),
        fixed(Change(RESERVED_CONCURRENCY, 2, 5), 0, 2000),
    ),
)
