"""A broken design: functions outside of it take nearly all that the account has."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Function
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def flood(other_traffic: int) -> History:
    account = Account(concurrency=1000, other_traffic=other_traffic)
    design = orders_design(max_receive_count=1, function=Function("worker", timeout=30), account=account)
    return simulate(Scenario(design, [Burst("orders", 5)], {"worker": Behaviour(29)}))


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to orders-dlq although worker never failed on it, and never saw it: "
    "it was received once, and the only unreserved execution of the account was busy.",
    bad_history=lambda: flood(999),
    near_miss=lambda: flood(995),
)
