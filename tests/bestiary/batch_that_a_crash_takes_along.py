"""A broken consumer: it crashes on a poison message, so the mapping never learns that the other one is fine (PB-10)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulator.run import simulate
from tests.bestiary.villain import Villain
from tests.invariants.builder import orders_design


def poison_and_another(*, crashes: bool) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=True)
    behaviour = Behaviour(poison=[0], crashes=crashes)
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)], {"worker": behaviour}))


VILLAIN = Villain(
    breaks="no-bystander-dead-lettered",
    says="Message N went to orders-dlq although worker did not fail because of it: "
    "2 times it was in a batch that failed with message 1.",
    strikes=lambda: poison_and_another(crashes=True),
    near_miss=lambda: poison_and_another(crashes=False),
)
