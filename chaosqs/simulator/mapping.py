"""The pollers of one event source mapping: receive, invoke, retry while throttled, delete after success, go on.

A poller carries one batch at a time, from the receive until it is deleted or given up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.concurrency import UNRESERVED, Refused
from chaosqs.machine.scaling import Scaling
from chaosqs.machine.standard_queue import Receipt
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import (
    Deleted,
    Event,
    InvocationEnded,
    PollersChanged,
    Received,
    ReceivedNothing,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.function import Lambda, Request
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.simulator.service import Line, Service

_RECEIVE, _INVOKE, _DELETE, _RETRY = map(
    site, ("receive latency", "invoke latency", "delete latency", "throttle retry")
)
_MOST_PER_RECEIVE = 10  # RX-1


@attrs.define(eq=False)
class Poller:
    """One of the mapping's pollers, and the batch that it carries."""

    number: int
    site: int
    receives: int = 0
    parked: int | None = None
    """When its present long poll, or the first one not yet recorded, began; None while it carries a batch."""
    idle_since: int | None = None
    """Since when it has found nothing; None while it carries a batch."""
    watched: bool = False
    """Whether somebody will look whether it should go."""
    receipts: Sequence[Receipt] = ()
    request: Request | None = None
    gives_up: int = 0
    """When the visibility of its batch ends: it retries a throttled batch up to then (ES-8)."""
    attempts: int = 0
    throttled: bool = False


@attrs.define(eq=False)
class Mapping:
    """One event source mapping while it runs."""

    mapping: EventSourceMapping
    agenda: Agenda
    luck: Luck
    nemesis: Nemesis
    record: Callable[[Event], int]
    service: Service
    functions: Lambda
    scaling: Scaling
    assumptions: Assumptions
    carried: int = 0
    """Batches in the pollers' hands."""
    _pollers: list[Poller] = attrs.field(factory=list[Poller])
    _idle: list[Poller] = attrs.field(factory=list[Poller])
    _throttled: int = 0
    _growing: bool = False

    @property
    def line(self) -> Line:
        """The queue that it polls."""
        return self.service.lines[self.mapping.queue]

    def start(self) -> None:
        """Begin to poll (ES-1)."""
        self._changed("first pollers")
        self.line.on_backlog.append(self._grow_later)
        for _ in range(self.scaling.pollers):
            self._add_poller()

    def stop(self) -> None:
        """Note the empty receives of pollers that still wait when the run ends."""
        for poller in self._pollers:
            self._count_empty(poller)

    def _add_poller(self) -> None:
        number = len(self._pollers) + 1
        poller = self._idle.pop() if self._idle else Poller(number, site(f"{self.mapping.name}/{number}"))
        if poller.number == number:
            self._pollers.append(poller)
        self.agenda.at(self.agenda.now, partial(self._poll, poller))

    # Receiving

    def _poll(self, poller: Poller) -> None:
        """Receive, or wait in a long poll until there is something (EP-1, RX-5)."""
        if not self._receive(poller):
            poller.parked = poller.idle_since = self.agenda.now
            self._park(poller)

    def _park(self, poller: Poller) -> None:
        self.line.waiting.append(partial(self._woken, poller))
        patience = self.scaling.patience()
        if patience is not None and not poller.watched:
            poller.watched = True
            self.agenda.at(self.agenda.now + patience, partial(self._retire, poller))

    def _woken(self, poller: Poller) -> None:
        if poller.parked is None:
            return
        self._count_empty(poller)
        if not self._receive(poller):
            self._park(poller)

    def _receive(self, poller: Poller) -> bool:
        """Take a batch in hand, if there is one: one receive is one batch (EP-3)."""
        receipts = self.service.receive(self.mapping.queue, min(self.mapping.batch_size, _MOST_PER_RECEIVE))
        if not receipts:
            return False
        now = self.agenda.now
        poller.parked = poller.idle_since = None
        poller.receives += 1
        messages = tuple([receipt.message.number for receipt in receipts])
        counts = tuple([receipt.message.receive_count for receipt in receipts])
        batch = tuple(zip(messages, counts, strict=True))
        lost = self.nemesis.strike("receive", (self.mapping.queue, self.mapping.function), batch, now)
        visible_at = receipts[0].message.visible_at
        place = self.record(
            Received(
                at=now,
                cause=receipts[0].message.last_event,
                queue=self.mapping.queue,
                mapping=self.mapping.name,
                poller=poller.number,
                messages=messages,
                receive_counts=counts,
                visible_at=visible_at,
                fault="" if lost is None else lost.name,
            )
        )
        for receipt in receipts:
            receipt.message.last_event = place
        if self.line.machine.visible:
            self._grow_later()
        if lost is not None:
            self.agenda.at(now, partial(self._poll, poller))
            return True
        self.carried += 1
        poller.receipts, poller.gives_up, poller.attempts = receipts, visible_at, 0
        poller.request = Request(self.mapping, poller.number, place, messages, batch)
        latency = self._latency(self.assumptions.receive_latency, _RECEIVE, poller)
        latency += self._latency(self.assumptions.invoke_latency, _INVOKE, poller)
        self.agenda.at(now + latency, partial(self._invoke, poller, poller.request))
        return True

    def _count_empty(self, poller: Poller) -> None:
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

    # Invoking

    def _invoke(self, poller: Poller, request: Request) -> None:
        now, function = self.agenda.now, self.mapping.function
        strike = self.nemesis.strike("invoke", (function,), request.batch, now)
        if strike is None:
            refused = self.functions.invoke(request, partial(self._answered, poller))
            if refused is None:
                self._set_throttled(poller, throttled=False)
            else:
                self._throttle(poller, request, refused, "")
        elif strike.kind == "throttled":
            busy, limit = self.functions.executions.running[function], self.functions.executions.limit(function)
            self._throttle(poller, request, Refused(UNRESERVED, busy, limit), strike.name)
        else:
            event = ServiceFailed(
                now, request.received, function, self.mapping.name, poller.number, request.messages, strike.name
            )
            self._release(poller, "service error", self.record(event))

    def _throttle(self, poller: Poller, request: Request, refused: Refused, fault: str) -> None:
        """Keep the batch and try again later, up to the end of its visibility (ES-8)."""
        now = self.agenda.now
        poller.attempts += 1
        self._set_throttled(poller, throttled=True)
        place = self.record(
            Throttled(
                at=now,
                cause=request.received,
                function=self.mapping.function,
                mapping=self.mapping.name,
                poller=poller.number,
                messages=request.messages,
                attempt=poller.attempts,
                reason=refused.reason,
                running=refused.running,
                limit=refused.limit,
                fault=fault,
            )
        )
        again = now + self._pause(poller)
        if again < poller.gives_up:
            self.agenda.at(again, partial(self._invoke, poller, request))
        else:
            self.agenda.at(max(now, poller.gives_up), partial(self._release, poller, "throttled", place))

    def _pause(self, poller: Poller) -> int:
        """Assumed: exponential back-off with full jitter between the retries of a throttled batch (ES-10)."""
        first, limit = self.assumptions.throttle_retry, self.assumptions.throttle_retry_limit
        ceiling = min(limit, first << min(poller.attempts - 1, 20))
        return max(1, round(ceiling * self.luck.fraction(_RETRY ^ poller.site, poller.receives, poller.attempts)))

    def _answered(self, poller: Poller, event: InvocationEnded, place: int) -> None:
        if not event.answered:
            self._release(poller, "no answer", place)
        elif event.outcome != "succeeded":
            self._release(poller, "failed", place)
        else:
            latency = self._latency(self.assumptions.delete_latency, _DELETE, poller)
            self.agenda.at(self.agenda.now + latency, partial(self._delete, poller, event.failed, place))

    def _delete(self, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
        """Delete what succeeded, then go on (EF-1; partial batch responses: PB-*)."""
        assert poller.request is not None
        kept = () if not self.mapping.report_batch_item_failures else failed
        receipts = [receipt for receipt in poller.receipts if receipt.message.number not in kept]
        numbers = tuple(receipt.message.number for receipt in receipts)
        batch = [entry for entry in poller.request.batch if entry[0] in numbers]
        lost = self.nemesis.strike("delete", (self.mapping.queue,), batch, self.agenda.now)
        stayed = self.service.delete(self.mapping.queue, receipts) if lost is None else list(numbers)
        if numbers:
            fault = "" if lost is None else lost.name
            self.record(
                Deleted(self.agenda.now, cause, self.mapping.queue, self.mapping.name, numbers, tuple(stayed), fault)
            )
        self._free(poller)

    def _release(self, poller: Poller, why: str, cause: int) -> None:
        """Forget the batch; nothing brings its messages back before their visibility ends (EC-15, EF-3)."""
        assert poller.request is not None
        event = Released(self.agenda.now, cause, self.mapping.name, poller.number, poller.request.messages, why)
        self.record(event)
        scales_down = why == "failed" and not self.mapping.report_batch_item_failures  # PB-13
        self._free(poller, let_go=scales_down and self.scaling.after_error())

    def _free(self, poller: Poller, *, let_go: bool = False) -> None:
        poller.request, poller.receipts = None, ()
        self._set_throttled(poller, throttled=False)
        self.carried -= 1
        self.agenda.may_be_over = True
        if let_go or (self._throttled and self.scaling.after_throttle()):
            self._let_go(poller)
        else:
            self.agenda.at(self.agenda.now, partial(self._poll, poller))

    def _let_go(self, poller: Poller) -> None:
        """Do without a poller; messages that wait make the mapping grow again."""
        self._idle.append(poller)
        self._grow_later()

    # Scaling

    def _grow_later(self) -> None:
        """Messages wait and every poller is busy: grow by the law while that is so (ES-2)."""
        if not self._growing and self.scaling.pollers < self.scaling.law.ceiling:
            self._growing = True
            self.agenda.at(self.agenda.now + self.scaling.interval(throttled=self._throttled > 0), self._grow)

    def _grow(self) -> None:
        """Take one step; where it is refused, the next receive that leaves messages waiting asks again."""
        self._growing = False
        wanted = self.line.machine.visible or self.scaling.pollers < self.scaling.law.start
        if wanted and self.scaling.grow(throttled=self._throttled > 0):
            self._changed("messages wait")
            self._add_poller()
            self._grow_later()

    def _retire(self, poller: Poller) -> None:
        """Let a poller go that has found nothing for long enough (ES-5); else look again when it may have."""
        poller.watched = False
        patience = self.scaling.patience()
        if poller.idle_since is None or patience is None:
            return
        if self.scaling.shrink(self.agenda.now - poller.idle_since):
            self._count_empty(poller)
            poller.parked = poller.idle_since = None
            self._idle.append(poller)
            self._changed("nothing to do")
        else:
            poller.watched = True
            self.agenda.at(poller.idle_since + patience, partial(self._retire, poller))

    def _set_throttled(self, poller: Poller, *, throttled: bool) -> None:
        self._throttled += throttled - poller.throttled
        poller.throttled = throttled

    def _changed(self, why: str) -> None:
        self.record(PollersChanged(self.agenda.now, None, self.mapping.name, self.scaling.pollers, why))

    def _latency(self, median: int, kind: int, poller: Poller) -> int:
        spread = self.assumptions.latency_spread / 100
        return max(1, round(self.luck.around(median, spread, kind ^ poller.site, poller.receives)))
