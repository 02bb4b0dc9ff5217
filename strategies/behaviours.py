"""Behaviours of functions: how long they take and how they fail. The simplest succeeds after 50 ms."""

from functools import lru_cache

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Function
from chaosqs.strategies.grid import durations, message_durations


@attrs.frozen
class _Failure:
    """The failures of a function: in a share of its invocations, or always on some messages."""

    error_rate: float
    poison: tuple[int, ...]
    form: str


def behaviours(function: Function, *, batch_size: int = 10, failing: bool = True) -> SearchStrategy[Behaviour]:
    """Return a strategy for behaviours of a function; times relate to its timeout, and may exceed it.

    `batch_size`: the largest batch that it gets (1 to 10,000). `failing`: True if it may fail in other ways than by
    taking longer than its timeout.
    """
    return _behaviours(function.timeout, batch_size, failing=failing)


@lru_cache(maxsize=256)
def _behaviours(timeout: int, batch_size: int, *, failing: bool) -> SearchStrategy[Behaviour]:
    return st.builds(
        _behaviour,
        seconds=st.sampled_from((*_for_a_batch(timeout), *_for_each_message(timeout, batch_size))),
        spread=st.sampled_from((0, 0.2, 1)),
        failure=st.none() | _failures() if failing else st.none(),
    )


def _failures() -> SearchStrategy[_Failure]:
    return st.builds(
        _Failure,
        error_rate=st.sampled_from((0, 1, 0.1, 0.5)),
        poison=st.sampled_from(((0,), (), (1,), (0, 1))),
        form=st.sampled_from(("raises", "hangs", "crashes")),
    )


def _for_a_batch(timeout: int) -> tuple[tuple[float, float], ...]:
    """Return (seconds per message, seconds per batch) of functions that take the same time for every batch."""
    return tuple((0, seconds) for seconds in durations(timeout))


def _for_each_message(timeout: int, batch_size: int) -> tuple[tuple[float, float], ...]:
    """Return (seconds per message, seconds per batch) of functions that take longer for a larger batch."""
    usual = Behaviour().seconds_per_batch
    return tuple((seconds, usual) for seconds in message_durations(timeout, batch_size))


def _behaviour(*, seconds: tuple[float, float], spread: float, failure: _Failure | None) -> Behaviour:
    """Return a behaviour; a failure has one form only."""
    per_message, per_batch = seconds
    healthy = Behaviour(seconds_per_message=per_message, seconds_per_batch=per_batch, spread=spread)
    if failure is None:
        return healthy
    return attrs.evolve(
        healthy,
        error_rate=failure.error_rate,
        poison=failure.poison,
        hangs=failure.form == "hangs",
        crashes=failure.form == "crashes",
    )
