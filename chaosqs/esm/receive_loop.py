"""The receive loop of a mapping's pollers: long polls, filters, batching windows, and the faults of receives."""

from collections.abc import Callable, Container, Sequence
from functools import partial

import attrs

from chaosqs.esm.machines.batching import MOST_PER_RECEIVE, Batcher
from chaosqs.esm.poller_fleet import Latency, Poller, PollerFleet
from chaosqs.kernel.context import InjectedFault, SimulationContext
from chaosqs.lambda_.machines.sqs_event import Event, plain_record_bytes
from chaosqs.lambda_.results import record_of
from chaosqs.model.design import PAYLOAD_LIMIT, EventSourceMapping
from chaosqs.model.event_filter import Match, Pattern, matches, parse
from chaosqs.model.events import FilteredOut, Held, Received, ReceivedNothing, ReceiveFailed, Released
from chaosqs.sqs.machines.message import Message, Receipt, body_of
from chaosqs.sqs.machines.queue_machine import Chance
from chaosqs.sqs.service import QueueState, Service

# Faults of receives: before the response (`poll`) and of the response (`receive`) -------------------------------------

_SLOW = 5_000
"""Milliseconds that the response to a `slow_receive` takes."""
_BRINGS_NOTHING = ("failed_receive", "empty_receive", "quota_full")


@attrs.define(eq=False)
class ReceiveFaults:
    """The faults of one mapping's receives."""

    mapping: EventSourceMapping
    context: SimulationContext
    service: Service
    latency: Latency
    _scopes: tuple[str, ...] = attrs.field(init=False)
    _shown_twice: dict[int, int] = attrs.field(factory=dict[int, int])
    """End of visibility of each doubled message, by number; a window's `duplicate` does not apply to it before."""

    def __attrs_post_init__(self) -> None:
        """Set the scopes of the receives."""
        self._scopes = (self.mapping.queue, self.mapping.function, self.mapping.name)

    @property
    def state(self) -> QueueState:
        """The queue that is polled."""
        return self.service.states[self.mapping.queue]

    # Before the response

    def poll(self, wanted: int) -> InjectedFault | None:
        """Return the fault to inject into a receive of up to `wanted` messages; None if it would change nothing.

        The plan is asked about the first message of the queue, at its next receive count. If none waits: no fault.
        """
        machine = self.state.machine
        first = machine.head() if machine.receivable else None
        if first is None:
            return None
        injected = self.context.injector.poll(self._scopes, first.number, first.receive_count + 1, self.context.now)
        if injected is None or injected.kind in _BRINGS_NOTHING:
            return injected
        if injected.kind == "out_of_order":
            return injected if machine.visible > 1 and not self.state.queue.fifo else None
        return injected if min(machine.visible, wanted) > 1 else None

    def fail(self, poller: Poller, injected: InjectedFault) -> int | None:
        """Record a receive that brings nothing; return the moment of the next one. None: this one brings messages."""
        if injected.kind not in _BRINGS_NOTHING:
            return None
        now, mapping = self.context.now, self.mapping
        self.context.record(ReceiveFailed(now, None, mapping.queue, mapping.name, poller.number, injected.name))
        if injected.kind == "quota_full" and injected.until is not None:
            return injected.until
        if injected.kind == "empty_receive":
            return (
                now + self.latency.receive(poller)
                if injected.until is None
                else min(now + self.context.assumptions.receive_retry, injected.until)
            )
        return now + self.context.assumptions.receive_retry

    def receive(self, injected: InjectedFault, wanted: int) -> list[Receipt]:
        """Receive one message if the receive is short; the newest ones, newest first, if it is out of order."""
        state = self.state
        if injected.kind == "short_receive":
            return self.service.take(state, 1)
        most = self.service.wanted(state, wanted)
        receipts = self.service.take(state, most, chance=Chance(skip=state.machine.visible - most))
        return receipts[::-1]

    def blind(self) -> bool:
        """Return whether an open window keeps receives from bringing anything: then waiting messages go unseen."""
        open_now = self.context.injector.window("poll", self._scopes, self.context.now)
        return open_now is not None and open_now.kind in _BRINGS_NOTHING

    # The response

    def response(self, receipts: Sequence[Receipt]) -> InjectedFault | None:
        """Return the fault to inject into the response to a receive."""
        batch = ((receipt.message.number, receipt.message.receive_count) for receipt in receipts)
        injected = self.context.injector.injected("receive", self._scopes, batch, self.context.now)
        return (
            None
            if injected is not None and injected.kind == "duplicate" and not self._twice(injected, receipts)
            else injected
        )

    def hold(self, poller: Poller, receipts: Sequence[Receipt], index: int, injected: InjectedFault) -> int:
        """Record that a response is slow; return when it comes."""
        now = self.context.now
        until = now + _SLOW
        messages = tuple(receipt.message.number for receipt in receipts)
        self.context.record(Held(now, index, self.mapping.name, poller.number, messages, until, injected.name))
        return until

    def duplicate(self, receipts: Sequence[Receipt], injected: InjectedFault) -> None:
        """Show the messages of a receive again at once, as if a replica had missed the receive (OR-4)."""
        messages = self._twice(injected, receipts)
        for message in messages:
            self._shown_twice[message.number] = message.visible_at
        self.context.event_queue.after(0, partial(self._show, messages, injected.name))

    def _show(self, messages: Sequence[Message], fault: str) -> None:
        self.service.reappear(self.state, *(message for message in messages if message.stored), fault=fault)

    def _twice(self, injected: InjectedFault, receipts: Sequence[Receipt]) -> list[Message]:
        """Return the messages that will be in flight twice. A window does not add a third delivery.

        Without this rule all waiting pollers would get them at one moment, one after another.
        """
        if self.state.queue.fifo:
            return []
        now, messages = self.context.now, [receipt.message for receipt in receipts]
        if injected.until is None:
            return messages
        return [message for message in messages if self._shown_twice.get(message.number, 0) <= now]


# Receiving ------------------------------------------------------------------------------------------------------------

_ALWAYS_FITS = PAYLOAD_LIMIT // 16
"""Bytes of message bodies that always fit into one payload, whatever their JSON escapes."""


@attrs.define(eq=False)
class ReceiveLoop:
    """The receiving half of a mapping."""

    mapping: EventSourceMapping
    context: SimulationContext
    service: Service
    latency: Latency
    fleet: PollerFleet
    ready: Callable[[Poller, Sequence[Receipt], int], None]
    """Called with a poller's batch and the index of the receive that completed it."""
    faults: ReceiveFaults = attrs.field(init=False)
    _asks_poll: bool = attrs.field(init=False)
    """True if the fault plan has faults before the response."""
    _asks_response: bool = attrs.field(init=False)
    """True if the fault plan has faults of the response."""
    _patterns: tuple[Pattern, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Parse the filters; raise `InvalidPattern` for one that AWS would refuse (EC-24)."""
        self.faults = ReceiveFaults(self.mapping, self.context, self.service, self.latency)
        self._asks_poll, self._asks_response = self.context.injector.asks("poll"), self.context.injector.asks("receive")
        self._patterns = tuple(parse(pattern) for pattern in self.mapping.filters)

    @property
    def state(self) -> QueueState:
        """The queue that is polled."""
        return self.service.states[self.mapping.queue]

    def poll(self, poller: Poller) -> None:
        """Receive, or wait in a long poll until there are messages (EP-1, RX-5)."""
        if poller.batcher is not None and self._hand_over(poller):
            return
        if not self.fleet.release_before_receive(poller) and not self._receive(poller):
            poller.parked = self.context.now
            poller.idle_since = None if poller.held else self.context.now
            self._park(poller)

    def dismiss(self, poller: Poller) -> None:
        """End a poller's wait for messages."""
        self.count_empty(poller)
        poller.parked = poller.idle_since = None

    def count_empty(self, poller: Poller) -> None:
        """Record the long polls that came back empty while the poller waited, as one event."""
        if poller.parked is None:
            return
        wait = self.context.assumptions.long_poll
        count = (self.context.now - poller.parked) // wait
        if count:
            since, queue = poller.parked, self.mapping.queue
            poller.parked = since + count * wait
            self.context.record(
                ReceivedNothing(self.context.now, None, queue, self.mapping.name, poller.number, count, since, wait)
            )

    def _park(self, poller: Poller) -> None:
        self.state.waiting.append(partial(self._woken, poller))
        self.fleet.watch(poller)

    def _woken(self, poller: Poller) -> None:
        if poller.parked is None:
            return
        self.count_empty(poller)
        if not self._receive(poller):
            self._park(poller)

    def _receive(self, poller: Poller) -> bool:
        """Receive once; without a window that is a batch (EP-3, EP-7). Return False if the poller has to wait."""
        batcher = poller.batcher
        wanted = min(self.mapping.batch_size, MOST_PER_RECEIVE) if batcher is None else batcher.wanted
        injected = self.faults.poll(wanted) if self._asks_poll else None
        if injected is not None and (due := self.faults.fail(poller, injected)) is not None:
            self._try_again(poller, due)
            return True
        receipts = (
            self.service.receive(self.mapping.queue, wanted)
            if injected is None
            else self.faults.receive(injected, wanted)
        )
        if not receipts:
            return False
        poller.parked = poller.idle_since = None
        poller.receives += 1
        if self._asks_response and injected is None:
            injected = self.faults.response(receipts)
        index = self._recorded(poller, receipts, injected)
        if self.state.machine.receivable:
            self.fleet.grow_later()
        if injected is None:
            self._take_in(poller, receipts, index)
        else:
            self._answered(poller, receipts, index, injected)
        return True

    def _try_again(self, poller: Poller, due: int) -> None:
        """Schedule the next receive of a poller whose receive brought nothing by a fault."""
        poller.parked = poller.idle_since = None
        poller.again = due
        self.context.event_queue.at(due, partial(self._again, poller, due), poller.task)

    def _again(self, poller: Poller, due: int) -> None:
        if poller.again == due:
            poller.again = None
            self.poll(poller)

    def _answered(self, poller: Poller, receipts: Sequence[Receipt], index: int, injected: InjectedFault) -> None:
        """Go on with a response into which a fault was injected."""
        if injected.kind == "lost_receive":
            self._look_again(poller)
        elif injected.kind == "slow_receive":
            poller.pending = True
            due = self.faults.hold(poller, receipts, index, injected)
            self.context.event_queue.at(due, partial(self._late, poller, receipts, index), poller.task)
        else:
            self._take_in(poller, receipts, index)
            if injected.kind == "duplicate":
                self.faults.duplicate(receipts, injected)

    def _late(self, poller: Poller, receipts: Sequence[Receipt], index: int) -> None:
        poller.pending = False
        self._take_in(poller, receipts, index)

    def _take_in(self, poller: Poller, receipts: Sequence[Receipt], index: int) -> None:
        """Make the received messages a batch, or a part of one."""
        if self._patterns:
            receipts = self._filtered(poller, receipts, index)
        if not receipts:
            self._look_again(poller)
        elif poller.batcher is None and self._is_batch(receipts):
            self.ready(poller, receipts, index)
        else:
            self._gather(poller, receipts, index)

    def _look_again(self, poller: Poller) -> None:
        self.context.event_queue.after(self.latency.receive(poller), partial(self.poll, poller), poller.task)

    def _recorded(self, poller: Poller, receipts: Sequence[Receipt], injected: InjectedFault | None) -> int:
        """Record a receive; return the index of the event."""
        first = receipts[0].message
        index = self.context.record(
            Received(
                at=self.context.event_queue.now,
                cause=first.last_event,
                queue=self.mapping.queue,
                mapping=self.mapping.name,
                poller=poller.number,
                messages=tuple([receipt.message.number for receipt in receipts]),
                receive_counts=tuple([receipt.message.receive_count for receipt in receipts]),
                visible_at=first.visible_at,
                fault="" if injected is None else injected.name,
                lost=injected is not None and injected.kind == "lost_receive",  # RX-8
            )
        )
        for receipt in receipts:
            receipt.message.last_event = index
        return index

    def _filtered(self, poller: Poller, receipts: Sequence[Receipt], index: int) -> list[Receipt]:
        """Delete the messages that match no filter, and return the rest (FL-1, FL-2)."""
        found = [matches(self._patterns, body_of(each.message), self._metadata(each)) for each in receipts]
        gone = [
            (receipt, match.value) for receipt, match in zip(receipts, found, strict=True) if match is not Match.MATCHED
        ]
        if gone:
            self.service.delete(self.mapping.queue, [receipt for receipt, _ in gone])
            numbers = tuple(receipt.message.number for receipt, _ in gone)
            rules = tuple(rule for _, rule in gone)
            now, mapping = self.context.now, self.mapping
            self.context.record(FilteredOut(now, index, mapping.queue, mapping.name, poller.number, numbers, rules))
            self.context.event_queue.may_be_over = True
            self.service.serve(self.state)
        return [receipt for receipt, match in zip(receipts, found, strict=True) if match is Match.MATCHED]

    def _metadata(self, receipt: Receipt) -> Event | None:
        """Return what filters on other keys than `body` test; None: no message matches them (FL-4, FL-7)."""
        if not any(pattern.others for pattern in self._patterns):
            return {}
        return record_of(receipt, self.mapping.queue) if self.context.assumptions.metadata_filters else None

    def _is_batch(self, receipts: Sequence[Receipt]) -> bool:
        """Return whether a receive is a batch by itself: the mapping has no window, and the size surely fits."""
        size = sum([receipt.message.body_bytes for receipt in receipts])
        return not self.mapping.maximum_batching_window and size <= _ALWAYS_FITS

    # Batching windows, and batches too large for one payload

    def _gather(self, poller: Poller, receipts: Sequence[Receipt], index: int) -> None:
        """Add the received messages to the batch; hand it over, or go on until the window closes (EP-4)."""
        self._keep(poller, receipts)
        poller.latest = index
        if not self._hand_over(poller):
            self.context.event_queue.after(self.latency.receive(poller), partial(self._poll_on, poller), poller.task)

    def _keep(self, poller: Poller, receipts: Sequence[Receipt]) -> None:
        if poller.batcher is None:
            size, window = self.mapping.batch_size, self.mapping.maximum_batching_window * 1000
            poller.batcher = Batcher(size, window, self.context.assumptions.low_traffic_wait if window else 0)
        poller.held.extend(receipts)
        poller.batcher.add([plain_record_bytes(receipt.message.body_bytes) for receipt in receipts], self.context.now)

    def _poll_on(self, poller: Poller) -> None:
        if poller.request is None and poller.parked is None:
            self.poll(poller)

    def _hand_over(self, poller: Poller) -> bool:
        """Hand over the batch if it is ready; else check again when its window closes. Return whether it was ready."""
        batcher = poller.batcher
        due = None if batcher is None else batcher.due()
        if batcher is None or due is None:
            return False
        if due > self.context.now:
            if poller.closes != due:
                poller.closes = due
                self.context.event_queue.at(due, partial(self._closed, poller), poller.task)
            return False
        taken = batcher.take(self.context.now)
        batch, poller.held = poller.held[:taken], poller.held[taken:]
        poller.again = None
        if poller.parked is not None:
            self.dismiss(poller)
        self.ready(poller, batch, poller.latest)
        return True

    def hold_back(self, poller: Poller, groups: Container[str], cause: int) -> None:
        """Forget gathered messages behind a failed one of their group: those that a full payload cut off (EQ-6)."""
        gone = [receipt for receipt in poller.held if receipt.message.group in groups]
        if not gone:
            return
        left = [receipt for receipt in poller.held if receipt.message.group not in groups]
        poller.held, poller.batcher = [], None
        numbers = tuple(receipt.message.number for receipt in gone)
        self.context.record(Released(self.context.now, cause, self.mapping.name, poller.number, numbers, "held back"))
        if left:
            self._keep(poller, left)

    def _closed(self, poller: Poller) -> None:
        if poller.request is None and poller.held and not poller.pending:
            self._hand_over(poller)
