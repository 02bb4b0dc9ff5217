"""How the pollers of a mapping come to their batches: long polls, filters, batching windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.batcher import MOST_PER_RECEIVE, Batcher
from chaosqs.machine.message import Receipt, body_of
from chaosqs.machine.sqs_event import plain_record_bytes
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import PAYLOAD_LIMIT, EventSourceMapping
from chaosqs.model.event import Event, FilteredOut, Received, ReceivedNothing
from chaosqs.model.event_filter import Match, Pattern, matches, parse
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.crew import Crew, Poller
from chaosqs.simulator.latency import Latency
from chaosqs.simulator.nemesis import Nemesis, Strike
from chaosqs.simulator.receive_faults import ReceiveFaults
from chaosqs.simulator.service import Line, Service

_ALWAYS_FITS = PAYLOAD_LIMIT // 16
"""Bytes of bodies that fit into one payload, whatever JSON makes of them."""


@attrs.define(eq=False)
class Gathering:
    """The receiving half of a mapping."""

    mapping: EventSourceMapping
    agenda: Agenda
    nemesis: Nemesis
    record: Callable[[Event], int]
    service: Service
    assumptions: Assumptions
    latency: Latency
    crew: Crew
    ready: Callable[[Poller, Sequence[Receipt], int], None]
    """Called with a poller's batch, and the place of the receive that completed it."""
    faults: ReceiveFaults = attrs.field(init=False)
    _asks_poll: bool = attrs.field(init=False)
    _asks_answer: bool = attrs.field(init=False)
    """Whether the fault plan has anything for receives before they are answered, or for the answers."""
    _patterns: tuple[Pattern, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Read the filters; raise `InvalidPattern` for what AWS would refuse (EC-24)."""
        self.faults = ReceiveFaults(
            self.mapping, self.agenda, self.nemesis, self.record, self.service, self.assumptions, self.latency
        )
        self._asks_poll, self._asks_answer = self.nemesis.asks("poll"), self.nemesis.asks("receive")
        self._patterns = tuple(parse(pattern) for pattern in self.mapping.filters)

    @property
    def line(self) -> Line:
        """The queue that is polled."""
        return self.service.lines[self.mapping.queue]

    def poll(self, poller: Poller) -> None:
        """Receive, or wait in a long poll until there is something (EP-1, RX-5)."""
        if poller.batcher is not None and self._hand_over(poller):
            return
        if not self.crew.lets_go(poller) and not self._receive(poller):
            poller.parked = self.agenda.now
            poller.idle_since = None if poller.held else self.agenda.now
            self._park(poller)

    def dismiss(self, poller: Poller) -> None:
        """End a poller's wait for messages."""
        self.count_empty(poller)
        poller.parked = poller.idle_since = None

    def count_empty(self, poller: Poller) -> None:
        """Record the long polls that came back empty while the poller waited, as one event."""
        if poller.parked is None:
            return
        wait = self.assumptions.long_poll
        count = (self.agenda.now - poller.parked) // wait
        if count:
            since, queue = poller.parked, self.mapping.queue
            poller.parked = since + count * wait
            self.record(
                ReceivedNothing(self.agenda.now, None, queue, self.mapping.name, poller.number, count, since, wait)
            )

    def _park(self, poller: Poller) -> None:
        self.line.waiting.append(partial(self._woken, poller))
        self.crew.watch(poller)

    def _woken(self, poller: Poller) -> None:
        if poller.parked is None:
            return
        self.count_empty(poller)
        if not self._receive(poller):
            self._park(poller)

    def _receive(self, poller: Poller) -> bool:
        """Receive once; without a window that is a batch (EP-3, EP-7). Tell whether the poller need not wait."""
        batcher = poller.batcher
        wanted = min(self.mapping.batch_size, MOST_PER_RECEIVE) if batcher is None else batcher.wanted
        strike = self.faults.poll(wanted) if self._asks_poll else None
        if strike is not None and (due := self.faults.fail(poller, strike)) is not None:
            self._try_again(poller, due)
            return True
        receipts = (
            self.service.receive(self.mapping.queue, wanted) if strike is None else self.faults.receive(strike, wanted)
        )
        if not receipts:
            return False
        poller.parked = poller.idle_since = None
        poller.receives += 1
        if self._asks_answer and strike is None:
            strike = self.faults.answer(receipts)
        place = self._recorded(poller, receipts, strike)
        if self.line.machine.receivable:
            self.crew.grow_later()
        if strike is None:
            self._take_in(poller, receipts, place)
        else:
            self._answered(poller, receipts, place, strike)
        return True

    def _try_again(self, poller: Poller, due: int) -> None:
        """Let a poller whose receive brought nothing, although messages wait, receive again at a moment."""
        poller.parked = poller.idle_since = None
        poller.again = due
        self.agenda.at(due, partial(self._again, poller, due), poller.task)

    def _again(self, poller: Poller, due: int) -> None:
        if poller.again == due:
            poller.again = None
            self.poll(poller)

    def _answered(self, poller: Poller, receipts: Sequence[Receipt], place: int, strike: Strike) -> None:
        """Go on with an answer that a fault has struck; where it changed only what came, with that."""
        if strike.kind == "lost_receive":
            self._look_again(poller)
        elif strike.kind == "slow_receive":
            poller.pending = True
            due = self.faults.hold(poller, receipts, place, strike)
            self.agenda.at(due, partial(self._late, poller, receipts, place), poller.task)
        else:
            self._take_in(poller, receipts, place)
            if strike.kind == "duplicate":
                self.faults.duplicate(receipts, strike)

    def _late(self, poller: Poller, receipts: Sequence[Receipt], place: int) -> None:
        poller.pending = False
        self._take_in(poller, receipts, place)

    def _take_in(self, poller: Poller, receipts: Sequence[Receipt], place: int) -> None:
        """Make a batch of what came, or a part of one."""
        if self._patterns:
            receipts = self._filtered(poller, receipts, place)
        if not receipts:
            self._look_again(poller)
        elif poller.batcher is None and self._is_batch(receipts):
            self.ready(poller, receipts, place)
        else:
            self._gather(poller, receipts, place)

    def _look_again(self, poller: Poller) -> None:
        self.agenda.at(self.agenda.now + self.latency.receive(poller), partial(self.poll, poller), poller.task)

    def _recorded(self, poller: Poller, receipts: Sequence[Receipt], strike: Strike | None) -> int:
        """Record a receive; return its place."""
        first = receipts[0].message
        place = self.record(
            Received(
                at=self.agenda.now,
                cause=first.last_event,
                queue=self.mapping.queue,
                mapping=self.mapping.name,
                poller=poller.number,
                messages=tuple([receipt.message.number for receipt in receipts]),
                receive_counts=tuple([receipt.message.receive_count for receipt in receipts]),
                visible_at=first.visible_at,
                fault="" if strike is None else strike.name,
                lost=strike is not None and strike.kind == "lost_receive",  # RX-8
            )
        )
        for receipt in receipts:
            receipt.message.last_event = place
        return place

    def _filtered(self, poller: Poller, receipts: Sequence[Receipt], place: int) -> list[Receipt]:
        """Delete what matches no filter, and return the rest (FL-1, FL-2)."""
        found = [matches(self._patterns, body_of(receipt.message)) for receipt in receipts]
        gone = [
            (receipt, match.value) for receipt, match in zip(receipts, found, strict=True) if match is not Match.MATCHED
        ]
        if gone:
            self.service.delete(self.mapping.queue, [receipt for receipt, _ in gone])
            numbers = tuple(receipt.message.number for receipt, _ in gone)
            rules = tuple(rule for _, rule in gone)
            now, mapping = self.agenda.now, self.mapping
            self.record(FilteredOut(now, place, mapping.queue, mapping.name, poller.number, numbers, rules))
            self.agenda.may_be_over = True
            self.service.serve(self.line)
        return [receipt for receipt, match in zip(receipts, found, strict=True) if match is Match.MATCHED]

    def _is_batch(self, receipts: Sequence[Receipt]) -> bool:
        """Tell whether a receive is a batch as it is: no window to wait for, and surely small enough."""
        size = sum([receipt.message.body_bytes for receipt in receipts])
        return not self.mapping.maximum_batching_window and size <= _ALWAYS_FITS

    # Batching windows, and batches too large for one payload

    def _gather(self, poller: Poller, receipts: Sequence[Receipt], place: int) -> None:
        """Add what came to the batch; hand it over, or go on until the window closes (EP-4)."""
        if poller.batcher is None:
            size, window = self.mapping.batch_size, self.mapping.maximum_batching_window * 1000
            poller.batcher = Batcher(size, window, self.assumptions.low_traffic_wait if window else 0)
        poller.held.extend(receipts)
        poller.latest = place
        poller.batcher.add([plain_record_bytes(receipt.message.body_bytes) for receipt in receipts], self.agenda.now)
        if not self._hand_over(poller):
            self.agenda.at(self.agenda.now + self.latency.receive(poller), partial(self._poll_on, poller), poller.task)

    def _poll_on(self, poller: Poller) -> None:
        if poller.request is None and poller.parked is None:
            self.poll(poller)

    def _hand_over(self, poller: Poller) -> bool:
        """Hand a batch over if it is ready; else look again when its window closes."""
        batcher = poller.batcher
        due = None if batcher is None else batcher.due()
        if batcher is None or due is None:
            return False
        if due > self.agenda.now:
            if poller.closes != due:
                poller.closes = due
                self.agenda.at(due, partial(self._closed, poller), poller.task)
            return False
        taken = batcher.take(self.agenda.now)
        batch, poller.held = poller.held[:taken], poller.held[taken:]
        poller.again = None
        if poller.parked is not None:
            self.dismiss(poller)
        self.ready(poller, batch, poller.latest)
        return True

    def _closed(self, poller: Poller) -> None:
        if poller.request is None and poller.held and not poller.pending:
            self._hand_over(poller)
