"""Handlers that call SQS act on the design's own queues, and the history says so."""

from __future__ import annotations

import json

import attrs

from chaosqs.faults.injector import NO_FAULTS
from chaosqs.kernel.context import RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Deleted, Event, Received, ReceivedNothing, Returned, Sent
from chaosqs.model.workload import Arrival
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.service import Service
from tests.sqs.api.probe import Probe, entries, listed, queue

DESIGN = Design(
    [
        Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 1)),
        Queue("dead"),
        Queue("audit.fifo", content_based_deduplication=True),
    ],
    [Function("worker")],
    [EventSourceMapping("orders", "worker")],
)


def simulation() -> tuple[Service, list[Event], Sqs]:
    context = SimulationContext(EventQueue(0), RandomStreams(0), NO_FAULTS, Assumptions())
    service = Service(context)
    for each in DESIGN.queues:
        service.open(each)
    return service, context.events, Sqs.of(service, messages=2)


def test_the_designs_queues_exist() -> None:
    """In its account and Region, with its attributes."""
    _, _, sqs = simulation()
    assert len(listed(entries(sqs.call("ListQueues", {})), "QueueUrls")) == 3
    assert Probe(sqs, "audit.fifo").attribute("ContentBasedDeduplication") == "true"
    assert '"maxReceiveCount":1' in Probe(sqs, "orders").attribute("RedrivePolicy")


def test_sends_go_on_counting_after_the_workloads_and_are_recorded() -> None:
    """A client's message is number 2 where the workload sends 0 and 1; a poller receives it like any other."""
    service, events, sqs = simulation()
    service.send([(0, Arrival(0, "orders", 100, ""))])
    Probe(sqs, "orders").send("hello")
    assert [event for event in events if isinstance(event, Sent)][-1] == Sent(0, None, "orders", 2, 5, "")
    receipts = service.receive("orders", 10)
    assert [receipt.message.number for receipt in receipts] == [0, 2]
    content = receipts[1].message.content
    assert content is not None
    assert content.body == "hello"


def test_receives_and_deletes_are_recorded_without_a_mapping() -> None:
    """A message of the workload has a body of its size, made from its number."""
    service, events, sqs = simulation()
    service.send([(0, Arrival(0, "orders", 100, "")), (1, Arrival(0, "orders", 1, ""))])
    orders = Probe(sqs, "orders")
    first, second = orders.receive()
    assert (first.body, second.body) == ('{"message": 0}'.ljust(100), "1")
    orders.delete(first)
    orders.hide(second, 0)
    assert events[2:] == [
        Received(0, 0, "orders", "", 0, (0, 1), (1, 1), 30_000, ""),
        Deleted(0, None, "orders", "", (0,), (), ""),
        Returned(0, 2, "orders", 1, 1),
    ]
    assert orders.receive() == []
    dead = Probe(sqs, "dead").one()
    assert dead.attributes["DeadLetterQueueSourceArn"] == orders.arn


def test_empty_receives_are_recorded() -> None:
    """Short and long ones."""
    _, events, sqs = simulation()
    orders = Probe(sqs, "orders")
    orders.receive()
    orders.receive(WaitTimeSeconds=5)
    assert events == [
        ReceivedNothing(0, None, "orders", "", 0, 1, 0, 0),
        ReceivedNothing(5_000, None, "orders", "", 0, 1, 0, 5_000),
    ]


def test_a_purge_is_recorded_as_one() -> None:
    """So that nobody takes the messages for lost: with its name in place of a fault."""
    _, events, sqs = simulation()
    orders = Probe(sqs, "orders")
    orders.send()
    orders.call("PurgeQueue")
    orders.advance(60)
    orders.call("PurgeQueue")
    assert events[1:] == [Deleted(0, None, "orders", "", (2,), (), "PurgeQueue")]


def test_queues_outside_of_the_design_leave_no_trace() -> None:
    """The history speaks of the design's queues only."""
    _, events, sqs = simulation()
    other = queue(sqs, "other")
    other.send()
    other.delete(other.one())
    assert events == []


def test_a_move_out_of_the_design_is_the_end_of_a_message_there() -> None:
    """A handler gave a queue of the design a dead-letter queue of its own making."""
    _, events, sqs = simulation()
    other, dead = queue(sqs, "other"), Probe(sqs, "dead")
    policy = json.dumps({"deadLetterTargetArn": other.arn, "maxReceiveCount": 1})
    dead.call("SetQueueAttributes", Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})
    dead.send()
    dead.one()
    dead.receive()
    assert Deleted(0, 2, "dead", "", (2,), (), "moved to other") in events
    assert other.one().count == 2


def test_OR_4_RH_10_a_replica_shows_a_message_again() -> None:
    """In flight or deleted, where the simulation says so; who waits gets it."""
    service, events, _ = simulation()
    service.send([(0, Arrival(0, "orders", 1, "")), (1, Arrival(0, "audit.fifo", 1, "g"))])
    state = service.states["orders"]
    (first,) = service.receive("orders", 1)
    got: list[int] = []
    state.queue = attrs.evolve(state.queue, redrive=None)
    state.machine.queue = state.queue
    state.waiting.append(lambda: got.append(len(service.receive("orders", 1))))
    assert service.reappear(state, first.message)
    assert got == [1]
    service.delete("orders", service.receive("orders", 1))
    assert isinstance(events[-1], Returned)
    (second,) = service.receive("audit.fifo", 1)
    assert not service.reappear(service.states["audit.fifo"], second.message)


def test_pollers_and_clients_wait_in_one_line() -> None:
    """First come, first served."""
    service, _, sqs = simulation()
    got: list[str] = []
    wait = sqs.call("ReceiveMessage", {"QueueUrl": "orders", "WaitTimeSeconds": 20})
    assert isinstance(wait, Wait)
    wait.then(lambda answer: got.append(f"client {len(listed(answer, 'Messages'))}"))
    service.states["orders"].waiting.append(lambda: got.append(f"poller {len(service.receive('orders', 10))}"))
    Probe(sqs, "orders").send()
    Probe(sqs, "orders").send()
    assert got == ["client 1", "poller 1"]


def test_a_poller_on_a_fifo_queue_goes_on_when_a_group_is_free() -> None:
    """Deletes by pollers wake those who wait, through the same service (FF-16)."""
    service, _, _ = simulation()
    service.send([(0, Arrival(0, "audit.fifo", 1, "g")), (1, Arrival(0, "audit.fifo", 1, "g"))])
    receipts = service.receive("audit.fifo", 1)
    got: list[int] = []
    service.states["audit.fifo"].waiting.append(lambda: got.append(len(service.receive("audit.fifo", 1))))
    service.serve(service.states["audit.fifo"])
    assert got == []
    assert service.delete("audit.fifo", receipts) == []
    service.context.event_queue.take()()
    assert (got, service.context.now) == ([1], 0)
