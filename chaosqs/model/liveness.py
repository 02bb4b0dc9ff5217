"""The liveness deadline: the time by which everything in a run must be over, derived term by term.

Nothing new comes after the last arrival and the end of the fault plan. From then on each message needs a bounded number
of receives, each of bounded length; the functions need the time to handle all messages with the executions that they
may have; and the faults that have begun end. Retention ends everything that is left.

The bound holds if the functions finish their messages at some time. A function that always fails and has no redrive
policy never does: its messages end with their retention, and a run goes on for ten of their cycles.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil, exp, sqrt

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import MOST_PASSES, ONE_CPU, Design, EventSourceMapping, Queue
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.workload import Arrival, Load, arrivals

MOST_RECEIVES = 100
"""Maximum receives of one message that a run waits for; a redrive policy can grant ten times as many (DLQ-1)."""
ENDLESS_CYCLES = 10
"""Cycles that a run waits for, where no redrive policy ends the deliveries of a message."""
_ROUNDS = 4  # rounds of a loop of redrive policies after which a run shows that it is one
_LONGEST_HOLD = 10  # seconds that a fault of one message holds a batch, receive, delete or send, at most
_LATENCY_FACTOR = 5  # Assumed: the latencies of one batch together stay within this multiple of their medians
_MIN_POLLERS = 2  # ES-5
_POLLERS_PER_SECOND = 1  # growth in the slowest era (ES-2)
_UNLIMITED = 1000  # executions that a function without a limit does not exceed in a run (LC-6)
_DEVIATIONS = 3  # of the logarithm of a duration: one invocation in a thousand takes longer


@attrs.frozen
class Bound:
    """The terms of the liveness deadline, in seconds."""

    last_arrival: float
    plan: float
    """Time from the last arrival to the end of the fault plan."""
    sending: float
    """Time for resends after failed sends, and for late messages (OR-1, OR-4)."""
    delay: float
    """Time for which a queue hides a new message (DL-1)."""
    cycles: float
    """Visibility timeouts after all receives of a message, except the one that moves it (VT-3, EF-3, DLQ-3)."""
    working: float
    """Time in which the functions handle all messages, each alone in its batch (RX-2), as many at once as executions
    (LC-2, MC-1) and pollers (ES-2, ES-5) allow; with windows, latencies, cold starts and pauses after throttles."""
    holding: float
    """Time until begun faults end: stalls, slow calls, pauses of tasks, running invocations (EP-10, LX-1)."""
    changing: float
    """Time until an operator's change of a mapping takes effect (EC-21)."""
    retention: float
    """Time at which the last message expires, which caps the sum of the other terms (RT-1, DLQ-9, DLQ-10)."""

    @property
    def seconds(self) -> float:
        """The liveness deadline, in seconds after the start of the run."""
        spent = self.delay + self.cycles + self.working + self.holding + self.changing
        return min(self.last_arrival + self.plan + self.sending + spent, self.retention)


def liveness_deadline(
    design: Design,
    workload: Sequence[Load],
    behaviours: Mapping[str, Behaviour],
    faults: FaultPlan | None = None,
    assumptions: Assumptions | None = None,
) -> int:
    """Return the time at which everything must be over, in whole seconds after the start of the run."""
    return ceil(bound(design, workload, behaviours, faults or FaultPlan(), assumptions or Assumptions()).seconds)


def bound(
    design: Design,
    workload: Sequence[Load],
    behaviours: Mapping[str, Behaviour],
    faults: FaultPlan,
    assumptions: Assumptions,
) -> Bound:
    """Return the bound, term by term; with `heal_at`, the smaller one of the plan's own end and of healing."""
    case = _Case(design, behaviours, assumptions, arrivals(workload), faults)
    if faults.heal_at is None:
        return case.bound(faults.ends_at, case.fault_count())
    return min(
        case.bound(faults.ends_at, case.fault_count()), case.bound(faults.heal_at, 0), key=lambda found: found.seconds
    )


@attrs.frozen
class _Case:
    """The values that determine the bound."""

    design: Design
    behaviours: Mapping[str, Behaviour]
    assumptions: Assumptions
    sent: Sequence[Arrival]
    faults: FaultPlan

    def bound(self, ends_at: float, fault_count: int) -> Bound:
        """Return the bound for a plan that ends at `ends_at` and spoils `fault_count` receives at any time."""
        polled = [mapping for mapping in self.design.mappings if mapping.enabled]
        queues = [self.design.queue(name) for name in dict.fromkeys(mapping.queue for mapping in polled)]
        functions = dict.fromkeys(mapping.function for mapping in polled)
        last = self.sent[-1].at / 1000 if self.sent else 0
        plan, sending = max(0.0, ends_at - last), _LONGEST_HOLD if self._sends_fail() else 0
        longest = max((self.design.function(name).timeout for name in functions), default=0)
        return Bound(
            last_arrival=last,
            plan=plan,
            sending=sending,
            delay=max((queue.delay for queue in self.design.queues), default=0),
            cycles=max((self._cycles(queue, fault_count, ()) for queue in queues), default=0),
            working=sum(self._working(name, fault_count) for name in functions),
            holding=self._holding(fault_count, longest),
            changing=self.assumptions.mapping_change / 1000 if self._changes() else 0,
            retention=last + plan + sending + longest + max(map(self._retention, queues), default=0) + 1,
        )

    # The fault plan

    def fault_count(self) -> int:
        """Count the receives that the plan spoils; each spoils a receive of all messages in the same batch."""
        return sum(kind not in {OK, *self.faults.banned} for kinds in self.faults.messages for kind in kinds)

    def _sends_fail(self) -> bool:
        return any(kind != OK for kind in self.faults.sends) or bool(self.faults.windows)

    def _holding(self, fault_count: int, longest: int) -> float:
        """Return the time until begun faults end: each may hold a batch, or prolong an invocation to its timeout."""
        pauses = len(self.faults.pauses) * self.assumptions.longest_pause / 1000
        begun = fault_count + bool(self.faults.windows or self.faults.actions)
        return begun * (_LONGEST_HOLD + longest) + pauses

    def _changes(self) -> bool:
        mappings = [mapping.name for mapping in self.design.mappings]
        return any(action.kind == "change" and action.target in mappings for action in self.faults.actions)

    # Queues

    def _cycles(self, queue: Queue, fault_count: int, before: tuple[str, ...]) -> float:
        """Return the time that a message can cycle: in its queue, then in the dead-letter queue if that is polled."""
        mappings = self._polling(queue.name)
        if not mappings or queue.name in before:
            return 0
        redrive = queue.redrive
        receives = max(ENDLESS_CYCLES, fault_count + 1) if redrive is None else redrive.max_receive_count  # DLQ-3
        own = min(receives, MOST_RECEIVES) * max(1, queue.visibility_timeout)
        if redrive is None:
            return own
        target = self.design.queue(redrive.dead_letter_queue)
        return own * self._in_line(queue, mappings) + self._cycles(target, fault_count, (*before, queue.name))

    def _in_line(self, queue: Queue, mappings: Sequence[EventSourceMapping]) -> int:
        """Count the messages that have to fail one after another: those of one FIFO group (FF-13)."""
        if not queue.fifo or not any(self.may_fail(mapping.function) for mapping in mappings):
            return 1
        return max(1, *Counter(arrival.group for arrival in self.sent).values())

    def _retention(self, queue: Queue, before: tuple[str, ...] = ()) -> float:
        """Return the time that a message is kept; in a FIFO dead-letter queue, retention starts again (DLQ-10)."""
        if queue.redrive is None or queue.name in before:
            return queue.retention_period
        target = self.design.queue(queue.redrive.dead_letter_queue)
        if not self._polling(target.name):
            return queue.retention_period
        after = self._retention(target, (*before, queue.name))
        return queue.retention_period + after if queue.fifo else max(queue.retention_period, after)

    def _polling(self, queue: str) -> list[EventSourceMapping]:
        return [mapping for mapping in self.design.mappings if mapping.queue == queue and mapping.enabled]

    # Functions

    def _working(self, function: str, fault_count: int) -> float:
        """Return the time that a function needs for all messages that can reach it."""
        mappings = [mapping for mapping in self.design.mappings_of(function) if mapping.enabled]
        batches = sum(self._batches(self.design.queue(mapping.queue), function) for mapping in mappings) + fault_count
        each = max(self._busy(mapping) for mapping in mappings)
        return _drained(batches, each, self._at_once(function, mappings))

    def _batches(self, queue: Queue, function: str) -> int:
        """Count the batches of a queue: one per message, or one per granted receive if the function may fail."""
        sources = {queue.name, *self._redriving_to(queue.name)}
        messages = sum(arrival.queue in sources for arrival in self.sent)
        granted = 1 if queue.redrive is None else min(queue.redrive.max_receive_count, MOST_RECEIVES)
        return messages * (granted if self.may_fail(function) else 1)

    def _redriving_to(self, name: str) -> list[str]:
        """Return the queues whose messages can reach a queue by one or more dead-letter moves."""
        found: list[str] = []
        waiting = [name]
        while waiting:
            target = waiting.pop()
            for queue in self.design.queues:
                if queue.redrive and queue.redrive.dead_letter_queue == target and queue.name not in found:
                    found.append(queue.name)
                    waiting.append(queue.name)
        return found

    def _busy(self, mapping: EventSourceMapping) -> float:
        """Return the time that a poller is busy with one batch, from its first message to the delete."""
        assumed = self.assumptions
        latencies = assumed.receive_latency + assumed.invoke_latency + assumed.delete_latency + assumed.cold_start
        window = mapping.maximum_batching_window  # EP-4, EP-6
        waiting = max(window, assumed.low_traffic_wait / 1000) if window else 0
        return waiting + self._duration(mapping.function) + _LATENCY_FACTOR * latencies / 1000 + self._pause(mapping)

    def _duration(self, function: str) -> float:
        """Return the duration of an invocation with one message; the timeout if the function may fail (LX-1)."""
        behaviour, timeout = self.behaviours.get(function) or Behaviour(), self.design.function(function).timeout
        return timeout if self.may_fail(function) else min(timeout, _longest(self.design, function, behaviour, 1))

    def may_fail(self, function: str) -> bool:
        """Return True if a function may fail repeatedly without a fault; always so for real code."""
        behaviour = self.behaviours.get(function) or Behaviour()
        largest = max((mapping.batch_size for mapping in self.design.mappings_of(function)), default=1)
        slow = _longest(self.design, function, behaviour, largest) >= self.design.function(function).timeout
        return bool(behaviour.error_rate or behaviour.poison or behaviour.handler) or slow

    def _pause(self, mapping: EventSourceMapping) -> float:
        """Return the time that an execution may be idle while a throttled batch waits for its next try (ES-8, LC-8)."""
        if not self._throttles(mapping.function):
            return 0
        visibility = max(1, self.design.queue(mapping.queue).visibility_timeout)
        return min(visibility, self.assumptions.throttle_retry_limit / 1000)

    def _throttles(self, function: str) -> bool:
        """Return True if a function can lack executions (LC-2, MC-3); a FIFO group has one batch at a time (FF-13)."""
        fifo = all(queue.fifo for queue in self.design.queues if self._polling(queue.name))
        batches = len({(arrival.queue, arrival.group) for arrival in self.sent}) if fifo else len(self.sent)
        room = self.design.concurrency_limit(function) >= batches + self.fault_count()
        return not room and not self.design.maximum_concurrency_fits(function)

    def _at_once(self, function: str, mappings: Sequence[EventSourceMapping]) -> int:
        """Return the number of batches that can run at once, given limits, pollers and FIFO groups."""
        limit = min(self.design.concurrency_limit(function), _UNLIMITED)
        maxima = [mapping.maximum_concurrency for mapping in mappings]
        asked = sum(_UNLIMITED if most is None else most for most in maxima)
        fifo = any(self.design.queue(mapping.queue).fifo for mapping in mappings)
        groups = len({arrival.group for arrival in self.sent}) if fifo else _UNLIMITED
        held = self.assumptions.held_batches if self._throttles(function) else _UNLIMITED
        granted = any(self.design.queue(mapping.queue).redrive for mapping in mappings)
        failing = 1 if granted and self.may_fail(function) else _UNLIMITED  # ES-7
        return max(1, min(limit, asked, groups, held, failing))


def _longest(design: Design, function: str, behaviour: Behaviour, messages: int) -> float:
    usual = behaviour.seconds_per_batch + messages * behaviour.seconds_per_message
    seconds = usual * exp(_DEVIATIONS * behaviour.spread)
    return seconds * ONE_CPU / min(ONE_CPU, design.function(function).memory) if behaviour.memory_scales else seconds


def _drained(batches: int, each: float, most: int) -> float:
    """Return the time for all batches while pollers grow from the minimum to `most`, one a second (ES-2, ES-5)."""
    start, work = min(_MIN_POLLERS, most), batches * each
    ramp = (most - start) / _POLLERS_PER_SECOND
    grown = start * ramp + _POLLERS_PER_SECOND * ramp * ramp / 2
    if work <= grown:
        return (sqrt(start * start + 2 * _POLLERS_PER_SECOND * work) - start) / _POLLERS_PER_SECOND + each
    return ramp + (work - grown) / most + each


# Run length: until the liveness deadline, and in some designs until dead letters expire -------------------------------
#
# In a standard dead-letter queue the retention counts from the sending (DLQ-9). A dead-letter queue that keeps messages
# no longer than their source lets them expire early, hours or days after everything else is over. A run lasts until
# then, which costs nothing because nothing happens meanwhile. This applies only if every polled queue has a dead-letter
# queue: without one, a message would cycle for days until its retention ends.
#
# If both queues keep AWS's default of four days, the run does not wait: retries use up only minutes of it, and every
# such design would violate the invariant.

_DEFAULT_RETENTION = Queue("default").retention_period  # seconds (RT-1)


def run_length(
    design: Design,
    workload: Sequence[Load],
    behaviours: Mapping[str, Behaviour],
    faults: FaultPlan | None = None,
    assumptions: Assumptions | None = None,
) -> int:
    """Return the seconds that a run has to last to show what can go wrong.

    That is the liveness deadline, or longer (see above), or shorter where failing messages come back again and again.
    """
    known = bound(design, workload, behaviours, faults or FaultPlan(), assumptions or Assumptions())
    longer = max(_kept_briefly(design), _going_round(design, behaviours))
    repeated = _repeated(design, behaviours, known)
    if repeated is not None:
        return ceil(min(repeated, known.retention))
    return ceil(max(known.seconds, known.last_arrival + known.plan + known.sending + longer + 1 if longer else 0))


def _going_round(design: Design, behaviours: Mapping[str, Behaviour]) -> int:
    """Return the seconds after which Lambda's guard stops what goes from a dead-letter queue back to its source, or 0.

    Real code sends to the queues that its variables name (LX-16).
    """
    rounds = [0]
    for source in design.queues:
        for mapping in design.mappings:
            code = behaviours.get(mapping.function)
            if source.redrive and code and code.handler and mapping.queue == source.redrive.dead_letter_queue:
                named = {re.split("[:/]", value)[-1] for value in code.environment.values()}
                tries = source.redrive.max_receive_count * (source.visibility_timeout + source.delay)
                once = tries + design.function(mapping.function).timeout + mapping.maximum_batching_window
                rounds.append((MOST_PASSES + 1) * once if source.name in named else 0)
    return max(rounds)


def _kept_briefly(design: Design) -> int:
    """Return the longest retention, in seconds, of the dead-letter queues from which messages expire early, or 0."""
    polled = {mapping.queue for mapping in design.mappings if mapping.enabled}
    sources = [design.queue(name) for name in sorted(polled)]
    if any(source.redrive is None for source in sources):
        return 0
    pairs = [
        (source, design.queue(source.redrive.dead_letter_queue))
        for source in sources
        if source.redrive and not source.fifo
    ]
    return max((target.retention_period for source, target in pairs if _is_brief(source, target)), default=0)


def _is_brief(source: Queue, target: Queue) -> bool:
    chosen = (source.retention_period, target.retention_period) != (_DEFAULT_RETENTION, _DEFAULT_RETENTION)
    return chosen and target.retention_period <= source.retention_period


def _repeated(design: Design, behaviours: Mapping[str, Behaviour], known: Bound) -> float | None:
    """Return the seconds after which a run repeats itself if a function fails; None: something new comes at the end.

    The failing messages go round in a loop of redrive policies, or max_receive_count grants more receives than a run
    waits for. Then each delivery is like the one before it.
    """
    polled = [mapping for mapping in design.mappings if mapping.enabled]
    case = _Case(design, behaviours, Assumptions(), (), FaultPlan())
    failing = [design.queue(mapping.queue) for mapping in polled if case.may_fail(mapping.function)]
    begun = known.last_arrival + known.plan + known.sending + known.delay + known.holding + known.changing
    if any(len(redrive_loop(design, queue.name)) for queue in failing):
        return begun + _ROUNDS * known.cycles
    if any(queue.redrive is not None and queue.redrive.max_receive_count > MOST_RECEIVES for queue in failing):
        return min(known.seconds, begun + known.cycles)
    return None


def redrive_loop(design: Design, queue: str) -> tuple[str, ...]:
    """Return the queues by which redrive policies lead from a queue back to it, which mappings poll; empty: none."""
    polled = {mapping.queue for mapping in design.mappings if mapping.enabled}
    passed, at = list[str](), queue
    while at in polled and at not in passed:
        passed.append(at)
        redrive = design.queue(at).redrive
        at = "" if redrive is None else redrive.dead_letter_queue
    return tuple(passed) if at == queue else ()
