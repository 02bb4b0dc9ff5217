"""The run of an alternative: a simulation in which messages reach the function by another road than a mapping."""

from collections.abc import Callable, Sequence
from typing import Protocol

import attrs

from chaosqs.kernel.context import stream
from chaosqs.lambda_.invocation import OnEnd, Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.model.alternative import Alternative
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import Throttled
from chaosqs.model.figures import Happened, Note
from chaosqs.model.workload import Arrival
from chaosqs.simulation.run import Simulation

_INVOKE, _CALL = stream("invoke latency of an alternative"), stream("call latency of an alternative")

NAMES = {"SelfPolling": "itself", "RateLimitedFront": "front", "Stream": "stream"}
"""Name of each kind of alternative in the mapping names of histories."""


def label(alternative: Alternative) -> EventSourceMapping:
    """Return the value that takes the place of the missing mapping in requests: `stream→worker`."""
    return EventSourceMapping(NAMES[type(alternative).__name__], alternative.function)


class Road(Protocol):
    """A way by which messages reach a function."""

    @property
    def busy(self) -> bool:
        """True if work is left."""
        ...

    @property
    def idling(self) -> int:
        """Number of running invocations that only wait for work."""
        ...

    def start(self) -> None:
        """Begin, at the start of the run."""
        ...

    def send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        """Take the messages that arrive at one moment."""
        ...


@attrs.define(eq=False)
class AlternativeSimulation(Simulation):
    """A run in which messages to some queues take another road, with notes of facts that have no event."""

    road: Road | None = None
    diverted: tuple[str, ...] = ()
    """Names of the queues whose messages take the road."""
    notes: list[Note] = attrs.field(factory=list[Note])

    # The run

    def done(self) -> bool:
        """Return whether nothing is left, on the road neither; idle invocations do not count."""
        assert self.road is not None
        if self.to_come or self.service.to_come or self.road.busy or self.functions.running > self.road.idling:
            return False
        return not any(mapping.carried or mapping.state.machine.stored for mapping in self.lifecycle.mappings)

    def _send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        assert self.road is not None
        diverted = tuple(entry for entry in batch if entry[1].queue in self.diverted)
        self.to_come -= len(diverted)
        super()._send(tuple(entry for entry in batch if entry[1].queue not in self.diverted))
        self.road.send(diverted)

    # Services for roads

    def after(self, milliseconds: int, step: Callable[[], None]) -> None:
        """Run a step after a delay."""
        self.context.event_queue.after(milliseconds, step)

    def note(self, message: int, what: Happened) -> None:
        """Note what happened to a message."""
        self.notes.append(Note(self.context.now, message, what))
        self.context.event_queue.may_be_over = True

    def invoke(self, request: Request, attempt: int, on_end: OnEnd) -> Refused | None:
        """Invoke the function, or record that Lambda throttles it."""
        refused = self.functions.invoke(request, on_end)
        if refused is not None:
            self.context.record(
                Throttled(
                    at=self.context.now,
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
        """Return the milliseconds to the first line of the handler; the two keys identify the invocation."""
        return self._around(self.context.assumptions.invoke_latency, _INVOKE, first, second)

    def call_latency(self, first: int, second: int) -> int:
        """Return the milliseconds that a call of a handler takes; the two keys identify the call."""
        return self._around(self.context.assumptions.call_latency, _CALL, first, second)

    def _around(self, median: int, kind: int, first: int, second: int) -> int:
        spread = self.context.assumptions.latency_spread / 100
        return max(1, round(self.context.random.around(median, spread, kind, first, second)))


def request_of(label: EventSourceMapping, poller: int, batch: Sequence[tuple[int, int]]) -> Request:
    """Return the request for an invocation with a batch of (message, number of tries so far)."""
    return Request(label, poller, None, tuple(number for number, _ in batch), tuple(batch))
