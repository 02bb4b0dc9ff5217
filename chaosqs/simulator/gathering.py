"""How the pollers of a mapping come to their batches: long polls, filters, batching windows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.batcher import MOST_PER_RECEIVE, Batcher
from chaosqs.machine.message import Receipt, body_of
from chaosqs.machine.sqs_event import PAYLOAD_LIMIT, plain_record_bytes
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Event, FilteredOut, Received, ReceivedNothing
from chaosqs.model.event_filter import Match, Pattern, matches, parse
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.crew import Crew, Poller
from chaosqs.simulator.latency import Latency
from chaosqs.simulator.nemesis import Nemesis
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
    _patterns: tuple[Pattern, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Read the filters; raise `InvalidPattern` for what AWS would refuse (EC-24)."""
        self._patterns = tuple(parse(pattern) for pattern in self.mapping.filters)

    @property
    def line(self) -> Line:
        """The queue that is polled."""
        return self.service.lines[self.mapping.queue]

    def poll(self, poller: Poller) -> None:
        """Receive, or wait in a long poll until there is something (EP-1, RX-5)."""
        if poller.batcher is not None and self._hand_over(poller):
            return
        if not self.crew.retired and not self._receive(poller):
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
        """Receive once; without a window that is a batch (EP-3). Tell whether anything came."""
        batcher = poller.batcher
        wanted = min(self.mapping.batch_size, MOST_PER_RECEIVE) if batcher is None else batcher.wanted
        receipts = self.service.receive(self.mapping.queue, wanted)
        if not receipts:
            return False
        poller.parked = poller.idle_since = None
        poller.receives += 1
        place, lost = self._recorded(poller, receipts)
        if self.line.machine.receivable:
            self.crew.grow_later()
        if self._patterns and not lost:
            receipts = self._filtered(poller, receipts, place)
        if lost or not receipts:
            self.agenda.at(self.agenda.now + self.latency.receive(poller), partial(self.poll, poller))
        elif batcher is None and self._is_batch(receipts):
            self.ready(poller, receipts, place)
        else:
            self._gather(poller, receipts, place)
        return True

    def _recorded(self, poller: Poller, receipts: Sequence[Receipt]) -> tuple[int, bool]:
        """Record a receive; return its place, and whether a fault lost the answer (RX-8)."""
        first = receipts[0].message
        messages = tuple([receipt.message.number for receipt in receipts])
        counts = tuple([receipt.message.receive_count for receipt in receipts])
        scopes = (self.mapping.queue, self.mapping.function)
        lost = self.nemesis.strike("receive", scopes, zip(messages, counts, strict=True), self.agenda.now)
        place = self.record(
            Received(
                at=self.agenda.now,
                cause=first.last_event,
                queue=self.mapping.queue,
                mapping=self.mapping.name,
                poller=poller.number,
                messages=messages,
                receive_counts=counts,
                visible_at=first.visible_at,
                fault="" if lost is None else lost.name,
            )
        )
        for receipt in receipts:
            receipt.message.last_event = place
        return place, lost is not None

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
            self.agenda.at(self.agenda.now + self.latency.receive(poller), partial(self._poll_on, poller))

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
                self.agenda.at(due, partial(self._closed, poller))
            return False
        taken = batcher.take(self.agenda.now)
        batch, poller.held = poller.held[:taken], poller.held[taken:]
        if poller.parked is not None:
            self.dismiss(poller)
        self.ready(poller, batch, poller.latest)
        return True

    def _closed(self, poller: Poller) -> None:
        if poller.request is None and poller.held:
            self._hand_over(poller)
