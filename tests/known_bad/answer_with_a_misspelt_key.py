"""A broken consumer: it names failed messages under a key that Lambda does not read, so all fail (PB-8)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def answered(handler: str) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=True)
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    return simulate(Scenario(orders_design(mapping=mapping), [Burst("orders", 2)], {"worker": behaviour}))


KNOWN_BAD = KnownBad(
    breaks="answers-understood",
    says="Messages 1 and 2 count as failed, whatever worker did: its answer "
    '{"batchItemFailures": [{"itemId": "87f9d91d-22f0-472e-955f-e4b930ecdf67"}]} has an item without `itemIdentifier`.',
    bad_history=lambda: answered("misspells_the_key"),
    near_miss=lambda: answered("spells_well"),
)
