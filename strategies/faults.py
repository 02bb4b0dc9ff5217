"""Fault plans: what goes wrong from outside, keyed by message and by window. The simplest plan is empty.

Kinds are banned when a plan is read, not when it is drawn: so a kind can be switched off without moving what else the
plan says, and shrinking stays local (search-notes 2.5, 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import Design, Queue
from chaosqs.model.fault import KIND_NAMES, OK, FaultPlan, Window
from chaosqs.strategies.lattice import longest_timeout, moments, spans

_RECEIVES = 3
_WINDOWS = 3
_BANNED = 4


def fault_plans(design: Design, messages: int = 8, *, kinds: Sequence[str] = KIND_NAMES) -> SearchStrategy[FaultPlan]:
    """Return a strategy for fault plans of a design.

    `messages`: the first so many messages may meet faults of their own, 0 or more, each at its first three receives.
    `kinds`: the names of the faults that may occur; none: the empty plan only. Raises ValueError for an unknown kind.
    """
    unknown = [kind for kind in kinds if kind not in KIND_NAMES]
    if unknown:
        raise ValueError(f"no fault is called {', '.join(map(repr, unknown))}: there are {', '.join(KIND_NAMES)}")
    if not kinds:
        return st.just(FaultPlan())
    queue = design.queues[0]
    scopes = (*(function.name for function in design.functions), *(mapping.queue for mapping in design.mappings))
    return _plans(
        queue, longest_timeout(design, queue.name), tuple(dict.fromkeys(("", *scopes))), messages, tuple(kinds)
    )


@lru_cache(maxsize=256)
def _plans(
    queue: Queue, timeout: int, scopes: tuple[str, ...], messages: int, kinds: tuple[str, ...]
) -> SearchStrategy[FaultPlan]:
    """Return plans with times that relate to one queue. Kept: to make a strategy costs more than to draw from it."""
    windows = st.builds(
        Window,
        kind=st.sampled_from(kinds),
        scope=st.sampled_from(scopes),
        start=st.sampled_from(moments(queue, timeout)),
        seconds=st.sampled_from(spans(queue, timeout)[1:]),
    )
    outcomes = st.lists(st.sampled_from((OK, *kinds)), max_size=_RECEIVES)
    return st.just(FaultPlan()) | st.builds(
        FaultPlan,
        messages=st.lists(outcomes, max_size=messages),
        windows=st.lists(windows, max_size=_WINDOWS),
        banned=st.lists(st.sampled_from(kinds), max_size=_BANNED, unique=True).map(_in_order),
    )


def _in_order(banned: list[str]) -> tuple[str, ...]:
    """Return the kinds in the order of the registry: one set, one spelling."""
    return tuple(kind for kind in KIND_NAMES if kind in banned)
