"""botocore's own retries run, and what they sleep passes in virtual time only."""

from __future__ import annotations

import time

import attrs
import pytest

from chaosqs.mock_aws.aws import MockAws, aws
from tests.conformance.failing import MODES, Failing, Mode, failing
from tests.conformance.queue_under_test import create


def never(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s of real time")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "handler",
    [Failing(4), Failing(4, 400, "ThrottlingException"), Failing(4, lost=True)],
    ids=["unavailable", "throttled", "lost"],
)
def test_failures_are_tried_again(
    world: MockAws, monkeypatch: pytest.MonkeyPatch, mode: Mode, handler: Failing
) -> None:
    """Four back-offs take virtual seconds, and no real ones."""
    client = failing(attrs.evolve(handler), mode)
    queue = create(client, "orders")
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", never)
        answer = client.send_message(QueueUrl=queue.url, MessageBody="x")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 4
    assert 0.1 < world.now < 20
    assert queue.counters() == (1, 0, 0)


@pytest.mark.parametrize("mode", MODES)
def test_the_jitter_is_the_same_each_time(mode: Mode) -> None:
    def ended() -> float:
        with aws() as world:
            client = failing(Failing(3), mode)
            create(client, "orders").send("x")
            return world.now

    assert ended() == ended() > 0


def test_messages_become_due_while_a_client_sleeps(world: MockAws) -> None:
    client = failing(Failing(5, 400, "ThrottlingException"), "standard")
    queue = create(client, "orders")
    client.send_message_batch(QueueUrl=queue.url, Entries=[{"Id": "1", "MessageBody": "x", "DelaySeconds": 2}])
    queue.send("y")
    assert world.now > 2
    assert sorted(queue.bodies()) == ["x", "y"]


def test_a_long_poll_without_quota_sleeps_in_virtual_time(world: MockAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore sleeps by itself there, behind the back of its retry loop."""
    client = failing(Failing(10_000, 400, "ThrottlingException"), "standard", 3, "ReceiveMessage")
    queue = create(client, "orders")
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", never)
        for _ in range(60):
            with pytest.raises(client.exceptions.ClientError):
                queue.receive()
    assert world.now > 60


def test_retries_end(world: MockAws) -> None:
    client = failing(Failing(10), "standard", attempts=3)
    queue = create(client, "orders")
    with pytest.raises(client.exceptions.ClientError, match="reached max retries: 3"):
        queue.send("x")
    assert queue.counters() == (0, 0, 0)
    assert world.now > 0
