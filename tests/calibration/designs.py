"""The configurations of the published experiments, as designs."""

from __future__ import annotations

import json
from statistics import median

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.json import Json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load
from chaosqs.simulation.run import simulate

SEEDS = range(20)


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


def runs(design: Design, load: Load, behaviour: Behaviour, seeds: range = SEEDS) -> list[History]:
    """Run one configuration under several seeds."""
    return [simulate(Scenario(design, [load], {"worker": behaviour}, seed=seed)) for seed in seeds]


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
