"""The parts of a design: queues, functions and the mappings between them, in AWS's terms, with AWS's defaults.

They are plain values; the `Design` that they are put into checks them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal, TypeAlias, get_args

import attrs

from chaosqs.model.values import concise_repr, strings

PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes that an invocation's payload may have (EP-4, EP-9, LX-5; the exact number is not documented, EP-8)."""

Era: TypeAlias = Literal["2018-06", "2023-11", "2025-11"]
"""A set of scaling rules for pollers, named for the month in which AWS introduced it (ES-2, PM-2)."""
ERAS: tuple[Era, ...] = get_args(Era)
DEFAULT_ERA: Era = "2025-11"

DeduplicationScope: TypeAlias = Literal["queue", "messageGroup"]
"""FF-7."""
FifoThroughputLimit: TypeAlias = Literal["perQueue", "perMessageGroupId"]
"""FF-8."""
Permission: TypeAlias = Literal["allowAll", "denyAll", "byQueue"]
"""DLQ-17."""
DEDUPLICATION_SCOPES: tuple[DeduplicationScope, ...] = get_args(DeduplicationScope)
FIFO_THROUGHPUT_LIMITS: tuple[FifoThroughputLimit, ...] = get_args(FifoThroughputLimit)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)


@attrs.frozen(repr=False)
class Account:
    """The account and Region that the design shares with other functions."""

    concurrency: int = 1000
    """Executions that may run at one instant, all functions together; at least 1 (LC-2)."""
    other_traffic: int = 0
    """Executions that functions outside the design occupy all the time; 0 to `concurrency`."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Redrive:
    """The redrive policy of a queue: where messages go that were received too often (DLQ-1)."""

    dead_letter_queue: str
    """Name of the queue that takes them; of the same type, in the same design (DLQ-12, DLQ-13)."""
    max_receive_count: int
    """Deliveries that a message gets; the receive after the last one moves it; 1 to 1,000 (DLQ-1 … DLQ-3)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class RedriveAllow:
    """Which queues may use this one as their dead-letter queue (DLQ-17)."""

    permission: Permission = "allowAll"
    """`allowAll`, `denyAll` or `byQueue`."""
    source_queues: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """With `byQueue`: the names of the queues that may; 1 to 10."""

    __repr__ = concise_repr


def _named_fifo(queue: Queue) -> bool:
    return str(queue.name).endswith(".fifo")


@attrs.frozen(repr=False)
class Queue:
    """An SQS queue."""

    name: str
    """1 to 80 letters, digits, `-` and `_`; a FIFO queue's name ends in `.fifo` (FF-1)."""
    visibility_timeout: int = 30
    """Seconds that a received message stays hidden; 0 to 43,200 (VT-1)."""
    retention_period: int = 345_600
    """Seconds that a message is kept; 60 to 1,209,600 (RT-1)."""
    delay: int = 0
    """Seconds that a new message stays hidden; 0 to 900 (DL-1)."""
    receive_wait_time: int = 0
    """Seconds that a receive without a wait time of its own waits for a message; 0 (short polling) to 20 (RX-3)."""
    maximum_message_size: int = 1_048_576
    """Bytes of body and attributes that one message may have; 1,024 to 1,048,576 (SZ-2)."""
    redrive: Redrive | None = None
    """The redrive policy, or None: messages are tried until their retention ends."""
    fifo: bool = attrs.field(default=attrs.Factory(_named_fifo, takes_self=True), repr=False)
    """Whether this is a FIFO queue; follows from the name (FF-1)."""
    content_based_deduplication: bool = False
    """FIFO only: the SHA-256 of the body serves as deduplication id (FF-4)."""
    deduplication_scope: DeduplicationScope = "queue"
    """FIFO only: `queue` or `messageGroup` (FF-7)."""
    fifo_throughput_limit: FifoThroughputLimit = "perQueue"
    """FIFO only: `perQueue`, or `perMessageGroupId` with deduplication per message group (FF-8)."""
    redrive_allow: RedriveAllow | None = None
    """Which queues may use this one as dead-letter queue; None: all (DLQ-17)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Function:
    """A Lambda function."""

    name: str
    """1 to 64 letters, digits, `-` and `_`."""
    timeout: int = 3
    """Seconds after which Lambda ends an invocation; 1 to 900 (LX-1)."""
    memory: int = 128
    """MB; 128 to 10,240 (LX-3)."""
    reserved_concurrency: int | None = None
    """Executions set aside for this function, which are also its ceiling; 0 switches it off; None: it shares the
    account's unreserved ones (LC-3, LC-5)."""
    provisioned_concurrency: int = 0
    """Environments kept initialised; at most `reserved_concurrency` where that is set (LC-9)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class EventSourceMapping:
    """Lambda's pollers between a queue and a function."""

    queue: str
    """Name of the queue that is polled."""
    function: str
    """Name of the function that is invoked."""
    batch_size: int = 10
    """Messages that one invocation gets at the most; 1 to 10,000, FIFO 1 to 10 (EC-1)."""
    maximum_batching_window: int = 0
    """Seconds that a batch may wait to fill; 0 to 300; over 0 for a batch size over 10, 0 for FIFO (EC-2 … EC-4)."""
    maximum_concurrency: int | None = None
    """Concurrent invocations of this mapping at which it stops reading; 2 to 1,000; None: no limit (EC-5, MC-1)."""
    report_batch_item_failures: bool = False
    """Whether the function's answer names the messages that failed (EC-7, PB-1)."""
    filters: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """Filter patterns as JSON text; a message that matches none is deleted unseen; at most 10 (EC-8, FL-2)."""
    enabled: bool = True
    """Whether the mapping polls (EC-22)."""
    provisioned_pollers: tuple[int, int] | None = None
    """(minimum, maximum) of provisioned pollers, 2–200 and 2–10,000; excludes `maximum_concurrency` (EC-6)."""

    __repr__ = concise_repr

    @cached_property  # every event of a mapping has its name
    def name(self) -> str:
        """How reports and metrics name the mapping: `orders→worker`."""
        return f"{self.queue}→{self.function}"
