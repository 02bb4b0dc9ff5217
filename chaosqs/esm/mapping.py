"""Event source mappings: deleting, invoking with retries, and the lifecycle of a run's mappings.

`MappingLifecycle` makes all changes of mappings during a run: those of the fault plan's windows (`disabled`,
`scale_down`) and those of an operator (`change`). A mapping that stops polling finishes the batches that its pollers
carry (Assumed: EC-23). A new `Mapping` takes its place and continues the numbers of the pollers.
"""

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.esm.machines.scaling import Scaling, scaling_limits
from chaosqs.esm.poller_fleet import Latency, Poller, PollerFleet
from chaosqs.esm.receive_loop import ReceiveLoop
from chaosqs.kernel.context import InjectedFault, RandomStreams, SimulationContext, stream
from chaosqs.lambda_.invocation import Lambda, Request
from chaosqs.lambda_.machines.concurrency import UNRESERVED, Refused
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import (
    Deleted,
    Held,
    InvocationEnded,
    Operated,
    Released,
    ReleaseReason,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.time import milliseconds
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.service import QueueState, Service

# Deleting processed messages, and the faults of it --------------------------------------------------------------------

_SLOW = 5_000
"""Milliseconds after which a `slow_delete` takes effect."""
_REAPPEARS = 1_000
"""Milliseconds between a delete and the moment at which `reappear` brings the message back."""


@attrs.define(eq=False)
class _Request:
    """A poller's request to SQS to delete messages."""

    poller: Poller
    receipts: Sequence[Receipt]
    cause: int
    """Index of the event of the successful invocation."""

    @property
    def messages(self) -> tuple[int, ...]:
        """Numbers of the messages."""
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
    """True if the fault plan has faults for deletes."""

    def __attrs_post_init__(self) -> None:
        """Look once whether the fault plan has faults for deletes."""
        self._asks = self.context.injector.asks("delete")

    @property
    def state(self) -> QueueState:
        """The queue that is polled."""
        return self.service.states[self.mapping.queue]

    @property
    def _scopes(self) -> tuple[str, ...]:
        return (self.mapping.queue, self.mapping.function, self.mapping.name)

    def delete(self, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
        """Delete the messages that succeeded, then go on (EF-1; late deletes: EF-6, EF-7; responses: PB-*)."""
        receipts = poller.receipts
        if failed and self.mapping.report_batch_item_failures:
            receipts = [receipt for receipt in receipts if receipt.message.number not in failed]
        if not receipts:
            self.done(poller)
            return
        request = _Request(poller, receipts, cause)
        injected = self._injected(request) if self._asks else None
        if injected is None:
            self._finish(request)
        else:
            self._suffer(request, injected)

    def _injected(self, request: _Request) -> InjectedFault | None:
        batch = ((receipt.message.number, receipt.message.receive_count) for receipt in request.receipts)
        return self.context.injector.injected("delete", self._scopes, batch, self.context.now)

    def _finish(self, request: _Request) -> None:
        self._take_effect(request)
        self.done(request.poller)

    def _take_effect(self, request: _Request, first: int | None = None, fault: str = "") -> int:
        """Delete the first `first` messages of a request, or all, and record it; return the index of the event."""
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
        """Apply a fault to a delete. A repeat (`again`) is not repeated (EF-5)."""
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
        """Repeat a delete. Only a window's fault applies to it; else it succeeds, whatever the first one did (RH-7)."""
        injected = self.context.injector.window("delete", self._scopes, self.context.now)
        if injected is None:
            self._finish(request)
        else:
            self._suffer(request, injected, again=True)

    def _reappear_later(self, request: _Request, injected: InjectedFault) -> None:
        """Delete; a standard queue shows the deleted messages again after a while (RH-10)."""
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


# One mapping: receive, invoke, retry while throttled, delete after success, go on -------------------------------------
#
# A poller carries one batch at a time, from the receive until it is deleted or given up.

_STALL = 10_000
"""Milliseconds that a `stall` of one batch lasts."""


@attrs.define(eq=False)
class Mapping:
    """One event source mapping while it runs."""

    context: SimulationContext
    service: Service
    functions: Lambda
    era: str
    """Selects the scaling limits, as `Design.era` does."""
    mapping: EventSourceMapping
    numbered_from: int = 0
    """Number of pollers of earlier configurations of the mapping; new pollers continue their numbers."""
    carried: int = 0
    """Number of batches that the pollers carry."""
    scaling: Scaling = attrs.field(init=False)
    latency: Latency = attrs.field(init=False)
    scopes: tuple[str, str, str] = attrs.field(init=False)
    """Names by which windows of faults select it: queue, function, mapping."""
    fleet: PollerFleet = attrs.field(init=False)
    receive_loop: ReceiveLoop = attrs.field(init=False)
    deleting: Deleting = attrs.field(init=False)
    _asks_hold: bool = attrs.field(init=False)
    """True if the fault plan has faults for batches that a poller carries."""
    _asks_invoke: bool = attrs.field(init=False)
    """True if the fault plan has faults for invocations."""

    def __attrs_post_init__(self) -> None:
        """Build the fleet, the receive loop and the deleting half."""
        self.scopes = self.mapping.queue, self.mapping.function, self.mapping.name
        self.scaling = _scaling(self.mapping, self.era, self.context.assumptions)
        self.latency = Latency(self.context)
        machine = self.state.machine
        self.fleet = PollerFleet(
            self.mapping.name,
            self.context,
            self.scaling,
            self._sees_backlog if self.context.injector.asks("poll") else lambda: machine.receivable,
            self._poll,
            self._dismiss,
            numbered_from=self.numbered_from,
        )
        self.receive_loop = ReceiveLoop(self.mapping, self.context, self.service, self.latency, self.fleet, self._ready)
        self.deleting = Deleting(self.mapping, self.context, self.service, self._free)
        self._asks_hold, self._asks_invoke = self.context.injector.asks("hold"), self.context.injector.asks("invoke")

    @property
    def state(self) -> QueueState:
        """The queue that it polls."""
        return self.service.states[self.mapping.queue]

    def start(self) -> None:
        """Begin to poll."""
        self.state.on_backlog.append(self.fleet.grow_later)
        self.fleet.start()

    def stop(self) -> None:
        """Record the empty receives of pollers that still wait when the run ends."""
        for poller in self.fleet.pollers:
            self.receive_loop.count_empty(poller)

    def retire(self) -> None:
        """Stop polling; the pollers finish the batches that they carry (Assumed: EC-23)."""
        if self.fleet.grow_later in self.state.on_backlog:
            self.state.on_backlog.remove(self.fleet.grow_later)
        self.fleet.retire()

    def _sees_backlog(self) -> bool:
        return self.state.machine.receivable and not self.receive_loop.faults.blind()

    def _poll(self, poller: Poller) -> None:
        self.receive_loop.poll(poller)

    def _dismiss(self, poller: Poller) -> None:
        self.receive_loop.dismiss(poller)

    def _ready(self, poller: Poller, receipts: Sequence[Receipt], index: int) -> None:
        """Take a batch, and invoke the function with it after the latencies of the calls."""
        self.carried += 1
        poller.receipts, poller.attempts = receipts, 0
        poller.gives_up = min([receipt.message.visible_at for receipt in receipts])
        messages = tuple([receipt.message.number for receipt in receipts])
        batch = tuple([(receipt.message.number, receipt.message.receive_count) for receipt in receipts])
        poller.request = request = Request(self.mapping, poller.number, index, messages, batch, receipts)
        now, latency = self.context.event_queue.now, self.latency.receive(poller) + self.latency.invoke(poller)
        injected = self.context.injector.injected("hold", self.scopes, batch, now) if self._asks_hold else None
        due, step = now + latency, partial(self._invoke, poller, request)
        if injected is not None and injected.kind == "restart":
            step = partial(self._restart, poller, request, injected.name)
        elif injected is not None:
            due = latency + self._stall(poller, request, injected)
        self.context.event_queue.at(due, step, poller.task)

    def _stall(self, poller: Poller, request: Request, injected: InjectedFault) -> int:
        """Record that a poller holds its batch and the messages it has gathered; return the end of the stall."""
        now, mapping = self.context.now, self.mapping.name
        until = now + _STALL if injected.until is None else injected.until
        messages = _in_hand(poller, request)
        self.context.record(Held(now, request.received, mapping, request.poller, messages, until, injected.name))
        return until

    def _restart(self, poller: Poller, request: Request, fault: str) -> None:
        """Make a poller forget its batch and the messages gathered for the next one (EP-13)."""
        messages = _in_hand(poller, request)
        poller.held, poller.batcher = [], None
        now, mapping = self.context.now, self.mapping.name
        self.context.record(Released(now, request.received, mapping, poller.number, messages, "restarted", fault))
        self._free(poller)

    # Invoking

    def _invoke(self, poller: Poller, request: Request) -> None:
        injected = None
        if self._asks_invoke:
            injected = self.context.injector.injected("invoke", self.scopes, request.batch, self.context.now)
        if self.functions.handlers is not None and self.functions.drops(request):
            return self._refuse(poller, request, reason="RecursiveInvocationException")  # LX-17
        if injected is not None and self._is_stopped(poller, request, injected):
            return None
        cold_start = injected.name if injected is not None and injected.kind == "cold_start" else ""
        refused = self.functions.invoke(request, partial(self._answered, poller), cold_start)
        if refused is not None:
            return self._throttle(poller, request, refused, "")
        return self.fleet.set_throttled(poller, throttled=False)

    def _is_stopped(self, poller: Poller, request: Request, injected: InjectedFault) -> bool:
        """Apply a fault to an invocation; return True if the invocation never reaches a function."""
        function, executions = self.mapping.function, self.functions.executions
        refused: Refused | None = None
        match injected.kind:
            case "throttled":
                refused = Refused(UNRESERVED, executions.running[function], executions.limit(function))
            case "account_full":
                refused = executions.refuse_unreserved(function, now=self.context.now)
            case "lost_invoke" if injected.until is not None or not poller.attempts:  # one message's: the first attempt
                self._lose(poller, request, injected)
                return True
            case "service_error":
                self._refuse(poller, request, fault=injected.name)
                return True
            case _:
                pass
        if refused is not None:
            self._throttle(poller, request, refused, injected.name)
        return refused is not None

    def _lose(self, poller: Poller, request: Request, injected: InjectedFault) -> None:
        """Wait for a response that never comes, then invoke again."""
        now = self.context.now
        again = min(now + self.context.assumptions.delete_retry, max(now, poller.gives_up))
        poller.attempts += 1
        index = self.context.record(
            Held(now, request.received, self.mapping.name, poller.number, request.messages, again, injected.name)
        )
        self._invoke_again(poller, request, again, "no answer", index, injected.name)

    def _refuse(self, poller: Poller, request: Request, *, fault: str = "", reason: str = "") -> None:
        """Give up a batch after an error of Lambda that no retry in place would change (LX-11)."""
        now, mapping, messages = self.context.now, self.mapping, request.messages
        event = ServiceFailed(
            now, request.received, mapping.function, mapping.name, poller.number, messages, fault, reason
        )
        self._release(poller, "service error", self.context.record(event))

    def _throttle(self, poller: Poller, request: Request, refused: Refused, fault: str) -> None:
        """Keep the batch and try again later, until its visibility ends (ES-8)."""
        now = self.context.event_queue.now
        poller.attempts += 1
        self.fleet.set_throttled(poller, throttled=True)
        index = self.context.record(
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
        again = now + (self.context.assumptions.rate_retry if refused.by_rate else self.latency.pause(poller))
        last = poller.gives_up - self.context.assumptions.last_retry  # Assumed: ES-8 leaves open if there is one
        if now < last < again:
            again = last
        self._invoke_again(poller, request, again, "throttled", index)

    def _invoke_again(  # noqa: PLR0917 - the last three are those of `_release`
        self, poller: Poller, request: Request, at: int, why: ReleaseReason, cause: int, fault: str = ""
    ) -> None:
        """Invoke at a moment; if visibility is over by then, give up at its end (ES-8)."""
        if at < poller.gives_up:
            self.context.event_queue.at(at, partial(self._invoke, poller, request), poller.task)
        else:
            give_up = partial(self._release, poller, why, cause, fault)
            self.context.event_queue.at(max(self.context.now, poller.gives_up), give_up, poller.task)

    def _answered(self, poller: Poller, event: InvocationEnded, index: int) -> None:
        if poller.held and self.context.assumptions.cut_off_messages_wait and self.state.queue.fifo:
            done = event.answered and event.outcome == "succeeded"
            failed = event.failed if done else event.messages
            groups = {each.message.group for each in poller.receipts if each.message.number in failed}
            self.receive_loop.hold_back(poller, groups, index)
        if not event.answered:
            self._release(poller, "no answer", index)
        elif event.outcome != "succeeded":
            self._release(poller, "failed", index)
        else:
            step = partial(self.deleting.delete, poller, event.failed, index)
            self.context.event_queue.after(self.latency.delete(poller), step, poller.task)

    def _release(self, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
        """Forget the batch; its messages come back only when their visibility ends (EC-15, EF-3)."""
        assert poller.request is not None
        messages = poller.request.messages
        self.context.record(Released(self.context.now, cause, self.mapping.name, poller.number, messages, why, fault))
        failed = why == "failed" and not self.mapping.report_batch_item_failures  # PB-13
        self._free(poller, failed=failed, gave_up=why == "throttled")

    def _free(self, poller: Poller, *, failed: bool = False, gave_up: bool = False) -> None:
        poller.request, poller.receipts = None, ()
        self.carried -= 1
        self.context.event_queue.may_be_over = True
        if poller.batcher is not None:
            poller.batcher.finished(self.context.now)  # EP-5
        self.fleet.go_on(poller, failed=failed, gave_up=gave_up)


def _scaling(mapping: EventSourceMapping, era: str, assumed: Assumptions) -> Scaling:
    return Scaling(
        scaling_limits(mapping, era),
        held_batches=assumed.held_batches,
        receive_after_giving_up=bool(assumed.receive_after_giving_up),
        throttled_growth=assumed.throttled_growth,
        long_poll=assumed.long_poll,
        idle_reduction=assumed.idle_reduction,
        let_go_on_error=assumed.let_go_on_error,
        let_go_in_proportion=assumed.let_go_in_proportion,
    )


def _in_hand(poller: Poller, request: Request) -> tuple[int, ...]:
    """Return the messages of a poller's batch, and those that it has gathered for the next one."""
    return request.messages + tuple(receipt.message.number for receipt in poller.held)


# Changes of a mapping while it polls: new pollers take the place of old ones (EC-21, EC-23) ---------------------------

_CHANGE = stream("time of a change of a mapping")


def change_time(random: RandomStreams, assumptions: Assumptions, mapping: str, change: int) -> int:
    """Return the milliseconds until a change of a mapping holds, drawn evenly (EC-21); `change`: its number."""
    longest = assumptions.mapping_change
    least = min(assumptions.mapping_change_least, longest)
    return least + int(random.fraction(_CHANGE, stream(mapping), change) * (longest - least + 1))


def start_after(mapping: Mapping, former: Sequence[Mapping]) -> None:
    """Start a mapping in the place of retired ones, whose pollers finish the batches that they carry.

    Assumed: a mapping counts these batches too, so all its pollers together stay below the ceiling (ES-3, MC-1).
    """
    scaling, scaling_limits = mapping.scaling, mapping.scaling.scaling_limits

    def make_room() -> None:
        taken = sum(one.fleet.busy for one in former)
        scaling.scaling_limits = attrs.evolve(scaling_limits, ceiling=max(0, scaling_limits.ceiling - taken))

    def left() -> None:
        make_room()
        mapping.fleet.grow_later()

    for one in former:
        one.fleet.left = left
    if former:
        make_room()
        scaling.pollers = min(scaling.pollers, scaling.scaling_limits.ceiling)
    mapping.start()


@attrs.define(eq=False)
class MappingLifecycle:
    """The mappings of one run over time."""

    context: SimulationContext
    make: Callable[[EventSourceMapping, int], Mapping]
    """Returns a mapping that does not poll yet, given its settings and `Mapping.numbered_from`."""
    settings: dict[str, EventSourceMapping]
    """Present configuration of each mapping, by name."""
    mappings: list[Mapping] = attrs.field(factory=list[Mapping])
    """All mappings that poll or did. Those that have stopped may still carry batches."""
    _polling: dict[str, Mapping] = attrs.field(factory=dict[str, Mapping])
    _forbidden: dict[str, int] = attrs.field(factory=dict[str, int])
    """Number of open windows that keep each mapping disabled."""

    def start(self) -> None:
        """Start every enabled mapping, at the start of the run, and schedule the windows' changes."""
        for name in self.settings:
            self._settle(name)
        for window in self.context.injector.windows("mapping"):
            begin = {"disabled": self._forbid, "scale_down": self._scale_down}[window.kind]
            injected, start = self.context.injector.of_window(window), milliseconds(window.start)
            for name in self.settings:
                if window.scope in {"", name} and window.seconds:
                    self.context.event_queue.at(start, partial(begin, name, injected))

    def polling(self, name: str) -> Mapping | None:
        """Return the `Mapping` that polls now for a name; None if the mapping is disabled."""
        return self._polling.get(name)

    def change(self, name: str, settings: EventSourceMapping) -> None:
        """Change the configuration of a mapping at once: its pollers retire and, if it is enabled, new ones start.

        `settings` have the same queue and function as before. Only the new number of pollers is recorded.
        """
        self.settings[name] = settings
        self._retire(name)
        self._settle(name)

    def _settle(self, name: str) -> None:
        """Start a mapping if it is enabled and no window disables it; else stop it."""
        wanted = self.settings[name].enabled and not self._forbidden.get(name)
        if not wanted:
            self._retire(name)
        elif name not in self._polling:
            self._begin(name)

    def _begin(self, name: str) -> None:
        former = [mapping for mapping in self.mappings if mapping.mapping.name == name]
        numbered_from = sum(len(mapping.fleet.pollers) for mapping in former)
        self._polling[name] = mapping = self.make(self.settings[name], numbered_from)
        self.mappings.append(mapping)
        start_after(mapping, former)

    def _retire(self, name: str) -> None:
        mapping = self._polling.pop(name, None)
        if mapping is not None:
            mapping.retire()

    # Windows

    def _forbid(self, name: str, injected: InjectedFault) -> None:
        """Disable a mapping until the window ends. If it is disabled already, nothing happens or is recorded."""
        if not self.settings[name].enabled:
            return
        assert injected.until is not None
        self._forbidden[name] = self._forbidden.get(name, 0) + 1
        self._operated(name, injected, enabled=False)
        self._settle(name)
        self.context.event_queue.at(injected.until, partial(self._allow, name, injected))

    def _allow(self, name: str, injected: InjectedFault) -> None:
        self._forbidden[name] -= 1
        self._operated(name, injected, enabled=True)
        self._settle(name)

    def _operated(self, name: str, injected: InjectedFault, *, enabled: bool) -> None:
        self.context.record(Operated(self.context.now, None, "change", name, "enabled", str(enabled), injected.name))

    def _scale_down(self, name: str, injected: InjectedFault) -> None:
        mapping = self.polling(name)
        if mapping is not None:
            mapping.fleet.scale_down(injected.name)
