"""A broken consumer: it sends each message to its own queue again, until Lambda drops it (LX-16, LX-17)."""

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
    breaks="no-recursive-loop",
    says="Message N never reached worker: Lambda's guard against recursive loops dropped it, as the messages before it "
    "went through worker about 16 times; it goes to orders-dlq after being received 2 times.",
    bad_history=lambda: handled("sends_back"),
    near_miss=lambda: handled("sends_on"),
)
