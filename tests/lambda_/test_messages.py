"""Handlers, clients, filters and dead-letter queues see a workload's message whole, and its queue knows its ids."""

from __future__ import annotations

import json

import pytest

from chaosqs.invariants.registry import check
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Deduplicated, Effect, FilteredOut, Sent
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import Json
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate
from chaosqs.sqs.machines.attributes import attributes_md5, body_md5

PAID = Message({"id": "o-1", "amount": 12.5}, attributes={"kind": "paid", "weight": 3, "raw": b"\x00\x01"})


def run(handler: str, *loads: Load, queue: Queue | None = None, filters: tuple[str, ...] = ()) -> History:
    """Run a handler of `message_handlers` on a workload of one queue; prove that no invariant objects."""
    queue = queue or Queue("orders", redrive=Redrive("dead", 2))
    others = [Queue("dead"), Queue("parcels")] if not queue.fifo else [Queue("dead.fifo")]
    mapping = EventSourceMapping(queue.name, "worker", batch_size=1, filters=filters)
    behaviours = {"worker": Behaviour(handler=f"tests.lambda_.message_handlers:{handler}")}
    return simulate(Scenario(Design([queue, *others], [Function("worker")], [mapping]), loads, behaviours))


def effects(history: History, name: str) -> list[dict[str, Json]]:
    """Return what a handler recorded under a name; texts are read as JSON."""
    found = [event for event in history.events if isinstance(event, Effect) and event.name == name]
    return [
        {key: json.loads(value) if isinstance(value, str) else value for key, value in event.values} for event in found
    ]


def seen(history: History) -> list[Json]:
    return [entry["record"] for entry in effects(history, "saw")]


def only_record(history: History) -> dict[str, Json]:
    [found] = seen(history)
    assert isinstance(found, dict)
    return found


def test_a_handler_sees_body_attributes_and_digests() -> None:
    """The record of the event has what the producer sent, and its size is that of body and attributes."""
    history = run("notes", Burst("orders", messages=[PAID]))
    found = only_record(history)
    assert found["body"] == '{"id": "o-1", "amount": 12.5}'
    assert found["md5OfBody"] == body_md5(PAID.body)
    assert found["messageAttributes"] == {
        "kind": {"stringValue": "paid", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "raw": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        "weight": {"stringValue": "3", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
    }
    assert found["md5OfMessageAttributes"] == attributes_md5(PAID.attributes)
    sent = history.sent[0]
    assert sent.body_bytes == 29 + len("kindStringpaid") + len("weightNumber3") + len("rawBinary") + 2


def test_messages_are_sent_round_robin() -> None:
    """Each load sends its messages in turn, and begins anew after the last one."""
    history = run("notes", Steady("orders", per_second=1, seconds=3, messages=["a", {"b": 1}]))
    assert [found["body"] for found in seen(history) if isinstance(found, dict)] == ["a", '{"b": 1}', "a"]


def test_distinct_messages_have_identifiers_of_their_own() -> None:
    """The first message is the sample; the others differ in what identifies them, and in nothing else."""
    history = run("notes", Burst("orders", 3, messages=[PAID], distinct=True))
    bodies = [json.loads(str(found["body"])) for found in seen(history) if isinstance(found, dict)]
    assert bodies == [{"id": f"o-{number}", "amount": 12.5} for number in (1, 2, 3)]


def test_a_client_receives_what_the_workload_sent() -> None:
    """boto3 checks the digests itself, and would raise if one were wrong."""
    parcels = Burst("parcels", messages=[PAID])
    history = run("receives", Burst("orders", 1, at=1), parcels)
    [found] = [entry["message"] for entry in effects(history, "received")]
    assert isinstance(found, dict)
    assert found["Body"] == PAID.body
    assert found["MessageAttributes"] == {
        "kind": {"StringValue": "paid", "DataType": "String"},
        "raw": {"BinaryValue": "\x00\x01", "DataType": "Binary"},
        "weight": {"StringValue": "3", "DataType": "Number"},
    }


def test_filters_see_the_bodies() -> None:
    """A filter on a field keeps the messages that have it; the invariant judges the same bodies."""
    loads = Burst("orders", 4, messages=[{"kind": "paid"}, {"kind": "lost"}])
    history = run("notes", loads, filters=('{"body": {"kind": ["paid"]}}',))
    assert [event.messages for event in history.events if isinstance(event, FilteredOut)] == [(1,), (3,)]
    assert len(seen(history)) == 2
    assert check(history) == ()


def test_a_dead_letter_queue_gets_the_contents() -> None:
    """A message keeps body and attributes when it moves."""
    design = Design(
        [Queue("orders", visibility_timeout=5, redrive=Redrive("dead", 1)), Queue("dead")],
        [Function("worker"), Function("undertaker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("dead", "undertaker")],
    )
    behaviours = {
        name: Behaviour(handler=f"tests.lambda_.message_handlers:{handler}")
        for name, handler in (("worker", "refuses"), ("undertaker", "notes"))
    }
    found = only_record(simulate(Scenario(design, [Burst("orders", messages=[PAID])], behaviours)))
    assert found["body"] == PAID.body
    attributes = found["messageAttributes"]
    assert isinstance(attributes, dict)
    assert sorted(attributes) == ["kind", "raw", "weight"]


# FIFO queues


FIFO = Queue("orders.fifo")
GROUPED = Message("x", group="g", deduplication_id="once")


def deduplicated(history: History) -> list[tuple[int, int]]:
    return [(event.message, event.first) for event in history.events if isinstance(event, Deduplicated)]


@pytest.mark.parametrize("messages", [(), (Message("x"),), (GROUPED,)], ids=("size", "body", "own id"))
def test_the_queue_knows_the_deduplication_id_that_its_message_shows(messages: tuple[Message, ...]) -> None:
    """A handler that sends a record's body again with the record's deduplication id adds nothing to the queue."""
    history = run("sends_again", Burst("orders.fifo", 1, groups=1, messages=messages), queue=FIFO)
    assert [entry["same"] for entry in effects(history, "answer")] == [True]
    assert sum(isinstance(event, Sent) for event in history.events) == 1
    assert check(history) == ()


def test_after_five_minutes_it_is_a_new_message() -> None:
    """The queue forgets an id five minutes after the send, as it does for clients."""
    queue = Queue("orders.fifo", delay=301)
    history = run("sends_again", Burst("orders.fifo", 1, groups=1), queue=queue)
    assert next(entry["same"] for entry in effects(history, "answer")) is False


def test_a_workload_that_repeats_an_id_sends_one_message() -> None:
    """SQS answers the second send and adds nothing; after five minutes it adds a message."""
    loads = (Burst("orders.fifo", 2, messages=[GROUPED]), Burst("orders.fifo", 1, at=300, messages=[GROUPED]))
    history = run("notes", *loads, queue=FIFO)
    assert deduplicated(history) == [(1, 0)]
    assert sorted(history.sent) == [0, 2]
    assert history.summary()["messages"]["sent"] == 2
    assert check(history) == ()


def test_equal_bodies_are_duplicates_where_the_queue_looks_at_bodies() -> None:
    """Without an id, content-based deduplication takes the body's digest; attributes do not count."""
    messages = [Message("x"), Message("x", attributes={"kind": "paid"}), Message("y")]
    load = Burst("orders.fifo", groups=1, messages=messages)
    by_content = run("notes", load, queue=Queue("orders.fifo", content_based_deduplication=True))
    assert deduplicated(by_content) == [(1, 0)]
    assert deduplicated(run("notes", load, queue=FIFO)) == [], "each has its own id"


def test_the_scope_may_be_the_group() -> None:
    """With the scope `messageGroup`, one id in two groups makes two messages."""
    load = Burst("orders.fifo", 2, groups=2, messages=[Message("x", deduplication_id="once")])
    queue = Queue("orders.fifo", deduplication_scope="messageGroup")
    assert deduplicated(run("notes", load, queue=queue)) == []
    assert deduplicated(run("notes", load, queue=FIFO)) == [(1, 0)]


def test_distinct_loads_repeat_no_deduplication_id() -> None:
    """A sample's id is given once; later messages get others."""
    history = run("notes", Burst("orders.fifo", 3, messages=[GROUPED], distinct=True), queue=FIFO)
    assert [event.deduplication_id for event in history.events if isinstance(event, Sent)] == [
        "once",
        "once-2",
        "once-3",
    ]


def test_a_send_that_is_repeated_after_a_lost_answer_has_the_same_contents() -> None:
    """The copy in a standard queue is the same message for the handler."""
    design = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])
    behaviours = {"worker": Behaviour(handler="tests.lambda_.message_handlers:notes")}
    plan = FaultPlan(sends=("lost_send_response",))
    found = seen(simulate(Scenario(design, [Burst("orders", messages=[PAID])], behaviours, plan)))
    assert [record["body"] for record in found if isinstance(record, dict)] == [PAID.body] * 2
