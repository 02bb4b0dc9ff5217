"""The pollers of one event source mapping: receive, invoke, retry while throttled, delete after success, go on.

A poller carries one batch at a time, from the receive until it is deleted or given up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.concurrency import UNRESERVED, Refused
from chaosqs.machine.message import Receipt
from chaosqs.machine.scaling import Scaling
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import (
    Deleted,
    Event,
    InvocationEnded,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.crew import Crew, Poller
from chaosqs.simulator.function import Lambda, Request
from chaosqs.simulator.gathering import Gathering
from chaosqs.simulator.latency import Latency
from chaosqs.simulator.luck import Luck
from chaosqs.simulator.nemesis import Nemesis
from chaosqs.simulator.service import Line, Service


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
    numbered_from: int = 0
    """How many pollers it had before it was configured anew."""
    carried: int = 0
    """Batches in the pollers' hands."""
    latency: Latency = attrs.field(init=False)
    crew: Crew = attrs.field(init=False)
    gathering: Gathering = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Put the parts together."""
        machine = self.line.machine
        self.latency = Latency(self.luck, self.assumptions)
        self.crew = Crew(
            self.mapping.name,
            self.agenda,
            self.record,
            self.scaling,
            lambda: machine.receivable,
            self._poll,
            self._dismiss,
            numbered_from=self.numbered_from,
        )
        self.gathering = Gathering(
            self.mapping,
            self.agenda,
            self.nemesis,
            self.record,
            self.service,
            self.assumptions,
            self.latency,
            self.crew,
            self._ready,
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
            self.gathering.count_empty(poller)

    def retire(self) -> None:
        """Stop polling; what the pollers carry they finish (Assumed: EC-23)."""
        if self.crew.grow_later in self.line.on_backlog:
            self.line.on_backlog.remove(self.crew.grow_later)
        self.crew.retire()

    def _poll(self, poller: Poller) -> None:
        self.gathering.poll(poller)

    def _dismiss(self, poller: Poller) -> None:
        self.gathering.dismiss(poller)

    def _ready(self, poller: Poller, receipts: Sequence[Receipt], place: int) -> None:
        """Take a batch in hand, and invoke the function with it as soon as the calls take."""
        self.carried += 1
        poller.receipts, poller.attempts = receipts, 0
        poller.gives_up = min([receipt.message.visible_at for receipt in receipts])
        messages = tuple([receipt.message.number for receipt in receipts])
        batch = tuple([(receipt.message.number, receipt.message.receive_count) for receipt in receipts])
        poller.request = request = Request(self.mapping, poller.number, place, messages, batch, receipts)
        latency = self.latency.receive(poller) + self.latency.invoke(poller)
        self.agenda.at(self.agenda.now + latency, partial(self._invoke, poller, request))

    # Invoking

    def _invoke(self, poller: Poller, request: Request) -> None:
        now, function = self.agenda.now, self.mapping.function
        strike = self.nemesis.strike("invoke", (function,), request.batch, now)
        if self.functions.stage is not None and self.functions.drops(request):
            self._refuse(poller, request, reason="RecursiveInvocationException")  # LX-17
        elif strike is None:
            refused = self.functions.invoke(request, partial(self._answered, poller))
            if refused is None:
                self.crew.set_throttled(poller, throttled=False)
            else:
                self._throttle(poller, request, refused, "")
        elif strike.kind == "throttled":
            busy, limit = self.functions.executions.running[function], self.functions.executions.limit(function)
            self._throttle(poller, request, Refused(UNRESERVED, busy, limit), strike.name)
        else:
            self._refuse(poller, request, fault=strike.name)

    def _refuse(self, poller: Poller, request: Request, *, fault: str = "", reason: str = "") -> None:
        """Give a batch up that Lambda has answered with an error which no retry in place would change (LX-11)."""
        now, mapping, messages = self.agenda.now, self.mapping, request.messages
        event = ServiceFailed(
            now, request.received, mapping.function, mapping.name, poller.number, messages, fault, reason
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
        again = now + (self.assumptions.rate_retry if refused.by_rate else self.latency.pause(poller))
        if again < poller.gives_up:
            self.agenda.at(again, partial(self._invoke, poller, request))
        else:
            self.agenda.at(max(now, poller.gives_up), partial(self._release, poller, "throttled", place))

    def _answered(self, poller: Poller, event: InvocationEnded, place: int) -> None:
        if not event.answered:
            self._release(poller, "no answer", place)
        elif event.outcome != "succeeded":
            self._release(poller, "failed", place)
        else:
            self.agenda.at(
                self.agenda.now + self.latency.delete(poller), partial(self._delete, poller, event.failed, place)
            )

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
            if self.line.queue.fifo:
                self.service.serve(self.line)  # FF-16
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
        if poller.batcher is not None:
            poller.batcher.finished(self.agenda.now)  # EP-5
        self.crew.go_on(poller, failed=failed)
