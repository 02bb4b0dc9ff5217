"""The pollers of a mapping as a poller fleet: who joins when messages wait, who goes, and when."""

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
    """Its name as that of a task of the event queue, which a pause of the fault plan can hold back: `orders→worker/3`."""
    receives: int = 0
    parked: int | None = None
    """When its present long poll, or the first one not yet recorded, began; None while it carries a batch."""
    idle_since: int | None = None
    """Since when it has found nothing; None while it carries a batch."""
    watched: bool = False
    """Whether somebody will look whether it should go."""
    held: list[Receipt] = attrs.field(factory=list[Receipt])
    """What it gathers for its next batch."""
    latest: int = 0
    """Place of the receive that brought the latest of it."""
    batcher: Batcher | None = None
    """What decides when that is a batch; None where every receive is one (EP-3)."""
    closes: int = 0
    """When somebody will look whether it is."""
    again: int | None = None
    """When it receives again after a receive that failed; None: nothing of that kind is planned."""
    pending: bool = False
    """Whether the answer to its receive is still on its way, by a fault: its batch waits for that."""
    receipts: Sequence[Receipt] = ()
    """The batch that it carries."""
    request: Request | None = None
    gives_up: int = 0
    """When the visibility of its batch ends: it retries a throttled batch up to then (ES-8)."""
    attempts: int = 0
    throttled: bool = False


@attrs.define(eq=False)
class PollerFleet:
    """All pollers of one mapping."""

    mapping: str
    context: SimulationContext
    scaling: Scaling
    waiting: Callable[[], bool]
    """Tells whether messages could be received now."""
    poll: Callable[[Poller], None]
    """Set a poller to work."""
    dismiss: Callable[[Poller], None]
    """End a poller's wait for messages."""
    pollers: list[Poller] = attrs.field(factory=list[Poller])
    throttled: int = 0
    """How many of them carry a batch that Lambda has refused."""
    numbered_from: int = 0
    """How many pollers the mapping had before it was configured anew: these are numbered on from there."""
    retired: bool = False
    """Whether nobody is to poll any more."""
    left: Callable[[], None] | None = None
    """Called after that when a poller has finished what it carried."""
    _spare: list[Poller] = attrs.field(factory=list[Poller])
    _leaving: list[Poller] = attrs.field(factory=list[Poller])
    """Those that go as soon as they have finished what they carry."""
    _growing: bool = False

    def start(self) -> None:
        """Set the first pollers to work (ES-1)."""
        self._changed("first pollers")
        for _ in range(self.scaling.pollers):
            self._join()

    @property
    def busy(self) -> int:
        """How many pollers carry a batch, or gather one."""
        return sum(bool(poller.request or poller.held or poller.pending) for poller in self.pollers)

    def grow_later(self) -> None:
        """Grow by the law, as messages wait and every poller is busy (ES-2)."""
        if not self._growing and self.scaling.pollers < self.scaling.scaling_limits.ceiling:
            self._growing = True
            self.context.event_queue.after(self.scaling.interval(throttled=self.throttled > 0), self._grow)

    def retire(self) -> None:
        """Stop polling: who waits goes, who carries a batch finishes it (Assumed: EC-23)."""
        self.retired = True
        for poller in self.pollers:
            self.dismiss(poller)

    def scale_down(self, fault: str) -> None:
        """Go down to the law's fewest pollers: those that wait go now, the others when they are done."""
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

    def lets_go(self, poller: Poller) -> bool:
        """Tell whether a poller that would receive now is not to: the mapping does without it."""
        if self._leaving and poller in self._leaving and not poller.held:
            self._leaving.remove(poller)
            self._spare.append(poller)
            return True
        if self.retired:
            self._left()
        return self.retired

    def _grow(self) -> None:
        """Take one step; where it is refused, the next receive that leaves messages waiting asks again."""
        self._growing = False
        wanted = self.waiting() or self.scaling.pollers < self.scaling.scaling_limits.start
        if wanted and not self.retired and self.scaling.grow(throttled=self.throttled > 0):
            self._changed("messages wait")
            self._join()
            self.grow_later()

    def _join(self) -> None:
        if self._leaving:  # nobody goes only to come back
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

    def go_on(self, poller: Poller, *, failed: bool) -> None:
        """Set a poller to work whose batch is done, unless the mapping does without it now (ES-7, ES-8)."""
        self.set_throttled(poller, throttled=False)
        if self.retired and not poller.held:
            self._left()
            return
        if self._released(poller, failed=failed):
            self._spare.append(poller)
            self.grow_later()
        else:
            self.context.event_queue.after(0, partial(self.poll, poller), poller.task)

    def _released(self, poller: Poller, *, failed: bool) -> bool:
        """Drop a poller where its mapping does without it; return whether it was dropped."""
        if poller.held or poller in self._leaving:
            return False
        if failed and self.scaling.release_after_error():
            return True
        if self.throttled:
            self.scaling.release_after_throttle()
        return self.throttled > 0

    def set_throttled(self, poller: Poller, *, throttled: bool) -> None:
        """Note whether a poller carries a batch that Lambda has refused."""
        self.throttled += throttled - poller.throttled
        poller.throttled = throttled

    def watch(self, poller: Poller) -> None:
        """Look later whether a poller that has found nothing should go (ES-5)."""
        patience = self.scaling.patience()
        if patience is not None and poller.idle_since is not None and not poller.watched:
            poller.watched = True
            due = max(self.context.now, poller.idle_since + patience)
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


# How long the calls of a poller take: medians that are assumed, and a spread that seed draws from. -------------------

_RECEIVE, _INVOKE, _DELETE, _RETRY = map(
    stream, ("receive latency", "invoke latency", "delete latency", "throttle retry")
)


@attrs.frozen
class Latency:
    """The latencies of one run; all in milliseconds, at least 1."""

    context: SimulationContext

    def receive(self, poller: Poller) -> int:
        """From SQS's answer to a receive to the poller."""
        return self._around(self.context.assumptions.receive_latency, _RECEIVE, poller)

    def invoke(self, poller: Poller) -> int:
        """From the poller to the first line of the handler."""
        return self._around(self.context.assumptions.invoke_latency, _INVOKE, poller)

    def delete(self, poller: Poller) -> int:
        """From the end of the handler to the deletion of its batch."""
        return self._around(self.context.assumptions.delete_latency, _DELETE, poller)

    def pause(self, poller: Poller) -> int:
        """Between two attempts with a throttled batch. Assumed: doubles each time, with full jitter (ES-10)."""
        assumed = self.context.assumptions
        ceiling = min(assumed.throttle_retry_limit, assumed.throttle_retry << min(poller.attempts - 1, 20))
        share = self.context.random.fraction(_RETRY ^ poller.stream, poller.receives, poller.attempts)
        return max(1, round(ceiling * share))

    def _around(self, median: int, kind: int, poller: Poller) -> int:
        spread = self.context.assumptions.latency_spread / 100
        return max(1, round(self.context.random.around(median, spread, kind ^ poller.stream, poller.receives)))
