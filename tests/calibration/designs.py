"""The configurations of the published experiments, as designs."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from statistics import median
from typing import ParamSpec, TypeVar

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.json import Json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load
from chaosqs.simulation.run import simulate

SEEDS = range(20)
_IN_FORCE = [(Assumptions(), SEEDS)]
"""Assumptions and seeds of the runs; the last entry counts."""
_KNOWN: dict[object, object] = {}
_P = ParamSpec("_P")
_T = TypeVar("_T")


@contextmanager
def under(assumptions: Assumptions, seeds: range = SEEDS) -> Generator[None]:
    """Give the figures that are asked for inside the block under other assumptions, and by other seeds."""
    _KNOWN.clear()
    _IN_FORCE.append((assumptions, seeds))
    try:
        yield
    finally:
        _IN_FORCE.pop()
        _KNOWN.clear()


def once_each(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Run a configuration once, however many figures are read off it, under the assumptions in force."""

    @wraps(function)
    def kept(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        key = (function.__qualname__, args, tuple(sorted(kwargs.items())))
        if key not in _KNOWN:
            _KNOWN[key] = function(*args, **kwargs)
        return _KNOWN[key]  # type: ignore[return-value]

    return kept


def seeds() -> range:
    """Return the seeds in force."""
    return _IN_FORCE[-1][1]


def scenario(
    design: Design, load: list[Load], behaviour: Behaviour, seed: int = 0, until: float | None = None
) -> Scenario:
    """Return a scenario under the assumptions in force."""
    return Scenario(design, load, {"worker": behaviour}, seed=seed, until=until, assumptions=_IN_FORCE[-1][0])


def one_mapping(  # noqa: PLR0913 - the settings that the experiments vary
    *,
    visibility: int = 30,
    timeout: int = 3,
    reserved: int | None = None,
    batch: int = 10,
    receives: int | None = None,
    maximum: int | None = None,
    era: Era = "2018-06",
    partial: bool = False,
    retention: int = 345_600,
) -> Design:
    """Return a queue, its dead-letter queue where messages may be received only so often, and one function."""
    redrive = Redrive("orders-dlq", receives) if receives is not None else None
    orders = Queue("orders", visibility_timeout=visibility, retention_period=retention, redrive=redrive)
    mapping = EventSourceMapping(
        "orders",
        "worker",
        batch_size=batch,
        maximum_concurrency=maximum,
        report_batch_item_failures=partial,
    )
    return Design(
        [orders, Queue("orders-dlq")],
        [Function("worker", timeout=timeout, reserved_concurrency=reserved)],
        [mapping],
        era=era,
    )


def runs(design: Design, load: Load, behaviour: Behaviour, most: int = 20) -> list[History]:
    """Run one configuration under the seeds in force, or the first of them."""
    return [simulate(scenario(design, [load], behaviour, seed)) for seed in seeds()[:most]]


def middle(histories: list[History], *path: str) -> float:
    """Return the median of one figure of the summaries: `middle(runs, "functions", "worker", "Throttles")`."""
    return median(_figure(history, *path) for history in histories)


def _figure(history: History, *path: str) -> float:
    found: Json = json.loads(json.dumps(history.summary()))
    for key in path:
        assert isinstance(found, dict), path
        found = found[key]
    assert isinstance(found, int | float), path
    return found
