"""Tests of users, in miniature: what boto3 answers inside `chaosqs.aws()`, and the history that it leaves.

Each session names its Region and says all of its calls; it returns the history, and the answers in order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from operator import methodcaller
from typing import TypeGuard

import attrs
import boto3
from botocore.exceptions import ClientError

import chaosqs
from chaosqs import Design, EventSourceMapping, Function, History, Queue, Redrive

REGION, HOME = "us-east-1", "https://sqs.us-east-1.amazonaws.com/123456789012/"
ARN = "arn:aws:sqs:us-east-1:123456789012:"
Session = Callable[[], tuple[History, Sequence[object]]]


@attrs.define
class Asked:
    """Calls of clients, with their answers as plain values: without HTTP metadata, errors as code and message."""

    answers: list[object] = attrs.field(factory=list[object])

    def __call__(self, service: str, operation: str, **parameters: object) -> dict[str, object]:
        client: object = methodcaller("client", service, region_name=REGION)(boto3)
        try:
            found = _fields(methodcaller(operation, **parameters)(client))
        except ClientError as error:
            answer = error.response.get("Error", {})
            found = {"Code": answer.get("Code"), "Message": answer.get("Message")}
        found = {name: _read(value) for name, value in found.items() if name != "ResponseMetadata"}
        self.answers.append({"operation": operation, **found})
        return found

    def sqs(self, operation: str, queue: str, **parameters: object) -> dict[str, object]:
        return self("sqs", operation, QueueUrl=HOME + queue, **parameters)

    def receive(self, queue: str, **parameters: object) -> list[dict[str, object]]:
        found = self.sqs("receive_message", queue, MessageSystemAttributeNames=["All"], **parameters)
        messages = found.get("Messages", [])
        assert is_sequence(messages)
        return [_fields(message) for message in messages]


def is_sequence(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, dict)


def _fields(answer: object) -> dict[str, object]:
    assert is_mapping(answer)
    return {str(name): value for name, value in answer.items()}


def _read(value: object) -> object:
    """Return a value of an answer; what streams is read."""
    return getattr(value, "read")().decode() if hasattr(value, "read") else value  # noqa: B009 - its type is not known


def sends_and_receives() -> tuple[History, Sequence[object]]:
    """A standard queue: delays, visibility, attributes, a delete with an old handle."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        asked("sqs", "create_queue", QueueName="orders", Attributes={"VisibilityTimeout": "10"})
        asked.sqs(
            "send_message",
            "orders",
            MessageBody="one",
            MessageAttributes={"n": {"StringValue": "1", "DataType": "Number"}},
        )
        asked.sqs("send_message", "orders", MessageBody="two", DelaySeconds=5)
        (first,) = asked.receive("orders", MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        asked.sqs("change_message_visibility", "orders", ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=2)
        asked.sqs("get_queue_attributes", "orders", AttributeNames=["All"])
        asked.receive("orders", WaitTimeSeconds=20)
        world.advance(3)
        asked.sqs("delete_message", "orders", ReceiptHandle=first["ReceiptHandle"])
        asked.receive("orders", MaxNumberOfMessages=10, WaitTimeSeconds=20)
        asked.answers.append(world.now)
        return world.history(), asked.answers


def sends_in_batches() -> tuple[History, Sequence[object]]:
    """Batches in which some entries are refused."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        asked("sqs", "create_queue", QueueName="orders", tags={"team": "shop"})
        entries = [{"Id": str(n), "MessageBody": f"message {n}", "DelaySeconds": 400 * n} for n in range(4)]
        asked.sqs("send_message_batch", "orders", Entries=entries)
        messages = [*asked.receive("orders", MaxNumberOfMessages=1), *asked.receive("orders", MaxNumberOfMessages=1)]
        handles = [{"Id": message["MessageId"], "ReceiptHandle": message["ReceiptHandle"]} for message in messages]
        asked.sqs("delete_message_batch", "orders", Entries=[*handles, {"Id": "x", "ReceiptHandle": "none"}])
        asked.sqs("send_message_batch", "orders", Entries=[])
        asked.sqs("list_queue_tags", "orders")
        world.advance(900)
        asked.receive("orders", MaxNumberOfMessages=10)
        return world.history(), asked.answers


def orders_in_groups() -> tuple[History, Sequence[object]]:
    """A FIFO queue: groups, deduplication, a group that is blocked."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        fifo = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "20"}
        asked("sqs", "create_queue", QueueName="pay.fifo", Attributes=fifo)
        for body, group in (("a", "x"), ("b", "x"), ("a", "x"), ("c", "y"), ("d", "")):
            asked.sqs("send_message", "pay.fifo", MessageBody=body, **({"MessageGroupId": group} if group else {}))
        first = asked.receive("pay.fifo", MaxNumberOfMessages=1, ReceiveRequestAttemptId="r")
        asked.receive("pay.fifo", MaxNumberOfMessages=1, ReceiveRequestAttemptId="r")
        asked.receive("pay.fifo", MaxNumberOfMessages=10)
        asked.sqs("delete_message", "pay.fifo", ReceiptHandle=first[0]["ReceiptHandle"])
        world.advance(21)
        asked.receive("pay.fifo", MaxNumberOfMessages=10)
        world.advance(300)
        asked.sqs("send_message", "pay.fifo", MessageBody="a", MessageGroupId="x")
        return world.history(), asked.answers


def moves_dead_letters() -> tuple[History, Sequence[object]]:
    """A redrive policy, a move back, a purge."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        asked("sqs", "create_queue", QueueName="dead")
        policy = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 2})
        asked("sqs", "create_queue", QueueName="orders", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "1"})
        for n in range(3):
            asked.sqs("send_message", "orders", MessageBody=f"{n}")
        for _ in range(3):
            asked.receive("orders", MaxNumberOfMessages=10)
            world.advance(2)
        asked.sqs("list_dead_letter_source_queues", "dead")
        asked("sqs", "start_message_move_task", SourceArn=f"{ARN}dead", MaxNumberOfMessagesPerSecond=1)
        world.advance(1)
        asked("sqs", "list_message_move_tasks", SourceArn=f"{ARN}dead")
        world.advance(5)
        asked.receive("orders", MaxNumberOfMessages=10)
        asked.sqs("purge_queue", "orders")
        asked.sqs("purge_queue", "orders")
        return world.history(), asked.answers


def is_refused() -> tuple[History, Sequence[object]]:
    """Calls that SQS and Lambda refuse, with the messages of their errors."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        asked("sqs", "create_queue", QueueName="bad name")
        asked("sqs", "create_queue", QueueName="orders")
        asked("sqs", "create_queue", QueueName="orders", Attributes={"DelaySeconds": "7"})
        asked.sqs("send_message", "nowhere", MessageBody="x")
        asked.sqs("send_message", "orders", MessageBody="")
        asked.sqs("send_message", "orders", MessageBody="x", DelaySeconds=901)
        asked.sqs("send_message", "orders", MessageBody="x" * 1_048_577)
        asked.sqs("receive_message", "orders", MaxNumberOfMessages=11)
        asked.sqs("delete_message", "orders", ReceiptHandle="none")
        asked.sqs("set_queue_attributes", "orders", Attributes={"VisibilityTimeout": "-1"})
        asked("lambda", "invoke", FunctionName="nobody")
        asked("lambda", "create_event_source_mapping", FunctionName="nobody", EventSourceArn=f"{ARN}orders")
        return world.history(), asked.answers


def invokes_a_function() -> tuple[History, Sequence[object]]:
    """A callable as a function: invoked, throttled, failing, and its log."""

    def handler(event: object, _: object) -> object:
        given = _fields(event)
        time.sleep(int(str(given.get("seconds", 0))))
        print("slept")  # noqa: T201 - its log is in the answers
        return {"half": 1 // int(str(given["whole"]))}

    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        world.function("worker", handler, timeout=2, memory=256)
        # The answer to one that raises has a traceback with this machine's paths: it is in the log, without them.
        asked("lambda", "invoke", FunctionName="worker", InvocationType="Event", Payload='{"whole": 0}')
        for event in ({"whole": 1}, {"whole": 1, "seconds": 3}):
            asked("lambda", "invoke", FunctionName="worker", Payload=json.dumps(event))
        asked("lambda", "put_function_concurrency", FunctionName="worker", ReservedConcurrentExecutions=0)
        asked("lambda", "get_function_concurrency", FunctionName="worker")
        asked("lambda", "delete_function_concurrency", FunctionName="worker")
        asked("lambda", "invoke", FunctionName="worker", InvocationType="Event", Payload='{"whole": 2}')
        log = [line for line in world.logs("worker").splitlines() if not line.startswith(("Traceback", " "))]
        asked.answers += [world.run_until_idle(), *log]
        return world.history(), asked.answers


def _works(design: Design, sends: int, behaves: Callable[[int], object]) -> tuple[History, Sequence[object]]:
    """Send to a design whose function is a callable, and let it work."""
    asked, calls = Asked(), list[int]()

    def handler(event: object, _: object) -> object:
        messages = _fields(event)["Records"]
        assert is_sequence(messages)
        calls.append(len(messages))
        return behaves(len(calls))

    with chaosqs.aws(design, call_latency=0) as world:
        world.function("worker", handler)
        queue = design.queues[0].name
        for n in range(sends):
            group = {"MessageGroupId": f"g{n % 2}", "MessageDeduplicationId": f"{n}"} if queue.endswith(".fifo") else {}
            asked.sqs("send_message", queue, MessageBody=f"{n}", **group)
        asked.answers += [world.run_until_idle(), world.now, *calls]
        return world.history(), asked.answers


def works_through_a_queue() -> tuple[History, Sequence[object]]:
    """A design whose mapping polls: reserved concurrency, throttles, dead letters."""
    design = Design(
        [Queue("orders", visibility_timeout=10, redrive=Redrive("dead", 2)), Queue("dead")],
        [Function("worker", timeout=10, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    return _works(design, 12, lambda _: time.sleep(4))


def fails_now_and_then() -> tuple[History, Sequence[object]]:
    """A function that raises in every third call."""
    design = Design(
        [Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 3)), Queue("dead")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=2)],
    )

    def behaves(call: int) -> None:
        time.sleep(0.5)
        if call % 3 == 0:
            raise ValueError(f"call {call}")

    return _works(design, 9, behaves)


def works_in_order() -> tuple[History, Sequence[object]]:
    """A FIFO queue with a mapping."""
    design = Design(
        [Queue("orders.fifo", visibility_timeout=30)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders.fifo", "worker", batch_size=3, report_batch_item_failures=True)],
    )
    return _works(design, 8, lambda _: {"batchItemFailures": []})


def maps_a_queue() -> tuple[History, Sequence[object]]:
    """A mapping made, changed, disabled and deleted by calls."""
    asked = Asked()
    with chaosqs.aws(call_latency=0) as world:
        asked("sqs", "create_queue", QueueName="orders")
        world.function("worker", lambda _, __: time.sleep(1))
        made = asked(
            "lambda", "create_event_source_mapping", FunctionName="worker", EventSourceArn=f"{ARN}orders", BatchSize=2
        )
        world.advance(60)
        for n in range(5):
            asked.sqs("send_message", "orders", MessageBody=f"{n}")
        world.advance(10)
        asked("lambda", "update_event_source_mapping", UUID=made["UUID"], BatchSize=1, Enabled=False)
        world.advance(60)
        asked("lambda", "get_event_source_mapping", UUID=made["UUID"])
        asked.sqs("send_message", "orders", MessageBody="late")
        world.advance(60)
        asked("lambda", "delete_event_source_mapping", UUID=made["UUID"])
        asked("lambda", "list_event_source_mappings")
        return world.history(), asked.answers


SESSIONS: Mapping[str, Session] = {
    session.__name__.replace("_", "-"): session
    for session in (
        sends_and_receives,
        sends_in_batches,
        orders_in_groups,
        moves_dead_letters,
        is_refused,
        invokes_a_function,
        works_through_a_queue,
        fails_now_and_then,
        works_in_order,
        maps_a_queue,
    )
}
"""By the id that the net gives them."""
