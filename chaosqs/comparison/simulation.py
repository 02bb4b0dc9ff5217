"""What every alternative stands on: the parts of a run that it shares with event source mappings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from chaosqs.kernel.event_queue import EventQueue
from chaosqs.kernel.rng import RandomStreams, stream
from chaosqs.lambda_.invocation import Answer, Lambda, Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.model.alternative import Alternative
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Event, Throttled
from chaosqs.model.figures import Happened, Note
from chaosqs.model.scenario import Scenario
from chaosqs.sqs.service import Service

_INVOKE, _CALL = stream("invoke latency of an alternative"), stream("call latency of an alternative")

NAMES = {"SelfPolling": "itself", "RateLimitedFront": "front", "Stream": "stream"}
"""How each kind is called where histories name a mapping."""


def label(alternative: Alternative) -> EventSourceMapping:
    """Return what stands in requests for the mapping that the alternative does without: `stream→worker`."""
    return EventSourceMapping(NAMES[type(alternative).__name__], alternative.function)


@attrs.define(eq=False)
class Ground:
    """The parts of one run, and the notes of what the events of queues and invocations do not say."""

    scenario: Scenario
    event_queue: EventQueue
    streams: RandomStreams
    record: Callable[[Event], int]
    service: Service
    functions: Lambda
    notes: list[Note] = attrs.field(factory=list[Note])

    @property
    def now(self) -> int:
        """The present moment, in milliseconds."""
        return self.event_queue.now

    @property
    def assumptions(self) -> Assumptions:
        """The guesses of the run."""
        return self.scenario.assumptions

    def after(self, milliseconds: int, step: Callable[[], None]) -> None:
        """Run a step in so many milliseconds."""
        self.event_queue.at(self.event_queue.now + milliseconds, step)

    def note(self, message: int, what: Happened) -> None:
        """Note what happened to a message."""
        self.notes.append(Note(self.event_queue.now, message, what))
        self.event_queue.may_be_over = True

    def invoke(self, request: Request, attempt: int, answer: Answer) -> Refused | None:
        """Invoke the function, or record that Lambda throttles it."""
        refused = self.functions.invoke(request, answer)
        if refused is not None:
            self.record(
                Throttled(
                    at=self.event_queue.now,
                    cause=None,
                    function=request.mapping.function,
                    mapping=request.mapping.name,
                    poller=request.poller,
                    messages=request.messages,
                    attempt=attempt,
                    reason=refused.reason,
                    running=refused.running,
                    limit=refused.limit,
                    fault="",
                )
            )
        return refused

    def invoke_latency(self, first: int, second: int) -> int:
        """Return how long it takes to the first line of the handler; the keys tell one invocation from all others."""
        return self._around(self.assumptions.invoke_latency, _INVOKE, first, second)

    def call_latency(self, first: int, second: int) -> int:
        """Return how long a call of a handler takes."""
        return self._around(self.assumptions.call_latency, _CALL, first, second)

    def _around(self, median: int, kind: int, first: int, second: int) -> int:
        return max(1, round(self.streams.around(median, self.assumptions.latency_spread / 100, kind, first, second)))


def request_of(label: EventSourceMapping, poller: int, batch: Sequence[tuple[int, int]]) -> Request:
    """Return the request for an invocation with a batch of (message, how often it was tried by now)."""
    return Request(label, poller, None, tuple(number for number, _ in batch), tuple(batch))
