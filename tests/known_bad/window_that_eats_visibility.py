"""A broken design: the batching window leaves too little of the visibility timeout, so each delete is late (EF-7)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Queue
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def after_a_window(visibility_timeout: int) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=10, maximum_batching_window=3)
    design = orders_design(queue=Queue("orders", visibility_timeout=visibility_timeout), mapping=mapping)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=4)}, until=11))


KNOWN_BAD = KnownBad(
    breaks="no-second-processing",
    says="Message N was given to worker although worker had succeeded on it: "
    "that was 2.264 s after its visibility timeout of 5.0 s.",
    bad_history=lambda: after_a_window(5),
    near_miss=lambda: after_a_window(8),
    also_broken_by=("delete_always_too_late",),
)
