"""A broken consumer: it reports the failed message of a group and goes on with those after it (PB-15)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import fifo_design
from tests.known_bad.known_bad import KnownBad


def first_of_two_fails(*, goes_on: bool) -> History:
    design = fifo_design(batch_size=2, report_batch_item_failures=True)
    behaviour = Behaviour(poison=[0], goes_on_after_failure=goes_on)
    return simulate(Scenario(design, [Burst("orders.fifo", 2, groups=1)], {"worker": behaviour}))


KNOWN_BAD = KnownBad(
    breaks="fifo-order",
    says="Message N was given to worker after message 2, which was sent later to the same group.",
    bad_history=lambda: first_of_two_fails(goes_on=True),
    near_miss=lambda: first_of_two_fails(goes_on=False),
)
