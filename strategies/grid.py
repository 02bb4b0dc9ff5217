"""The times that are worth trying, relative to the settings of a design, the simplest first.

Short lists make exact ties frequent (an invocation that ends when a visibility timeout does), cost one choice each
where a float costs nine, and shrink to their first entry.
"""

from collections.abc import Iterable

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function, Queue

_MILLISECOND = 0.001  # in seconds


def durations(timeout: int) -> tuple[float, ...]:
    """Return times that one invocation of a function with this timeout may take, in seconds.

    The default comes first, the timeout itself last.
    """
    return _distinct((Behaviour().seconds_per_batch, 1, timeout / 2, timeout - _MILLISECOND, timeout), timeout)


def message_durations(timeout: int, batch_size: int) -> tuple[float, ...]:
    """Return times that each message may add, in seconds.

    With the first one a full batch takes half the timeout, with the last one the timeout itself.
    """
    return _distinct((timeout / (2 * batch_size), timeout / batch_size), timeout)


def moments(queue: Queue, timeout: int) -> tuple[float, ...]:
    """Return times at which a load or fault may begin, in seconds: first 0, then the function's and queue's times."""
    visibility = queue.visibility_timeout
    return _distinct((0, 1, timeout, visibility - _MILLISECOND, visibility, 2 * visibility), 2 * visibility)


def spans(queue: Queue, timeout: int) -> tuple[float, ...]:
    """Return times over which arrivals or a fault may spread, in seconds: first 0, which is all at once."""
    visibility = queue.visibility_timeout
    return _distinct((0, 1, timeout, visibility, 3 * visibility), 3 * visibility)


def longest_timeout(design: Design, queue: str) -> int:
    """Return the longest timeout, in seconds, of the functions that a queue feeds; without any, 3, Lambda's default."""
    timeouts = [design.function(mapping.function).timeout for mapping in design.mappings if mapping.queue == queue]
    return max(timeouts, default=Function("none").timeout)


def exact(value: float) -> float:
    """Return a number of seconds, rounded to milliseconds, as an int if it is whole: 30, not 30.0."""
    value = round(value, 3)
    return int(value) if value == int(value) else value


def _distinct(values: Iterable[float], most: float) -> tuple[float, ...]:
    """Return each value once, in the order given, without those below 0 or above `most`."""
    return tuple(dict.fromkeys(exact(value) for value in values if 0 <= value <= most))
