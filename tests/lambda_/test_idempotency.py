"""Powertools' idempotency, with a table as its store, keeps a second delivery from a second effect."""

from __future__ import annotations

import json

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Resource
from chaosqs.model.events import InvocationStarted
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate

KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}


@pytest.mark.parametrize(("handler", "charged"), [("once", 1), ("again", 2)])
@pytest.mark.parametrize("fault", ["lost_response", "lost_delete"])
def test_idempotency_removes_the_second_effect(handler: str, charged: int, fault: str) -> None:
    """EP-13, EF-5: the message comes back after its success; without idempotency it has its effect twice."""
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker")],
        resources=[Resource("AWS::DynamoDB::Table", "seen", json.dumps(KEYS)), Resource("AWS::SNS::Topic", "news")],
    )
    behaviours = {"worker": Behaviour(handler=f"tests.lambda_.idempotent_handlers:{handler}")}
    history = simulate(Scenario(design, [Burst("orders", 1)], behaviours, FaultPlan([[fault]]), until=200), verify=True)
    assert len([event for event in history.events if isinstance(event, InvocationStarted)]) == 2
    assert len(history.effects) == charged
