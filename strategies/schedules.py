"""Schedules: the tasks that wait while others go first. The simplest schedule is first-in first-out without pauses."""

from collections.abc import Iterable
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import Design
from chaosqs.model.faults import Pause

_TASKS = 10  # pollers of each mapping, and invocations of each function, that a pause may hold
_FIRST_STEPS = 4  # drawn more often: a poller takes three steps with a batch, a handler that waits once takes two
_LAST_STEP = 40
_PAUSE_STEPS = (1, 3, 10, 30)
_MOST_PAUSES = 3


def pauses(design: Design, *, real: Iterable[str] = ()) -> SearchStrategy[tuple[Pause, ...]]:
    """Return a strategy for the pauses of a fault plan, of up to three tasks.

    Pauses hold the first ten pollers of each mapping, and the first ten invocations of the functions in `real`: those
    whose behaviour is a handler of the user's. The simplest value has no pause. Raises ValueError for a function that
    the design does not have.
    """
    names = tuple(function.name for function in design.functions)
    unknown = [name for name in real if name not in names]
    if unknown:
        raise ValueError(f"no function is called {', '.join(map(repr, unknown))}: the design has {', '.join(names)}")
    invoked = tuple(f"{name}#{number}" for number in range(1, _TASKS + 1) for name in real)
    polled = (mapping.name for mapping in design.mappings if mapping.enabled)
    pollers = tuple(f"{name}/{number}" for name in polled for number in range(1, _TASKS + 1))
    return _pauses((*invoked, *pollers))


@lru_cache(maxsize=256)
def _pauses(tasks: tuple[str, ...]) -> SearchStrategy[tuple[Pause, ...]]:
    if not tasks:
        return st.just(())
    each = st.builds(
        Pause,
        task=st.sampled_from(tasks),
        step=st.integers(1, _FIRST_STEPS) | st.integers(1, _LAST_STEP),
        steps=st.sampled_from(_PAUSE_STEPS),
    )
    return st.lists(each, max_size=_MOST_PAUSES, unique_by=lambda pause: (pause.task, pause.step)).map(tuple)
