"""A broken fake: a message is dead-lettered one delivery before its redrive policy says so (DLQ-3)."""

from __future__ import annotations

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def poison() -> History:
    design = orders_design(max_receive_count=2)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}))


def poison_with_one_delivery_more() -> History:
    """Return the history of a design that grants two deliveries, with a design that grants three."""
    history = poison()
    return attrs.evolve(history, scenario=attrs.evolve(history.scenario, design=orders_design(max_receive_count=3)))


KNOWN_BAD = KnownBad(
    breaks="no-early-dead-lettering",
    says="Message N went from orders to orders-dlq although it was received only 2 times there: "
    "max_receive_count is 3.",
    bad_history=poison_with_one_delivery_more,
    near_miss=poison,
)
