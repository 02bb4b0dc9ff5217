"""Other services of AWS answer real handlers in a simulation: fresh for each run, and the same in each process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import EscapedSimulation, InvalidDesign
from chaosqs.invariants import NO_RECURSIVE_LOOP
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, RecursiveLoop, Redrive, Resource
from chaosqs.model.events import InvocationEnded, InvocationStarted, Sent
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import Json
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.alone import attempts
from chaosqs.simulation.run import simulate
from chaosqs.wire.resources import contents, objects_of
from tests.lambda_.service_handlers import TOPIC

QUEUE = "arn:aws:sqs:us-east-1:123456789012:copies"
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
TABLE = Resource("AWS::DynamoDB::Table", "orders", json.dumps(KEYS))
NEWS = Resource("AWS::SNS::Topic", TOPIC)


def of(kind: str, name: str, **properties: object) -> Resource:
    return Resource(kind, name, json.dumps(properties))


def subscription(**more: object) -> Resource:
    return of("AWS::SNS::Subscription", "all", **{"TopicArn": TOPIC, "Protocol": "sqs", "Endpoint": QUEUE, **more})


def scenario(
    handler: str, *resources: Resource, messages: int = 1, seed: int = 0, faults: FaultPlan = FaultPlan()
) -> Scenario:
    """Return a scenario in which a handler works on a queue, and another one on what arrives in `copies`."""
    design = Design(
        [Queue("orders"), Queue("copies")],
        [Function("worker", timeout=20), Function("reader")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("copies", "reader")],
        resources=resources,
    )
    home = "tests.lambda_.service_handlers"
    behaviours = {"worker": Behaviour(handler=f"{home}:{handler}"), "reader": Behaviour(handler=f"{home}:records_body")}
    return Scenario(design, [Burst("orders", messages)], behaviours, faults, seed, until=100)


def bodies(history: History) -> list[str]:
    return [str(dict(effect.values)["body"]) for effect in history.effects if effect.name == "body"]


ALL_THREE = (TABLE, NEWS, of("AWS::S3::Bucket", "archive"), subscription())


def digest(seed: int) -> str:
    return simulate(scenario("uses_three", *ALL_THREE, messages=4, seed=seed)).digest


@pytest.mark.parametrize("seed", [0, 7])
def test_runs_with_services_repeat_byte_for_byte(seed: int) -> None:
    """Every byte that DynamoDB, S3 and SNS answer is in the history, times and identifiers included."""
    history = simulate(scenario("uses_three", *ALL_THREE, messages=4, seed=seed), verify=True)
    assert len(history.effects) == 8
    assert "2025-12-01" in repr(history.effects[0])


def test_another_process_with_another_hash_seed_has_the_same_run() -> None:
    """Whatever was simulated before in this one."""
    program = "from tests.lambda_.test_other_services import digest; print(digest(3))"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    found = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    assert found.stdout.decode().strip() == digest(3)


def test_a_run_begins_with_the_resources_and_nothing_else() -> None:
    """What the run before has put is gone."""
    for _ in range(2):
        history = simulate(scenario("uses_three", *ALL_THREE))
        (effect,) = [effect for effect in history.effects if effect.name == "answers"]
        assert json.loads(str(dict(effect.values)["answer3"]))["Count"] == 1


def test_parameters_and_secrets_of_the_design_are_there() -> None:
    history = simulate(
        scenario(
            "reads_settings",
            of("AWS::SSM::Parameter", "/shop/rate", Type="String", Value="0.19"),
            of("AWS::SecretsManager::Secret", "key", SecretString="s3cret"),
        )
    )
    values = dict(history.effects[0].values)
    assert json.loads(str(values["parameter"]))["Value"] == "0.19"
    assert values["hidden"] == "s3cret"


# Messages from services to queues -----------------------------------------------------------------------------------


def test_a_subscribed_queue_gets_the_notification_in_its_envelope() -> None:
    history = simulate(scenario("publishes", NEWS, subscription()))
    (body,) = bodies(history)
    envelope: Mapping[str, object] = json.loads(body)
    assert envelope["Type"] == "Notification"
    assert envelope["TopicArn"] == TOPIC
    assert str(envelope["Message"]).startswith('{"message": 0}')
    assert envelope["MessageAttributes"] == {"kind": {"Type": "String", "Value": "{"}}
    assert str(envelope["Timestamp"]).startswith("2025-12-01T00:00:00.")


def test_raw_delivery_hands_over_message_and_attributes() -> None:
    history = simulate(scenario("publishes", NEWS, subscription(RawMessageDelivery=True)))
    (body,) = bodies(history)
    assert body.startswith('{"message": 0}')
    assert '"stringValue": "{"' in repr(history.effects)


@pytest.mark.parametrize(("wanted", "arrive"), [("{", 1), ("[", 0)])
def test_a_filter_policy_keeps_others_out(wanted: str, arrive: int) -> None:
    history = simulate(scenario("publishes", NEWS, subscription(FilterPolicy={"kind": [wanted]})))
    assert len(bodies(history)) == arrive


def test_what_a_topic_passes_on_is_a_send_with_its_cause() -> None:
    """It arrives a little later, and the run waits for it."""
    history = simulate(scenario("publishes", NEWS, subscription()))
    sent = [event for event in history.events if isinstance(event, Sent)][-1]
    assert sent.queue == "copies"
    assert sent.cause is not None
    assert type(history.events[sent.cause]).__name__ == "InvocationStarted"
    assert history.events[sent.cause].at < sent.at
    assert history.drained_at_ms is not None


@pytest.mark.parametrize(("loop", "passes"), [("Terminate", 16), ("Allow", 201)])
def test_LX_16_LX_20_a_loop_through_a_topic_is_counted(loop: RecursiveLoop, passes: int) -> None:
    """SNS passes the trace on: the 17th invocation is dropped, or the run ends after 200 passes."""
    design = Design(
        [Queue("orders", redrive=Redrive("copies", 2)), Queue("copies")],
        [Function("worker", timeout=20, recursive_loop=loop)],
        [EventSourceMapping("orders", "worker")],
        resources=[
            NEWS,
            subscription(RawMessageDelivery=True, Endpoint=QUEUE.replace("copies", "orders")),
        ],
    )
    behaviours = {"worker": Behaviour(handler="tests.lambda_.service_handlers:publishes")}
    history = simulate(Scenario(design, [Burst("orders", 1)], behaviours))
    assert len(history.each(InvocationStarted)) == passes
    (violation,) = NO_RECURSIVE_LOOP.judge(history).violations
    assert violation.messages == (16,)
    assert ("'Allow'" in violation.text) == (loop == "Allow")


def test_a_bucket_notifies_a_queue() -> None:
    wanted = {
        "Event": "s3:ObjectCreated:*",
        "Queue": QUEUE,
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "new/"}]}},
    }
    bucket = of("AWS::S3::Bucket", "archive", NotificationConfiguration={"QueueConfigurations": [wanted]})
    (body,) = bodies(simulate(scenario("stores", bucket), verify=True))
    (record,) = json.loads(body)["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["object"]["key"] == "new/order.json".replace("/", "%2F")


def about(key: str, bucket: str = "archive") -> dict[str, Json]:
    """Return the notification of S3 about an object."""
    return {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}]}


@pytest.mark.parametrize("bucket", ["archive", "of-another-stack"])
def test_objects_that_messages_tell_of_are_there(bucket: str) -> None:
    """Under their decoded keys, without a notification; also for a message that is run alone."""
    configured: Json = [{"Event": "s3:ObjectCreated:*", "Queue": QUEUE}]
    notified = {"QueueConfigurations": configured}
    made = scenario("reads_the_object", of("AWS::S3::Bucket", "archive", NotificationConfiguration=notified))
    history = simulate(attrs.evolve(made, workload=[Burst("orders", messages=[about("new/a+b%281%29.json", bucket)])]))
    assert bodies(history) == ["2"]
    (attempt,) = attempts(history, [("orders→worker", 0)]).values()
    alone = attempt.run()
    assert alone is not None
    assert alone.failed is False


def test_a_message_whose_key_is_wrong_tells_of_no_object() -> None:
    """It is poison because there is no such object."""
    made = scenario("reads_the_object", of("AWS::S3::Bucket", "archive"))
    poison = Message(about("elsewhere"), note="Records[0].s3.object.key is another word")
    history = simulate(attrs.evolve(made, workload=[Burst("orders", messages=[poison])]))
    assert bodies(history) == []
    assert any("NoSuchKey" in end.error for _, end in history.each(InvocationEnded))


def test_objects_are_named_by_notifications_events_and_fields() -> None:
    """Keys of notifications are encoded, those of EventBridge's events are not; envelopes are opened."""
    event: Json = {"detail": {"bucket": {"name": "b"}, "object": {"key": "c+d"}}}
    texts: list[Json] = [
        about("a+b", "b"),
        event,
        {"Message": json.dumps(about("e", "b"))},
        {"bucket": "b", "key": "f"},
        3,
    ]
    found = list(objects_of(["no JSON", *map(json.dumps, texts), json.dumps(event)]))
    assert found == [("b", "a b"), ("b", "c+d"), ("b", "e"), ("b", "f")]


@pytest.mark.parametrize(
    ("key", "begins"),
    [
        ("a.png", b"\x89PNG"),
        ("a.JPEG", b"\xff\xd8"),
        ("a.gif", b"GIF8"),
        ("a.csv", b"id,"),
        ("a.json.gz", b"\x1f\x8b"),
        ("a", b"chaosqs"),
    ],
)
def test_the_contents_of_such_an_object_fit_its_suffix(key: str, begins: bytes) -> None:
    """Small, and what a parser of that format reads."""
    assert contents(key).startswith(begins)


def test_a_rule_passes_events_on_to_a_queue() -> None:
    rule = of("AWS::Events::Rule", "shop", EventPattern={"source": ["shop"]}, Targets=[{"Id": "1", "Arn": QUEUE}])
    (body,) = bodies(simulate(scenario("emits", rule), verify=True))
    event: Mapping[str, object] = json.loads(body)
    assert (event["source"], event["detail-type"], event["detail"]) == ("shop", "order", {"id": 7})


# Mistakes -------------------------------------------------------------------------------------------------------------


def test_H2_a_call_that_nothing_answers_ends_the_run_whatever_the_handler_catches() -> None:
    """The error names service, operation, file and line."""
    with pytest.raises(
        EscapedSimulation, match=r"worker calls braket SearchDevices at tests/lambda_/service_handlers\.py:\d+: moto"
    ):
        simulate(scenario("swallows_everything"))


def test_targets_that_only_a_deployment_knows_get_nothing() -> None:
    """An importer leaves out what it cannot tell; what remains is made."""
    wanted = {"QueueConfigurations": [{"Event": "s3:ObjectCreated:*"}]}
    bucket = of("AWS::S3::Bucket", "archive", NotificationConfiguration=wanted)
    topic = of("AWS::SNS::Topic", TOPIC, Subscription=[{"Protocol": "sqs"}])
    assert bodies(simulate(scenario("stores", bucket, topic))) == []


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ([of("AWS::DynamoDB::Table", "orders", AttributeDefinitions=[])], "'orders': AWS::DynamoDB::Table.*KeySchema"),
        ([of("AWS::S3::Bucket", "ab")], "'ab': AWS::S3::Bucket cannot be made"),
        ([subscription()], "'all': AWS::SNS::Subscription cannot be made: NotFound"),
    ],
)
def test_a_resource_that_its_service_refuses_is_named(resources: Sequence[Resource], why: str) -> None:
    with pytest.raises(InvalidDesign, match=why):
        simulate(scenario("puts", *resources))


# Nothing leaves, and nothing else runs ----------------------------------------------------------------------------


def test_no_packet_leaves_with_services_known_and_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for their calls, nor for credentials, nor for the address that only machines of AWS's have."""
    reached: list[object] = []

    def refuse(*address: object, **_: object) -> None:
        reached.append(address)
        raise OSError("no network here")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name, raising=False)
    simulate(scenario("uses_three", *ALL_THREE, messages=2))
    with pytest.raises(EscapedSimulation):
        simulate(scenario("swallows_everything"))
    assert reached == []


def test_300_plain_handlers_with_a_call_each_end_in_one_thread() -> None:
    """They wait at once, and each has put its item."""
    design = Design(
        [Queue("orders")],
        [Function("worker", timeout=20)],
        [EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(200, 400))],
        resources=[TABLE],
    )
    behaviours = {"worker": Behaviour(handler="tests.lambda_.service_handlers:puts_and_waits")}
    before = threading.active_count()
    history = simulate(Scenario(design, [Burst("orders", 300)], behaviours, until=60))
    threads = {dict(effect.values)["thread"] for effect in history.effects}
    assert (len(history.effects), threads) == (300, {threading.get_ident()})
    assert threading.active_count() <= before  # an idle thread of trio's, from another test, may end meanwhile
    assert history.summary()["functions"]["worker"]["ConcurrentExecutions"] >= 200


def test_no_configuration_file_of_the_developer_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Lambda there is none, and a run must be the same for everyone."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nretry_mode = adaptive\n", encoding="utf-8")
    usual = bodies(simulate(scenario("records_its_retry_mode")))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert bodies(simulate(scenario("records_its_retry_mode"))) == usual
    assert "adaptive" not in usual[0]
