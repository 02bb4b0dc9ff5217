"""Ledger, chapter 4: message move tasks."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from chaosqs.sqs.api.parameters import ApiError
from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Probe, entries, listed, queue, with_dead_letters


def start(dead: Probe, **parameters: object) -> dict[str, object]:
    answer = dead.sqs.call("StartMessageMoveTask", {"SourceArn": dead.arn, **parameters})
    assert isinstance(answer, dict)
    return answer


def tasks(dead: Probe, most: int = 10) -> list[dict[str, object]]:
    answer = dead.sqs.call("ListMessageMoveTasks", {"SourceArn": dead.arn, "MaxResults": most})
    assert isinstance(answer, dict)
    return [entries(task) for task in listed(answer, "Results")]


def buried(sqs: Sqs, count: int, *, fifo: bool = False) -> tuple[Probe, Probe]:
    """Return a queue and its dead-letter queue with a number of messages in it."""
    orders, dead = with_dead_letters(sqs, 1, fifo=fifo, VisibilityTimeout=0)
    for number in range(count):
        (orders.put if fifo else orders.send)(str(number))
    while orders.receive():
        pass
    assert dead.counts() == (count, 0, 0)
    return orders, dead


def refused(sqs: Sqs, operation: str, **parameters: object) -> ApiError:
    with pytest.raises(ApiError) as caught:
        sqs.call(operation, parameters)
    return caught.value


def test_MV_1_the_source_is_a_dead_letter_queue(sqs: Sqs) -> None:
    """Otherwise InvalidParameterValue, as recorded."""
    refusal = refused(sqs, "StartMessageMoveTask", SourceArn=queue(sqs).arn)
    expected = ("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    assert (refusal.code, refusal.message) == expected


@pytest.mark.parametrize("fifo", [False, True])
def test_MV_2_messages_go_back_to_where_they_came_from(sqs: Sqs, fifo: bool) -> None:  # noqa: FBT001 - a table
    """Without a destination each to its own source."""
    orders, dead = buried(sqs, 2, fifo=fifo)
    start(dead)
    orders.advance(1)
    assert orders.counts() == (2, 0, 0)
    (task,) = tasks(dead)
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 2)
    assert "DestinationArn" not in task


def test_MV_2_or_to_another_queue_of_the_same_type(sqs: Sqs) -> None:
    """FIFO only to FIFO; two sources, one destination."""
    _, dead = buried(sqs, 2)
    other, fifo = queue(sqs, "other"), queue(sqs, "other.fifo")
    assert refused(sqs, "StartMessageMoveTask", SourceArn=dead.arn, DestinationArn=fifo.arn).status == 400
    start(dead, DestinationArn=other.arn)
    other.advance(1)
    assert other.bodies() == ["0", "1"]
    assert tasks(dead)[0]["DestinationArn"] == other.arn


def test_MV_2_what_was_sent_there_directly_has_no_source(sqs: Sqs) -> None:
    """The task fails on it, and it stays."""
    _, dead = with_dead_letters(sqs, 1)
    dead.send()
    start(dead)
    dead.advance(1)
    (task,) = tasks(dead)
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert dead.counts() == (1, 0, 0)


def test_MV_3_the_rate_is_kept(sqs: Sqs) -> None:
    """1 to 500 messages a second."""
    orders, dead = buried(sqs, 10)
    for rate in (0, 501):
        refused(sqs, "StartMessageMoveTask", SourceArn=dead.arn, MaxNumberOfMessagesPerSecond=rate)
    start(dead, MaxNumberOfMessagesPerSecond=2)
    orders.advance(3)
    assert orders.counts()[0] == 6
    assert tasks(dead)[0]["MaxNumberOfMessagesPerSecond"] == 2


def test_MV_3_a_task_ends_after_36_hours(sqs: Sqs) -> None:
    """Whatever is left."""
    _, dead = with_dead_letters(sqs, 1)
    machine = sqs.accounts.region("123456789012", "us-east-1").queues["dead"].state.machine
    for _ in range(3):
        dead.send()
    start(dead, DestinationArn=queue(sqs, "other").arn, MaxNumberOfMessagesPerSecond=1)
    sqs.accounts.region("123456789012", "us-east-1").tasks[0].started_at -= 36 * 3_600_000 - 1_500
    dead.advance(10)
    assert (machine.visible, tasks(dead)[0]["Status"]) == (2, "COMPLETED")


def test_MV_3_at_most_a_hundred_tasks_at_once(sqs: Sqs) -> None:
    """One for each source, a hundred in the account."""
    for number in range(101):
        dead = queue(sqs, f"dead{number}")
        policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
        queue(sqs, f"orders{number}", RedrivePolicy=policy)
        dead.send()
        if number < 100:
            start(dead)
    assert refused(sqs, "StartMessageMoveTask", SourceArn=Probe(sqs, "dead100").arn).status == 400


def test_MV_4_MV_5_a_redriven_message_is_a_new_one(sqs: Sqs) -> None:
    """Another id and send time, a whole retention, and the count starts again: max 1, receivable once more."""
    orders, dead = buried(sqs, 1)
    old = dead.one(VisibilityTimeout=0)
    dead.receive(1, VisibilityTimeout=0)
    orders.advance(1000)
    start(dead)
    orders.advance(1)
    new = orders.one()
    assert new.body == old.body
    assert new.message_id != old.message_id
    assert new.count == 1
    assert int(str(new.attributes["SentTimestamp"])) > int(str(old.attributes["SentTimestamp"])) + 999_000
    assert "DeadLetterQueueSourceArn" not in new.attributes
    assert orders.receive() == []
    assert dead.counts() == (1, 0, 0)


def test_MV_6_tasks_are_listed_with_a_handle_while_they_run(sqs: Sqs) -> None:
    """One by default, up to ten, the latest first; cancelled ones stop where they are."""
    orders, dead = buried(sqs, 10)
    handle = start(dead, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    orders.advance(2)
    (running,) = tasks(dead)
    assert running == {
        "Status": "RUNNING",
        "TaskHandle": handle,
        "SourceArn": dead.arn,
        "MaxNumberOfMessagesPerSecond": 1,
        "ApproximateNumberOfMessagesMoved": 2,
        "ApproximateNumberOfMessagesToMove": 10,
        "StartedTimestamp": sqs.epoch,
    }
    assert sqs.call("CancelMessageMoveTask", {"TaskHandle": handle}) == {"ApproximateNumberOfMessagesMoved": 2}
    assert tasks(dead)[0]["Status"] == "CANCELLING"
    orders.advance(1)
    (cancelled,) = tasks(dead)
    assert (cancelled["Status"], cancelled["ApproximateNumberOfMessagesMoved"]) == ("CANCELLED", 2)
    assert "TaskHandle" not in cancelled
    start(dead)
    orders.advance(1)
    assert [task["Status"] for task in tasks(dead)] == ["COMPLETED", "CANCELLED"]
    assert len(listed(entries(sqs.call("ListMessageMoveTasks", {"SourceArn": dead.arn})), "Results")) == 1
    for most in (0, 11):
        refused(sqs, "ListMessageMoveTasks", SourceArn=dead.arn, MaxResults=most)


def test_MV_7_failures(sqs: Sqs) -> None:
    """A second task, queues that do not exist, a destination that is deleted meanwhile."""
    _, dead = buried(sqs, 5)
    other = queue(sqs, "other")
    nope = "arn:aws:sqs:us-east-1:123456789012:nope"
    for parameters, name in (
        ({"SourceArn": nope}, "SourceArn"),
        ({"SourceArn": dead.arn, "DestinationArn": nope}, "DestinationArn"),
    ):
        refusal = refused(sqs, "StartMessageMoveTask", **parameters)
        assert (refusal.code, refusal.status) == ("ResourceNotFoundException", 404)
        assert refusal.message == f"The resource that you specified for the {name} parameter doesn't exist."
    start(dead, DestinationArn=other.arn, MaxNumberOfMessagesPerSecond=1)
    second = refused(sqs, "StartMessageMoveTask", SourceArn=dead.arn)
    assert second.code == "InvalidParameterValue"
    assert second.message.startswith("There is already a task running.")
    dead.advance(2)
    other.call("DeleteQueue")
    dead.advance(1)
    (task,) = tasks(dead)
    assert task["Status"] == "FAILED"
    assert task["FailureReason"] == "AWS.SimpleQueueService.NonExistentQueue"
    assert task["ApproximateNumberOfMessagesMoved"] == 2


def test_MV_7_handles_that_mean_nothing(sqs: Sqs) -> None:
    """As recorded for each part of a handle that can be wrong."""
    _, dead = buried(sqs, 1)

    def handle(**fields: str) -> str:
        return b64encode(json.dumps(fields).encode()).decode()

    for bad in ("x", "é", handle(), b64encode(b"[]").decode()):
        assert (
            refused(sqs, "CancelMessageMoveTask", TaskHandle=bad).message
            == "Value for parameter TaskHandle is invalid."
        )
    unknown = refused(sqs, "CancelMessageMoveTask", TaskHandle=handle(taskId="x", sourceArn=dead.arn))
    assert (unknown.code, unknown.message) == ("ResourceNotFoundException", "Task does not exist.")
    nowhere = refused(sqs, "CancelMessageMoveTask", TaskHandle=handle(taskId="x", sourceArn="nope"))
    assert nowhere.message == "The resource that you specified for the SourceArn parameter doesn't exist."


def test_MV_6_a_task_is_complete_when_its_last_message_has_arrived(sqs: Sqs) -> None:
    """Recorded: who has received all messages finds it COMPLETED; not before."""
    orders, dead = buried(sqs, 3)
    start(dead, MaxNumberOfMessagesPerSecond=1)
    for moved in (1, 2, 3):
        assert tasks(dead)[0]["Status"] == "RUNNING"
        orders.advance(1)
        assert orders.counts() == (moved, 0, 0)
    assert (tasks(dead)[0]["Status"], tasks(dead)[0]["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 3)
