"""Effects on other services that real code repeats for one message."""

from __future__ import annotations

import json

import pytest

from chaosqs.invariants import NO_REPEATED_EFFECT
from chaosqs.lambda_.service_calls import effects, is_claim
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Resource
from chaosqs.model.events import ServiceCalled
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design
from tests.known_bad.publish_that_is_not_checked import KEYS, handled

REAL = Behaviour(handler="shop.worker:handler")


def publish(**changes: object) -> tuple[str, ...]:
    return effects("sns:Publish", {"TopicArn": "arn:aws:sns:us-east-1:1:news", "Message": "a"} | changes)


def test_calls_that_have_one_more_effect_each_time() -> None:
    """Equal contents have equal digests; entries are counted one by one, without what tells them apart."""
    assert len(publish()) == 1
    assert publish() == publish() != publish(Message="b")
    entries = [{"Id": str(number), "Message": "a"} for number in range(2)]
    first, second = effects("sns:PublishBatch", {"TopicArn": "news", "PublishBatchRequestEntries": entries})
    assert first == second
    assert len(effects("events:PutEvents", {"Entries": [{"Detail": "{}", "Time": 1}, {"Detail": "[]"}]})) == 2
    assert len(effects("kinesis:PutRecord", {"StreamName": "s", "Data": b"1", "PartitionKey": "k"})) == 1
    assert len(effects("stepfunctions:StartExecution", {"stateMachineArn": "m"})) == 1


def test_calls_that_have_the_same_outcome_each_time_have_none() -> None:
    """Writes of items and objects, a FIFO topic, an execution with a name, and malformed entries."""
    assert effects("dynamodb:PutItem", {"TableName": "t", "Item": {}}) == ()
    assert effects("dynamodb:UpdateItem", {"TableName": "t", "UpdateExpression": "ADD attempts :one"}) == ()
    assert publish(TopicArn="arn:aws:sns:us-east-1:1:news.fifo", MessageDeduplicationId="1") == ()
    assert effects("stepfunctions:StartExecution", {"stateMachineArn": "m", "name": "order-7"}) == ()
    assert effects("events:PutEvents", {"Entries": None}) == ()


def test_a_call_that_reports_a_failure_has_none() -> None:
    """Each attempt may report its own."""
    try:
        int("seven")
    except ValueError:
        assert publish() == ()


def test_claims_are_conditions_that_only_the_first_write_keeps() -> None:
    """Or the first one after a time limit; not those that an update keeps each time."""

    def put(condition: str) -> bytes:
        return json.dumps({"TableName": "t", "ConditionExpression": condition}).encode()

    assert is_claim("dynamodb", put("attribute_not_exists(#id) OR #expiry < :now"), [])
    assert not is_claim("dynamodb", put("attribute_exists(#id)"), [])
    assert not is_claim("dynamodb", b"{}", [])
    assert is_claim("s3", b"", ["If-None-Match"])
    assert not is_claim("s3", b"", [])


def twice(*, claims: tuple[bool, bool]) -> Verdict:
    """Two invocations have the same effect for one message; some claim it before."""
    story = Story(orders_design()).send()
    for moment, claim in zip((0, 30), claims, strict=True):
        if moment:
            story.at(moment).give_back(0)
        batch = story.receive(0).start()
        if claim:
            story.tell(
                ServiceCalled(story.now, batch.started, "worker", batch.invocation, "dynamodb", "PutItem", claims=True)
            )
        story.tell(
            ServiceCalled(story.now, batch.started, "worker", batch.invocation, "sns", "Publish", effects=("a",))
        )
        batch.finish("timed_out").release("failed")
    return NO_REPEATED_EFFECT.judge(story.end(behaviour=REAL))


def test_EF_3_the_same_effect_for_one_message_is_a_repetition() -> None:
    """A claim excuses it only if each invocation had made one."""
    text = "Message 1 made worker call sns Publish with the same contents at 0.0 s and again at 30.0 s"
    assert [violation.text for violation in twice(claims=(False, False)).violations] == [f"{text}."]
    assert twice(claims=(True, False)).status is Status.VIOLATED
    claimed = twice(claims=(True, True))
    assert (claimed.status, claimed.excused) == (
        Status.HOLDS,
        (f"{text}, but worker had claimed its work by a conditional write each time",),
    )


def idempotent(handler: str, step: int) -> History:
    """One message; its first invocation dies at a call or wait."""
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker")],
        resources=[
            Resource("AWS::DynamoDB::Table", "seen", json.dumps(KEYS)),
            Resource("AWS::SNS::Topic", "news"),
        ],
    )
    behaviours = {"worker": Behaviour(handler=f"tests.lambda_.idempotent_handlers:{handler}")}
    return simulate(Scenario(design, [Burst("orders", 1)], behaviours, FaultPlan([[f"crash:{step}"]]), until=200))


@pytest.mark.parametrize(
    ("handler", "statuses"), [("once", {Status.HOLDS}), ("again", {Status.HOLDS, Status.VIOLATED})]
)
def test_idempotency_is_not_accused(handler: str, statuses: set[Status]) -> None:
    """Wherever the first invocation dies: without it, a death after the call repeats the effect."""
    assert {NO_REPEATED_EFFECT.judge(idempotent(handler, step)).status for step in range(1, 5)} == statuses


def test_models_and_silent_code_are_not_judged() -> None:
    """Only real code calls services."""
    assert NO_REPEATED_EFFECT.judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE
    assert NO_REPEATED_EFFECT.judge(Story(orders_design()).send().end(behaviour=REAL)).status is Status.NOT_EXERCISED


def test_a_claim_before_the_effect_keeps_it_from_being_repeated() -> None:
    """The second invocation skips what the first has claimed, and that is exercise enough."""
    verdict = NO_REPEATED_EFFECT.judge(handled("publishes_once"))
    assert (verdict.status, verdict.exercised, verdict.excused) == (Status.HOLDS, 2, ())
