"""A queue as a test wants to speak of it, through the operations."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs
import pytest

from chaosqs.sqs.api.parameters import ApiError, is_list, is_map
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.sqs import Sqs


@attrs.frozen
class Got:
    """One received message."""

    body: str
    handle: str
    message_id: str
    shown: Mapping[str, object]
    attributes: Mapping[str, object]

    @property
    def count(self) -> int:
        return int(str(self.attributes["ApproximateReceiveCount"]))


@attrs.frozen
class Probe:
    """One queue."""

    sqs: Sqs
    name: str

    @property
    def url(self) -> str:
        return f"https://sqs.us-east-1.amazonaws.com/123456789012/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:us-east-1:123456789012:{self.name}"

    def call(self, operation: str, **parameters: object) -> dict[str, object]:
        answer = self.sqs.call(operation, {"QueueUrl": self.url, **parameters})
        return self.sqs.finish(answer) if isinstance(answer, Wait) else answer

    def refused(self, operation: str, **parameters: object) -> ApiError:
        """Make a call that is refused; the queue is as before."""
        before = self.state()
        with pytest.raises(ApiError) as caught:
            self.call(operation, **parameters)
        assert self.state() == before
        return caught.value

    def state(self) -> object:
        resource = self.sqs.accounts.region("123456789012", "us-east-1").queues.get(self.name)
        if resource is None:
            return None
        messages = resource.state.machine.store.messages.values()
        return dict(resource.settings), [attrs.astuple(message, recurse=False) for message in messages]

    def send(self, body: str = "x", **parameters: object) -> dict[str, object]:
        return self.call("SendMessage", MessageBody=body, **parameters)

    def put(self, body: str, group: str = "g1", **parameters: object) -> dict[str, object]:
        """Send to a FIFO queue; the body deduplicates."""
        return self.send(body, MessageGroupId=group, **{"MessageDeduplicationId": body, **parameters})

    def receive(self, most: int = 10, **parameters: object) -> list[Got]:
        answer = self.call(
            "ReceiveMessage", MaxNumberOfMessages=most, **{"MessageSystemAttributeNames": ["All"], **parameters}
        )
        return [_got(entries(message)) for message in listed(answer, "Messages")]

    def one(self, **parameters: object) -> Got:
        (message,) = self.receive(1, **parameters)
        return message

    def bodies(self, most: int = 10, **parameters: object) -> list[str]:
        return [message.body for message in self.receive(most, **parameters)]

    def delete(self, message: Got) -> None:
        self.call("DeleteMessage", ReceiptHandle=message.handle)

    def hide(self, message: Got, seconds: int) -> None:
        self.call("ChangeMessageVisibility", ReceiptHandle=message.handle, VisibilityTimeout=seconds)

    def attribute(self, name: str) -> str:
        return str(entries(self.call("GetQueueAttributes", AttributeNames=[name])["Attributes"])[name])

    def counts(self) -> tuple[int, int, int]:
        """Messages visible, in flight and delayed."""
        names = ("", "NotVisible", "Delayed")
        visible, hidden, delayed = (int(self.attribute("ApproximateNumberOfMessages" + name)) for name in names)
        return visible, hidden, delayed

    def advance(self, seconds: float) -> None:
        self.sqs.advance(round(seconds * 1000))


def listed(answer: Mapping[str, object], name: str) -> list[object]:
    found = answer.get(name, [])
    assert is_list(found)
    return list(found)


def entries(value: object) -> dict[str, object]:
    assert is_map(value)
    return {str(key): item for key, item in value.items()}


def _got(message: Mapping[str, object]) -> Got:
    attributes = entries(message.get("Attributes", {}))
    return Got(str(message["Body"]), str(message["ReceiptHandle"]), str(message["MessageId"]), message, attributes)


def queue(sqs: Sqs, name: str = "orders", **attributes: object) -> Probe:
    """Create a queue; a name in .fifo makes it a FIFO queue."""
    given = {key: str(value) for key, value in attributes.items()}
    if name.endswith(".fifo"):
        given["FifoQueue"] = "true"
    sqs.call("CreateQueue", {"QueueName": name, "Attributes": given})
    return Probe(sqs, name)


def with_dead_letters(sqs: Sqs, most: int, *, fifo: bool = False, **attributes: object) -> tuple[Probe, Probe]:
    """Create a queue whose messages go to another one after a number of receives."""
    suffix = ".fifo" if fifo else ""
    dead = queue(sqs, "dead" + suffix)
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": most})
    return queue(sqs, "orders" + suffix, RedrivePolicy=policy, **attributes), dead
