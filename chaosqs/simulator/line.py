"""One queue with those who wait at it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import attrs

from chaosqs.machine.fifo_queue import FifoQueue
from chaosqs.machine.queue_machine import QueueMachine
from chaosqs.machine.standard_queue import StandardQueue
from chaosqs.model.design import Queue
from chaosqs.simulator.luck import site


@attrs.define(eq=False)
class Line:
    """One queue with those who wait at it."""

    queue: Queue
    machine: QueueMachine
    site: int
    """Its site of chance."""
    waiting: deque[Callable[[], None]] = attrs.field(factory=deque[Callable[[], None]])
    """Long polls that have found nothing yet, in the order in which they began."""
    on_backlog: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])
    """Called when messages are visible and nobody waits for them."""
    receives: int = 0
    last_wake: int = -1
    next_expiry: int | None = None

    @classmethod
    def of(cls, queue: Queue) -> Line:
        """Return an empty queue."""
        return cls(queue, FifoQueue(queue) if queue.fifo else StandardQueue(queue), site(queue.name))
