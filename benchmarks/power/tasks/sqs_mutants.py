"""Mutants of SQS: how queues accept, deliver, delete, move and expire messages."""

from __future__ import annotations

from functools import partial

import attrs

from benchmarks.power.mutation import Mutation, mutant
from benchmarks.power.task import pipeline
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import Producer, _Attempt
from chaosqs.sqs import service
from chaosqs.sqs.machines import fifo_queue
from chaosqs.sqs.machines.fifo_queue import FifoQueue, Group, Groups
from chaosqs.sqs.machines.message import Message, Receipt, dead_lettered
from chaosqs.sqs.machines.queue_machine import Outcome
from chaosqs.sqs.machines.standard_queue import StandardQueue
from chaosqs.sqs.machines.store import Store
from chaosqs.sqs.service import QueueState, Service

# pyright: reportPrivateUsage=false

# The original functions, for defects that wrap them.
_accept = StandardQueue.accept
_dead_letter, _wake_at = Service._dead_letter, Service.wake_at
_put, _receive = Store.put, Store.receive
_takeable = Groups.takeable


def _chain_counts_on(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    moved = dead_lettered(message, source, fifo=fifo, index=index, now=now)
    return attrs.evolve(moved, deliveries=message.deliveries)


def _dead_letter_one_receive_early(self: FifoQueue, message: Message) -> bool:
    redrive = self.queue.redrive
    return redrive is not None and message.deliveries + 1 >= redrive.max_receive_count


def _dead_letter_one_receive_late(self: Store, message: Message, until: int, now: int) -> int:
    receipt = _receive(self, message, until, now)
    message.deliveries -= receipt == 1
    return receipt


def _default_visibility_used(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, min(until, now + 30_000), now)


def _delay_ignored(self: StandardQueue, message: Message, *, now: int, delay: int | None = None) -> None:
    _accept(self, message, now=now, delay=delay or 0)


def _expired_late(self: Store, message: Message, delay: int, now: int) -> None:
    self.retention += 10_000
    _put(self, message, delay, now)
    self.retention -= 10_000


def _fifo_copy_accepted(
    self: Producer, attempt: _Attempt, *, delay: int | None = None, fault: str = "", repeats: bool = False
) -> None:
    arrival, line = attempt.arrival, self.service.states[attempt.arrival.queue]
    message = Message(
        attempt.number, arrival.body_bytes, self.context.now, group=arrival.group, copy_of=attempt.copy_of
    )
    self.service.put(line, message, delay=delay, cause=attempt.cause, fault=fault)
    if repeats:  # the original also checks that the queue is a FIFO queue
        copy = _Attempt(self.service.numbers.take(), arrival, message.last_event, attempt.number)
        self._later(copy, self.context.now + self.context.assumptions.send_retry)


def _fifo_delete_after_visibility(self: FifoQueue, receipt: Receipt) -> Outcome:
    message = receipt.message
    if not message.stored:
        return Outcome.GONE
    if message.receipt != receipt.number:  # the original also checks that the message is visible
        return Outcome.EXPIRED
    self.store.forget(message)
    self.groups.left(message)
    return Outcome.DONE


def _fifo_move_keeps_age(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    moved = dead_lettered(message, source, fifo=fifo, index=index, now=now)
    return attrs.evolve(moved, sent_at=message.sent_at)


def _fifo_stale_receipt_accepted(self: FifoQueue, receipt: Receipt) -> Outcome:
    message = receipt.message
    if not message.stored:
        return Outcome.GONE
    if message.visible:  # the original also checks that the receipt is the latest
        return Outcome.EXPIRED
    self.store.forget(message)
    self.groups.left(message)
    return Outcome.DONE


def _group_never_unblocks(self: Groups, message: Message) -> None:
    self.groups[message.group].in_flight -= 1


def _due_messages_wait(self: Service, line: QueueState) -> None:
    for message in line.machine.settle(now=self.context.now):
        if message.receipt:
            self._returned(line, message)
    self.context.event_queue.after(50_000, partial(self.serve, line))  # the original serves at once


class _Unlocked(Groups):
    def refresh(self, group: Group) -> None:
        found = self.takeable(group, 1)
        self._set_waiting(group, max(found[0].index, group.returned_at) if found else None)

    def takeable(self, group: Group, maximum: int) -> list[Message]:
        return [message for message in group.messages if message.stored and message.visible][:maximum]


def _group_order_swapped(self: Groups, group: Group, maximum: int) -> list[Message]:
    found = _takeable(self, group, maximum)
    return found[::-1] if group.returned_at else found


def _move_resets_receive_count(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    return attrs.evolve(dead_lettered(message, source, fifo=fifo, index=index, now=now), receive_count=0)


def _moved_but_kept(self: Service, line: QueueState, message: Message) -> None:
    _dead_letter(self, line, message)
    assert isinstance(line.machine, StandardQueue)
    message.deliveries = 0  # otherwise the next receive would move it again
    line.machine.reappear(message, now=self.context.now)


def _nobody_woken_by_returns(self: Service, line: QueueState) -> None:
    for message in line.machine.settle(now=self.context.now):
        if message.receipt:
            self._returned(line, message)  # the original also serves waiting receives


def _redrive_loses_the_message(self: Service, line: QueueState, message: Message) -> None:
    _dead_letter(self, line, message)
    assert line.queue.redrive is not None
    target = self.states[line.queue.redrive.dead_letter_queue].machine
    target.take_out(target.store.messages[message.number])


def _retention_halved(self: Store, message: Message, delay: int, now: int) -> None:
    whole, self.retention = self.retention, self.retention // 2
    _put(self, message, delay, now)
    self.retention = whole


def _retention_reset_at_move(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    return attrs.evolve(dead_lettered(message, source, fifo=fifo, index=index, now=now), sent_at=now)


def _visibility_doubled(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, 2 * until - now, now)


def _visibility_not_restarted(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, max(now, message.visible_at) if message.receipt else until, now)


def _wake_up_missing(self: Service, line: QueueState, due: int) -> None:
    if line.last_wake < 0:
        _wake_at(self, line, due)


TASKS = (
    mutant(
        "chain-counts-on",  # DLQ-20
        "A dead-letter queue with a redrive policy of its own counts the receives from its source, too.",
        Mutation(service, "dead_lettered", _chain_counts_on),
        "no-early-dead-lettering",
        Scenario(
            Design(
                [
                    Queue("orders", visibility_timeout=5, redrive=Redrive("second-chance", 2)),
                    Queue("second-chance", redrive=Redrive("graveyard", 3)),
                    Queue("graveyard"),
                ],
                [Function("worker", timeout=5), Function("careful", timeout=5)],
                [EventSourceMapping("orders", "worker"), EventSourceMapping("second-chance", "careful")],
            ),
            behaviours={"worker": Behaviour(error_rate=1)},
        ),
        mapping="second-chance→careful",
    ),
    mutant(
        "dead-letter-one-receive-early",  # DLQ-3
        "A FIFO queue dead-letters a message one receive early.",
        Mutation(FifoQueue, "_is_over", _dead_letter_one_receive_early),
        "no-early-dead-lettering",
        Scenario(
            pipeline(Queue("orders.fifo", redrive=Redrive("orders-dlq.fifo", 3))),
            [Burst("orders.fifo", 1, groups=1)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "dead-letter-one-receive-late",  # DLQ-3: a standard queue grants one receive more than max_receive_count
        "The first receive from a queue is not counted for its redrive policy, so one message gets one too many.",
        Mutation(Store, "receive", _dead_letter_one_receive_late),
        "bounded-retries",
        Scenario(
            pipeline(Queue("orders", redrive=Redrive("orders-dlq", 3))),
            [Burst("orders", 1)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "deduplication-too-short",  # FF-5
        "A FIFO queue remembers deduplication ids for one minute only.",
        Mutation(fifo_queue, "INTERVAL", 60_000),
        "deduplication-holds",
        Scenario(
            Design(
                [
                    Queue("orders", visibility_timeout=90, redrive=Redrive("orders-dlq", 2)),
                    Queue("orders-dlq"),
                    Queue("audit.fifo"),
                ],
                [Function("relay", timeout=5), Function("auditor", timeout=5)],
                [EventSourceMapping("orders", "relay", batch_size=1), EventSourceMapping("audit.fifo", "auditor")],
            ),
            behaviours={
                "relay": Behaviour(handler="benchmarks.power.handlers:relay_and_fail"),
                "auditor": Behaviour(),
            },
        ),
        mapping="audit.fifo→auditor",
    ),
    mutant(
        "default-visibility-used",  # VT-1
        "Receives hide messages for the default 30 seconds, whatever the queue says.",
        Mutation(Store, "receive", _default_visibility_used),
        "no-second-processing",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=180, redrive=Redrive("orders-dlq", 5)),
                Function("worker", timeout=30),
            ),
            [Burst("orders", 1)],
            {"worker": Behaviour(seconds_per_batch=29.999)},
        ),
    ),
    mutant(
        "delay-ignored",  # DL-1
        "A new message is visible at once, whatever the queue's delay.",
        Mutation(StandardQueue, "accept", _delay_ignored),
        "conservation",
        Scenario(pipeline(Queue("orders", delay=10)), [Burst("orders", 1)]),
    ),
    mutant(
        "due-messages-wait",  # RX-5, DL-1
        "Long polls learn of messages that become visible only 50 seconds later.",
        Mutation(Service, "_settle", _due_messages_wait),
        "polling-as-documented",
        Scenario(pipeline(Queue("orders", delay=15)), [Burst("orders", 1)], {"worker": Behaviour()}),
    ),
    mutant(
        "expired-late",  # RT-1
        "Messages go ten seconds after their retention period is over.",
        Mutation(Store, "put", _expired_late),
        "conservation",
        Scenario(pipeline(Queue("orders", retention_period=120))),
    ),
    mutant(
        "fifo-copy-accepted",  # FF-5
        "A FIFO queue takes the message that a producer sends again because the answer got lost.",
        Mutation(Producer, "_accept", _fifo_copy_accepted),
        "deduplication-holds",
        Scenario(
            pipeline(Queue("orders.fifo")),
            [Burst("orders.fifo", 1, groups=1)],
            faults=FaultPlan(sends=["lost_send_response"]),
        ),
    ),
    mutant(
        "fifo-delete-after-visibility",  # RH-5
        "A FIFO queue takes a delete whose receipt's visibility is over.",
        Mutation(FifoQueue, "delete", _fifo_delete_after_visibility),
        "conservation",
        Scenario(
            pipeline(
                Queue("orders.fifo", visibility_timeout=5),
                Function("worker", timeout=5, reserved_concurrency=2),
                EventSourceMapping("orders.fifo", "worker", maximum_concurrency=2),
            ),
            behaviours={"worker": Behaviour(seconds_per_batch=4.9)},
        ),
    ),
    mutant(
        "fifo-move-keeps-age",  # DLQ-10
        "A FIFO dead-letter queue counts the retention from the sending to the source, as a standard one does.",
        Mutation(service, "dead_lettered", _fifo_move_keeps_age),
        "at-least-once-delivery",
        Scenario(
            Design(
                [
                    Queue("orders.fifo", visibility_timeout=10, redrive=Redrive("orders-dlq.fifo", 1)),
                    Queue("orders-dlq.fifo", retention_period=60),
                ],
                [Function("worker", timeout=5), Function("undertaker", timeout=5, reserved_concurrency=0)],
                [EventSourceMapping("orders.fifo", "worker"), EventSourceMapping("orders-dlq.fifo", "undertaker")],
            ),
            behaviours={"worker": Behaviour(error_rate=1)},
        ),
        mapping="orders-dlq.fifo→undertaker",
    ),
    mutant(
        "fifo-stale-receipt-accepted",  # RH-5, FF-22
        "A FIFO queue takes a delete by a receipt that is not the latest one, so its group goes on too soon.",
        Mutation(FifoQueue, "delete", _fifo_stale_receipt_accepted),
        "one-group-at-a-time",
        Scenario(
            pipeline(
                Queue("orders.fifo", visibility_timeout=12),
                Function("worker", timeout=8),
                EventSourceMapping("orders.fifo", "worker", batch_size=1),
            ),
            behaviours={"worker": Behaviour(seconds_per_batch=7.5)},
        ),
    ),
    mutant(
        "group-never-unblocks",  # FF-17
        "A group stays blocked when the visibility of its messages is over.",
        Mutation(Groups, "came_back", _group_never_unblocks),
        "drains-after-healing",
        Scenario(
            pipeline(Queue("orders.fifo", visibility_timeout=30)),
            [Burst("orders.fifo", 1, groups=1)],
            {"worker": Behaviour()},
            FaultPlan(messages=[["throttled"]]),
        ),
        given=True,
    ),
    mutant(
        "group-not-locked",  # FF-14
        "A FIFO queue passes over what is in flight, and hands out the rest of its group.",
        Mutation(fifo_queue, "Groups", _Unlocked),
        "one-group-at-a-time",
        Scenario(
            pipeline(Queue("orders.fifo", visibility_timeout=60)),
            [Burst("orders.fifo", 2, over=1, groups=1)],
            {"worker": Behaviour(seconds_per_batch=1)},
        ),
    ),
    mutant(
        "group-order-swapped",  # EQ-3
        "A group whose messages came back is handed out last message first.",
        Mutation(Groups, "takeable", _group_order_swapped),
        "fifo-order",
        Scenario(
            pipeline(Queue("orders.fifo", visibility_timeout=60)),
            [Burst("orders.fifo", 2, groups=1)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "move-resets-receive-count",  # DLQ-6
        "A message begins to count its receives anew when it is dead-lettered.",
        Mutation(service, "dead_lettered", _move_resets_receive_count),
        "conservation",
        Scenario(
            Design(
                [Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
                [Function("worker", timeout=5), Function("undertaker", timeout=5)],
                [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
            ),
            behaviours={"worker": Behaviour(error_rate=1)},
        ),
    ),
    mutant(
        "moved-but-kept",  # DLQ-4
        "A message that goes to a dead-letter queue stays in its source as well.",
        Mutation(Service, "_dead_letter", _moved_but_kept),
        "conservation",
        Scenario(pipeline(Queue("orders", redrive=Redrive("orders-dlq", 2)))),
    ),
    mutant(
        "nobody-woken-by-returns",  # RX-5, VT-4
        "Long polls do not learn of messages whose visibility is over.",
        Mutation(Service, "_settle", _nobody_woken_by_returns),
        "drains-after-healing",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=30)),
            [Burst("orders", 1)],
            {"worker": Behaviour()},
            FaultPlan(messages=[["service_error"]]),
        ),
        given=True,
    ),
    mutant(
        "redrive-loses-the-message",  # DLQ-4
        "A message that goes to a dead-letter queue leaves its source and never arrives.",
        Mutation(Service, "_dead_letter", _redrive_loses_the_message),
        "no-loss-after-send",
        Scenario(
            Design(
                [Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
                [Function("worker", timeout=5), Function("undertaker", timeout=5)],
                [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
            ),
            behaviours={"worker": Behaviour(error_rate=1), "undertaker": Behaviour()},
        ),
        mapping="orders-dlq→undertaker",
    ),
    mutant(
        "retention-halved",  # RT-1
        "Messages go when half of their retention period is over.",
        Mutation(Store, "put", _retention_halved),
        "at-least-once-delivery",
        Scenario(
            pipeline(Queue("orders", retention_period=120)), [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}
        ),
    ),
    mutant(
        "retention-reset-at-move",  # DLQ-9
        "A move to a standard dead-letter queue resets the clock of retention.",
        Mutation(service, "dead_lettered", _retention_reset_at_move),
        "conservation",
        Scenario(
            Design(
                [
                    Queue("orders", visibility_timeout=30, retention_period=60, redrive=Redrive("orders-dlq", 1)),
                    Queue("orders-dlq", retention_period=60),
                ],
                [Function("worker", timeout=5), Function("undertaker", timeout=5, reserved_concurrency=0)],
                [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
            ),
            behaviours={"worker": Behaviour(error_rate=1)},
        ),
    ),
    mutant(
        "visibility-doubled",  # VT-1
        "Receives hide messages for twice the visibility timeout.",
        Mutation(Store, "receive", _visibility_doubled),
        "conservation",
        Scenario(pipeline(Queue("orders", redrive=Redrive("orders-dlq", 3)))),
    ),
    mutant(
        "visibility-not-restarted",  # VT-3
        "The visibility timer runs from the first receive of a message only; a later one hides it no longer.",
        Mutation(Store, "receive", _visibility_not_restarted),
        "no-concurrent-processing",
        Scenario(
            pipeline(Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 5))),
            behaviours={"worker": Behaviour(seconds_per_batch=1)},
        ),
    ),
    mutant(
        "wake-up-missing",  # VT-4
        "Only the first message that a queue hides has a timer that shows it again.",
        Mutation(Service, "wake_at", _wake_up_missing),
        "conservation",
        Scenario(pipeline(Queue("orders", visibility_timeout=30)), behaviours={"worker": Behaviour()}),
    ),
)
