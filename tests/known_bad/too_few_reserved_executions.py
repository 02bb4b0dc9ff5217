"""A broken design: reserved concurrency used as a rate limit, with few deliveries before the dead-letter queue."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def flood(max_receive_count: int) -> History:
    design = orders_design(max_receive_count=max_receive_count)
    return simulate(Scenario(design, [Burst("orders", 30)], {"worker": Behaviour(4)}))


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to orders-dlq although worker never failed on it, and never saw it: "
    "it was received once, and all 2 reserved executions of worker were busy.",
    bad_history=lambda: flood(1),
    near_miss=lambda: flood(1000),
)
