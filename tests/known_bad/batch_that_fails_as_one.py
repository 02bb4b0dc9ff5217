"""A broken design: one poison message fails its batch, and the healthy one beside it is dead-lettered too (EF-2)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def poison_and_another(*, reported: bool) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=reported)
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)], {"worker": Behaviour(poison=[0])}))


KNOWN_BAD = KnownBad(
    breaks="no-bystander-dead-lettered",
    says="Message N went to orders-dlq although worker did not fail because of it: "
    "2 times it was in a batch that failed with message 1; report_batch_item_failures is off.",
    bad_history=lambda: poison_and_another(reported=False),
    near_miss=lambda: poison_and_another(reported=True),
)
