"""Each way in which the fake's books could be wrong is noticed; the unusual but right is not."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from chaosqs.invariants import CONSERVATION
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Event, InvocationEnded, InvocationStarted, Operated, Received
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = CONSERVATION.judge
BUG = " This is a bug of chaosqs, not of the design."


def sent() -> Story:
    return Story(orders_design()).send()


def told(history: History) -> list[str]:
    return [violation.text.removesuffix(BUG) for violation in judge(history).violations]


def sent_twice() -> Story:
    return attrs.evolve(sent(), sent=0).send()


def caused_by_the_future() -> Story:
    story = sent()
    story.receive(0).start()
    story.events[-1] = attrs.evolve(story.events[-1], cause=2)
    return story


def received_unsent() -> Story:
    story = Story(orders_design())
    story.receive(0)
    return story


def received_deleted() -> Story:
    story = sent()
    story.receive(0).start().finish().delete()
    story.receive(0)
    return story


def received_moved() -> Story:
    story = Story(orders_design(max_receive_count=1)).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).dead_letter(0).receive(0)
    return story


def received_delayed() -> Story:
    story = Story(orders_design(queue=Queue("orders", delay=5))).send().at(4.999)
    story.receive(0)
    return story


def hidden_until_the_past() -> Story:
    story = sent().at(40)
    story.receive(0)
    received = story.events[-1]
    assert isinstance(received, Received)
    story.events[-1] = attrs.evolve(received, visible_at=39_000)
    return story.give_back(0)


def returned_too_early() -> Story:
    story = sent()
    story.receive(0)
    return story.at(29.9).give_back(0)


def returned_deleted() -> Story:
    story = sent()
    story.receive(0).start().finish().delete()
    return story.at(30).give_back(0)


def stays_where_it_is_not() -> Story:
    story = sent()
    batch = story.receive(0).start().finish()
    story.expire(0)
    batch.delete(stayed=(0,))
    return story


def moved_in_flight() -> Story:
    story = sent()
    story.receive(0)
    return story.dead_letter(0)


def moved_elsewhere() -> Story:
    return sent().dead_letter(0, target="orders")


def moved_unsent() -> Story:
    return Story(orders_design()).dead_letter(0)


def expired_twice() -> Story:
    return sent().expire(0).expire(0)


def started_twice() -> Story:
    story = sent()
    batch = story.receive(0).start()
    story.invocations = 0
    batch.start()
    return story


def started_unreceived() -> Story:
    story = sent().send()
    batch = story.receive(0)
    batch.messages = (1,)
    batch.start()
    return story


def ended_unstarted() -> Story:
    story = sent()
    batch = story.receive(0)
    batch.invocation, batch.started = 7, 1
    batch.finish()
    return story


def ended_with_another_batch() -> Story:
    story = sent().send()
    story.receive(0).start().finish()
    ended = story.events[-1]
    assert isinstance(ended, InvocationEnded)
    story.events[-1] = attrs.evolve(ended, messages=(0, 1))
    return story


@pytest.mark.parametrize(
    ("tell", "says"),
    [
        (sent_twice, "Message 1 was sent a second time."),
        (caused_by_the_future, "Event 2 names event 2 as its cause, which is not before it."),
        (received_unsent, "Message 1 was received from orders although it was never sent."),
        (received_deleted, "Message 1 was received from orders although it was gone."),
        (received_moved, "Message 1 was received from orders although it was in orders-dlq."),
        (received_delayed, "Message 1 was received from orders before its delay was over."),
        (hidden_until_the_past, "Message 1 was hidden until a moment before its receive."),
        (returned_too_early, "Message 1 came back to orders although it was hidden until 30.0 s."),
        (returned_deleted, "Message 1 was returned to orders although it was gone."),
        (stays_where_it_is_not, "Message 1 is said to stay in orders, where it is not."),
        (moved_in_flight, "Message 1 went from orders to orders-dlq while it was in flight."),
        (moved_elsewhere, "Message 1 went from orders to orders without a redrive policy that says so."),
        (moved_unsent, "Message 1 was moved out of orders although it was never sent."),
        (expired_twice, "Message 1 was expired in orders although it was gone."),
        (started_twice, "Invocation 1 of worker started a second time."),
        (started_unreceived, "Message 2 was handed to worker although orders→worker had not received it."),
        (ended_unstarted, "Invocation 7 of worker ended, but had not started."),
        (ended_with_another_batch, "Invocation 1 of worker started with message 1 and ended with messages 1 and 2."),
    ],
)
def test_notices(tell: Callable[[], Story], says: str) -> None:
    """The event that does not fit is blamed once, in a sentence that says whose bug it is."""
    assert told(tell().end()) == [says]


def test_blames_the_event_before() -> None:
    """A violation names what was last known of the message, and the event that contradicts it."""
    story = sent()
    story.receive(0).start().finish().delete()
    story.receive(0)
    (violation,) = judge(story.end()).violations
    assert violation.events == (4, 5)


def test_VT_11_visibility_timeout_of_zero() -> None:
    """With a visibility timeout of 0 a message can be received again at once."""
    queue = Queue("orders", visibility_timeout=0)
    design = Design([queue])
    story = Story(design).send()
    story.receive(0)
    story.give_back(0).receive(0)
    assert told(story.end()) == []


def test_RT_2_delete_of_an_expired_message_is_no_error() -> None:
    """A message that expires in flight is gone, and its delete succeeds all the same."""
    story = sent()
    batch = story.receive(0).start().finish()
    story.expire(0)
    batch.delete()
    assert told(story.end()) == []


def test_RH_7_delete_may_come_twice() -> None:
    """A second delete succeeds and changes nothing."""
    story = sent()
    story.receive(0).start().finish().delete().delete()
    assert told(story.end()) == []


def test_late_delete_leaves_a_moved_message_alone() -> None:
    """A receipt is one of a queue: deleting with it does not reach into the dead-letter queue."""
    story = Story(orders_design(max_receive_count=1)).send()
    batch = story.receive(0).start()
    story.at(30).give_back(0).dead_letter(0)
    batch.finish().delete()
    story.dead_letter(0)
    assert told(story.end()) == ["Message 1 was moved out of orders although it was in orders-dlq."]


def test_delete_that_got_lost_may_say_that_all_stay() -> None:
    """Where the request was lost the fake does not look what is still there."""
    story = sent()
    batch = story.receive(0).start().finish()
    story.expire(0)
    batch.delete(stayed=(0,), fault="lost_delete at receive 1 of message 1")
    assert told(story.end()) == []


def test_DLQ_6_receive_count_goes_on_in_the_dead_letter_queue() -> None:
    """The receive count of a message is kept through its move."""
    queues = [Queue("orders", redrive=Redrive("dlq", 1)), Queue("dlq", delay=1)]
    mappings = [EventSourceMapping(queue.name, "worker") for queue in queues]
    story = Story(Design(queues, [Function("worker")], mappings)).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).dead_letter(0, target="dlq")
    story.at(31).receive(0, mapping="dlq→worker")
    assert story.receives[0] == 2
    assert told(story.end()) == []


def test_every_event_exercises_it() -> None:
    """It counts events."""
    story = sent()
    story.receive(0).start().finish().delete()
    assert judge(story.end()).status is Status.HOLDS
    assert judge(story.end()).exercised == len(story.events) == 5


def test_client_may_delete_what_it_did_not_receive() -> None:
    """A handle may come from anywhere, and a purge needs none; but the message has to exist."""
    story = sent().send().client_deletes(0).client_deletes(0, 1, fault="PurgeQueue")
    assert told(story.end()) == []
    assert told(story.client_deletes(2).end()) == ["Message 3 was deleted by a client, which had not received it."]


def test_client_may_change_visibility_unnoticed() -> None:
    """No event tells of a changed visibility timeout: where one may have been, moments are not checked."""
    story = Story(orders_design(queue=Queue("orders", delay=5))).send().at(1)
    story.client_receives(0, count=1).at(2).give_back(0).at(3).give_back(0)
    story.client_receives(0, count=2, visible_for=5).at(60)
    assert told(story.end()) == []


def test_handler_may_change_visibility_unnoticed() -> None:
    """Real code in a function is such a client."""
    story = sent()
    story.receive(0).start()
    story.at(1).give_back(0)
    history = story.end()
    assert told(history) == ["Message 1 came back to orders although it was hidden until 30.0 s."]
    behaviours = {"worker": Behaviour(handler="shop.orders:handle")}
    assert told(attrs.evolve(history, scenario=attrs.evolve(history.scenario, behaviours=behaviours))) == []


def test_FF_20_client_may_repeat_a_receive() -> None:
    """A repeated attempt gets the same messages, which count as received once."""
    story = sent().client_receives(0, count=1).client_receives(0, count=1)
    assert told(story.end()) == []
    assert told(story.client_receives(0, count=2).end()) == [
        "Message 1 was received from orders while it was in flight."
    ]


def test_queues_that_clients_add_are_taken_as_they_are() -> None:
    """The design says nothing of a queue that a client creates."""
    story = Story(orders_design()).send(2, queue="new").client_receives(0, count=1, queue="new")
    story.at(30).give_back(0, queue="new").dead_letter(0, queue="new", target="newer").dead_letter(1, queue="new")
    assert told(story.at(900_000).end()) == [
        "Message 2 is still in orders-dlq although its retention is over.",
    ]


def test_FL_2_filtered_message_is_gone() -> None:
    """A message that no filter lets pass leaves its queue, and nobody receives it again."""
    story = sent()
    story.receive(0).filter_out()
    assert told(story.end()) == []
    story.at(30).give_back(0)
    assert told(story.end()) == ["Message 1 was returned to orders although it was gone."]


def cold(event: Event) -> Event:
    assert isinstance(event, InvocationStarted)
    return attrs.evolve(event, cold=True)


def begun_cold(seconds: float, design: Design | None = None) -> Story:
    """Tell of two invocations, one after the other is over; both start cold."""
    story = Story(design or orders_design()).send(2)
    first = story.receive(0).start()
    story.events[-1] = cold(story.events[-1])
    first.finish().delete()
    story.at(seconds).receive(1).start()
    story.events[-1] = cold(story.events[-1])
    return story


def test_LX_13_idle_environment_is_used_before_a_new_one_is_made() -> None:
    """As long as it is there: for ten minutes (Assumed: `environment_lifetime`)."""
    assert told(begun_cold(600).end()) == [
        "Invocation 2 of worker started cold although an environment was idle from 0.0 s on."
    ]
    assert told(begun_cold(600.1).end()) == []


def test_LX_13_deployed_anew_a_function_starts_cold() -> None:
    """Whatever was idle is gone, and so is what still ran: it is of the deployment before."""
    story = begun_cold(1)
    for index in (1, len(story.events) - 2):
        redeployed = attrs.evolve(story, events=list(story.events))
        redeployed.events.insert(index + 1, Operated(story.events[index].at, None, "redeploy", "worker", "", ""))
        kept = [each for each in judge(redeployed.end()).violations if "started cold" in each.text]
        assert bool(kept) == (index == 1)


def test_LC_9_who_has_provisioned_environments_is_not_watched() -> None:
    """No event tells which of them an invocation got."""
    design = orders_design()
    provisioned = [attrs.evolve(design.functions[0], provisioned_concurrency=1)]
    assert told(begun_cold(1, attrs.evolve(design, functions=provisioned)).end()) == []


def test_RT_1_message_expires_in_time() -> None:
    """Not a moment later than its queue says, unless an operator changed that meanwhile."""
    story = Story(orders_design(retention_period=60)).send().at(61).expire(0)
    assert told(story.end()) == ["Message 1 expired in orders 1.0 s after its retention."]
