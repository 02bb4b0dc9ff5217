"""The pollers of one event source mapping: receive, invoke, retry while throttled, delete after success, go on.

A poller carries one batch at a time, from the receive until it is deleted or given up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import attrs

from chaosqs.machine.concurrency import UNRESERVED, Refused
from chaosqs.machine.scaling import Scaling
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import (
    Deleted,
    Event,
    InvocationEnded,
    Received,
    ReceivedNothing,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.crew import Crew, Poller
from chaosqs.simulator.function import Lambda, Request
from chaosqs.simulator.luck import Luck, site
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.simulator.service import Line, Service

_RECEIVE, _INVOKE, _DELETE, _RETRY = map(
    site, ("receive latency", "invoke latency", "delete latency", "throttle retry")
)
_MOST_PER_RECEIVE = 10  # RX-1


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
    crew: Crew = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Gather the crew."""
        machine = self.line.machine
        self.crew = Crew(
            self.mapping.name,
            self.agenda,
            self.record,
            self.scaling,
            waiting=lambda: machine.visible,
            poll=self._poll,
            dismiss=self._dismiss,
        )

    @property
    def line(self) -> Line:
        """The queue that it polls."""
        return self.service.lines[self.mapping.queue]

    def start(self) -> None:
        """Begin to poll."""
        self.line.on_backlog.append(self.crew.grow_later)
        self.crew.start()

    def stop(self) -> None:
        """Note the empty receives of pollers that still wait when the run ends."""
        for poller in self.crew.pollers:
            self._count_empty(poller)

    # Receiving

    def _poll(self, poller: Poller) -> None:
        """Receive, or wait in a long poll until there is something (EP-1, RX-5)."""
        if not self._receive(poller):
            poller.parked = poller.idle_since = self.agenda.now
            self._park(poller)

    def _park(self, poller: Poller) -> None:
        self.line.waiting.append(partial(self._woken, poller))
        self.crew.watch(poller)

    def _dismiss(self, poller: Poller) -> None:
        self._count_empty(poller)
        poller.parked = poller.idle_since = None

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
            self.crew.grow_later()
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
                self.crew.set_throttled(poller, throttled=False)
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
        self.crew.set_throttled(poller, throttled=True)
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
        self._free(poller, failed=why == "failed" and not self.mapping.report_batch_item_failures)  # PB-13

    def _free(self, poller: Poller, *, failed: bool = False) -> None:
        poller.request, poller.receipts = None, ()
        self.carried -= 1
        self.agenda.may_be_over = True
        self.crew.go_on(poller, failed=failed)

    def _latency(self, median: int, kind: int, poller: Poller) -> int:
        spread = self.assumptions.latency_spread / 100
        return max(1, round(self.luck.around(median, spread, kind ^ poller.site, poller.receives)))
