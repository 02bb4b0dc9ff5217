"""Effects on other services that real code repeats for one message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest

from chaosqs.invariants import NO_REPEATED_EFFECT
from chaosqs.lambda_.service_calls import claims, effects, posted
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Resource
from chaosqs.model.events import ServiceCalled
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from chaosqs.wire.http import HttpRequest
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


def added(expression: str, **changes: object) -> tuple[str, ...]:
    values = {":one": {"N": "1"}, ":two": Decimal(2), ":zero": {"N": "0"}, ":set": {"SS": ["a"]}, ":list": [1]}
    update = {"TableName": "t", "Key": {"id": "a"}, "UpdateExpression": expression}
    names = {"#s": "seen", "#v": "version"}
    given = update | {"ExpressionAttributeValues": values, "ExpressionAttributeNames": names} | changes
    return effects("dynamodb:UpdateItem", given)


@pytest.mark.parametrize(
    "expression",
    [
        "ADD n :one",
        "SET a = :two ADD n :one REMOVE b",
        "SET n = n + :one",
        "SET a = :two, n=if_not_exists(n, :zero) + :one",
        "SET n = :one + n",
        "SET #v = #v + :one, n = n + :one",
    ],
)
def test_an_addition_to_an_item_is_an_effect(expression: str) -> None:
    """Each way to write it, whatever else the update does; not the count of versions."""
    assert added(expression) == added("ADD n :one") != added("ADD n :two")


def test_additions_are_told_apart() -> None:
    """By item, attribute, sign and value; appending to a list is one, too."""
    assert len({added("ADD n :one"), added("ADD m :one"), added("SET n = n - :one"), added("ADD n :one", Key="b")}) == 4
    assert len(added("ADD n :one, #s :two")) == 2
    assert len(added("SET l = list_append(if_not_exists(l, :zero), :list)")) == 1
    assert added("SET n = m + :one") == added("SET n = nn + :one") == ()


def test_a_transaction_adds_unless_a_token_names_it() -> None:
    """DynamoDB recognises a token that the code gives."""
    update = {
        "TableName": "t",
        "Key": {},
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": Decimal(1)},
    }
    transaction = {"TransactItems": [{"Put": {"TableName": "t"}}, {"Update": update}]}
    assert len(effects("dynamodb:TransactWriteItems", transaction)) == 1
    assert effects("dynamodb:TransactWriteItems", transaction | {"ClientRequestToken": "order-7"}) == ()


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (HttpRequest("POST", "https://pay.example.com/charges", body=b"7"), 1),
        (HttpRequest("POST", "https://pay.example.com/charges", {"idempotency-key": "7"}, b"7"), 0),
        (HttpRequest("POST", "https://pay.example.com/oauth/token", body=b"7"), 0),
        (HttpRequest("POST", "https://pay.example.com/v1/stockCheck", body=b"7"), 0),
        (HttpRequest("POST", "https://pay.example.com/checkout", body=b"7"), 1),
        (HttpRequest("POST", "https://pay.example.com/charges?token=query", body=b"7"), 1),
        (HttpRequest("POST", "https://pay.example.com/authorize/invalidations", body=b"7"), 1),
        (HttpRequest("PUT", "https://pay.example.com/charges/7", body=b"7"), 0),
        (HttpRequest("GET", "https://pay.example.com/charges/7"), 0),
    ],
    ids=["post", "key", "asks", "asks-in-a-word", "checkout", "asks-after", "authorize", "put", "get"],
)
def test_a_post_is_an_effect_unless_the_server_knows_its_key(request_: HttpRequest, count: int) -> None:
    """Whoever asks something, or puts the same again, has no further effect."""
    assert len(effects(f"pay.example.com:{request_.method}", posted(request_))) == count


def test_calls_that_have_the_same_outcome_each_time_have_none() -> None:
    """Writes of items and objects, a FIFO topic, an execution with a name, counters of attempts, malformed entries."""
    assert effects("dynamodb:PutItem", {"TableName": "t", "Item": {}}) == ()
    assert added("ADD attempts :one") == ()
    assert added("SET #s = :one, n = :one REMOVE x") == ()
    assert added("ADD tags :set") == added("ADD unknown :nothing") == added("ADD n :zero") == ()
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

    def put(condition: str, **item: str) -> tuple[str, ...]:
        names = {"#id": "id"}
        request = {"TableName": "t", "Item": item, "ConditionExpression": condition, "ExpressionAttributeNames": names}
        return claims("dynamodb", "", json.dumps(request).encode(), [])

    first = "attribute_not_exists(#id) OR #expiry < :now"
    assert put(first, id="a", until="1") == put(first, id="a", until="2") != put(first, id="b", until="1")
    assert len(put("until < :now", id="a", until="1")) == 2
    assert put("attribute_exists(#id)", id="a") == ()
    assert claims("dynamodb", "", b"{}", []) == ()
    assert claims("s3", "https://a/b", b"", ["If-None-Match"]) != claims("s3", "https://a/c", b"", ["If-None-Match"])
    assert claims("s3", "https://a/b", b"", []) == ()


def test_transactions_claim_each_of_their_items() -> None:
    """By the key of an update, and by the key of an item that is put."""
    condition = {"TableName": "t", "ConditionExpression": "attribute_not_exists(id)"}
    items = [{"Put": condition | {"Item": {"id": {"S": "a"}}}}, {"Update": condition | {"Key": {"id": {"S": "a"}}}}]
    first, second = claims("dynamodb", "", json.dumps({"TransactItems": [*items, {"Put": {}}]}).encode(), [])
    assert first == second


def twice(*, claimed: tuple[str, str]) -> Verdict:
    """Two invocations have the same effect for one message; some claim something before."""
    story = Story(orders_design()).send()
    for moment, claim in zip((0, 30), claimed, strict=True):
        if moment:
            story.at(moment).give_back(0)
        batch = story.receive(0).start()
        if claim:
            where = story.now, batch.started, "worker", batch.invocation
            story.tell(ServiceCalled(*where, "dynamodb", "PutItem", claims=(claim,)))
        story.tell(
            ServiceCalled(story.now, batch.started, "worker", batch.invocation, "sns", "Publish", effects=("a",))
        )
        batch.finish("timed_out").release("failed")
    return NO_REPEATED_EFFECT.judge(story.end(behaviour=REAL))


def test_EF_3_the_same_effect_for_one_message_is_a_repetition() -> None:
    """A claim excuses it only if each invocation had made the same."""
    text = "Message 1 made worker call sns Publish with the same contents at 0.0 s and again at 30.0 s"
    assert [violation.text for violation in twice(claimed=("", "")).violations] == [f"{text}."]
    assert twice(claimed=("key", "")).status is Status.VIOLATED
    assert twice(claimed=("key", "another")).status is Status.VIOLATED
    claimed = twice(claimed=("key", "key"))
    assert (claimed.status, claimed.excused) == (
        Status.HOLDS,
        (f"{text}, but worker had claimed its work by a conditional write each time",),
    )


@pytest.mark.parametrize(("keys", "status"), [(("a", "b", "b"), Status.HOLDS), (("a", "b", "c"), Status.VIOLATED)])
def test_equal_effects_of_two_messages_do_not_hide_whose_claim_it_was(keys: Sequence[str], status: Status) -> None:
    """Each message has its own claim, and the one that was repeated is blamed."""
    story = Story(orders_design()).send(2)
    for moment, message, key in zip((0, 0, 30), (0, 1, 1), keys, strict=True):
        if moment:
            story.at(moment).give_back(1)
        batch = story.receive(message).start()
        where = story.now, batch.started, "worker", batch.invocation
        story.tell(ServiceCalled(*where, "dynamodb", "PutItem", claims=(key,)))
        story.tell(ServiceCalled(*where, "sns", "Publish", effects=("a",)))
        batch.finish("timed_out").release("failed")
    verdict = NO_REPEATED_EFFECT.judge(story.end(behaviour=REAL))
    assert verdict.status is status
    told = verdict.excused or [violation.text for violation in verdict.violations]
    assert told[0].startswith(
        "Message 2 made worker call sns Publish with the same contents at 0.0 s and again at 30.0 s"
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


def test_a_repetition_names_the_place_of_the_call() -> None:
    """File and line of the user's own code, not of boto3."""
    (violation,) = next(
        found for step in range(1, 5) if (found := NO_REPEATED_EFFECT.judge(idempotent("again", step)).violations)
    )
    assert "call sns Publish with the same contents (tests/lambda_/idempotent_handlers.py:" in violation.text


def test_models_and_silent_code_are_not_judged() -> None:
    """Only real code calls services."""
    assert NO_REPEATED_EFFECT.judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE
    assert NO_REPEATED_EFFECT.judge(Story(orders_design()).send().end(behaviour=REAL)).status is Status.NOT_EXERCISED


def test_a_claim_before_the_effect_keeps_it_from_being_repeated() -> None:
    """The second invocation skips what the first has claimed, and that is exercise enough."""
    verdict = NO_REPEATED_EFFECT.judge(handled("publishes_once"))
    assert (verdict.status, verdict.exercised, verdict.excused) == (Status.HOLDS, 2, ())
