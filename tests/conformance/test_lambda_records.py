"""The record that a function gets of a message, and the fate of a message that it fails on, through real clients."""

from __future__ import annotations

import json

from chaosqs.mock_aws.aws import MockAws
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import Worker, connected, fields, functions, queue_of


def test_ER_1_ER_3_ER_11_ER_12_ER_14_a_message_becomes_a_record(world: MockAws) -> None:
    """Ledger 10.9."""
    worker, queue = Worker(), queue_of()
    connected(world, worker, queue)
    sent = queue.client.send_message(
        QueueUrl=queue.url,
        MessageBody="one",
        MessageAttributes={"kind": {"DataType": "String", "StringValue": "order"}},
    )
    world.run_until_idle()
    (record,) = worker.records
    assert record["messageId"] == sent["MessageId"]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["eventSourceARN"] == queue.arn
    assert "kind" in json.dumps(record["messageAttributes"])


@EXACT
def test_ER_1_ER_2_ER_4_ER_5_what_two_deliveries_have_in_common(world: MockAws) -> None:
    """The id and the moments of sending and of the first receive; not the handle and the count."""
    failures: list[object] = []

    def fails_once(ids: list[str]) -> None:
        if not failures:
            failures.append(ids)
            raise ValueError(ids)

    worker, queue = Worker(fails_once), queue_of()
    connected(world, worker, queue)
    queue.send("one")
    world.run_until_idle()
    first, second = worker.records
    assert first["messageId"] == second["messageId"]
    assert first["receiptHandle"] != second["receiptHandle"]
    assert worker.counts() == ["1", "2"]
    one, other = fields(first["attributes"]), fields(second["attributes"])
    assert one | {"ApproximateReceiveCount": "2"} == other
    assert one["SentTimestamp"] == one["ApproximateFirstReceiveTimestamp"] == "1764547260000"


def test_LX_18_a_functions_own_dead_letter_queue_gets_no_batch(world: MockAws) -> None:
    """Nor is a batch tried twice: the retry policy of a queue is its redrive policy."""
    orders, dead, own = queue_of(), queue_of("dead"), queue_of("own")
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    orders.client.set_queue_attributes(QueueUrl=orders.url, Attributes={"RedrivePolicy": policy})
    functions().create(
        "def handler(event, context):\n    raise ValueError('no')", DeadLetterConfig={"TargetArn": own.arn}
    )
    functions().map(orders)
    orders.send("one")
    world.run_until_idle()
    assert (dead.counters()[0], own.counters()[0]) == (1, 0)
    assert world.history().summary()["functions"]["worker"]["Errors"] == 1
