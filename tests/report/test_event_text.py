"""Every kind of event has its clause, and says what stands in it."""

from __future__ import annotations

from typing import get_args

import attrs
import pytest

from chaosqs.model.causal_slice import causal_slice
from chaosqs.model.events import (
    DeadLettered,
    Deduplicated,
    Deleted,
    Effect,
    Event,
    Expired,
    FilteredOut,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PointPassed,
    PollersChanged,
    Reached,
    Received,
    ReceivedNothing,
    ReceiveFailed,
    Released,
    Returned,
    SendFailed,
    Sent,
    ServiceCalled,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.verdict import Violation
from chaosqs.report.descriptions import DESCRIPTIONS, EventGroup
from chaosqs.report.event_text import kind_of, said
from chaosqs.report.markdown import sequence
from tests.report.examples import MAPPING, RESERVED, Book
from tests.report.test_diagram import LINE

ENDED = InvocationEnded(0, None, "worker", MAPPING, 1, (0, 1), "succeeded", (), 3_000, answered=True, fault="")
DELETED = Deleted(0, None, "orders", MAPPING, (0, 1), (), "")
THROTTLED = Throttled(0, None, "worker", MAPPING, 1, (0,), 1, RESERVED, 2, 2, "")

CLAUSES: list[tuple[Event, str]] = [
    (Sent(0, None, "orders", 0, 100, ""), "message 1 arrives in orders"),
    (Received(0, None, "orders", MAPPING, 7, (0, 1), (1, 1), 9, ""), "poller 7 receives messages 1 and 2 in one batch"),
    (Received(0, None, "orders", MAPPING, 7, (0,), (2,), 9, ""), "poller 7 receives message 1 again"),
    (THROTTLED, "message 1 is throttled (429, reserved concurrency 2)"),
    (attrs.evolve(THROTTLED, fault="throttled"), "message 1 is throttled (429, fault: throttled)"),
    (
        attrs.evolve(THROTTLED, reason="CallerRateLimitExceeded"),
        "message 1 is throttled (429, CallerRateLimitExceeded)",
    ),
    (
        attrs.evolve(THROTTLED, reason="ReservedFunctionInvocationRateLimitExceeded"),
        "message 1 is throttled (429, over 10 requests a second for each of its 2 executions)",
    ),
    (
        attrs.evolve(THROTTLED, reason="ReservedFunctionInvocationRateLimitExceeded", limit=1),
        "message 1 is throttled (429, over 10 requests a second for its only execution)",
    ),
    (
        attrs.evolve(THROTTLED, reason="FunctionInvocationRateLimitExceeded", limit=900),
        "message 1 is throttled (429, over 10 requests a second for each execution of the account)",
    ),
    (
        attrs.evolve(THROTTLED, reason="FunctionInvocationRateLimitExceeded", limit=5000),
        (
            "message 1 is throttled (429, over 10 requests a second for each execution of the account, "
            "or over 1,000 new ones in 10 s)"
        ),
    ),
    (
        attrs.evolve(THROTTLED, reason="ConcurrentInvocationLimitExceeded", limit=10),
        "message 1 is throttled (429, unreserved concurrency of the account 10)",
    ),
    (
        ServiceFailed(0, None, "worker", MAPPING, 1, (0,), "service_error"),
        "Lambda answers with a service error instead of running message 1 (fault: service_error)",
    ),
    (InvocationStarted(0, None, "worker", MAPPING, 1, 1, (0, 1), cold=True, running=1), "messages 1 and 2 run"),
    (ENDED, "messages 1 and 2 are done"),
    (attrs.evolve(ENDED, failed=(1,)), "the function reports message 2 as failed"),
    (
        attrs.evolve(ENDED, outcome="raised", fault="error"),
        "the function raises an error on messages 1 and 2 (fault: error)",
    ),
    (attrs.evolve(ENDED, outcome="timed_out"), "the function times out on messages 1 and 2 after 3.0 s"),
    (
        attrs.evolve(ENDED, outcome="crashed", fault="crash"),
        "the function crashes while it runs messages 1 and 2 (fault: crash)",
    ),
    (attrs.evolve(ENDED, answered=False), "messages 1 and 2 are done, but no poller gets the answer"),
    (
        Released(0, None, MAPPING, 1, (0,), "throttled"),
        "the poller gives message 1 up, throttled for a whole visibility timeout",
    ),
    (Released(0, None, MAPPING, 1, (0,), "no answer"), "the poller of message 1 no longer waits for an answer"),
    (Released(0, None, MAPPING, 1, (0,), "failed"), ""),
    (
        Released(0, None, MAPPING, 1, (0,), "held back"),
        "the poller lets message 1 go unseen, as an earlier message of the group failed",
    ),
    (DELETED, "messages 1 and 2 are deleted"),
    (attrs.evolve(DELETED, cause=0), "messages 1 and 2 are deleted without an invocation"),
    (attrs.evolve(DELETED, stayed=(1,)), "deleting message 2 has no effect: received again meanwhile"),
    (
        attrs.evolve(DELETED, stayed=(0, 1), fault="lost_delete"),
        "the request to delete messages 1 and 2 gets lost (fault: lost_delete)",
    ),
    (
        FilteredOut(0, None, "orders", MAPPING, 1, (0,), ("FL-2",)),
        "message 1 matches no filter of orders → worker: deleted unseen",
    ),
    (
        FilteredOut(0, None, "orders", MAPPING, 1, (0, 1), ("FL-2", "FL-2")),
        "messages 1 and 2 match no filter of orders → worker: deleted unseen",
    ),
    (
        DeadLettered(0, None, "orders", "orders-dlq", 0, 2),
        "a receive finds message 1 over max_receive_count 2: moved to orders-dlq",
    ),
    (Expired(0, None, "orders", 0, 1), "the retention period of message 1 ends: gone from orders"),
    (PollersChanged(0, None, MAPPING, 10, "messages wait"), "orders → worker now has 10 pollers"),
    (ReceivedNothing(0, None, "orders", MAPPING, 1, 3, 0, 20_000), ""),
    (ReceiveFailed(0, None, "orders", MAPPING, 1, "failed_receive"), ""),
    (
        Sent(0, None, "orders", 1, 100, "", copy_of=0),
        "message 2 arrives in orders, a copy of message 1: its producer never learned that it had arrived",
    ),
    (
        Deduplicated(0, None, "orders.fifo", 1, 0),
        "sending message 2 to orders.fifo adds nothing: the deduplication id is that of message 1",
    ),
    (SendFailed(0, None, "orders", 0, "lost_send"), "sending message 1 to orders fails (fault: lost_send)"),
    (
        Received(0, None, "orders", MAPPING, 7, (0,), (1,), 9, "lost_receive", lost=True),
        "SQS hands out message 1, but the answer gets lost (fault: lost_receive)",
    ),
    (
        Received(0, None, "orders", MAPPING, 7, (0,), (1,), 9, "out_of_order"),
        "poller 7 receives message 1 (fault: out_of_order)",
    ),
    (
        InvocationStarted(0, None, "worker", MAPPING, 1, 1, (0, 1), cold=True, running=1, fault="cold_start"),
        "messages 1 and 2 run (fault: cold_start)",
    ),
    (
        Released(0, None, MAPPING, 1, (0,), "restarted", "restart"),
        "the poller of message 1 restarts and forgets its batch (fault: restart)",
    ),
    (Held(0, None, MAPPING, 1, (0,), 10_000, "stall"), "the poller of message 1 waits until 10.0 s (fault: stall)"),
    (
        attrs.evolve(DELETED, stayed=(1,), fault="partial_delete"),
        "deleting message 2 fails (fault: partial_delete)",
    ),
    (
        attrs.evolve(DELETED, fault="lost_delete_response"),
        "messages 1 and 2 are deleted",
    ),
    (
        Returned(0, None, "orders", 0, 1, "duplicate"),
        "SQS shows message 1 again, which it should not (fault: duplicate) (receive count 1 of 2)",
    ),
    (Operated(0, None, "redeploy", "worker", "", ""), "worker is deployed anew"),
    (Operated(0, None, "purge", "orders", "", ""), "orders is purged"),
    (Operated(0, None, "redrive", "dlq", "", ""), "the messages of dlq are moved back to where they came from"),
    (
        Operated(0, None, "change", MAPPING, "enabled", "False", "disabled"),
        "enabled of orders → worker becomes False (fault: disabled)",
    ),
    (PointPassed(0, None, "worker", 1, "charge-card", ""), ""),
    (
        PointPassed(0, None, "worker", 1, "charge-card", "fault_point:charge-card"),
        "the handler fails at charge-card (fault: fault_point:charge-card)",
    ),
    (Effect(0, None, "worker", 1, "charged", (("order", 7),), 0), "worker records charged (order 7)"),
    (Effect(0, None, "worker", 1, "charged", ()), "worker records charged"),
    (ServiceCalled(0, None, "worker", 1, "dynamodb", "PutItem"), "worker calls dynamodb PutItem"),
    (
        ServiceCalled(0, None, "worker", 1, "dynamodb", "PutItem", "Conflict"),
        "worker calls dynamodb PutItem (answer: Conflict)",
    ),
    (
        ServiceCalled(0, None, "worker", 1, "dynamodb", "PutItem", "X", "throttled_call:dynamodb"),
        "the call dynamodb PutItem of worker is throttled (fault: throttled_call:dynamodb)",
    ),
    (
        ServiceCalled(0, None, "worker", 1, "api.example.com", "GET", "500", "failed_call:*"),
        "the call GET api.example.com of worker fails (fault: failed_call:*)",
    ),
    (Reached(0, None, "worker", 1, "paid twice"), ""),
]


@pytest.mark.parametrize(("event", "expected"), CLAUSES)
def test_each_kind_of_event_is_said_plainly(event: Event, expected: str) -> None:
    """One event alone makes one clause, with all that it says and no more."""
    book = Book([Received(0, None, "orders", MAPPING, 1, (9,), (1,), 9, "")])
    index = book.add(event)
    story = causal_slice(book.history(), Violation("i", "t", 0, "orders", (), (index,)))
    assert said(story, [EventGroup((index,), (event,))], summed=False) == expected


@pytest.mark.parametrize(("event", "_"), CLAUSES)
def test_each_kind_of_event_is_drawn_well(event: Event, _: str) -> None:
    """One event alone makes at most one arrow or note, in Mermaid's syntax."""
    book = Book([Received(0, None, "orders", MAPPING, 1, (9,), (1,), 9, "")])
    violation = Violation("i", "t", 0, "orders", (), (book.add(event),))
    lines = sequence(causal_slice(book.history(), violation)).split("\n")[1:]
    assert all(LINE.fullmatch(line) for line in lines)
    assert sum("participant" not in line for line in lines) <= 2


def test_events_that_say_different_things_are_not_told_together() -> None:
    """Success and failure, another fault, another limit: each is a clause of its own."""
    alike: list[Event] = [
        ENDED,
        attrs.evolve(ENDED, outcome="raised"),
        attrs.evolve(ENDED, outcome="raised", fault="error"),
        THROTTLED,
        attrs.evolve(THROTTLED, limit=3),
        DELETED,
        attrs.evolve(DELETED, stayed=(1,)),
    ]
    assert len({kind_of(event) for event in alike}) == len(alike)


def test_each_kind_of_event_has_its_description_and_an_example() -> None:
    """No kind of event is forgotten, neither by the reports nor by the examples above."""
    kinds = set(get_args(Event))
    assert set(DESCRIPTIONS) == kinds
    assert {type(event) for event, _ in CLAUSES} == kinds
