"""The poller fleet of a mapping: when pollers are added, when they are dropped, and the latencies of their calls."""

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.esm.machines.batching import Batcher
from chaosqs.esm.machines.scaling import Scaling
from chaosqs.kernel.context import SimulationContext, stream
from chaosqs.lambda_.invocation import Request
from chaosqs.model.events import PollersChanged
from chaosqs.sqs.machines.message import Receipt


@attrs.define(eq=False)
class Poller:
    """One of the mapping's pollers, and the batch that it carries."""

    number: int
    stream: int
    task: str
    """Name of its task on the event queue, by which a pause of the fault plan holds it back: `orders→worker/3`."""
    receives: int = 0
    parked: int | None = None
    """Start of its present long poll, or of the first one not yet recorded; None while it carries a batch."""
    idle_since: int | None = None
    """Moment since which it has received nothing; None while it carries a batch."""
    watched: bool = False
    """True if a check is scheduled whether to drop it for idleness."""
    held: list[Receipt] = attrs.field(factory=list[Receipt])
    """Messages gathered for its next batch."""
    latest: int = 0
    """Index of the event of the latest receive that added to `held`."""
    batcher: Batcher | None = None
    """Decides when `held` is a batch; None while every receive is a batch (EP-3)."""
    closes: int = 0
    """Moment of the next check whether `held` is a batch."""
    again: int | None = None
    """Moment of its next receive after a failed one; None: none is scheduled."""
    pending: bool = False
    """True while a fault delays the response to its receive; its batch waits for the response."""
    receipts: Sequence[Receipt] = ()
    """The batch that it carries."""
    request: Request | None = None
    gives_up: int = 0
    """Moment at which the visibility of its batch ends; a throttled batch is retried until then (ES-8)."""
    attempts: int = 0
    throttled: bool = False


@attrs.define(eq=False)
class PollerFleet:
    """All pollers of one mapping."""

    mapping: str
    context: SimulationContext
    scaling: Scaling
    waiting: Callable[[], bool]
    """Returns whether messages could be received now."""
    poll: Callable[[Poller], None]
    """Makes a poller receive."""
    dismiss: Callable[[Poller], None]
    """Ends a poller's wait for messages."""
    pollers: list[Poller] = attrs.field(factory=list[Poller])
    throttled: int = 0
    """Number of pollers that carry a batch that Lambda has throttled."""
    numbered_from: int = 0
    """Number of pollers of earlier configurations of the mapping; new pollers continue their numbers."""
    retired: bool = False
    """True once no poller may receive any more."""
    left: Callable[[], None] | None = None
    """Called when a poller of a retired fleet has finished its batch."""
    _spare: list[Poller] = attrs.field(factory=list[Poller])
    """Dropped pollers, which are the first to be added again."""
    _leaving: list[Poller] = attrs.field(factory=list[Poller])
    """Pollers that are dropped as soon as they have finished their batch."""
    _growing: bool = False
    _throttled_since: int = 0
    """Moment since which Lambda has throttled at least one batch."""

    def start(self) -> None:
        """Set the first pollers to work (ES-1)."""
        self._changed("first pollers")
        for _ in range(self.scaling.pollers):
            self._join()

    @property
    def busy(self) -> int:
        """Number of pollers that carry or gather a batch."""
        return sum(bool(poller.request or poller.held or poller.pending) for poller in self.pollers)

    def grow_later(self) -> None:
        """Schedule the next growth, as messages wait and every poller is busy (ES-2)."""
        if not self._growing and self.scaling.pollers < self.scaling.scaling_limits.ceiling:
            self._growing = True
            self.context.event_queue.after(self.scaling.interval(throttled=self._slowed), self._grow)

    def retire(self) -> None:
        """Stop polling: waiting pollers go, those with a batch finish it (Assumed: EC-23)."""
        self.retired = True
        for poller in self.pollers:
            self.dismiss(poller)

    def scale_down(self, fault: str) -> None:
        """Drop pollers down to the minimum: waiting ones go now, the others when they are done."""
        surplus = self.scaling.pollers - self.scaling.scaling_limits.minimum
        if surplus <= 0:
            return
        self.scaling.pollers = self.scaling.scaling_limits.minimum
        there = [poller for poller in self.pollers if poller not in self._spare and poller not in self._leaving]
        for poller in sorted(there, key=lambda poller: (poller.idle_since is None, -poller.number))[:surplus]:
            if poller.idle_since is None:
                self._leaving.append(poller)
            else:
                self.dismiss(poller)
                self._spare.append(poller)
        self._changed("fault", fault)

    def release_before_receive(self, poller: Poller) -> bool:
        """Drop a poller that would receive now, if it is leaving or the fleet is retired; return whether it goes."""
        if self._leaving and poller in self._leaving and not poller.held:
            self._leaving.remove(poller)
            self._spare.append(poller)
            return True
        if self.retired:
            self._left()
        return self.retired

    def _grow(self) -> None:
        """Add a poller if messages wait, and schedule the next growth; else leave that to a later receive."""
        self._growing = False
        wanted = self.waiting() or self.scaling.pollers < self.scaling.scaling_limits.start
        if wanted and not self.retired and self.scaling.grow(throttled=self._slowed):
            self._changed("messages wait")
            self._join()
            self.grow_later()

    def _join(self) -> None:
        if self._leaving:  # a poller that would leave stays instead
            self._leaving.pop()
            return
        if self._spare:
            poller = self._spare.pop()
        else:
            number = self.numbered_from + len(self.pollers) + 1
            task = f"{self.mapping}/{number}"
            poller = Poller(number, stream(task), task)
            self.pollers.append(poller)
        self.context.event_queue.after(0, partial(self.poll, poller), poller.task)

    def go_on(self, poller: Poller, *, failed: bool, gave_up: bool) -> None:
        """Make a poller whose batch is done, or given up, receive again, unless it is dropped now (ES-7, ES-8)."""
        self.set_throttled(poller, throttled=False)
        if self.retired and not poller.held:
            self._left()
            return
        if self._released(poller, failed=failed, gave_up=gave_up):
            self._spare.append(poller)
            self.grow_later()
        else:
            self.context.event_queue.after(0, partial(self.poll, poller), poller.task)

    def _released(self, poller: Poller, *, failed: bool, gave_up: bool) -> bool:
        """Drop a poller after an error or while others are throttled; return whether it was dropped."""
        if poller.held or poller in self._leaving:
            return False
        if failed and self.scaling.release_after_error():
            return True
        return self._slowed and self.scaling.release_while_throttled(gave_up=gave_up)

    @property
    def _slowed(self) -> bool:
        """True once the mapping reacts to throttles. Assumed: `throttle_reaction` after the first (ES-8, ES-10)."""
        reaction = self.context.assumptions.throttle_reaction
        return self.throttled > 0 and self.context.event_queue.now >= self._throttled_since + reaction

    def set_throttled(self, poller: Poller, *, throttled: bool) -> None:
        """Note whether a poller carries a batch that Lambda has throttled."""
        if throttled and not self.throttled:
            self._throttled_since = self.context.event_queue.now
        self.throttled += throttled - poller.throttled
        poller.throttled = throttled

    def watch(self, poller: Poller) -> None:
        """Schedule a check whether an idle poller should be dropped (ES-5)."""
        limit = self.scaling.idle_limit()
        if limit is not None and poller.idle_since is not None and not poller.watched:
            poller.watched = True
            due = max(self.context.now, poller.idle_since + limit)
            self.context.event_queue.at(due, partial(self._retire, poller))

    def _retire(self, poller: Poller) -> None:
        poller.watched = False
        if poller.idle_since is None:
            return
        if self.scaling.shrink(self.context.now - poller.idle_since):
            self.dismiss(poller)
            self._spare.append(poller)
            self._changed("nothing to do")
        else:
            self.watch(poller)

    def _left(self) -> None:
        if self.left is not None:
            self.left()

    def _changed(self, why: str, fault: str = "") -> None:
        now = self.context.event_queue.now
        self.context.record(PollersChanged(now, None, self.mapping, self.scaling.pollers, why, fault))


# Latencies of a poller's calls: an assumed median, and a spread that the seed draws from ------------------------------

_RECEIVE, _INVOKE, _DELETE, _RETRY = map(
    stream, ("receive latency", "invoke latency", "delete latency", "throttle retry")
)


@attrs.frozen
class Latency:
    """The latencies of one run; all in milliseconds, at least 1."""

    context: SimulationContext

    def receive(self, poller: Poller) -> int:
        """Return the time from SQS's response to a receive until the poller has it."""
        return self._around(self.context.assumptions.receive_latency, _RECEIVE, poller)

    def invoke(self, poller: Poller) -> int:
        """Return the time from the poller's request to the first line of the handler."""
        return self._around(self.context.assumptions.invoke_latency, _INVOKE, poller)

    def delete(self, poller: Poller) -> int:
        """Return the time from the end of the handler to the deletion of its batch."""
        return self._around(self.context.assumptions.delete_latency, _DELETE, poller)

    def pause(self, poller: Poller) -> int:
        """Return the time between two attempts with a throttled batch. Assumed: doubling, with full jitter (ES-10)."""
        assumed = self.context.assumptions
        ceiling = min(assumed.throttle_retry_limit, assumed.throttle_retry << min(poller.attempts - 1, 20))
        share = self.context.random.fraction(_RETRY ^ poller.stream, poller.receives, poller.attempts)
        return max(1, round(ceiling * share))

    def _around(self, median: int, kind: int, poller: Poller) -> int:
        spread = self.context.assumptions.latency_spread / 100
        return max(1, round(self.context.random.around(median, spread, kind ^ poller.stream, poller.receives)))
