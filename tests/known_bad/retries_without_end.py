"""A broken design: no dead-letter queue, so a message that always fails comes back for days (EF-3)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def poison(max_receive_count: int | None) -> History:
    design = orders_design(max_receive_count=max_receive_count)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}, until=605))


KNOWN_BAD = KnownBad(
    breaks="bounded-retries",
    says="Message N was received 21 times from orders in 600.0 s, and worker never succeeded on it: "
    "orders has no redrive policy.",
    bad_history=lambda: poison(None),
    near_miss=lambda: poison(5),
)
