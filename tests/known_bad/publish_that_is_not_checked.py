"""A broken consumer: it publishes what it gets without a look whether it has done so before (OR-4)."""

from __future__ import annotations

import json

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive, Resource
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


def handled(handler: str, fault: str = "timeout", count: int = 2) -> History:
    """Messages, of which the first ends in a timeout after its call, or by another fault."""
    design = Design(
        [Queue("orders", redrive=Redrive("orders-dlq", 2)), Queue("orders-dlq")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker", 1)],
        resources=[
            Resource("AWS::SNS::Topic", "news"),
            Resource("AWS::DynamoDB::Table", "done", json.dumps(KEYS)),
        ],
    )
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    return simulate(Scenario(design, [Burst("orders", count)], {"worker": behaviour}, FaultPlan(messages=[[fault]])))


KNOWN_BAD = KnownBad(
    breaks="no-repeated-effect",
    says="Message N made worker call sns Publish with the same contents at 0.272 s and again at 30.3 s.",
    bad_history=lambda: handled("publishes"),
    near_miss=lambda: handled("publishes_once"),
)
