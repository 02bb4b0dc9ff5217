"""The simulator is consistent: each message is in one place at a time, and each event fits the events before it.

A violation is a bug of the simulator, never of a design.

Code that calls SQS itself (a handler, a client) may change visibility timeouts and delays, which no event records. If
such code may have run, the times at which messages become visible again are not checked.
"""

from __future__ import annotations

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, message_text, messages_text, times
from chaosqs.model import events
from chaosqs.model.design import Design, Queue
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

# The place of one message ---------------------------------------------------------------------------------------------


@attrs.define
class MessageState:
    """The place and state of one message; times in milliseconds."""

    home: str
    """The queue that it was sent to."""
    queue: str
    """The queue that it is in; empty if it is gone."""
    sent: int
    """Time from which its retention counts."""
    visible_at: int
    """Time until which it is, or was, hidden."""
    last: int
    """Index of the last event about it."""
    before: int | None = None
    """Index of the event about it before that."""
    in_flight: bool = False
    receive_count: int = 0
    mappings: list[str] = attrs.field(factory=list[str])
    """The mappings that have received it."""


# Reuse of execution environments --------------------------------------------------------------------------------------
#
# An idle execution environment must be used before a new one is created (LX-13). A history shows cold starts, but no
# environments. So they are counted: an environment is idle from the end of its invocation until another invocation
# starts warm, or its lifetime is over.


@attrs.define
class IdleEnvironments:
    """The idle environments of all functions, updated event by event."""

    lifetime: int
    """Milliseconds without an invocation after which an environment goes."""
    idle: dict[str, list[int]]
    """For each watched function, the times since which its environments are idle, in ascending order."""
    running: dict[int, events.InvocationStarted] = attrs.field(factory=dict[int, events.InvocationStarted])
    """Running invocations: their environments will be idle."""

    @classmethod
    def of(cls, history: History) -> IdleEnvironments:
        """Watch the functions of a run, except those with provisioned environments: no event shows their start (LC-9).

        With `cold_start` faults no function is watched: no event records the environments that such a fault removes.
        """
        scenario = history.scenario
        kinds = {*(window.kind for window in scenario.faults.windows)}.union(*scenario.faults.messages)
        functions = () if "cold_start" in kinds else scenario.design.functions
        watched = [function.name for function in functions if not function.provisioned_concurrency]
        return cls(scenario.assumptions.environment_lifetime, {name: [] for name in watched})

    def started(self, event: events.InvocationStarted) -> int | None:
        """Apply a start; return the time since which an environment was idle that should have been used, or None."""
        idle = self.idle.get(event.function)
        if idle is None:
            return None
        self.running[event.invocation] = event
        while idle and event.at - idle[-1] > self.lifetime:
            idle.pop()
        since = idle.pop() if idle else None
        return since if event.cold else None

    def ended(self, event: events.InvocationEnded) -> None:
        """Apply an end: the environment is idle if it is of the latest deployment."""
        if self.running.pop(event.invocation, None) is not None:
            self.idle[event.function].append(event.at)

    def operated(self, event: events.Operated) -> None:
        """Forget the environments of a function that was deployed again; stop watching one that an operator changed."""
        if event.target in self.idle:
            self.idle[event.target].clear()
            running = {number: start for number, start in self.running.items() if start.function != event.target}
            self.running = running
            if event.kind == "change":
                del self.idle[event.target]


# Judging a history ----------------------------------------------------------------------------------------------------

NAME = "conservation"


def judge(history: History) -> Verdict:
    """Blame each event that does not fit the ones before it, and each message that was forgotten."""
    run, changes = _RunState.of(history), dict(history.designs[1:])
    for index, event in enumerate(history.events):
        if index in changes:
            run.change(changes[index], event.at)
        run.check_order(index, event)
        run.enter_message(index, event)
        run.enter_invocation(index, event)
    run.close(history.ended_at_ms)
    return judged(NAME, run.violations, len(history.events), "nothing happened")


@attrs.define
class _RunState:
    """The places of all messages and the running invocations, updated event by event."""

    queues: dict[str, Queue]
    """Queues of the design, by name; clients may create others."""
    by_hand: bool
    """True if code that calls SQS itself may have run."""
    environments: IdleEnvironments
    changed: bool = False
    """True if an operator has changed the design."""
    now: int = 0
    states: dict[int, MessageState] = attrs.field(factory=dict[int, MessageState])
    invocations: dict[int, events.InvocationStarted | None] = attrs.field(
        factory=dict[int, events.InvocationStarted | None]
    )
    """Each invocation that started; None once it has ended."""
    violations: list[Violation] = attrs.field(factory=list[Violation])

    @classmethod
    def of(cls, history: History) -> _RunState:
        """Return the state at the start of a run."""
        scenario = history.scenario
        by_hand = any(behaviour.handler is not None for behaviour in scenario.behaviours.values())
        return cls({queue.name: queue for queue in scenario.design.queues}, by_hand, IdleEnvironments.of(history))

    def change(self, design: Design, at: int) -> None:
        """Apply an operator's change; in a FIFO queue a new delay also applies to messages already delayed (DL-3)."""
        self.changed = True
        self.queues |= {queue.name: queue for queue in design.queues}
        for state in self.states.values():
            queue = self.queues.get(state.queue)
            if queue and queue.fifo and not state.in_flight and state.visible_at > at:
                state.visible_at = state.sent + milliseconds(queue.delay)

    def check_order(self, index: int, event: events.Event) -> None:
        """Blame an event that is older than the one before it, or that comes before its cause."""
        if event.cause is not None and not 0 <= event.cause < index:
            self._wrong(index, f"Event {index} names event {event.cause} as its cause, which is not before it")
        if event.at < self.now:
            moments = f"is of {clock_text(event.at)}, but comes after one of {clock_text(self.now)}"
            self._wrong(index, f"Event {index} {moments}")
        self.now = max(self.now, event.at)

    def enter_message(self, index: int, event: events.Event) -> None:
        """Check an event against the places of its messages, and update these."""
        match event:
            case events.Sent():
                self._sent(index, event)
            case events.Received():
                self.by_hand = self.by_hand or not event.mapping
                for message, count in zip(event.messages, event.receive_counts, strict=True):
                    self._received(index, event, message, count)
            case events.Returned():
                self._returned(index, event)
            case events.Deleted() | events.FilteredOut():
                for message in event.messages:
                    self._deleted(index, event, message)
            case events.DeadLettered():
                self._dead_lettered(index, event)
            case events.Expired():
                self._expired(index, event)
            case _:
                pass

    def _sent(self, index: int, event: events.Sent) -> None:
        if event.message in self.states:
            self._wrong(index, "was sent a second time", event.message)
            return
        visible = event.at + self._delay(event.queue)
        self.states[event.message] = MessageState(event.queue, event.queue, event.at, visible, index)

    def _received(self, index: int, event: events.Received, message: int, count: int) -> None:
        state = self._present(index, message, event.queue, "received from")
        if state is None:
            return
        if not event.mapping and state.in_flight and count == state.receive_count:
            return  # FF-20: a client repeats its receive and gets the same answer
        if state.in_flight:
            self._wrong(index, f"was received from {event.queue} while it was in flight", message)
        elif event.at < state.visible_at and not self.by_hand:
            self._wrong(index, f"was received from {event.queue} before its delay was over", message)
        queue = self.queues.get(event.queue)
        late = 0 if queue is None else event.at - state.sent - milliseconds(queue.retention_period)
        if late > 0 and not self.changed:
            self._wrong(
                index, f"was received from {event.queue} {clock_text(late)} after its retention", message
            )  # RT-1
        if count != state.receive_count + 1:
            before = times(state.receive_count) if state.receive_count else "never"
            self._wrong(index, f"has the receive count {count} although it was received {before} before", message)
        if event.visible_at < event.at:
            self._wrong(index, "was hidden until a moment before its receive", message)
        elif event.mapping and event.queue in self.queues:
            self._check_hidden(index, event, message)
        state.in_flight, state.visible_at, state.receive_count = True, event.visible_at, count
        if event.mapping not in state.mappings:
            state.mappings.append(event.mapping)

    def _check_hidden(self, index: int, event: events.Received, message: int) -> None:
        """Blame a visibility timeout that is not the queue's: pollers ask for no other (VT-1)."""
        hidden, timeout = event.visible_at - event.at, milliseconds(self.queues[event.queue].visibility_timeout)
        if hidden != timeout:
            self._wrong(index, f"was hidden for {clock_text(hidden)} instead of {clock_text(timeout)}", message)

    def _returned(self, index: int, event: events.Returned) -> None:
        """Apply the end of a visibility timeout; a fault may cause it early, or after the delete (OR-4, RH-10)."""
        known = self.states.get(event.message)
        if event.fault and known is not None and not known.queue:
            known.queue = event.queue
        state = self._present(index, event.message, event.queue, "returned to")
        if state is None:
            return
        if event.fault:
            state.in_flight, state.visible_at = False, event.at
            return
        if not state.in_flight and not self.by_hand:
            self._wrong(index, f"came back to {event.queue} although it was not in flight", event.message)
        elif event.at < state.visible_at and not self.by_hand:
            why = f"although it was hidden until {clock_text(state.visible_at)}"
            self._wrong(index, f"came back to {event.queue} {why}", event.message)
        state.in_flight = False

    def _deleted(self, index: int, event: events.Deleted | events.FilteredOut, message: int) -> None:
        """Apply a delete. It changes nothing if the message has left the queue since its receive (RH-7, RT-2)."""
        state = self.states.get(message)
        if state is None or (event.mapping and event.mapping not in state.mappings):
            who = event.mapping or "a client"
            self._wrong(index, f"was deleted by {who}, which had not received it", message)
            return
        state.before, state.last = state.last, index
        if isinstance(event, events.FilteredOut) or message not in event.stayed:
            queue = self.queues.get(event.queue)
            if queue and queue.fifo and event.mapping and state.queue == event.queue and not state.in_flight:
                self._wrong(index, f"was deleted from {event.queue} after its visibility had ended", message)  # RH-5
            state.queue = "" if state.queue == event.queue else state.queue
        elif state.queue != event.queue and not event.fault:
            self._wrong(index, f"is said to stay in {event.queue}, where it is not", message)

    def _dead_lettered(self, index: int, event: events.DeadLettered) -> None:
        state = self._present(index, event.message, event.queue, "moved out of")
        if state is None:
            return
        source, target = self.queues.get(event.queue), self.queues.get(event.target)
        went = f"went from {event.queue} to {event.target}"
        if source and (source.redrive is None or source.redrive.dead_letter_queue != event.target):
            self._wrong(index, f"{went} without a redrive policy that says so", event.message)
        if state.in_flight:
            self._wrong(index, f"{went} while it was in flight", event.message)
        state.queue, state.in_flight = event.target, False
        state.visible_at = event.at + self._delay(event.target)
        if target and target.fifo:
            state.sent = event.at  # DLQ-10
        elif target:  # DLQ-9: the age goes on; a message that is too old for the target expires at once
            state.sent = max(state.sent, event.at - milliseconds(target.retention_period))

    def _expired(self, index: int, event: events.Expired) -> None:
        """Apply an expiry; after an operator's change it may come late."""
        state = self._present(index, event.message, event.queue, "expired in")
        if state is None:
            return
        state.queue, queue = "", self.queues.get(event.queue)
        late = 0 if queue is None else event.at - state.sent - milliseconds(queue.retention_period)
        if late > 0 and not self.changed:
            self._wrong(index, f"expired in {event.queue} {clock_text(late)} after its retention", event.message)

    def enter_invocation(self, index: int, event: events.Event) -> None:
        """Check an event against the running invocations, and update these."""
        match event:
            case events.InvocationStarted():
                self._started(index, event)
            case events.InvocationEnded():
                self._ended(index, event)
            case events.Operated():
                self.environments.operated(event)
            case _:
                pass

    def _started(self, index: int, event: events.InvocationStarted) -> None:
        if event.invocation in self.invocations:
            self._wrong(index, f"Invocation {event.invocation} of {event.function} started a second time")
        self.invocations[event.invocation] = event
        idle = self.environments.started(event)
        if idle is not None:
            why = f"although an environment was idle from {clock_text(idle)} on"
            self._wrong(index, f"Invocation {event.invocation} of {event.function} started cold {why}")  # LX-13
        for message in event.messages:
            state = self.states.get(message)
            if state is None or event.mapping not in state.mappings:
                why = f"although {event.mapping} had not received it"
                self._wrong(index, f"was handed to {event.function} {why}", message)

    def _ended(self, index: int, event: events.InvocationEnded) -> None:
        whose = f"Invocation {event.invocation} of {event.function}"
        if event.invocation not in self.invocations:
            self._wrong(index, f"{whose} ended, but had not started")
            return
        self.environments.ended(event)
        started = self.invocations[event.invocation]
        self.invocations[event.invocation] = None
        if started is None:
            self._wrong(index, f"{whose} ended a second time")
        elif started.messages != event.messages:
            batches = f"{messages_text(started.messages)} and ended with {messages_text(event.messages)}"
            self._wrong(index, f"{whose} started with {batches}")

    def close(self, ended_at: int) -> None:
        """Blame each remaining message that should have become visible or expired, but did not."""
        for message, state in self.states.items():
            if not state.queue:
                continue
            if state.in_flight and state.visible_at < ended_at and not self.by_hand:
                why = f"although it was hidden only until {clock_text(state.visible_at)}"
                self._wrong(state.last, f"never came back to {state.queue} {why}", message)
            queue = self.queues.get(state.queue)
            if queue and state.sent + milliseconds(queue.retention_period) < ended_at:
                self._wrong(state.last, f"is still in {state.queue} although its retention is over", message)

    def _delay(self, queue: str) -> int:
        return milliseconds(self.queues[queue].delay) if queue in self.queues else 0

    def _present(self, index: int, message: int, queue: str, done: str) -> MessageState | None:
        """Return the state of a message that must be in a queue; if it is not, blame the event and return None."""
        state = self.states.get(message)
        if state is not None and state.queue == queue:
            state.before, state.last = state.last, index
            return state
        why = "it was never sent" if state is None else f"it was in {state.queue}" if state.queue else "it was gone"
        self._wrong(index, f"was {done} {queue} although {why}", message)
        return None

    def _wrong(self, index: int, text: str, message: int | None = None) -> None:
        state = None if message is None else self.states.get(message)
        before = None if state is None else state.before if state.last == index else state.last
        indexes = (index,) if before is None else (before, index)
        messages = () if message is None else (message,)
        queue = "" if state is None else state.home
        subject = "" if message is None else f"{message_text(message)} "
        text = f"{subject}{text}. This is a bug of chaosqs, not of the design."
        self.violations.append(Violation(NAME, text, self.now, queue, messages, indexes))


CONSERVATION = Invariant(
    name=NAME,
    title="conservation",
    statement="Every message is in exactly one place at a time, and every event fits the ones before it; "
    "anything else is a bug of chaosqs.",
    applies="To every design; exercised by every event.",
    unit="events",
    default=True,
    judge=judge,
    internal=True,
)
