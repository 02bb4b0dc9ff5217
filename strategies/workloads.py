"""Workloads, drawn. The size of a load is one choice, so a large load costs no more to draw than a small one."""

from collections.abc import Mapping
from functools import lru_cache

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import Design, Queue
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.strategies.grid import exact, longest_timeout, moments, spans
from chaosqs.strategies.messages import MessageSource, Sent, sent

_LARGE = (100, 150, 250)
"""Numbers of messages beyond the usual range that are worth trying."""


def workloads(
    design: Design,
    *,
    queue: str | None = None,
    messages: int = 60,
    sources: Mapping[str, MessageSource] | None = None,
) -> SearchStrategy[tuple[Load, ...]]:
    """Return a strategy for workloads of a design: a load of `queue`, and perhaps one more of any queue that is polled.

    `queue`: None means any queue that is polled. `messages`: the maximum of a load, 1 or more; if it is 60 or more, a
    load may also have up to 250. `sources`: what the messages of queues are, by queue name; those of other queues have
    bodies of a size. The simplest workload is one message at once. Raises ValueError for a queue that the
    design does not have, and for a design in which no queue is polled.
    """
    polled = tuple(dict.fromkeys(mapping.queue for mapping in design.mappings))
    if not polled:
        raise ValueError("a workload needs a queue that some mapping polls: the design has no mappings")
    if queue is not None and queue not in [known.name for known in design.queues]:
        raise ValueError(
            f"no queue is called {queue!r}: the design has {', '.join(known.name for known in design.queues)}"
        )
    loads = {
        name: _loads(design.queue(name), longest_timeout(design, name), messages, (sources or {}).get(name))
        for name in (*polled, queue or polled[0])
    }
    of_any = st.one_of([loads[name] for name in polled])
    first = of_any if queue is None else loads[queue]
    return st.tuples(first) | st.tuples(first, of_any)


@lru_cache(maxsize=256)
def _loads(queue: Queue, timeout: int, messages: int, source: MessageSource | None) -> SearchStrategy[Load]:
    """Return a strategy for loads of one queue; cached, because making a strategy costs more than drawing from it."""
    if source is not None:
        return st.builds(_holding, load=_loads(queue, timeout, messages, None), sent=sent(source))
    bursts = st.builds(
        Burst,
        queue=st.just(queue.name),
        count=_counts(messages),
        at=st.sampled_from(moments(queue, timeout)),
        over=st.sampled_from(spans(queue, timeout)),
        body_bytes=_bodies(queue),
        groups=_groups(queue),
    )
    steadies = st.builds(
        _steady,
        queue=st.just(queue.name),
        count=_counts(messages),
        per_second=st.sampled_from((1, 0.2, 5, 10)),
        at=st.sampled_from(moments(queue, timeout)),
        body_bytes=_bodies(queue),  # as many choices as a burst has: Hypothesis takes fewer choices for simpler
        groups=_groups(queue),
    )
    return bursts | steadies


def _holding(*, load: Load, sent: Sent) -> Load:
    """Return a load that sends given messages; several groups of the load replace those of the messages."""
    texts = sent.messages if load.groups <= 1 else tuple(attrs.evolve(each, group="") for each in sent.messages)
    own = attrs.evolve(load, body_bytes=Burst("", 0).body_bytes, messages=texts, distinct=sent.distinct)
    if sent.most is None:
        return own
    if isinstance(own, Burst):
        return attrs.evolve(own, count=sent.most)
    return attrs.evolve(own, seconds=exact(sent.most / own.per_second))


def _bodies(queue: Queue) -> SearchStrategy[int]:
    return st.sampled_from(tuple(size for size in (100, 262_144) if size <= queue.maximum_message_size))


def _counts(messages: int) -> SearchStrategy[int]:
    """Return a strategy for the number of messages of a load: one choice, whatever the number."""
    large = _LARGE if messages >= 60 else ()  # noqa: PLR2004 - the default of `workloads`
    return st.integers(1, messages + len(large)).map(
        lambda n: n if n <= messages else max(messages, large[n - messages - 1])
    )


def _groups(queue: Queue) -> SearchStrategy[int]:
    return st.sampled_from((1, 2, 5)) if queue.fifo else st.just(0)


def _steady(*, queue: str, count: int, per_second: float, at: float, body_bytes: int, groups: int) -> Steady:
    """Return a steady load of `count` messages."""
    return Steady(queue, per_second, exact(count / per_second), at, body_bytes, groups)
