"""A queue as SQS hosts it: the line of messages, and what its owner set besides."""

from __future__ import annotations

import attrs

from chaosqs.machine.fifo_queue import FifoQueue
from chaosqs.machine.throughput import Throughput
from chaosqs.simulator.line import Line
from chaosqs.simulator.operations.addresses import Address


@attrs.define(eq=False)
class Hosted:
    """One queue."""

    address: Address
    line: Line
    number: int
    """Which queue of the world it is: its receipt handles carry it."""
    settings: dict[str, str]
    """Its attributes that can be set, as strings."""
    created_at: int
    modified_at: int
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    purged_at: int | None = None
    throughput: Throughput = attrs.field(factory=Throughput)

    @property
    def fifo(self) -> bool:
        """Whether it is a FIFO queue."""
        return self.line.queue.fifo

    @property
    def ordered(self) -> FifoQueue:
        """Its machine, where it is a FIFO queue; an assertion otherwise."""
        machine = self.line.machine
        assert isinstance(machine, FifoQueue)
        return machine
