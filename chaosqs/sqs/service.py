"""SQS in process: the queues of a design, sends, waiting receives, timers, and their events.

Pollers and clients (the operations of the API) use the same methods, so a message is the same to both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.kernel.context import SimulationContext, stream
from chaosqs.model.design import Queue
from chaosqs.model.events import DeadLettered, Deduplicated, Deleted, Expired, Returned, Sent
from chaosqs.model.liveness import ENDLESS_CYCLES
from chaosqs.model.workload import Arrival
from chaosqs.sqs.machines.attributes import Content, content_of
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message, Receipt, dead_lettered, message_id
from chaosqs.sqs.machines.queue_machine import CALM, Chance, Outcome, QueueMachine
from chaosqs.sqs.machines.standard_queue import StandardQueue


@attrs.define(eq=False)
class QueueState:
    """One queue and its waiting receives."""

    queue: Queue
    machine: QueueMachine
    stream: int
    """Number of its random stream."""
    waiting: deque[Callable[[], None]] = attrs.field(factory=deque[Callable[[], None]])
    """Long polls that have found nothing yet, in the order of their starts."""
    on_backlog: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])
    """Called when messages are visible and no receive waits for them."""
    receives: int = 0
    last_wake: int = -1
    next_expiry: int | None = None

    @classmethod
    def of(cls, queue: Queue) -> QueueState:
        """Return an empty queue."""
        return cls(queue, FifoQueue(queue) if queue.fifo else StandardQueue(queue), stream(queue.name))


ROUNDS = 10
"""Rounds of a message through all queues after which it is in a loop of redrive policies: other messages do not move as
often, as an operator's redrive makes a new message (MV-4)."""
_RETURNS = 2 * ENDLESS_CYCLES + 2
"""Receives of a message without a redrive policy after which it only repeats what it has done."""
_EXPIRED = Outcome.EXPIRED
_STAYED = (Outcome.STAYED, _EXPIRED)
_PARTIAL, _SHARE = stream("partial receive"), stream("share of a partial receive")


@attrs.define(eq=False)
class Numbers:
    """Gives messages their numbers: first those of the workload, then clients' messages."""

    next_free: int = 0

    def take(self) -> int:
        """Return the next unused number."""
        number = self.next_free
        self.next_free += 1
        return number


@attrs.define(eq=False)
class Service:
    """All queues of one account in one Region."""

    context: SimulationContext
    states: dict[str, QueueState] = attrs.field(factory=dict[str, QueueState])
    numbers: Numbers = attrs.field(factory=Numbers)
    to_come: int = 0
    """Number of messages that a fault will send, or bring back, later: a run waits for them."""
    moves: dict[int, int] = attrs.field(factory=dict[int, int])
    """Number of moves of each message to a dead-letter queue."""
    circling: dict[int, Message] = attrs.field(factory=dict[int, Message])
    """Messages that went round in a loop of redrive policies `ROUNDS` times, as they are in their present queue."""
    cycling: dict[str, list[Message]] = attrs.field(factory=dict[str, list[Message]])
    """Messages that came back `_RETURNS` times to a queue without a redrive policy, by queue."""
    on_put: Callable[[Message], object] | None = None
    """Called with each message that is sent, before it is received."""

    def open(self, queue: Queue) -> QueueState:
        """Add a queue."""
        state = self.states[queue.name] = QueueState.of(queue)
        return state

    # Sending

    def send(self, arrivals: Sequence[tuple[int, Arrival]]) -> None:
        """Accept messages that are sent at one moment, then serve the waiting receives."""
        for number, arrival in arrivals:
            self.enqueue(number, arrival)
        for name in dict.fromkeys(arrival.queue for _, arrival in arrivals):
            self.serve(self.states[name])

    def enqueue(
        self,
        number: int,
        arrival: Arrival,
        *,
        delay: int | None = None,
        cause: int | None = None,
        fault: str = "",
        copy_of: int | None = None,
    ) -> Message | None:
        """Put one message of a workload into its queue; return None if it repeats a deduplication id (FF-5, FF-6)."""
        now, state = self.context.now, self.states[arrival.queue]
        machine, content = state.machine, None if arrival.message is None else self._content(number, arrival)
        message = Message(number, arrival.body_bytes, now, group=arrival.group, content=content, copy_of=copy_of)
        fifo = machine if isinstance(machine, FifoQueue) else None
        if fifo is not None and content is not None:
            known = fifo.duplicate(arrival.group, content.deduplication_id, now=now)
            if known is not None:
                self.context.record(Deduplicated(now, cause, state.queue.name, number, known.message))
                return None
        self.put(state, message, delay=delay, cause=cause, fault=fault)
        if fifo is not None and content is None:
            fifo.remember_own(message, now=now)
        elif fifo is not None and content is not None:
            fifo.remember(message, content.deduplication_id, now=now)
        return message

    def _content(self, number: int, arrival: Arrival) -> Content:
        queue = self.states[arrival.queue].queue
        assert arrival.message is not None
        return content_of(
            arrival.message,
            fifo=queue.fifo,
            own_id=message_id(number),
            content_based=queue.content_based_deduplication,
        )

    def put(
        self,
        state: QueueState,
        message: Message,
        *,
        delay: int | None = None,
        cause: int | None = None,
        fault: str = "",
    ) -> None:
        """Accept one message that is sent now; `delay` in milliseconds overrides the queue's (DL-2).

        Call `serve` when all that are sent together are in.
        """
        now, name, number, size = self.context.event_queue.now, state.queue.name, message.number, message.body_bytes
        content = message.content
        own = "" if content is None else content.deduplication_id
        contents = "" if content is None else content.body_md5 + content.attributes_md5
        sent = Sent(now, cause, name, number, size, message.group, message.copy_of, fault, own, contents)
        message.last_event = self.context.record(sent)
        if self.on_put is not None:
            self.on_put(message)
        self._accept(state, message, delay)

    # Receiving

    def receive(self, name: str, maximum: int) -> list[Receipt]:
        """Return up to `maximum` messages to a poller, with the queue's visibility timeout."""
        state = self.states[name]
        self._expire_first(state)
        return self.take(state, self.wanted(state, maximum))

    def take(
        self, state: QueueState, maximum: int, *, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> list[Receipt]:
        """Return up to `maximum` messages; those over max_receive_count move to the dead-letter queue instead."""
        now = self.context.event_queue.now
        state.receives += 1
        received, moved = state.machine.receive(maximum, now=now, visibility_timeout=visibility_timeout, chance=chance)
        for message in moved:
            self._dead_letter(state, message)
        if received:
            self.wake_at(state, received[0].message.visible_at)
        return received

    def wanted(self, state: QueueState, maximum: int) -> int:
        """Return the number of messages that a receive may return: all if calm or FIFO, else sometimes fewer (RX-2)."""
        most = min(maximum, state.machine.store.visible)
        if most <= 1 or not self.context.random.seed or state.queue.fifo:
            return most
        random, share = self.context.random, self.context.assumptions.partial_receives
        if random.fraction(_PARTIAL, state.stream, state.receives + 1) * 100 >= share:
            return most
        return 1 + int(random.fraction(_SHARE, state.stream, state.receives + 1) * most)

    # Afterwards

    def delete(self, name: str, receipts: Sequence[Receipt]) -> list[int]:
        """Delete messages; return the numbers of those that stay: received again (RH-4), or expired on FIFO (RH-5).

        A batch with two deliveries of one message has two receipts for it, of which one can delete it.
        """
        state = self.states[name]
        stayed = [receipt.message for receipt in receipts if self.remove(state, receipt) in _STAYED]
        if state.queue.fifo and state.waiting:  # FF-16
            self.context.event_queue.after(0, partial(self.serve, state))
        return [message.number for message in stayed if message.stored]

    def remove(self, state: QueueState, receipt: Receipt) -> Outcome:
        """Delete one message. On FIFO queues that may unblock a group, so call `serve` afterwards (FF-16)."""
        return state.machine.delete(receipt)

    def change_visibility(self, state: QueueState, receipt: Receipt, timeout: int) -> Outcome:
        """Hide a message for `timeout` milliseconds from now; 0: it comes back at once (VT-6, VT-10)."""
        message, was_visible = receipt.message, receipt.message.visible
        outcome = state.machine.change_visibility(receipt, timeout, now=self.context.now)
        if outcome is Outcome.DONE and timeout:
            self.wake_at(state, message.visible_at)
        elif outcome is Outcome.DONE and not was_visible:
            self._returned(state, message)
        return outcome

    def reappear(self, state: QueueState, *messages: Message, fault: str = "") -> bool:
        """Show messages again that are in flight or deleted, as a replica of a standard queue does (OR-4, RH-10).

        Return whether any was shown: none on FIFO queues, and none that is visible or past its retention.
        """
        machine, now = state.machine, self.context.now
        if not isinstance(machine, StandardQueue):
            return False
        shown = [message for message in messages if machine.reappear(message, now=now)]
        for message in shown:
            self._returned(state, message, fault)
        self._watch_retention(state)
        self.serve(state)
        return bool(shown)

    def purge(self, state: QueueState, *, cause: int | None = None) -> None:
        """Remove all messages of a queue (PQ-1)."""
        gone = tuple(message.number for message in state.machine.purge())
        self.context.event_queue.may_be_over = True
        if gone:
            self.context.record(Deleted(self.context.now, cause, state.queue.name, "", gone, (), "PurgeQueue"))

    def serve(self, state: QueueState) -> None:
        """Give visible messages to waiting receives, first come first served (RX-5, RX-6)."""
        machine, waiting = state.machine, state.waiting
        while waiting and machine.receivable:
            waiting.popleft()()
        if state.on_backlog and machine.receivable:
            for notice in state.on_backlog:
                notice()

    def catch_up(self, state: QueueState) -> None:
        """Show and expire the messages that are due by now, before a client's call."""
        now, store = self.context.now, state.machine.store
        if (due := store.next_expiry()) is not None and due <= now:
            self._expire(state)
        if (due := store.next_due()) is not None and due <= now:
            self._settle(state)

    def configure(self, state: QueueState, queue: Queue) -> None:
        """Change a queue's attributes (DL-3, RT-3)."""
        state.queue = queue
        state.machine.configure(queue, now=self.context.now)
        if (due := state.machine.store.next_due()) is not None:
            self.wake_at(state, due)
        state.next_expiry = None
        self._watch_retention(state)
        self.serve(state)

    # Timers

    def wake_at(self, state: QueueState, due: int) -> None:
        """Check a queue again at a moment, when one of its messages becomes visible."""
        if state.last_wake != due:
            state.last_wake = due
            self.context.event_queue.at(due, partial(self._settle, state))

    def _accept(self, state: QueueState, message: Message, delay: int | None = None) -> None:
        state.machine.accept(message, now=self.context.event_queue.now, delay=delay)
        if not message.visible:
            self.wake_at(state, message.visible_at)
        if state.next_expiry is None or message.sent_at + state.machine.store.retention < state.next_expiry:
            self._watch_retention(state)

    def _settle(self, state: QueueState) -> None:
        self._expire_first(state)
        for message in state.machine.settle(now=self.context.event_queue.now):
            if message.receipt:
                self._returned(state, message)
        self.serve(state)

    def _returned(self, state: QueueState, message: Message, fault: str = "") -> None:
        now, name, count = self.context.event_queue.now, state.queue.name, message.receive_count
        message.last_event = self.context.record(Returned(now, message.last_event, name, message.number, count, fault))
        if message.deliveries >= _RETURNS and state.queue.redrive is None:
            if message.deliveries == _RETURNS:
                self.cycling.setdefault(name, []).append(message)
            self.context.event_queue.may_be_over = True

    def _dead_letter(self, state: QueueState, message: Message) -> None:
        redrive = state.queue.redrive
        self.context.event_queue.may_be_over = True
        assert redrive is not None
        now, name, target = self.context.now, state.queue.name, self.states[redrive.dead_letter_queue]
        index = self.context.record(
            DeadLettered(now, message.last_event, name, target.queue.name, message.number, message.receive_count)
        )
        delay = None if self.context.assumptions.moved_messages_wait else 0  # DL-7
        moved = dead_lettered(message, name, fifo=target.queue.fifo, index=index, now=now)
        moves = self.moves[message.number] = self.moves.get(message.number, 0) + 1
        if moves >= ROUNDS * len(self.states):
            self.circling[message.number] = moved
        self._accept(target, moved, delay)
        if target.waiting:
            self.context.event_queue.after(0, partial(self.serve, target))

    def _watch_retention(self, state: QueueState) -> None:
        due = state.machine.next_expiry()
        if due is not None and (state.next_expiry is None or due < state.next_expiry):
            state.next_expiry = due
            self.context.event_queue.at(max(due, self.context.now), partial(self._expire, state))

    def _expire_first(self, state: QueueState) -> None:
        """Expire messages before any of them becomes visible, or is received, in the same millisecond."""
        if state.next_expiry is not None and state.next_expiry <= self.context.now:
            self._expire(state)

    def _expire(self, state: QueueState) -> None:
        now, name = self.context.now, state.queue.name
        for message in state.machine.expire(now=now):
            self.context.record(Expired(now, message.last_event, name, message.number, message.receive_count))
        state.next_expiry = None
        self.context.event_queue.may_be_over = True
        self._watch_retention(state)
        self.serve(state)
