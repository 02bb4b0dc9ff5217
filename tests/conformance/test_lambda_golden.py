"""The golden scenarios of event source mappings, through real clients (ledger, chapter 13)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from chaosqs.invariants.registry import check
from chaosqs.mock_aws.aws import MockAws
from tests.conformance.lambda_under_test import Worker, connected, functions, queue_of
from tests.conformance.queue_under_test import QueueUnderTest

REPORTING = ["ReportBatchItemFailures"]


def with_dead_letters(maximum: int, visibility: str = "30") -> tuple[QueueUnderTest, QueueUnderTest]:
    dead = queue_of("dead")
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": maximum})
    return queue_of("orders", {"RedrivePolicy": policy, "VisibilityTimeout": visibility}), dead


def failing(_: list[str]) -> object:
    raise ValueError("no")


def listing(*ids: str) -> Callable[[list[str]], object]:
    return lambda _: {"batchItemFailures": [{"itemIdentifier": name} for name in ids]}


def figures(world: MockAws, mapping: str = "orders→worker") -> dict[str, float]:
    return world.history().summary()["mappings"][mapping]


def test_G_21_EC_15_EF_3_a_failed_batch_comes_back_when_its_visibility_ends(world: MockAws) -> None:
    """EF-3."""
    moments: list[float] = []

    def fails_once(_: list[str]) -> None:
        moments.append(world.now)
        if len(moments) == 1:
            raise ValueError("no")

    queue, worker = queue_of("orders", {"VisibilityTimeout": "20"}), Worker(fails_once)
    connected(world, worker, queue)
    queue.send("one")
    received = world.now
    world.run_until_idle()
    assert worker.counts() == ["1", "2"]
    assert moments[1] >= received + 20
    assert queue.counters() == (0, 0, 0)
    assert check(world.history()) == ()


def test_G_22_after_max_receive_count_it_is_in_the_dead_letter_queue(world: MockAws) -> None:
    """DLQ-3."""
    (queue, dead), worker = with_dead_letters(2), Worker(failing)
    connected(world, worker, queue)
    sent = queue.send("one")
    world.run_until_idle()
    assert worker.counts() == ["1", "2"]
    assert dead.one().message_id == sent
    assert world.history().summary()["functions"]["worker"]["Errors"] == 2


def test_G_23_ES_9_throttled_messages_are_dead_lettered_unseen(world: MockAws) -> None:
    """ES-9."""
    (queue, dead), worker = with_dead_letters(1), Worker(lambda _: time.sleep(9))
    connected(world, worker, queue, timeout=10, reserved=1, BatchSize=1)
    for number in range(30):
        queue.send(str(number))
    world.run_until_idle()
    history = world.history()
    unseen = [str(fate.event.message) for fate in history.dead_lettered if not fate.processed]
    assert len(unseen) > 10
    assert set(unseen).isdisjoint(worker.bodies)
    assert len(unseen) + len(set(worker.bodies)) == 30
    assert dead.counters()[0] == history.summary()["messages"]["dead_lettered"] >= len(unseen)
    assert {violation.invariant for violation in check(history)} == {"no-dead-lettering-by-throttling"}


def test_G_24_MC_1_maximum_concurrency_prevents_it(world: MockAws) -> None:
    """MC-1."""
    (queue, dead), worker = with_dead_letters(1), Worker(lambda _: time.sleep(9))
    connected(world, worker, queue, timeout=10, reserved=2, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    for number in range(30):
        queue.send(str(number))
    world.run_until_idle()
    assert sorted(worker.bodies, key=int) == [str(number) for number in range(30)]
    assert dead.counters() == (0, 0, 0)
    found = world.history().summary()["functions"]["worker"]
    assert (found["Throttles"], found["ConcurrentExecutions"]) == (0, 2)


def test_G_25_PB_9_an_unknown_id_fails_the_whole_batch(world: MockAws) -> None:
    """PB-9."""
    queue, worker = queue_of(), Worker(listing("nope"))
    connected(world, worker, queue, FunctionResponseTypes=REPORTING)
    queue.send("one")
    queue.send("two")
    world.advance(5)
    assert queue.counters() == (0, 2, 0)
    assert figures(world)["DeletedEventCount"] == 0


@pytest.mark.parametrize("answer", [{}, None, {"batchItemFailures": []}, {"batchItemFailures": None}])
def test_G_26_PB_1_to_PB_4_empty_answers_delete_everything(world: MockAws, answer: object) -> None:
    """PB-1, PB-2, PB-3, PB-4."""
    queue, worker = queue_of(), Worker(lambda _: answer)
    connected(world, worker, queue, FunctionResponseTypes=REPORTING)
    queue.send("one")
    world.run_until_idle()
    assert queue.counters() == (0, 0, 0)


def test_G_27_EF_2_without_the_flag_the_list_means_nothing(world: MockAws) -> None:
    """EF-2."""
    queue, worker = queue_of(), Worker(lambda ids: listing(*ids)(ids))
    connected(world, worker, queue)
    queue.send("one")
    world.run_until_idle()
    assert worker.counts() == ["1"]
    assert queue.counters() == (0, 0, 0)


def test_G_28_PB_15_on_fifo_what_comes_after_the_failed_one_is_deleted(world: MockAws) -> None:
    """PB-15."""
    queue, worker = queue_of("orders.fifo"), Worker(lambda ids: listing(ids[1])(ids) if len(ids) > 1 else None)
    for body in ("one", "two", "three"):
        queue.send(body, group="g")
    connected(world, worker, queue, FunctionResponseTypes=REPORTING)
    world.run_until_idle()
    assert worker.batches == [["one", "two", "three"], ["two"]]
    assert worker.counts()[-1] == "2"


def test_G_29_FL_2_FL_11_what_no_filter_matches_is_deleted_unseen(world: MockAws) -> None:
    """FL-2, FL-11."""
    queue, worker = queue_of(), Worker()
    pattern = json.dumps({"body": {"kind": ["order"]}})
    connected(world, worker, queue, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    queue.send(json.dumps({"kind": "order"}))
    queue.send(json.dumps({"kind": "other"}))
    queue.send("plain")
    world.run_until_idle()
    assert worker.bodies == ['{"kind": "order"}']
    assert queue.counters() == (0, 0, 0)
    assert figures(world)["FilteredOutEventCount"] == 2
    assert figures(world)["InvokedEventCount"] == 1


def test_G_30_EC_11_visibility_below_the_function_timeout_is_refused(world: MockAws) -> None:
    """EC-11."""
    queue = queue_of("orders", {"VisibilityTimeout": "30"})
    world.function("worker", Worker(), timeout=60)
    message = functions().refuses(
        "InvalidParameterValueException", "create_event_source_mapping", EventSourceArn=queue.arn, FunctionName="worker"
    )
    assert message == "Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds"


def test_G_31_EC_11_a_timeout_raised_later_is_accepted_and_brings_duplicates(world: MockAws) -> None:
    """EC-11."""
    queue, worker = queue_of("orders", {"VisibilityTimeout": "30"}), Worker(lambda _: time.sleep(45))
    connected(world, worker, queue)
    functions()("update_function_configuration", FunctionName="worker", Timeout=60)
    queue.send("one")
    world.advance(200)
    assert worker.counts()[:2] == ["1", "2"]


def test_G_32_EP_7_a_window_gathers_two_batches(world: MockAws) -> None:
    """EP-7."""
    queue, worker = queue_of(), Worker()
    for number in range(30):
        queue.send(str(number))
    connected(
        world,
        worker,
        queue,
        BatchSize=20,
        MaximumBatchingWindowInSeconds=1,
        ScalingConfig={"MaximumConcurrency": 2},
        reserved=2,
    )
    world.run_until_idle()
    assert len(worker.batches) == 2
    assert all(len(batch) <= 20 for batch in worker.batches)
    assert sorted(worker.bodies, key=int) == [str(number) for number in range(30)]


def test_G_33_EP_10_a_message_whose_visibility_ends_runs_twice_at_once(world: MockAws) -> None:
    """RH-4, EP-10."""
    running: list[int] = []
    peak: list[int] = []

    def long(_: list[str]) -> None:
        running.append(1)
        peak.append(len(running))
        time.sleep(10)
        running.pop()

    queue = queue_of("orders", {"VisibilityTimeout": "15"})
    connected(world, Worker(long), queue, timeout=15)
    client = queue.client
    client.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "5"})
    queue.send("one")
    world.advance(8)
    assert peak == [1, 2]


def test_G_34_EP_2_an_idle_mapping_polls_fifteen_times_a_minute(world: MockAws) -> None:
    """EP-2."""
    queue = queue_of()
    connected(world, Worker(), queue)
    before = world.history().summary()["queues"]["orders"]["NumberOfEmptyReceives"]
    world.advance(60)
    assert world.history().summary()["queues"]["orders"]["NumberOfEmptyReceives"] - before == 15


def test_several_mappings_share_one_function(world: MockAws) -> None:
    """ES-13, EC-17."""
    worker, queues = Worker(lambda _: time.sleep(1)), [queue_of("orders"), queue_of("other")]
    connected(world, worker, queues[0])
    functions().map(queues[1])
    for queue in queues:
        queue.send(queue.url.rpartition("/")[2])
    world.run_until_idle()
    assert sorted(worker.bodies) == ["orders", "other"]
