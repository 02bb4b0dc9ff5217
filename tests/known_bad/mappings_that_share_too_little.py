"""A broken design: two mappings of one function, whose maximum concurrencies exceed its reservation (MC-3)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def two_queues(reserved_concurrency: int) -> History:
    queues = [Queue(name, redrive=Redrive("dlq", max_receive_count=1)) for name in ("orders", "returns")]
    mappings = [EventSourceMapping(queue.name, "worker", batch_size=1, maximum_concurrency=2) for queue in queues]
    functions = [Function("worker", timeout=30, reserved_concurrency=reserved_concurrency)]
    design = Design([*queues, Queue("dlq")], functions, mappings)
    return simulate(Scenario(design, [Burst("orders", 2), Burst("returns", 2)], {"worker": Behaviour(29.95)}))


KNOWN_BAD = KnownBad(
    breaks="no-dead-lettering-by-throttling",
    says="Message N went to dlq although worker never failed on it, and never saw it: "
    "it was received once, and all 2 reserved executions of worker were busy.",
    bad_history=lambda: two_queues(2),
    near_miss=lambda: two_queues(4),
)
