"""A broken design: a function is switched off with its reserved concurrency, but its mapping polls on (ES-12)."""

from __future__ import annotations

from chaosqs.model.design import Function
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def switched_off(max_receive_count: int | None) -> History:
    function = Function("worker", timeout=5, reserved_concurrency=0)
    design = orders_design(max_receive_count=max_receive_count, function=function)
    return simulate(Scenario(design, [Burst("orders", 1)], until=120))


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to orders-dlq although worker never failed on it, and never saw it: "
    "it was received 2 times, and each time worker was switched off by its reserved concurrency of 0.",
    bad_history=lambda: switched_off(2),
    near_miss=lambda: switched_off(None),
)
