"""A broken fake: a message that no filter lets pass is handed to the function (FL-2)."""

from __future__ import annotations

import attrs

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad

SECOND_ONLY = '{"body": {"message": [1]}}'


def two_messages(*filters: str) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=1, filters=filters)
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)]))


def without_looking() -> History:
    """Return the history of a design without filters, with the scenario of one that has them."""
    return attrs.evolve(two_messages(), scenario=two_messages(SECOND_ONLY).scenario)


KNOWN_BAD = KnownBad(
    breaks="filtered-never-delivered",
    says="Message N was given to worker although it matches no filter of orders→worker.",
    bad_history=without_looking,
    near_miss=lambda: two_messages(SECOND_ONLY),
)
