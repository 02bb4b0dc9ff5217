"""The speed of the boto3 transport: compared with botocore itself and with moto, with a long backlog, and to open.

All use one script: send, receive and delete ten messages through one client. Figures are ratios of the fastest rounds
in one process, so the machine's speed cancels out.
"""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import boto3
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto import mock_aws

from chaosqs.mock_aws.aws import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

TENS = range(10)
BODY = "x" * 100


def client(config: Config | None = None) -> SQSClient:
    return boto3.client("sqs", "us-east-1", aws_access_key_id="key", aws_secret_access_key="secret", config=config)  # noqa: S106 # pyright: ignore[reportUnknownMemberType]


@attrs.frozen
class Script:
    """The script, for one queue."""

    sqs: SQSClient
    url: str

    def send(self) -> None:
        self.sqs.send_message_batch(QueueUrl=self.url, Entries=[{"Id": str(n), "MessageBody": BODY} for n in TENS])

    def round(self) -> None:
        self.send()
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)["Messages"]
        assert len(got) == 10
        self.sqs.delete_message_batch(
            QueueUrl=self.url, Entries=[{"Id": str(n), "ReceiptHandle": got[n].get("ReceiptHandle", "")} for n in TENS]
        )

    def fastest(self, repeats: int = 30, rounds: int = 5) -> float:
        """Return the seconds per message in the fastest of several repeats."""
        return min(timed(self.round, rounds) for _ in range(repeats)) / rounds / len(TENS)


def timed(program: Callable[[], object], times: int = 1) -> float:
    start = timeit.default_timer()
    for _ in range(times):
        program()
    return timeit.default_timer() - start


def script(backlog: int = 0) -> Script:
    sqs = client()
    made = Script(sqs, sqs.create_queue(QueueName="orders")["QueueUrl"])
    for _ in range(backlog // 10):
        made.send()
    return made


# The baseline ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Raw:
    content: bytes

    def stream(self) -> list[bytes]:
        return [self.content]


def floor(config: Config | None = None) -> Script:
    """Return the script for a client whose requests get constant responses before they are sent."""
    with aws():
        real = script()
        sent = real.sqs.send_message_batch(
            QueueUrl=real.url, Entries=[{"Id": str(n), "MessageBody": BODY} for n in TENS]
        )
        got = real.sqs.receive_message(QueueUrl=real.url, MaxNumberOfMessages=10)
    answers = {
        "SendMessageBatch": json.dumps({"Successful": sent["Successful"]}).encode(),
        "ReceiveMessage": json.dumps({"Messages": got["Messages"]}).encode(),
        "DeleteMessageBatch": json.dumps({"Successful": [{"Id": str(n)} for n in TENS]}).encode(),
    }

    def answer(event_name: str, **_: object) -> AWSResponse:
        body = answers[event_name.rpartition(".")[2]]
        return AWSResponse("", 200, {"Content-Type": "application/x-amz-json-1.0"}, Raw(body))  # type: ignore[arg-type]

    sqs = client(config)
    sqs.meta.events.register("before-send.sqs", answer)  # type: ignore[arg-type]
    return Script(sqs, real.url)


# Limits ---------------------------------------------------------------------------------------------------------------


def test_the_transport_is_at_least_half_as_fast_as_botocore_alone() -> None:
    """botocore alone is the same client with constant responses, once with and once without signatures."""
    bare, unsigned = floor().fastest(), floor(Config(signature_version=UNSIGNED)).fastest()
    with aws():
        ours = script().fastest()
    print(
        f"a message: ours {ours * 1e6:.0f} µs, botocore {bare * 1e6:.0f} µs, unsigned {unsigned * 1e6:.0f} µs", end=" "
    )
    print(f"→ {bare / ours:.2f} and {unsigned / ours:.2f} of its speed")
    assert bare / ours >= 1 / 2
    assert unsigned / ours >= 1 / 2


def test_the_transport_is_at_least_five_times_as_fast_as_moto() -> None:
    """With 1,000 messages in the queue."""
    with aws():
        ours = script(backlog=1000).fastest()
    with mock_aws():
        theirs = script(backlog=1000).fastest(repeats=1, rounds=1)
    print(
        f"a message at a backlog of 1,000: ours {ours * 1e6:.0f} µs, moto {theirs * 1e6:.0f} µs: {theirs / ours:.0f} ×"
    )
    assert theirs / ours >= 5


def test_a_long_backlog_costs_nothing() -> None:
    """A message takes at most 20 % longer with 20,000 messages in the queue than with 100; measured alternately."""
    with aws():
        sqs = client()
        short, long = (Script(sqs, sqs.create_queue(QueueName=name)["QueueUrl"]) for name in ("short", "long"))
        for queue, backlog in ((short, 100), (long, 20_000)):
            for _ in range(backlog // 10):
                queue.send()
        turns = [(short.fastest(1), long.fastest(1)) for _ in range(60)]
    few, many = min(few for few, _ in turns), min(many for _, many in turns)
    print(f"a message at a backlog of 100: {few * 1e6:.0f} µs, at 20,000: {many * 1e6:.0f} µs: {many / few:.2f} ×")
    assert many / few <= 1.2


def test_aws_opens_in_less_than_a_millisecond() -> None:
    def open_and_close() -> None:
        with aws():
            pass

    seconds = min(timed(open_and_close) for _ in range(50))
    print(f"a fresh chaosqs.aws(): {seconds * 1000:.3f} ms")
    assert seconds < 0.001
