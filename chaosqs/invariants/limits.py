"""Limits that users set: the age of messages, the concurrency of a dependency, the share of throttles.

Each invariant is made by a function and has its figures in its name, so that `named` can make it again from the name.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import partial

import attrs

from chaosqs.invariants.verdicts import Invariant, counted, judged, listed, message_text, not_applicable
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Returned,
    Sent,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

_NUMBER = r"\d+(?:\.\d+)?"
_NAME = re.compile(
    rf"oldest-message-within-(?P<within>{_NUMBER})-s(?:-in-(?P<queue>[\w.-]+))?"
    r"|downstream-concurrency-up-to-(?P<most>\d+)(?:-of-(?P<functions>[\w+-]+))?"
    rf"|throttle-rate-up-to-(?P<percent>{_NUMBER})-percent(?:-of-(?P<function>[\w-]+))?"
)


def named(name: str) -> Invariant | None:
    """Return the limit of that name, or None if it is not the name of a limit."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    try:
        if found["within"]:
            return oldest_message(float(found["within"]), found["queue"])
        if found["most"]:
            return downstream_concurrency(int(found["most"]), (found["functions"] or "").split("+"))
        return throttle_rate(float(found["percent"]) / 100, found["function"])
    except ValueError:
        return None


def oldest_message(within: float, queue: str | None = None) -> Invariant:
    """Return the invariant that no message stays in a queue for more than `within` seconds, above 0, in whole ms.

    `queue` None: in no queue that a mapping polls. In a dead-letter queue the time counts from the move (DLQ-11).
    """
    if not 0 < within < float("inf") or not milliseconds(within):
        raise ValueError(f"within must be a number of seconds above 0, not {within!r}")
    seconds = _figure(milliseconds(within) / 1000)
    name = f"oldest-message-within-{seconds}-s{f'-in-{queue}' if queue else ''}"
    return Invariant(
        name=name,
        title=f"oldest message within {seconds} s{f' in {queue}' if queue else ''}",
        statement=f"No message stays in {queue or 'a queue that a mapping polls'} for more than {seconds} seconds.",
        applies="To designs with such a queue; exercised by every message in it.",
        unit="messages",
        default=True,
        judge=partial(_judge_age, name, milliseconds(within), queue),
    )


def downstream_concurrency(limit: int, functions: Sequence[str] = ()) -> Invariant:
    """Return the invariant that functions together never have more than `limit` executions at once, 1 or more.

    `functions`: those that call the dependency that the limit protects; none: all.
    """
    if isinstance(limit, bool) or limit < 1:
        raise ValueError(f"limit must be a whole number of executions, 1 or more, not {limit!r}")
    given = tuple(filter(None, functions))
    name = f"downstream-concurrency-up-to-{limit}{'-of-' if given else ''}{'+'.join(given)}"
    whose = listed(given) if given else "all functions"
    return Invariant(
        name=name,
        title=f"downstream concurrency up to {limit}{f' of {listed(given)}' if given else ''}",
        statement=f"Executions of {whose} together are never more than {limit:,} at once.",
        applies="To designs with such a function; exercised when an invocation of one starts.",
        unit="invocations",
        default=True,
        judge=partial(_judge_executions, name, limit, given),
    )


def throttle_rate(limit: float, function: str | None = None) -> Invariant:
    """Return the invariant that at most a share `limit`, 0 to 1, of the attempts to invoke a function is throttled.

    `function` None: each function. Throttles by faults do not count: they say nothing about the design.
    """
    if not 0 <= limit <= 1:
        raise ValueError(f"limit must be a share from 0 to 1, not {limit!r}")
    percent = _figure(limit * 100)
    name = f"throttle-rate-up-to-{percent}-percent{f'-of-{function}' if function else ''}"
    return Invariant(
        name=name,
        title=f"throttle rate up to {percent} %{f' of {function}' if function else ''}",
        statement=f"Of all attempts to invoke {function or 'a function'} in a run, at most {percent} % are throttled.",
        applies="To designs with such a function; exercised by its invocations and throttles, those of faults apart.",
        unit="attempts",
        default=True,
        judge=partial(_judge_throttles, name, limit, function),
    )


def _figure(value: float) -> str:
    """Return a number as it stands in names: `300`, `0.5`; never with an exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


# The age of messages


def _judge_age(name: str, limit: int, queue: str | None, history: History) -> Verdict:
    """Blame each message that stays too long."""
    design = history.scenario.design
    wanted = {mapping.queue for mapping in design.mappings} if queue is None else {queue}
    if not wanted & {known.name for known in design.queues}:
        return not_applicable(name, f"the design has no queue {queue}" if queue else "the design has no mapping")
    ages = _Ages(name, limit, wanted)
    for index, event in enumerate(history.events):
        ages.follow(index, event)
    ages.close(history)
    idle = f"no message came to {queue}" if queue else "no message was sent"
    return judged(name, ages.violations, ages.came, idle)


@attrs.define
class _Ages:
    """The time since which each message is in its queue, updated event by event."""

    name: str
    limit: int
    wanted: set[str]
    since: dict[int, tuple[str, int, int]] = attrs.field(factory=dict[int, tuple[str, int, int]])
    """Queue, index and time of the event by which it came, by message."""
    gone: dict[int, tuple[str, int, int]] = attrs.field(factory=dict[int, tuple[str, int, int]])
    """The same for messages that left: a replica may bring one back after its delete (RH-10)."""
    came: int = 0
    blamed: set[int] = attrs.field(factory=set[int])
    """Messages that have a violation already."""
    violations: list[Violation] = attrs.field(factory=list[Violation])

    def follow(self, index: int, event: Event) -> None:
        match event:
            case Sent():
                self._comes(event.queue, event.message, index, event.at)
            case Deleted():
                self._leave(event.queue, [each for each in event.messages if each not in event.stayed], index, event.at)
            case FilteredOut():
                self._leave(event.queue, event.messages, index, event.at)
            case Expired():
                self._leave(event.queue, [event.message], index, event.at)
            case DeadLettered():
                self._leave(event.queue, [event.message], index, event.at)
                self._comes(event.target, event.message, index, event.at)
            case Returned() if event.message in self.gone:
                self.since[event.message] = self.gone.pop(event.message)
            case _:
                pass

    def _comes(self, queue: str, message: int, index: int, at: int) -> None:
        self.gone.pop(message, None)
        if queue in self.wanted:
            self.came += 1
            self.since[message] = (queue, index, at)

    def _leave(self, queue: str, messages: Sequence[int], index: int, at: int) -> None:
        for message in messages:
            if message in self.since and self.since[message][0] == queue:
                self.gone[message] = self.since.pop(message)
                self._check(message, self.gone[message], index, at, "left it after")

    def _check(self, message: int, stay: tuple[str, int, int], index: int, at: int, how: str) -> None:
        queue, came, since = stay
        if at - since <= self.limit or message in self.blamed:
            return
        self.blamed.add(message)
        text = (
            f"{message_text(message)} came to {queue} at {clock_text(since)} and {how} {clock_text(at - since)}: "
            f"the limit is {clock_text(self.limit)}."
        )
        blamed = (came, index) if index > came else (came,)
        self.violations.append(Violation(self.name, text, since + self.limit, queue, (message,), blamed))

    def close(self, history: History) -> None:
        """Check the messages that are left, and blame the last event before each exceeded its limit."""
        for message, stay in self.since.items():
            last = bisect_right(history.events, stay[2] + self.limit, key=lambda event: event.at) - 1
            self._check(message, stay, last, history.ended_at_ms, "was still there after")


# Executions


def _judge_executions(name: str, limit: int, functions: Sequence[str], history: History) -> Verdict:
    """Blame each invocation that brings the executions over the limit."""
    known = [function.name for function in history.scenario.design.functions]
    wanted = [function for function in functions or known if function in known]
    if not wanted:
        return not_applicable(name, f"the design has no function {listed(functions) if functions else 'at all'}")
    running: dict[int, int] = {}
    started, violations = 0, list[Violation]()
    for index, event in enumerate(history.events):
        if isinstance(event, InvocationStarted) and event.function in wanted:
            started, running[event.invocation] = started + 1, index
            if len(running) == limit + 1:
                text = (
                    f"{listed(wanted)} had {len(running):,} executions at once at {clock_text(event.at)}: "
                    f"the limit is {limit:,}."
                )
                violations.append(Violation(name, text, event.at, "", event.messages, tuple(running.values())))
        elif isinstance(event, InvocationEnded):
            running.pop(event.invocation, None)
    return judged(name, violations, started, f"no invocation of {listed(wanted)} started")


# Throttles


def _judge_throttles(name: str, limit: float, function: str | None, history: History) -> Verdict:
    """Blame each function with too large a share of throttled attempts."""
    known = [each.name for each in history.scenario.design.functions]
    wanted = [each for each in ([function] if function else known) if each in known]
    if not wanted:
        return not_applicable(name, f"the design has no function {function or 'at all'}")
    throttles: dict[str, list[int]] = {each: [] for each in wanted}
    started, faulted = dict.fromkeys(wanted, 0), dict.fromkeys(wanted, 0)
    for index, event in enumerate(history.events):
        if isinstance(event, InvocationStarted) and event.function in started:
            started[event.function] += 1
        elif isinstance(event, Throttled) and event.function in throttles:
            if event.fault:
                faulted[event.function] += 1
            else:
                throttles[event.function].append(index)
    attempts = {each: started[each] + len(throttles[each]) for each in wanted}
    violations = [
        _too_many(name, limit, each, attempts[each], _events(history, throttles[each]))
        for each in wanted
        if len(throttles[each]) > limit * attempts[each]
    ]
    excused = [f"{counted(count, 'throttle')} of {each} came from faults" for each, count in faulted.items() if count]
    return judged(name, violations, sum(attempts.values()), f"{listed(wanted)} was never invoked", excused)


def _events(history: History, indexes: Sequence[int]) -> dict[int, Throttled]:
    events = ((index, history.events[index]) for index in indexes)
    return {index: event for index, event in events if isinstance(event, Throttled)}


def _too_many(name: str, limit: float, function: str, attempts: int, throttles: Mapping[int, Throttled]) -> Violation:
    share = 100 * len(throttles) / attempts
    text = (
        f"{function} was throttled in {len(throttles):,} of {counted(attempts, 'attempt')} ({share:.1f} %): "
        f"the limit is {_figure(100 * limit)} %."
    )
    messages = tuple(dict.fromkeys(message for event in throttles.values() for message in event.messages))
    last = max(event.at for event in throttles.values())
    return Violation(name, text, last, "", messages, tuple(throttles))
