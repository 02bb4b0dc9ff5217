"""Event source mappings through a real client: fields, states, what is refused, what an update does."""

from __future__ import annotations

import time

import pytest

import chaosqs
from chaosqs.errors import InvalidInput
from chaosqs.mock_aws.aws import MockAws
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import LambdaUnderTest, Worker, connected, dictionaries, functions, queue_of
from tests.conformance.queue_under_test import QueueUnderTest

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:orders"


@pytest.fixture
def worker(world: MockAws) -> Worker:
    worker = Worker()
    world.function("worker", worker)
    return worker


@pytest.fixture
def queue(worker: Worker) -> QueueUnderTest:
    del worker
    return queue_of()


@EXACT
def test_EC_21_a_mapping_is_created_then_enabled(world: MockAws, queue: QueueUnderTest) -> None:
    """EC-1, EC-2: the defaults; and the fields that AWS gives for a queue, no more (ledger 12)."""
    aws_lambda = functions()
    created = aws_lambda("create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker")
    uuid = str(created["UUID"])
    modified = created.pop("LastModified")
    assert getattr(modified, "timestamp")() == 1_764_547_200  # noqa: B009 - untyped
    assert created == {
        "UUID": uuid,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{uuid}",
        "EventSourceArn": QUEUE,
        "FunctionArn": FUNCTION,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
    }
    world.advance(60)
    assert aws_lambda("get_event_source_mapping", UUID=uuid) == created | {"State": "Enabled", "LastModified": modified}


def test_EC_22_created_disabled_it_is_disabled_at_once(world: MockAws, queue: QueueUnderTest, worker: Worker) -> None:
    uuid = functions().map(queue, Enabled=False)
    assert functions().state(uuid) == "Disabled"
    queue.send("one")
    world.advance(60)
    assert worker.bodies == []
    updated = functions()("update_event_source_mapping", UUID=uuid, Enabled=True)
    assert updated["State"] == "Enabling"
    world.run_until_idle()
    assert worker.bodies == ["one"]


def test_EC_23_disabled_it_finishes_what_it_has(world: MockAws, queue: QueueUnderTest) -> None:
    worker = Worker(lambda _: time.sleep(2))
    uuid = connected(world, worker, queue)
    queue.send("one")
    world.advance(1)
    assert functions()("update_event_source_mapping", UUID=uuid, Enabled=False)["State"] == "Disabling"
    queue.send("two")
    world.advance(60)
    assert functions().state(uuid) == "Disabled"
    assert worker.bodies == ["one"]
    assert queue.counters() == (1, 0, 0)


def test_EC_12_a_missing_queue_is_found_by_a_receive(worker: Worker) -> None:
    del worker
    message = functions().refuses(
        "InvalidParameterValueException", "create_event_source_mapping", EventSourceArn=QUEUE, FunctionName="worker"
    )
    assert message.startswith(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."
    )


def test_EC_13_a_second_mapping_of_the_same_is_refused(queue: QueueUnderTest) -> None:
    uuid = functions().map(queue)
    message = functions().refuses(
        "ResourceConflictException", "create_event_source_mapping", EventSourceArn=QUEUE, FunctionName=FUNCTION
    )
    assert message.endswith(f"Please update or delete the existing mapping with UUID {uuid}")


REPORTING = "ReportBatchItemFailures"
INVALID, OUT_OF_RANGE = "InvalidParameterValueException", "ValidationException"


def test_EC_26_a_missing_function_is_an_invalid_value(worker: Worker, queue: QueueUnderTest) -> None:
    """When a mapping is made, and when one is changed; the mapping stays as it was."""
    del worker
    message = functions().refuses(
        INVALID, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="nobody"
    )
    assert message == "Function does not exist"
    created = functions()("create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker", Enabled=False)
    uuid, changed = created["UUID"], "update_event_source_mapping"
    assert functions().refuses(INVALID, changed, UUID=uuid, FunctionName="nobody") == "Function does not exist"
    assert functions()("get_event_source_mapping", UUID=uuid)["FunctionArn"] == created["FunctionArn"]


def test_a_missing_field_is_refused_by_its_name(queue: QueueUnderTest) -> None:
    """By a client that checks nothing itself."""
    careless = functions(validating=False)
    message = careless.refuses(OUT_OF_RANGE, "create_event_source_mapping", EventSourceArn=queue.arn)
    must = "Value null at 'functionName' failed to satisfy constraint: Member must not be null"
    assert message == f"1 validation error detected: {must}"


def test_EC_10_a_starting_position_is_refused_in_words_of_its_own(worker: Worker, queue: QueueUnderTest) -> None:
    del worker
    given = {"EventSourceArn": queue.arn, "FunctionName": "worker", "StartingPosition": "LATEST"}
    message = functions().refuses(INVALID, "create_event_source_mapping", **given)
    assert message == "StartingPosition is not valid for SQS event sources."


@pytest.mark.parametrize(
    ("setting", "code", "says"),
    [
        ({"BatchSize": 11}, INVALID, "Maximum batch window in seconds must be greater than 0 if maximum batch size is"),
        ({"BatchSize": 10_001}, OUT_OF_RANGE, "'batchSize' failed to satisfy constraint"),
        ({"MaximumBatchingWindowInSeconds": 301}, OUT_OF_RANGE, "less than or equal to 300"),
        ({"ScalingConfig": {"MaximumConcurrency": 1001}}, OUT_OF_RANGE, "'scalingConfig.maximumConcurrency'"),
        ({"ProvisionedPollerConfig": {"MinimumPollers": 1}}, INVALID, "at least 2"),
        ({"ProvisionedPollerConfig": {"MinimumPollers": 9, "MaximumPollers": 8}}, INVALID, "MaximumPollers"),
        (
            {"ProvisionedPollerConfig": {"MinimumPollers": 2}, "ScalingConfig": {"MaximumConcurrency": 2}},
            INVALID,
            "mutually exclusive",
        ),
        ({"StartingPosition": "LATEST"}, INVALID, "StartingPosition"),
        ({"FunctionResponseTypes": ["Everything"]}, OUT_OF_RANGE, "enum value set"),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": ["x"]}'}] * 6}}, INVALID, "limit of 5"),
    ],
)
def test_EC_01_to_EC_03_EC_05_to_EC_08_EC_10_what_is_out_of_range(
    queue: QueueUnderTest, setting: dict[str, object], code: str, says: str
) -> None:
    message = functions().refuses(
        code, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker", **setting
    )
    assert says in message


@pytest.mark.parametrize("pattern", ["null", "text", '{"eventSource": "aws:sqs"}', '{"eventSource": []}'])
def test_EC_24_a_filter_that_is_none(queue: QueueUnderTest, pattern: str) -> None:
    message = functions().refuses(
        INVALID,
        "create_event_source_mapping",
        EventSourceArn=queue.arn,
        FunctionName="worker",
        FilterCriteria={"Filters": [{"Pattern": pattern}]},
    )
    assert message == "Invalid filter pattern definition."


@pytest.mark.parametrize("setting", [{"BatchSize": 11}, {"MaximumBatchingWindowInSeconds": 1}])
def test_EC_04_fifo_has_small_batches_and_no_window(worker: Worker, setting: dict[str, object]) -> None:
    del worker
    queue = queue_of("orders.fifo")
    functions().refuses(
        INVALID, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker", **setting
    )


def test_EC_05_an_empty_block_removes_and_a_missing_one_keeps(world: MockAws, queue: QueueUnderTest) -> None:
    aws_lambda = functions()
    uuid = aws_lambda.map(queue, ScalingConfig={"MaximumConcurrency": 5}, MetricsConfig={"Metrics": ["EventCount"]})
    world.advance(60)
    kept = aws_lambda("update_event_source_mapping", UUID=uuid, BatchSize=5)
    assert (kept["ScalingConfig"], kept["BatchSize"], kept["State"]) == ({"MaximumConcurrency": 5}, 5, "Updating")
    aws_lambda.refuses("ResourceInUseException", "update_event_source_mapping", UUID=uuid, BatchSize=6)
    world.advance(60)
    removed = aws_lambda("update_event_source_mapping", UUID=uuid, ScalingConfig={})
    assert "ScalingConfig" not in removed
    assert removed["MetricsConfig"] == {"Metrics": ["EventCount"]}


def test_an_update_changes_what_comes_afterwards(world: MockAws) -> None:
    worker, queue = Worker(), queue_of()
    uuid = connected(world, worker, queue, BatchSize=1)
    functions()("update_event_source_mapping", UUID=uuid, BatchSize=10)
    world.advance(60)
    queue.client.send_message_batch(
        QueueUrl=queue.url, Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)]
    )
    world.run_until_idle()
    assert len(worker.batches) == 1


def test_EC_25_a_mapping_of_an_alias_follows_it(world: MockAws) -> None:
    queue, aws_lambda = queue_of(), functions()
    aws_lambda.create("def handler(event, context):\n    print('version', context.function_version)")
    aws_lambda("publish_version", FunctionName="worker")
    aws_lambda("update_function_configuration", FunctionName="worker", Description="two")
    aws_lambda("publish_version", FunctionName="worker")
    aws_lambda("create_alias", FunctionName="worker", Name="live", FunctionVersion="1")
    aws_lambda.map(queue, "worker:live")
    queue.send("one")
    world.run_until_idle()
    aws_lambda("update_alias", FunctionName="worker", Name="live", FunctionVersion="2")
    queue.send("two")
    world.run_until_idle()
    assert [line for line in world.logs("worker").splitlines() if line.startswith("version")] == [
        "version 1",
        "version 2",
    ]


def test_mappings_are_listed(world: MockAws, queue: QueueUnderTest) -> None:
    other = queue_of("other")
    world.function("second", Worker())
    uuids = [functions().map(queue), functions().map(other), functions().map(queue, "second")]

    def listed(**by: object) -> list[object]:
        answer = functions()("list_event_source_mappings", **by)
        return [item["UUID"] for item in dictionaries(answer["EventSourceMappings"])]

    assert listed() == uuids
    assert listed(EventSourceArn=queue.arn) == [uuids[0], uuids[2]]
    assert listed(FunctionName="worker") == uuids[:2]
    assert listed(FunctionName="second", EventSourceArn=other.arn) == []


def test_a_deleted_mapping_stops_and_is_gone(world: MockAws) -> None:
    worker, queue, aws_lambda = Worker(), queue_of(), functions()
    uuid = connected(world, worker, queue)
    assert aws_lambda("delete_event_source_mapping", UUID=uuid)["State"] == "Deleting"
    queue.send("one")
    world.advance(60)
    assert worker.bodies == []
    aws_lambda.refuses("ResourceNotFoundException", "get_event_source_mapping", UUID=uuid)
    assert aws_lambda.map(queue) != uuid


def test_EC_16_a_region_has_its_own(queue: QueueUnderTest) -> None:
    """Its functions and mappings, and a mapping has its queue and its function in one."""
    elsewhere: LambdaUnderTest = functions("eu-west-1")
    assert elsewhere("list_event_source_mappings") == {"EventSourceMappings": []}
    elsewhere.refuses("ResourceNotFoundException", "get_function", FunctionName="worker")
    elsewhere.create("def handler(event, context):\n    pass")
    message = elsewhere.refuses(INVALID, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker")
    assert "same region" in message


def test_EC_09_metrics_are_shown_where_they_are_asked_for(queue: QueueUnderTest) -> None:
    """`EventCount`, and nothing that Lambda does not know."""
    uuid = functions().map(queue, MetricsConfig={"Metrics": ["EventCount"]})
    assert functions()("get_event_source_mapping", UUID=uuid)["MetricsConfig"] == {"Metrics": ["EventCount"]}
    functions().refuses(
        OUT_OF_RANGE,
        "create_event_source_mapping",
        EventSourceArn=queue.arn,
        FunctionName="worker",
        MetricsConfig={"Metrics": ["Everything"]},
    )


def test_EC_11_an_update_looks_at_the_timeouts_again(world: MockAws, queue: QueueUnderTest) -> None:
    """A function's timeout may be raised above the queue's visibility timeout; then the mapping cannot be changed."""
    uuid = functions().map(queue)
    world.advance(60)
    functions()("update_function_configuration", FunctionName="worker", Timeout=60)
    message = functions().refuses(INVALID, "update_event_source_mapping", UUID=uuid, BatchSize=5)
    assert message == "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"


def test_EC_21_a_change_takes_a_time_that_is_drawn(world: MockAws, queue: QueueUnderTest) -> None:
    """From 1 to 35 s, seen once a second, to create, disable, enable and delete; the same times in each run."""
    times = list[float]()
    uuid = functions().map(queue)
    for change in ({"Enabled": False}, {"Enabled": True}, {"BatchSize": 5}) * 5:
        times.append(_settled(world, uuid))
        functions()("update_event_source_mapping", UUID=uuid, **change)
    times.append(_settled(world, uuid))
    functions()("delete_event_source_mapping", UUID=uuid)
    times.append(_settled(world, uuid))
    assert 1 <= min(times) < 8
    assert 28 < max(times) <= 36


def _settled(world: MockAws, uuid: str) -> float:
    """Return the seconds until a mapping has a lasting state, or is gone."""
    began = world.now
    while any(
        mapping["UUID"] == uuid and str(mapping["State"]).endswith("ing")
        for mapping in dictionaries(functions()("list_event_source_mappings")["EventSourceMappings"])
    ):
        world.advance(1)
    return world.now - began


@pytest.mark.parametrize("seconds", [0.001, 5, 120])
def test_EC_21_a_test_may_say_how_long_a_change_takes(seconds: float) -> None:
    """Not a moment less."""
    with chaosqs.aws(call_latency=0, mapping_change=seconds) as world:
        queue = queue_of()
        world.function("worker", lambda _, __: None)
        uuid = functions().map(queue)
        world.advance(seconds - 0.001)
        assert functions().state(uuid) == "Creating"
        world.advance(0.001)
        assert functions().state(uuid) == "Enabled"


@pytest.mark.parametrize("seconds", [0, -1, 120.1, float("nan")])
def test_the_time_of_a_change_has_a_range(seconds: float) -> None:
    """In seconds."""
    with pytest.raises(InvalidInput, match=r"mapping_change"):
        chaosqs.aws(mapping_change=seconds)


@pytest.mark.parametrize(
    "setting",
    [
        {"Queues": ["q"]},
        {"SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a.example.com:9092"]}}},
        {"AmazonManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}},
        {"SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": "g"}},
        {"DocumentDBEventSourceConfig": {"DatabaseName": "d"}},
        {"LoggingConfig": {"SystemLogLevel": "INFO"}},
        {"ProvisionedPollerConfig": {"MinimumPollers": 2, "PollerGroupName": "PollerGroupName"}},
    ],
    ids=lambda setting: next(iter(setting)),
)
def test_EC_10_fields_of_other_event_sources_are_refused(queue: QueueUnderTest, setting: dict[str, object]) -> None:
    """The error names the field; there is no mapping."""
    message = functions().refuses(
        INVALID, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker", **setting
    )
    name = next(iter(setting)) if "ProvisionedPollerConfig" not in setting else "PollerGroupName"
    assert message == f"Unsupported {name} parameter for given event source mapping type."
    assert functions()("list_event_source_mappings") == {"EventSourceMappings": []}


@pytest.mark.parametrize(
    ("setting", "value", "field", "most"),
    [
        (
            {"FunctionResponseTypes": ["ReportBatchItemFailures"] * 2},
            "ReportBatchItemFailures",
            "functionResponseTypes",
            1,
        ),
        ({"MetricsConfig": {"Metrics": ["EventCount"] * 4}}, "EventCount", "metricsConfig.metrics", 3),
    ],
    ids=["FunctionResponseTypes", "Metrics"],
)
def test_lists_have_a_greatest_length(
    queue: QueueUnderTest, setting: dict[str, object], value: str, field: str, most: int
) -> None:
    """That of Lambda's own model."""
    message = functions().refuses(
        OUT_OF_RANGE, "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker", **setting
    )
    shown = ", ".join([value] * (most + 1))
    assert message == (
        f"1 validation error detected: Value '[{shown}]' at '{field}' failed to satisfy constraint: "
        f"Member must have length less than or equal to {most}"
    )


def test_the_key_of_filters_is_shown_and_hides_them_in_lists(world: MockAws, queue: QueueUnderTest) -> None:
    """An update without a key keeps it, one with an empty key removes it."""
    key, filters = "arn:aws:kms:us-east-1:123456789012:key/1", {"Filters": [{"Pattern": '{"body": ["x"]}'}]}
    aws_lambda = functions()
    uuid = aws_lambda.map(queue, KMSKeyArn=key, FilterCriteria=filters)

    def shown() -> list[tuple[object, object]]:
        got, listed = aws_lambda("get_event_source_mapping", UUID=uuid), aws_lambda("list_event_source_mappings")
        every = [got, *dictionaries(listed["EventSourceMappings"])]
        return [(one.get("KMSKeyArn"), one.get("FilterCriteria")) for one in every]

    assert shown() == [(key, filters), (key, None)]
    world.advance(60)
    aws_lambda("update_event_source_mapping", UUID=uuid, BatchSize=5)
    assert shown() == [(key, filters), (key, None)]
    world.advance(60)
    aws_lambda("update_event_source_mapping", UUID=uuid, KMSKeyArn="")
    assert shown() == [(None, filters), (None, filters)]


def test_mappings_have_tags(queue: QueueUnderTest) -> None:
    """From their creation on; each can be set and removed. They are no part of the mapping as it is shown."""
    aws_lambda = functions()
    uuid = aws_lambda.map(queue, Tags={"team": "orders", "stage": "test"})
    shown = aws_lambda("get_event_source_mapping", UUID=uuid)
    arn = shown["EventSourceMappingArn"]
    assert "Tags" not in shown
    assert aws_lambda("list_tags", Resource=arn) == {"Tags": {"team": "orders", "stage": "test"}}
    aws_lambda("tag_resource", Resource=arn, Tags={"stage": "live", "cost": "1"})
    aws_lambda("untag_resource", Resource=arn, TagKeys=["team", "cost", "nothing"])
    assert aws_lambda("list_tags", Resource=arn) == {"Tags": {"stage": "live"}}
    missing = f"{str(arn).rpartition(':')[0]}:00000000-0000-0000-0000-000000000000"
    aws_lambda.refuses("ResourceNotFoundException", "list_tags", Resource=missing)
