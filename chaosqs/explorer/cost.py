"""What a change of the design costs: time to drain, latency and concurrency, relative to before."""

from __future__ import annotations

from math import log2

import attrs

from chaosqs.model.delivery import Ending
from chaosqs.model.event import InvocationStarted
from chaosqs.model.history import History


@attrs.frozen
class Cost:
    """How much more something takes than before: 0.1 is ten per cent more; None where it cannot be compared."""

    drain: float | None
    """Time until everything is done."""
    latency: float | None
    """Mean time from the send of a message to the first success on it, over the messages that succeed in both runs."""
    concurrency: float | None
    """Most executions of the function at once."""

    @property
    def doublings(self) -> float:
        """Return it as one figure: how many times something doubles; what becomes less counts nothing."""
        return sum(log2(1 + part) for part in (self.drain, self.latency, self.concurrency) if part and part > 0)


def cost(before: History, after: History, function: str) -> Cost:
    """Compare two runs of one workload."""
    first, second = _latencies(before), _latencies(after)
    both = [message for message in first if message in second]
    return Cost(
        relative(after.drained_at, before.drained_at),
        relative(sum(second[message] for message in both), sum(first[message] for message in both)),
        relative(_peak(after, function), _peak(before, function)),
    )


def relative(after: int | None, before: int | None) -> float | None:
    """Return by how much something grew; None where there is nothing to compare with."""
    return None if after is None or not before else round((after - before) / before, 3)


def _latencies(history: History) -> dict[int, int]:
    """Return how long each message took until some invocation succeeded on it, in milliseconds."""
    found: dict[int, int] = {}
    for message, deliveries in history.deliveries.items():
        ends = [one.ended for one in deliveries if one.ending is Ending.PROCESSED and one.ended is not None]
        sent = history.sent.get(message)
        if ends and sent is not None:
            found[message] = min(history.events[end].at for end in ends) - sent.at
    return found


def _peak(history: History, function: str) -> int:
    started = (event for _, event in history.each(InvocationStarted) if event.function == function)
    return max((event.running for event in started), default=0)
