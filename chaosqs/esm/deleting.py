"""How the pollers of a mapping delete what their function has processed, and what the fault plan makes of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.esm.poller_fleet import Poller
from chaosqs.kernel.context import InjectedFault, SimulationContext
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Deleted, Held
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.service import QueueState, Service

_SLOW = 5_000
"""Milliseconds after which a `slow_delete` takes effect."""
_REAPPEARS = 1_000
"""Milliseconds after its delete at which a message is there again by a `reappear`."""


@attrs.define(eq=False)
class _Request:
    """What a poller asks SQS to delete."""

    poller: Poller
    receipts: Sequence[Receipt]
    cause: int
    """Place of the success that it follows."""

    @property
    def messages(self) -> tuple[int, ...]:
        """The numbers of its messages."""
        return tuple([receipt.message.number for receipt in self.receipts])


@attrs.define(eq=False)
class Deleting:
    """The deleting half of a mapping."""

    mapping: EventSourceMapping
    context: SimulationContext
    service: Service
    done: Callable[[Poller], None]
    """Called when a poller is through with the delete of its batch."""
    _asks: bool = attrs.field(init=False)
    """Whether the fault plan has anything for deletes."""

    def __attrs_post_init__(self) -> None:
        """Look once whether the plan asks for anything here."""
        self._asks = self.context.injector.asks("delete")

    @property
    def state(self) -> QueueState:
        """The queue that is polled."""
        return self.service.states[self.mapping.queue]

    @property
    def _scopes(self) -> tuple[str, ...]:
        return (self.mapping.queue, self.mapping.function, self.mapping.name)

    def delete(self, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
        """Delete what succeeded, then go on (EF-1; late, what receipts let it: EF-6, EF-7; responses: PB-*)."""
        receipts = poller.receipts
        if failed and self.mapping.report_batch_item_failures:
            receipts = [receipt for receipt in receipts if receipt.message.number not in failed]
        if not receipts:
            self.done(poller)
            return
        request = _Request(poller, receipts, cause)
        injected = self._struck(request) if self._asks else None
        if injected is None:
            self._finish(request)
        else:
            self._suffer(request, injected)

    def _struck(self, request: _Request) -> InjectedFault | None:
        batch = ((receipt.message.number, receipt.message.receive_count) for receipt in request.receipts)
        return self.context.injector.injected("delete", self._scopes, batch, self.context.now)

    def _finish(self, request: _Request) -> None:
        self._take_effect(request)
        self.done(request.poller)

    def _take_effect(self, request: _Request, first: int | None = None, fault: str = "") -> int:
        """Delete the first so many messages of a request, or all, and record that; return the place of the record."""
        now, queue, numbers = self.context.event_queue.now, self.mapping.queue, request.messages
        stayed = self.service.delete(queue, request.receipts[:first])
        if first is not None:
            stayed += [message for message in numbers[first:] if message not in numbers[:first]]
        index = self.context.record(
            Deleted(now, request.cause, queue, self.mapping.name, numbers, tuple(stayed), fault)
        )
        if self.state.queue.fifo:
            self.service.serve(self.state)  # FF-16
        return index

    # Faults

    def _suffer(self, request: _Request, injected: InjectedFault, *, again: bool = False) -> None:
        """Do to a delete what its fault says; `again`: it is a repeat already, which is not repeated (EF-5)."""
        match injected.kind:
            case "slow_delete":
                self._late(request, injected)
                return
            case "lost_delete_response":
                self._take_effect(request, fault=injected.name)
            case "partial_delete":
                self._take_effect(request, len(request.receipts) // 2, injected.name)
            case "reappear":
                self._reappear_later(request, injected)
            case _:
                self._take_effect(request, 0, injected.name)
        if injected.kind in {"failed_delete", "lost_delete_response"} and not again:
            retry = self.context.assumptions.delete_retry
            self.context.event_queue.after(retry, partial(self._repeat, request), request.poller.task)
        else:
            self.done(request.poller)

    def _late(self, request: _Request, injected: InjectedFault) -> None:
        now, poller = self.context.now, request.poller
        until = now + _SLOW
        self.context.record(
            Held(now, request.cause, self.mapping.name, poller.number, request.messages, until, injected.name)
        )
        self.context.event_queue.at(until, partial(self._finish, request), poller.task)

    def _repeat(self, request: _Request) -> None:
        """Delete the same once more: that succeeds, whatever the first request did (RH-7), but for a window's fault."""
        injected = self.context.injector.window("delete", self._scopes, self.context.now)
        if injected is None:
            self._finish(request)
        else:
            self._suffer(request, injected, again=True)

    def _reappear_later(self, request: _Request, injected: InjectedFault) -> None:
        """Delete, and have a standard queue show what went again in a while (RH-10)."""
        there = [receipt.message for receipt in request.receipts if receipt.message.stored]
        index = self._take_effect(request)
        gone = [] if self.state.queue.fifo else [message for message in there if not message.stored]
        for message in gone:
            message.last_event = index
        self.service.to_come += len(gone)
        self.context.event_queue.after(_REAPPEARS, partial(self._reappear, gone, injected.name))

    def _reappear(self, messages: Sequence[Message], fault: str) -> None:
        self.service.to_come -= len(messages)
        self.context.event_queue.may_be_over = True
        self.service.reappear(self.state, *messages, fault=fault)
