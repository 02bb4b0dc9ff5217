"""The producers of a run: they send what the workload has, and send again where that fails (OR-4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs

from chaosqs.kernel.context import InjectedFault, SimulationContext
from chaosqs.model.event import SendFailed
from chaosqs.model.workload import Arrival
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.service import Service

_LATE = 5_000
"""Milliseconds for which receives do not find what a `late_send` brought."""


@attrs.frozen
class _Attempt:
    """One request to send one message."""

    number: int
    arrival: Arrival
    cause: int | None = None
    """Place of the attempt before it, or None: it is the first."""
    copy_of: int | None = None
    """The message that SQS has already, of which the producer does not know."""


@attrs.define(eq=False)
class Producer:
    """All producers of one run, with the patience that never ends."""

    context: SimulationContext
    service: Service
    _due: dict[int, list[_Attempt]] = attrs.field(factory=dict[int, list[_Attempt]])
    """What will be sent again, by moment."""

    def send(self, batch: Sequence[tuple[int, Arrival]]) -> None:
        """Send messages that come at one moment."""
        if self.context.injector.asks("send"):
            self._send([_Attempt(number, arrival) for number, arrival in batch])
        else:
            self.service.send(batch)

    def _send(self, attempts: Sequence[_Attempt]) -> None:
        """Let each attempt succeed or fail; only then do waiting receives get their turn."""
        for attempt in attempts:
            self._decide(attempt)
        for name in dict.fromkeys(attempt.arrival.queue for attempt in attempts):
            self.service.serve(self.service.states[name])

    def _decide(self, attempt: _Attempt) -> None:
        now, arrival = self.context.now, attempt.arrival
        injected = None
        if attempt.copy_of is None:  # Assumed: the answer to a copy never gets lost, so that copies have no copies
            injected = self.context.injector.send(arrival.queue, attempt.number, now, again=attempt.cause is not None)
        match injected:
            case None:
                self._accept(attempt)
            case InjectedFault(kind="late_send"):
                delay = self.service.states[arrival.queue].queue.delay * 1000 + _LATE
                self._accept(attempt, delay=delay, fault=injected.name)
            case InjectedFault(kind="lost_send_response"):
                self._accept(attempt, fault=injected.name, repeats=True)
            case _:
                index = self.context.record(
                    SendFailed(now, attempt.cause, arrival.queue, attempt.number, injected.name)
                )
                due = now + self.context.assumptions.send_retry
                if injected.kind == "outage" and injected.until is not None:
                    due = injected.until
                self._later(attrs.evolve(attempt, cause=index), due)

    def _accept(self, attempt: _Attempt, *, delay: int | None = None, fault: str = "", repeats: bool = False) -> None:
        """Put a message into its queue.

        A producer that `repeats` its send gives a standard queue a second message. On a FIFO queue the repeat has the
        same deduplication id, within its five minutes, and adds nothing (FF-5).
        """
        arrival, line = attempt.arrival, self.service.states[attempt.arrival.queue]
        message = Message(
            attempt.number, arrival.body_bytes, self.context.now, group=arrival.group, copy_of=attempt.copy_of
        )
        self.service.put(line, message, delay=delay, cause=attempt.cause, fault=fault)
        if repeats and not line.queue.fifo:
            copy = _Attempt(self.service.numbers.take(), arrival, message.last_event, attempt.number)
            self._later(copy, self.context.now + self.context.assumptions.send_retry)

    def _later(self, attempt: _Attempt, due: int) -> None:
        """Send again at a moment, together with all that wait for it."""
        self.service.to_come += 1
        if due not in self._due:
            self._due[due] = []
            self.context.event_queue.at(due, partial(self._again, due))
        self._due[due].append(attempt)

    def _again(self, due: int) -> None:
        attempts = self._due.pop(due)
        self.service.to_come -= len(attempts)
        self.context.event_queue.may_be_over = True
        self._send(attempts)
