"""FIFO topics, and rules with FIFO targets: each message arrives once, in order, in its group, with its id."""

from __future__ import annotations

import json

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Resource
from chaosqs.model.events import Sent
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.lambda_.service_handlers import FIFO_TOPIC
from tests.lambda_.test_other_services import bodies, of

ARN = "arn:aws:sqs:us-east-1:123456789012:"


def run(handler: str, *resources: Resource, own_ids: bool = False, seed: int = 0) -> History:
    """Run a handler once; `own_ids`: the FIFO queue `steps.fifo` makes deduplication ids of contents."""
    design = Design(
        [
            Queue("orders", visibility_timeout=900),
            Queue("steps.fifo", content_based_deduplication=own_ids),
            Queue("copies"),
        ],
        [Function("worker", timeout=900), Function("reader")],
        [
            EventSourceMapping("orders", "worker"),
            EventSourceMapping("steps.fifo", "reader"),
            EventSourceMapping("copies", "reader"),
        ],
        resources=resources,
    )
    home = "tests.lambda_.service_handlers"
    behaviours = {"worker": Behaviour(handler=f"{home}:{handler}"), "reader": Behaviour(handler=f"{home}:records_body")}
    return simulate(Scenario(design, [Burst("orders", 1)], behaviours, seed=seed, until=600))


def topic(**properties: object) -> Resource:
    return of("AWS::SNS::Topic", FIFO_TOPIC, FifoTopic=True, **properties)


def subscription(queue: str = "steps.fifo", *, raw: bool = True) -> Resource:
    return of(
        "AWS::SNS::Subscription",
        f"to {queue}",
        TopicArn=FIFO_TOPIC,
        Protocol="sqs",
        Endpoint=ARN + queue,
        RawMessageDelivery=raw,
    )


def arrivals(history: History, queue: str = "steps.fifo") -> list[tuple[str, str]]:
    """Return group and deduplication id of each message that a queue got."""
    return [(event.group, event.deduplication_id) for _, event in history.each(Sent) if event.queue == queue]


@pytest.mark.parametrize("seed", [0, 5])
def test_a_fifo_topic_keeps_groups_ids_and_order(seed: int) -> None:
    """FF-2, FF-5: also where deliveries take different times; a second message with the same id is not passed on."""
    history = run("publishes_in_order", topic(), subscription(), seed=seed)
    assert sorted(arrivals(history)) == [("a", "a1"), ("a", "a2"), ("a", "a3"), ("a", "a4"), ("b", "b5")]
    assert [body for body in bodies(history) if body != "5"] == ["1", "2", "3", "4"]


def test_a_fifo_topic_may_know_repetitions_by_group() -> None:
    history = run("publishes_in_order", topic(FifoThroughputScope="MessageGroup"), subscription("copies"))
    assert sorted(bodies(history)) == ["1", "1 again", "2", "3", "4", "5"]


@pytest.mark.parametrize(("raw", "own_ids"), [(True, False), (False, False), (False, True)])
def test_a_topic_makes_ids_of_contents_for_five_minutes(*, raw: bool, own_ids: bool) -> None:
    """The queue gets the topic's id, with and without the envelope, and whether or not it makes ids itself."""
    history = run("publishes_contents", topic(ContentBasedDeduplication="true"), subscription(raw=raw), own_ids=own_ids)
    assert len(arrivals(history)) == 3
    contents = [body if raw else json.loads(body)["Message"] for body in bodies(history)]
    assert contents == ["x", "y", "x"]


def test_a_notification_of_a_fifo_topic_has_a_number_and_no_signature() -> None:
    envelope = json.loads(bodies(run("publishes_in_order", topic(), subscription(raw=False)))[0])
    assert envelope["SequenceNumber"] == "10000000000000001000"
    assert "Signature" not in envelope


def test_a_standard_queue_gets_no_repetition_from_a_fifo_topic() -> None:
    assert sorted(bodies(run("publishes_in_order", topic(), subscription("copies")))) == ["1", "2", "3", "4", "5"]


def rule(**parameters: object) -> Resource:
    target = {"Id": "1", "Arn": f"{ARN}steps.fifo", **parameters}
    return of("AWS::Events::Rule", "shop", EventPattern={"source": ["shop"]}, Targets=[target])


@pytest.mark.parametrize("own_ids", [True, False])
def test_a_rule_passes_events_on_to_a_fifo_queue_that_makes_ids(*, own_ids: bool) -> None:
    """In the group of the target (EventBridge API, SqsParameters); other queues refuse them, and they are lost."""
    history = run("emits", rule(SqsParameters={"MessageGroupId": "events"}), own_ids=own_ids)
    assert [group for group, _ in arrivals(history)] == ["events"] * own_ids


@pytest.mark.parametrize(
    ("resources", "why"),
    [
        ([rule()], "'shop': AWS::Events::Rule cannot be made: .*SqsParameters"),
        (
            [
                of("AWS::SNS::Topic", FIFO_TOPIC.removesuffix(".fifo"), FifoTopic=False),
                of(
                    "AWS::SNS::Subscription",
                    "all",
                    TopicArn=FIFO_TOPIC.removesuffix(".fifo"),
                    Protocol="sqs",
                    Endpoint=f"{ARN}steps.fifo",
                ),
            ],
            "'all': AWS::SNS::Subscription cannot be made: .*FIFO",
        ),
        (
            [
                of(
                    "AWS::S3::Bucket",
                    "archive",
                    NotificationConfiguration={
                        "QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": f"{ARN}steps.fifo"}]
                    },
                )
            ],
            "'archive': AWS::S3::Bucket cannot be made: S3 cannot notify a FIFO queue",
        ),
    ],
)
def test_what_aws_refuses_for_fifo_queues_is_named(resources: list[Resource], why: str) -> None:
    with pytest.raises(InvalidDesign, match=why):
        run("emits", *resources)
