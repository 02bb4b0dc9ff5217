"""Which sends to a FIFO queue repeat each other."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import DEDUPLICATION_HOLDS
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Sent
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, fifo_design, orders_design
from tests.simulation.consumers import URL, client

judge = DEDUPLICATION_HOLDS.judge


def sends(*entries: tuple[float, str, str], design: Design | None = None) -> Story:
    """Sends by moment, group and deduplication id."""
    story = Story(design or fifo_design())
    for number, (seconds, group, name) in enumerate(entries):
        story.at(seconds)
        story.tell(Sent(story.now, None, "orders.fifo", number, 100, group, deduplication_id=name))
    return story


def per_group() -> Design:
    design = fifo_design()
    first, *others = design.queues
    return attrs.evolve(design, queues=(attrs.evolve(first, deduplication_scope="messageGroup"), *others))


def copy_of_a_workload_message() -> History:
    story = Story(fifo_design()).send(queue="orders.fifo", group="a").at(1)
    story.tell(Sent(1_000, 0, "orders.fifo", 1, 100, "a", copy_of=0))
    return story.end()


def test_same_id_within_five_minutes() -> None:
    """Both sends are blamed, the second one last."""
    (violation,) = judge(sends((0, "a", "x"), (10, "a", "x")).end()).violations
    assert (violation.messages, violation.events) == ((1, 0), (0, 1))
    assert violation.text == (
        "Message 2 is in orders.fifo although it repeats message 1, which was sent 10.0 s before. "
        "This is a bug of chaosqs."
    )


def test_copy_that_a_producer_sends_again() -> None:
    """A message of a workload has an id of its own, and its copies the same."""
    assert judge(copy_of_a_workload_message()).status is Status.VIOLATED


@pytest.mark.parametrize(("design", "status"), [(fifo_design(), Status.VIOLATED), (per_group(), Status.HOLDS)])
def test_FF_7_scope(design: Design, status: Status) -> None:
    """An id in another group is the same one, unless the scope is the message group."""
    assert judge(sends((0, "a", "x"), (1, "b", "x"), design=design).end()).status is status


def test_FF_5_the_five_minutes_count_from_the_accepted_send() -> None:
    """A send after that is accepted, and remembered anew."""
    verdict = judge(sends((0, "a", "x"), (300, "a", "x"), (599.999, "a", "x")).end())
    assert [violation.messages for violation in verdict.violations] == [(2, 1)]


def test_PQ_3_purge_forgets() -> None:
    """After a purge every id is new."""
    story = sends((0, "a", "x")).client_deletes(0, queue="orders.fifo", fault="PurgeQueue").at(1)
    story.tell(Sent(1_000, None, "orders.fifo", 1, 100, "a", deduplication_id="x"))
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 2)


def test_MV_4_move_out_of_a_dead_letter_queue_is_no_send() -> None:
    """What an operator moves back is a new message with the contents of the old one."""
    story = sends((0, "a", "x")).client_deletes(0, queue="orders-dlq.fifo", fault="StartMessageMoveTask")
    story.tell(Sent(0, 1, "orders.fifo", 1, 100, "a", deduplication_id="x"))
    assert judge(story.end()).status is Status.HOLDS


def sends_twice(event: object, context: object) -> None:
    """Send one message twice, as a handler does that is retried."""
    del event, context
    for _ in range(2):
        client().send_message(
            QueueUrl=f"{URL}done.fifo", MessageBody="done", MessageGroupId="a", MessageDeduplicationId="order-7"
        )


def test_FF_5_handler_that_sends_twice() -> None:
    """What a client sends has its deduplication id in the history; the queue lets one of two in."""
    design = Design(
        [Queue("orders"), Queue("done.fifo")], [Function("worker")], [EventSourceMapping("orders", "worker")]
    )
    behaviours = {"worker": Behaviour(handler=f"{__name__}:sends_twice")}
    history = simulate(Scenario(design, [Burst("orders", 1)], behaviours))
    assert [sent.deduplication_id for sent in history.sent.values()] == ["", "order-7"]
    verdict = judge(history)
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


def test_nothing_to_judge() -> None:
    """Standard queues do not deduplicate; messages of a workload are all different."""
    assert judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE
    verdict = judge(Story(fifo_design()).send(2, queue="orders.fifo", group="a").end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_EXERCISED,
        "nobody sent a message that could have been a duplicate",
    )
