"""A broken fake: a function runs more executions than are reserved for it (LC-3)."""

from __future__ import annotations

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Function
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def two_at_once() -> History:
    return simulate(Scenario(orders_design(), [Burst("orders", 2)], {"worker": Behaviour(1)}))


def two_where_one_is_reserved() -> History:
    """Return the history of a design with two executions, with a design that reserves one."""
    history = two_at_once()
    design = orders_design(function=Function("worker", timeout=5, reserved_concurrency=1))
    return attrs.evolve(history, scenario=attrs.evolve(history.scenario, design=design))


KNOWN_BAD = KnownBad(
    breaks="concurrency-within-its-limits",
    says="worker had 2 executions at once when message 2 came: the limit is 1.",
    bad_history=two_where_one_is_reserved,
    near_miss=two_at_once,
    shown=True,
)
