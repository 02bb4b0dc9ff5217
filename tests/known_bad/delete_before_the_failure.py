"""A broken consumer: it deletes its message by itself and then fails: the message is gone, nothing is done (EF-4)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def handled(handler: str) -> History:
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    return simulate(Scenario(orders_design(), [Burst("orders", 1)], {"worker": behaviour}))


KNOWN_BAD = KnownBad(
    breaks="no-loss-by-own-delete",
    says="Message N is gone from orders: worker deleted it by itself and then raised ValueError: no such order; "
    "a failed batch does not bring it back.",
    bad_history=lambda: handled("deletes_and_fails"),
    near_miss=lambda: handled("deletes_last"),
)
