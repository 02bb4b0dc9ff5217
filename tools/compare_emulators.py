"""Compare emulators of SQS with AWS: behaviours that the ledger confirms, run through boto3 in one go.

    python -m tools.compare_emulators [NAME ENDPOINT RESET]...      run them, and write docs/fidelity/emulators.toml

Besides chaosqs and moto it measures emulators that already serve at an endpoint; each behaviour begins with a POST to
the URL that resets them. It installs and starts none. The table was made with a ministack of the package index:

    GATEWAY_PORT=4599 BIND_HOST=127.0.0.1 MINISTACK_ACCOUNT_ID=123456789012 ministack &
    python -m tools.compare_emulators "ministack 1.5.33" http://127.0.0.1:4599 http://127.0.0.1:4599/_ministack/reset

LocalStack's package was served without its container, by a script that empties its store of queues on a URL of its own,
with `SQS_DELAY_RECENTLY_DELETED=1` and `SQS_DELAY_PURGE_RETRY=1`, which LocalStack leaves off.

It is not part of CI, as it waits in real time where an emulator has no virtual one. `python -m tools.docs` makes the
table of docs/fidelity.md from its result.
"""
# pyright: reportTypedDictNotRequiredAccess=false, reportUnknownMemberType=false

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.request import Request, urlopen

import attrs
import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError
from moto import mock_aws

import chaosqs

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

RESULT = Path(__file__).parents[1] / "docs" / "fidelity" / "emulators.toml"
_MEGABYTE = 1_048_576


@attrs.define(eq=False)
class World:
    """One emulator, empty at first."""

    sqs: SQSClient
    wait: Callable[[float], None]
    """Lets seconds pass."""

    def queue(self, name: str = "orders", **attributes: str) -> str:
        """Create a queue and return its URL."""
        fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        return self.sqs.create_queue(QueueName=name, Attributes=_typed({**fifo, **attributes}))["QueueUrl"]

    def arn(self, url: str) -> str:
        """Return the ARN of a queue."""
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def redriven(self, receives: int = 1) -> tuple[str, str]:
        """Return a queue whose messages are visible at once again, and its dead-letter queue."""
        dead = self.queue("dead")
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": receives})
        return self.queue(VisibilityTimeout="0", RedrivePolicy=policy), dead

    def count(self, url: str) -> str:
        """Return the approximate number of visible messages."""
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return found["Attributes"]["ApproximateNumberOfMessages"]

    def bodies(self, url: str, most: int = 10) -> str:
        """Receive once and return the bodies."""
        found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=most).get("Messages", [])
        return " ".join(sorted(message["Body"] for message in found)) or "none"


Behaviour: TypeAlias = Callable[[World], str]
Opened: TypeAlias = Callable[[], AbstractContextManager[World]]


def _typed(attributes: dict[str, str]) -> dict[QueueAttributeNameType, str]:
    """Return attributes, right or wrong, as boto3 takes them."""
    return attributes  # type: ignore[return-value]


def _refusal(call: Callable[[], object]) -> str:
    """Return the code of the error that a call gives, or `accepted`."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"].removeprefix("AWS.SimpleQueueService.")
    return "accepted"


def _sent(world: World, **parameters: object) -> str:
    url = world.queue("orders.fifo")
    return _refusal(lambda: world.sqs.send_message(QueueUrl=url, MessageBody="a", **parameters))  # type: ignore[arg-type]


def _put(world: World, url: str, body: str, group: str, own: str = "") -> None:
    world.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=own or body)


def _set(world: World, name: str = "orders", **attributes: str) -> str:
    url = world.queue(name)
    return _refusal(lambda: world.sqs.set_queue_attributes(QueueUrl=url, Attributes=_typed(attributes)))


def _names(world: World, *wanted: str) -> str:
    url, text = world.queue(), {"DataType": "String", "StringValue": "v"}
    given = {"General": text, "Hello": text, "Help.Me": text}
    world.sqs.send_message(QueueUrl=url, MessageBody="a", MessageAttributes=given)  # type: ignore[arg-type]
    (message,) = world.sqs.receive_message(QueueUrl=url, MessageAttributeNames=list(wanted))["Messages"]
    return " ".join(sorted(message.get("MessageAttributes", {}))) or "none"


def _created_again(world: World, **changed: str) -> str:
    world.queue(VisibilityTimeout="60")
    return _refusal(lambda: world.queue(**{"VisibilityTimeout": "60", **changed}))


def _created_after_delete(world: World) -> str:
    world.sqs.delete_queue(QueueUrl=world.queue())
    return _refusal(world.queue)


def _purged_twice(world: World) -> str:
    url = world.queue()
    world.sqs.purge_queue(QueueUrl=url)
    return _refusal(lambda: world.sqs.purge_queue(QueueUrl=url))


def _hidden_too_long(world: World) -> str:
    url = world.queue()
    world.sqs.send_message(QueueUrl=url, MessageBody="a")
    (message,) = world.sqs.receive_message(QueueUrl=url)["Messages"]
    world.wait(1.5)
    handle = message["ReceiptHandle"]
    return _refusal(
        lambda: world.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=43_200)
    )


def _dead_letters(world: World) -> str:
    source, dead = world.redriven()
    world.sqs.send_message(QueueUrl=source, MessageBody="a")
    world.bodies(source)
    before = f"{world.count(source)} and {world.count(dead)}"
    world.bodies(source)
    return f"{before}, then {world.count(source)} and {world.count(dead)}"


def _source_of_dead_letter(world: World) -> str:
    source, dead = world.redriven()
    world.sqs.send_message(QueueUrl=source, MessageBody="a")
    world.bodies(source)
    world.bodies(source)
    (message,) = world.sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"]
    attributes = message["Attributes"]
    return f"{attributes.get('DeadLetterQueueSourceArn', '').rpartition(':')[2] or 'none'}, receive count " + str(
        attributes["ApproximateReceiveCount"]
    )


def _order_of_group(world: World) -> str:
    url = world.queue("orders.fifo")
    for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
        _put(world, url, body, group)
    return f"{world.bodies(url, 1)}, then {world.bodies(url)}"


def _repeated(world: World, group: str, **attributes: str) -> str:
    url = world.queue("orders.fifo", **attributes)
    _put(world, url, "a", "g", "same")
    _put(world, url, "b", group, "same")
    return f"{world.count(url)} message(s)"


def _scope_changed(world: World) -> str:
    url = world.queue("orders.fifo")
    world.sqs.set_queue_attributes(QueueUrl=url, Attributes={"DeduplicationScope": "messageGroup"})
    _put(world, url, "a", "g", "same")
    _put(world, url, "b", "h", "same")
    return f"{world.count(url)} message(s)"


def _late_delete(world: World) -> str:
    url = world.queue("orders.fifo", VisibilityTimeout="1")
    _put(world, url, "a", "g")
    (message,) = world.sqs.receive_message(QueueUrl=url)["Messages"]
    world.wait(1.5)
    handle = message["ReceiptHandle"]
    return _refusal(lambda: world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle))


def _size(world: World, size: int) -> str:
    url = world.queue()
    return _refusal(lambda: world.sqs.send_message(QueueUrl=url, MessageBody="x" * size))


def _batch(world: World, *ids: str) -> str:
    url = world.queue()
    entries = [{"Id": each, "MessageBody": "a"} for each in ids]
    return _refusal(lambda: world.sqs.send_message_batch(QueueUrl=url, Entries=entries))  # type: ignore[arg-type]


def _received(world: World, **parameters: int) -> str:
    url = world.queue()
    return _refusal(lambda: world.sqs.receive_message(QueueUrl=url, **parameters))  # type: ignore[arg-type]


def _moved_from(world: World) -> str:
    arn = world.arn(world.queue())
    return _refusal(lambda: world.sqs.start_message_move_task(SourceArn=arn))


def _moved(world: World) -> str:
    source, dead = world.redriven()
    world.sqs.send_message(QueueUrl=source, MessageBody="a")
    world.bodies(source)
    world.bodies(source)
    world.sqs.start_message_move_task(SourceArn=world.arn(dead))
    world.wait(0.5)
    status = world.sqs.list_message_move_tasks(SourceArn=world.arn(dead))["Results"][0]["Status"]
    return f"{status}, {world.count(source)} and {world.count(dead)}"


def _policy_of(world: World, arn: str) -> str:
    given = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})}
    url = world.queue()
    return _refusal(lambda: world.sqs.set_queue_attributes(QueueUrl=url, Attributes=_typed(given)))


def _other_type(world: World) -> str:
    return _policy_of(world, world.arn(world.queue("dead.fifo")))


def _long_poll(world: World) -> str:
    url = world.queue(ReceiveMessageWaitTimeSeconds="2")
    world.sqs.send_message(QueueUrl=url, MessageBody="a", DelaySeconds=1)
    return world.bodies(url)


def _send(world: World, body: str = "a", **parameters: object) -> str:
    url = world.queue()
    return _refusal(lambda: world.sqs.send_message(QueueUrl=url, MessageBody=body, **parameters))  # type: ignore[arg-type]


def _delayed(world: World) -> str:
    return _sent(world, MessageGroupId="g", MessageDeduplicationId="a", DelaySeconds=1)


def _text(**named: str) -> dict[str, object]:
    return {name: {"DataType": "String", "StringValue": value} for name, value in named.items()}


def _long_entry(world: World) -> str:
    url = world.queue(MaximumMessageSize="1024")
    entries = [{"Id": "long", "MessageBody": "x" * 1025}, {"Id": "short", "MessageBody": "x" * 1024}]
    answer = world.sqs.send_message_batch(QueueUrl=url, Entries=entries)  # type: ignore[arg-type]
    failed = " ".join(f"{each['Id']} {each['Code']}" for each in answer.get("Failed", ()))
    return f"{failed or 'none'}, {world.count(url)} message(s)"


def _long_batch(world: World) -> str:
    url = world.queue()
    entries = [{"Id": each, "MessageBody": "x" * 600_000} for each in "ab"]
    return _refusal(lambda: world.sqs.send_message_batch(QueueUrl=url, Entries=entries))  # type: ignore[arg-type]


def _permitted(world: World, times: int) -> str:
    url, refusal = world.queue(), ""
    for _ in range(times):
        refusal = _refusal(
            lambda: world.sqs.add_permission(
                QueueUrl=url, Label="all", AWSAccountIds=["123456789012"], Actions=["SendMessage"]
            )
        )
    return refusal


def _not_permitted(world: World) -> str:
    url = world.queue()
    return _refusal(lambda: world.sqs.remove_permission(QueueUrl=url, Label="all"))


def _tagged(world: World, count: int) -> str:
    url, tags = world.queue(), {f"key{i}": "v" for i in range(count)}
    return _refusal(lambda: world.sqs.tag_queue(QueueUrl=url, Tags=tags))


def _trace_of_dead_letter(world: World) -> str:
    source, dead = world.redriven()
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
    world.sqs.send_message(QueueUrl=source, MessageBody="a", MessageSystemAttributes=trace)  # type: ignore[arg-type]
    world.bodies(source)
    world.bodies(source)
    (message,) = world.sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"]
    return "kept" if "AWSTraceHeader" in message["Attributes"] else "lost"


def _handle(world: World, name: str = "orders") -> tuple[str, str]:
    """Return a queue and the handle of its one message, in flight."""
    url = world.queue(name)
    fifo = {"MessageGroupId": "g", "MessageDeduplicationId": "a"} if name.endswith(".fifo") else {}
    world.sqs.send_message(QueueUrl=url, MessageBody="a", **fifo)  # type: ignore[arg-type]
    return url, world.sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]


def _deleted_twice(world: World) -> str:
    url, handle = _handle(world)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    return _refusal(lambda: world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle))


def _hidden_after_delete(world: World) -> str:
    url, handle = _handle(world)
    world.sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
    return _refusal(
        lambda: world.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=5)
    )


def _invented_handle(world: World) -> str:
    url = world.queue()
    return _refusal(lambda: world.sqs.delete_message(QueueUrl=url, ReceiptHandle="invented"))


def _same_attempt(world: World) -> str:
    url = world.queue("orders.fifo")
    _put(world, url, "a", "g")
    return " ".join(
        str(len(world.sqs.receive_message(QueueUrl=url, ReceiveRequestAttemptId=each).get("Messages", ())))
        for each in ("first", "first", "second")
    )


def _order_after_failure(world: World) -> str:
    """Receive one of three messages of a group, let its timeout end, and receive again."""
    url = world.queue("orders.fifo")
    for body in "abc":
        _put(world, url, body, "g")
    (first,) = world.sqs.receive_message(QueueUrl=url)["Messages"]
    world.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
    return f"{first['Body']}, then {world.bodies(url)}"


def _fifo_dead_letter(world: World) -> str:
    """Let the first message of a group move to the dead-letter queue."""
    dead = world.queue("dead.fifo")
    policy = json.dumps({"deadLetterTargetArn": world.arn(dead), "maxReceiveCount": 1})
    url = world.queue("orders.fifo", VisibilityTimeout="0", RedrivePolicy=policy)
    for body in "ab":
        _put(world, url, body, "g")
    return f"{world.bodies(url, 1)}, then {world.bodies(url, 1)}, dead: {world.bodies(dead)}"


def _source_allowed(world: World) -> str:
    dead = world.queue("dead", RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    return _policy_of(world, world.arn(dead))


def _receives(world: World, most: int) -> str:
    policy = json.dumps({"deadLetterTargetArn": world.arn(world.queue("dead")), "maxReceiveCount": most})
    return _set(world, RedrivePolicy=policy)


_NOWHERE = "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere"
_MISSING = "arn:aws:sqs:us-east-1:123456789012:missing"
BEHAVIOURS: tuple[tuple[str, str, str, Behaviour], ...] = (
    (
        "FF-1",
        "`FifoQueue: True` makes a FIFO queue",
        "accepted",
        lambda w: _refusal(lambda: w.queue("q.fifo", FifoQueue="True")),
    ),
    ("FF-1", "`FifoQueue` on a standard queue", "InvalidAttributeName", lambda w: _set(w, FifoQueue="true")),
    (
        "FF-7",
        "`DeduplicationScope` on a standard queue",
        "InvalidAttributeName",
        lambda w: _set(w, DeduplicationScope="queue"),
    ),
    ("FF-7", "one deduplication id in two groups", "1 message(s)", lambda w: _repeated(w, "h")),
    (
        "FF-7",
        "the same with scope `messageGroup`",
        "2 message(s)",
        lambda w: _repeated(w, "h", DeduplicationScope="messageGroup"),
    ),
    ("FF-7", "the same after the scope was changed to it", "1 message(s)", _scope_changed),
    (
        "FF-8",
        "a limit per group without that scope",
        "InvalidAttributeValue",
        lambda w: _set(w, "q.fifo", FifoThroughputLimit="perMessageGroupId"),
    ),
    ("FF-5", "a deduplication id is sent again", "1 message(s)", lambda w: _repeated(w, "g")),
    ("FF-2", "a FIFO message without a group", "MissingParameter", lambda w: _sent(w, MessageDeduplicationId="a")),
    (
        "FF-3",
        "a FIFO message without a deduplication id",
        "InvalidParameterValue",
        lambda w: _sent(w, MessageGroupId="g"),
    ),
    ("FF-14", "a group waits for its message in flight", "a1, then b1", _order_of_group),
    ("FF-22", "a late delete on a FIFO queue", "InvalidParameterValue", _late_delete),
    ("RX-12", "attributes asked for by `*`", "General Hello Help.Me", lambda w: _names(w, "*")),
    ("RX-12", "attributes asked for by `Hel.*`", "Hello Help.Me", lambda w: _names(w, "Hel.*")),
    ("RX-1", "a receive of 11 messages", "InvalidParameterValue", lambda w: _received(w, MaxNumberOfMessages=11)),
    ("RX-3", "a receive that waits 21 s", "InvalidParameterValue", lambda w: _received(w, WaitTimeSeconds=21)),
    ("RX-6", "a long poll is woken by the end of a delay", "a", _long_poll),
    ("VT-9", "visibility beyond 12 hours since the receive", "InvalidParameterValue", _hidden_too_long),
    ("DLQ-4", "when a message moves to the dead-letter queue", "1 and 0, then 0 and 1", _dead_letters),
    ("DLQ-8", "source and receive count of a dead letter", "orders, receive count 2", _source_of_dead_letter),
    ("DLQ-1", "a dead-letter queue that does not exist", "InvalidParameterValue", lambda w: _policy_of(w, _MISSING)),
    ("DLQ-12", "a dead-letter queue of the other type", "InvalidParameterValue", _other_type),
    ("MV-1", "a move from a queue that is no dead-letter queue", "InvalidParameterValue", _moved_from),
    ("MV-2", "a move back, half a second later", "COMPLETED, 1 and 0", _moved),
    ("DQ-2", "create again with the same attributes", "accepted", _created_again),
    (
        "DQ-2",
        "create again with another value",
        "QueueAlreadyExists",
        lambda w: _created_again(w, VisibilityTimeout="61"),
    ),
    ("DQ-1", "create again at once after a delete", "QueueDeletedRecently", _created_after_delete),
    ("PQ-2", "a second purge within 60 s", "PurgeQueueInProgress", _purged_twice),
    ("SZ-1", "a body of 1 MiB", "accepted", lambda w: _size(w, _MEGABYTE)),
    ("SZ-3", "a body of one byte more", "InvalidParameterValue", lambda w: _size(w, _MEGABYTE + 1)),
    ("BT-1", "a batch of 11", "TooManyEntriesInBatchRequest", lambda w: _batch(w, *"abcdefghijk")),
    ("BT-2", "a batch with an id twice", "BatchEntryIdsNotDistinct", lambda w: _batch(w, "a", "a")),
    ("BT-2", "a batch with an id that has a blank", "InvalidBatchEntryId", lambda w: _batch(w, "a b")),
    ("", "an attribute that does not exist", "InvalidAttributeName", lambda w: _set(w, Nonsense="1")),
    (
        "EN-1",
        "both kinds of encryption",
        "InvalidAttributeName",
        lambda w: _set(w, SqsManagedSseEnabled="true", KmsMasterKeyId="alias/aws/sqs"),
    ),
    (
        "",
        "a queue that does not exist",
        "NonExistentQueue",
        lambda w: _refusal(lambda: w.sqs.send_message(QueueUrl=_NOWHERE, MessageBody="a")),
    ),
    ("SZ-4", "a batch of more than 1 MiB", "BatchRequestTooLong", _long_batch),
    (
        "SZ-5",
        "a batch with an entry over the queue's own limit",
        "long InvalidParameterValue, 1 message(s)",
        _long_entry,
    ),
    ("SZ-6", "an empty body", "MissingParameter", lambda w: _send(w, "")),
    ("SZ-8", "a body with a control character", "InvalidMessageContents", lambda w: _send(w, "a\x00")),
    ("BT-1", "an empty batch", "EmptyBatchRequest", _batch),
    (
        "AT-1",
        "an attribute name with letters of another alphabet",
        "accepted",
        lambda w: _send(w, MessageAttributes=_text(größe="v")),
    ),
    (
        "AT-1",
        "an attribute name that begins with `AWS.`",
        "InvalidParameterValue",
        lambda w: _send(w, MessageAttributes=_text(**{"AWS.a": "v"})),
    ),
    (
        "AT-1",
        "eleven message attributes",
        "InvalidParameterValue",
        lambda w: _send(w, MessageAttributes=_text(**{f"a{i}": "v" for i in range(11)})),
    ),
    (
        "AT-3",
        "an attribute with an empty value",
        "InvalidParameterValue",
        lambda w: _send(w, MessageAttributes=_text(a="")),
    ),
    (
        "FQ-1",
        "a group id with a blank on a standard queue",
        "InvalidParameterValue",
        lambda w: _send(w, MessageGroupId="a b"),
    ),
    ("DL-4", "a FIFO message with a delay of its own", "InvalidParameterValue", _delayed),
    ("FF-17", "a failed message of a group comes first again", "a, then a b c", _order_after_failure),
    ("FF-20", "messages of a receive, the same attempt, another one", "1 1 0", _same_attempt),
    ("RH-7", "a second delete", "accepted", _deleted_twice),
    ("RH-9", "a delete with an invented handle", "ReceiptHandleIsInvalid", _invented_handle),
    ("VT-13", "a visibility change after the delete", "InvalidParameterValue", _hidden_after_delete),
    ("DLQ-1", "a redrive policy with 1,001 receives", "InvalidParameterValue", lambda w: _receives(w, 1001)),
    ("DLQ-7", "the trace header of a dead letter", "kept", _trace_of_dead_letter),
    ("DLQ-14", "a dead letter leaves its group", "a, then b, dead: a", _fifo_dead_letter),
    ("DLQ-17", "a dead-letter queue that allows no source", "InvalidParameterValue", _source_allowed),
    ("", "51 tags", "InvalidParameterValue", lambda w: _tagged(w, 51)),
    ("", "a permission with a label twice", "InvalidParameterValue", lambda w: _permitted(w, 2)),
    ("", "a permission is removed that there is not", "InvalidParameterValue", _not_permitted),
)
"""Ledger id (empty: recorded, without a rule of its own), what is done, what AWS answers, and what does it."""


@contextmanager
def _chaosqs() -> Generator[World]:
    with chaosqs.aws() as world:
        yield World(boto3.client("sqs", region_name="us-east-1"), world.advance)


@contextmanager
def _moto() -> Generator[World]:
    with mock_aws():
        yield World(boto3.client("sqs", region_name="us-east-1"), time.sleep)


def _served(endpoint: str, reset: str) -> Opened:
    """Return what opens an emulator that serves at an endpoint."""

    @contextmanager
    def opened() -> Generator[World]:
        with urlopen(Request(reset, method="POST"), timeout=60):  # noqa: S310 - the URL of the command line
            pass
        unsigned = Config(signature_version=UNSIGNED)
        yield World(boto3.client("sqs", "us-east-1", endpoint_url=endpoint, config=unsigned), time.sleep)

    return opened


EMULATORS: dict[str, Opened] = {f"chaosqs {chaosqs.__version__}": _chaosqs, f"moto {version('moto')}": _moto}


def answered(opened: Opened, behaviour: Behaviour) -> str:
    """Return what an emulator answers; its own exceptions are answers, too."""
    try:
        with opened() as world:
            return behaviour(world)
    except ParamValidationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an emulator raises
        return type(error).__name__


def main() -> None:
    """Run all behaviours on all emulators, print what differs from AWS, and write the result."""
    given = sys.argv[1:]
    emulators = EMULATORS | {given[i]: _served(*given[i + 1 : i + 3]) for i in range(0, len(given), 3)}
    answers, listed = list[list[str]](), list[str]()
    for rule, title, wanted, behaviour in BEHAVIOURS:
        answers.append([answered(opened, behaviour) for opened in emulators.values()])
        described = {"rule": rule, "title": title, "aws": wanted}
        listed.append("".join(f"{key} = {json.dumps(value)}\n" for key, value in described.items()))
        for name, each in zip(emulators, answers[-1], strict=True):
            if each != wanted:
                print(f"{rule} {title}: {wanted} on AWS, {each} on {name}")
    rows = ",\n".join(f"    {json.dumps(row)}" for row in answers)
    head = f"emulators = {json.dumps(list(emulators))}\nanswers = [\n{rows},\n]\n"
    RESULT.write_text(head + "".join(f"\n[[behaviour]]\n{each}" for each in listed), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
