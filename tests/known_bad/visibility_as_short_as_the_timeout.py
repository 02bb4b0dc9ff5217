"""A broken design: visibility counts from the receive, the function timeout from the first line of code (EP-10).

AWS lets both be equal (EC-11). A cold start is enough for the two to part.
"""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Queue
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def just_in_time(visibility_timeout: int) -> History:
    design = orders_design(queue=Queue("orders", visibility_timeout=visibility_timeout))
    behaviour = Behaviour(seconds_per_batch=4.999, poison=[0])
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": behaviour}, until=9.5))


KNOWN_BAD = KnownBad(
    breaks="no-concurrent-processing",
    says="Message N was given to worker while worker still worked on it: its visibility timeout was 5.0 s.",
    bad_history=lambda: just_in_time(5),
    near_miss=lambda: just_in_time(6),
    also_broken_by=("delete_always_too_late", "group_in_two_hands"),
)
