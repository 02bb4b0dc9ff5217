"""A broken design: reserved concurrency used as a rate limit, with few deliveries before the dead-letter queue."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def flood(maximum_concurrency: int | None) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=maximum_concurrency)
    design = orders_design(max_receive_count=1, mapping=mapping)
    return simulate(Scenario(design, [Burst("orders", 30)], {"worker": Behaviour(4)}))


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to orders-dlq although worker never failed on it, and never saw it: "
    "it was received once, and all 2 reserved executions of worker were busy.",
    bad_history=lambda: flood(None),
    near_miss=lambda: flood(2),
)
