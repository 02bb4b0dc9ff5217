"""Assumed values give way to what AWS demands of the values that are written.

A default that was only assumed must not make a design invalid that the template's author deploys every day.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.design import EventSourceMapping, Function, Queue
from chaosqs.templates.reading import Reading

_UNBUFFERED = 10
"""Messages up to which a batch needs no batching window (EC-3)."""


def settled(
    queues: Sequence[Queue],
    functions: Sequence[Function],
    mappings: Sequence[EventSourceMapping],
    reading: Reading,
) -> tuple[tuple[Queue, ...], tuple[Function, ...], tuple[EventSourceMapping, ...]]:
    """Return the parts, with assumed visibility timeouts and batching windows raised where AWS demands it."""
    timeouts = {function.name: function.timeout for function in functions}
    longest = {
        queue.name: max((timeouts[each.function] for each in mappings if each.queue == queue.name), default=0)
        for queue in queues
    }
    return (
        tuple(_visible_for(queue, longest[queue.name], reading) for queue in queues),
        tuple(functions),
        tuple(_buffered(mapping, reading) for mapping in mappings),
    )


def _visible_for(queue: Queue, timeout: int, reading: Reading) -> Queue:
    """EC-11: the visibility timeout is at least the function's timeout."""
    if f"queues.{queue.name}.visibility_timeout" not in reading.assumed or queue.visibility_timeout >= timeout:
        return queue
    reading.assume(
        f"{queue.name}: AWS demands a visibility timeout of at least the function's timeout; assumed {timeout}"
    )
    return attrs.evolve(queue, visibility_timeout=timeout)


def _buffered(mapping: EventSourceMapping, reading: Reading) -> EventSourceMapping:
    """EC-3: batches of more than 10 need a window of at least 1 second."""
    path = f"mappings.{mapping.name}.maximum_batching_window"
    if path not in reading.assumed or mapping.batch_size <= _UNBUFFERED or mapping.queue.endswith(".fifo"):
        return mapping
    reading.assume(f"{mapping.name}: AWS demands a batching window for a batch size over {_UNBUFFERED}; assumed 1")
    return attrs.evolve(mapping, maximum_batching_window=1)
