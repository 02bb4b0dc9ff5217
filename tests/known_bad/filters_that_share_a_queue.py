"""A broken design: two mappings with filters on one queue, so each deletes what is meant for the other (FL-2)."""

from __future__ import annotations

import json

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def shared(*queues: str) -> History:
    """Send to each queue; `small` takes messages 1 to 3, `large` the others."""
    below, others = (json.dumps({"body": {"message": [{"numeric": [sign, 3]}]}}) for sign in ("<", ">="))
    mappings = [
        EventSourceMapping(queues[0], "small", filters=[below]),
        EventSourceMapping(queues[-1], "large", filters=[others]),
    ]
    design = Design([Queue(name) for name in queues], [Function("small"), Function("large")], mappings)
    return simulate(Scenario(design, [Burst(name, 6) for name in queues]))


KNOWN_BAD = KnownBad(
    breaks="at-least-once-delivery",
    says="Message N was deleted from orders by the filters of orders→small although orders→large lets it pass: large "
    "never saw it.",
    bad_history=lambda: shared("orders"),
    near_miss=lambda: shared("orders", "copies"),
)
