"""Queues that AWS refuses: the last valid value passes, the one beyond does not."""

from __future__ import annotations

import pytest

from chaosqs.model.design import FifoThroughputLimit, Queue, Redrive, RedriveAllow
from tests.model.helpers import NOT_WHOLE, changed, refusals

DLQ = Queue("dlq")
FIFO = Queue("orders.fifo")


def refused(queue: Queue) -> list[tuple[str, str]]:
    return refusals([queue, DLQ, Queue("dlq.fifo")])


@pytest.mark.parametrize("name", ["q", "a-Z_0", "x" * 80, "x" * 75 + ".fifo"])
def test_FF_1_queue_names_that_are_accepted(name: str) -> None:
    """1 to 80 letters, digits, - and _, or a FIFO name of as many with its ending."""
    assert refused(Queue(name)) == []


@pytest.mark.parametrize("name", ["", "x" * 81, "x" * 76 + ".fifo", "a.b", "a b", "ä", ".fifo"])
def test_FF_1_queue_names_that_are_refused(name: str) -> None:
    """Too long, empty, or with other signs."""
    assert refused(Queue(name)) == [("queues[0].name", "FF-1")]


def test_FF_1_name_decides_what_is_fifo() -> None:
    """A queue is FIFO if and only if its name says so."""
    assert (Queue("orders.fifo").fifo, Queue("orders").fifo) == (True, False)
    assert refused(changed(Queue("orders"), fifo=True)) == [("queues[0].fifo", "FF-1")]
    assert refused(changed(Queue("orders.fifo"), fifo=False)) == [("queues[0].fifo", "FF-1")]


def within(field: str, low: int, high: int, rule: str) -> None:
    for value in (low, high):
        assert refused(changed(Queue("orders"), **{field: value})) == []
    for wrong in (low - 1, high + 1, *NOT_WHOLE):
        assert refused(changed(Queue("orders"), **{field: wrong})) == [(f"queues[0].{field}", rule)]


def test_VT_1_visibility_timeout() -> None:
    """0 to 43,200 seconds."""
    within("visibility_timeout", 0, 43_200, "VT-1")


def test_RT_1_retention_period() -> None:
    """60 seconds to 14 days."""
    within("retention_period", 60, 1_209_600, "RT-1")


def test_DL_1_delay() -> None:
    """0 to 900 seconds."""
    within("delay", 0, 900, "DL-1")


def test_RX_3_receive_wait_time() -> None:
    """0 to 20 seconds."""
    within("receive_wait_time", 0, 20, "RX-3")


def test_SZ_2_maximum_message_size() -> None:
    """1,024 bytes to 1 MiB."""
    within("maximum_message_size", 1024, 1_048_576, "SZ-2")


@pytest.mark.parametrize("count", [1, 1000])
def test_DLQ_1_max_receive_count_that_is_accepted(count: int) -> None:
    """1 to 1,000 deliveries."""
    assert refused(Queue("orders", redrive=Redrive("dlq", count))) == []


@pytest.mark.parametrize("count", [0, 1001, *NOT_WHOLE])
def test_DLQ_1_max_receive_count_that_is_refused(count: object) -> None:
    """A redrive policy grants at least one delivery, and at most 1,000."""
    queue = Queue("orders", redrive=changed(Redrive("dlq", 1), max_receive_count=count))
    assert refused(queue) == [("queues[0].redrive.max_receive_count", "DLQ-1")]


def test_DLQ_1_queue_is_not_its_own_dead_letter_queue() -> None:
    """A redrive policy names another queue."""
    assert refused(Queue("orders", redrive=Redrive("orders", 3))) == [("queues[0].redrive.dead_letter_queue", "DLQ-1")]


def test_DLQ_12_dead_letter_queue_is_of_the_same_type() -> None:
    """FIFO goes to FIFO, standard to standard."""
    assert refused(Queue("orders.fifo", redrive=Redrive("dlq.fifo", 3))) == []
    expected = [("queues[0].redrive.dead_letter_queue", "DLQ-12")]
    assert refused(Queue("orders.fifo", redrive=Redrive("dlq", 3))) == expected
    assert refused(Queue("orders", redrive=Redrive("dlq.fifo", 3))) == expected


def test_DLQ_13_dead_letter_queue_is_in_the_design() -> None:
    """A redrive policy names a queue that exists."""
    assert refused(Queue("orders", redrive=Redrive("nowhere", 3))) == [
        ("queues[0].redrive.dead_letter_queue", "DLQ-13")
    ]


@pytest.mark.parametrize(
    ("allow", "accepted"),
    [
        (None, True),
        (RedriveAllow(), True),
        (RedriveAllow("byQueue", ["orders"]), True),
        (RedriveAllow("byQueue", ["returns"]), False),
        (RedriveAllow("denyAll"), False),
    ],
)
def test_DLQ_17_dead_letter_queue_allows_its_sources(allow: RedriveAllow | None, *, accepted: bool) -> None:
    """A dead-letter queue may say who may use it."""
    queues = [Queue("orders", redrive=Redrive("dlq", 3)), Queue("dlq", redrive_allow=allow)]
    assert refusals(queues) == ([] if accepted else [("queues[0].redrive.dead_letter_queue", "DLQ-17")])


@pytest.mark.parametrize("count", [1, 10])
def test_DLQ_17_by_queue_names_up_to_ten(count: int) -> None:
    """Permission by queue names one to ten queues."""
    assert refused(Queue("orders", redrive_allow=RedriveAllow("byQueue", ["q"] * count))) == []


@pytest.mark.parametrize(
    "allow",
    [
        RedriveAllow("byQueue"),
        RedriveAllow("byQueue", ["q"] * 11),
        RedriveAllow("allowAll", ["q"]),
        RedriveAllow("allowAll", ["q"] * 11),
        RedriveAllow("denyAll", ["q"] * 11),
    ],
)
def test_DLQ_17_source_queues_go_with_by_queue_only(allow: RedriveAllow) -> None:
    """Neither none nor eleven, and none without that permission."""
    assert refused(Queue("orders", redrive_allow=allow)) == [("queues[0].redrive_allow.source_queues", "DLQ-17")]


def test_DLQ_17_permission() -> None:
    """There are three permissions."""
    allow = RedriveAllow("everybody")  # type: ignore[arg-type]
    assert refused(Queue("orders", redrive_allow=allow)) == [("queues[0].redrive_allow.permission", "DLQ-17")]


def test_FF_4_content_based_deduplication_is_for_fifo() -> None:
    """A standard queue has no deduplication."""
    assert refused(Queue("orders.fifo", content_based_deduplication=True)) == []
    refusal = ("queues[0].content_based_deduplication", "FF-4")
    assert refused(Queue("orders", content_based_deduplication=True)) == [refusal]
    assert refused(changed(FIFO, content_based_deduplication="yes")) == [("queues[0].content_based_deduplication", "")]


def test_FF_7_deduplication_scope() -> None:
    """Two scopes, for FIFO queues."""
    assert refused(Queue("orders.fifo", deduplication_scope="messageGroup")) == []
    group = Queue("orders.fifo", deduplication_scope="group")  # type: ignore[arg-type]
    assert refused(group) == [("queues[0].deduplication_scope", "FF-7")]
    assert refused(Queue("orders", deduplication_scope="messageGroup")) == [("queues[0].deduplication_scope", "FF-7")]


def test_FF_8_throughput_limit() -> None:
    """Two limits, for FIFO queues; the one per group needs deduplication per group."""
    limit: FifoThroughputLimit = "perMessageGroupId"
    refusal = ("queues[0].fifo_throughput_limit", "FF-8")
    assert refused(Queue("orders.fifo", deduplication_scope="messageGroup", fifo_throughput_limit=limit)) == []
    assert refused(Queue("orders.fifo", fifo_throughput_limit=limit)) == [refusal]
    unknown = Queue("orders.fifo", fifo_throughput_limit="perGroup")  # type: ignore[arg-type]
    assert refused(unknown) == [refusal]
    assert refusal in refused(Queue("orders", fifo_throughput_limit=limit))
