"""A broken design: a group comes back while its function still works on it (FF-17, EF-6)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import fifo_design
from tests.known_bad.known_bad import KnownBad


def just_in_time(visibility_timeout: int) -> History:
    design = fifo_design(visibility_timeout=visibility_timeout)
    behaviour = Behaviour(seconds_per_batch=4.999, poison=[0])
    return simulate(Scenario(design, [Burst("orders.fifo", 2, groups=1)], {"worker": behaviour}, until=9.5))


KNOWN_BAD = KnownBad(
    breaks="one-group-at-a-time",
    says="worker was given messages 1 and 2 of group 'group-0' while it still worked on message 1 of the same group: "
    "its visibility timeout was 5.0 s.",
    bad_history=lambda: just_in_time(5),
    near_miss=lambda: just_in_time(6),
)
