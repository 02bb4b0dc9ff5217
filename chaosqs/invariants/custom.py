"""Invariants of users: functions of a history that return or yield what is wrong with it.

    @chaosqs.invariant("Each order is charged once.")
    def orders_are_charged_once(history):
        for effect, times in charges(history):
            if times > 1:
                yield f"Order {effect} was charged {times} times."

The function gets a copy of the history, so its changes do not affect other invariants. An `assert` that fails is a
violation, with its message. Any other error means that the invariant itself is wrong: its verdict is `inconclusive`,
with the traceback as the reason.
"""

import re
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias

import attrs

from chaosqs.invariants.verdicts import Invariant, judged
from chaosqs.model.events import Event
from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict, Violation

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_LONGEST = 300  # maximum characters of an assertion's message in a violation
_TAKEN: list[Callable[[str], object]] = []
_KNOWN: dict[str, Invariant] = {}


def take(is_taken: Callable[[str], object]) -> None:
    """Register a test for names that invariants of users may not have."""
    _TAKEN.append(is_taken)


def known(name: str) -> Invariant | None:
    """Return the user's invariant of that name, or None; the latest one if there are two."""
    return _KNOWN.get(name)


@attrs.frozen
class Silence:
    """The reason why an invariant has no verdict on a run."""

    status: Status
    reason: str


def not_applicable(reason: str) -> Silence:
    """State that the invariant does not apply to such a design, whatever happens, for the reason given."""
    return Silence(Status.NOT_APPLICABLE, reason)


def not_exercised(reason: str) -> Silence:
    """State that nothing in the run could have violated the invariant, for the reason given."""
    return Silence(Status.NOT_EXERCISED, reason)


Blamed: TypeAlias = tuple[str | Event, ...]
"""A sentence and the events to blame, in any order."""
Said: TypeAlias = str | Violation | Blamed | int | Silence
"""A value that the function may yield: a violation, a count of exercises, or a reason for no verdict."""
InvariantFunction: TypeAlias = Callable[[History], Iterable[Said] | str | Violation | int | Silence | None]
"""The user's function; it returns one such value, or several."""


def invariant(
    statement: str, *, name: str | None = None, applies: str = "To every run.", unit: str = "runs"
) -> Callable[[InvariantFunction], Invariant]:
    """Make an invariant of a function that takes a `History`.

    The function yields, or returns in a list, each violation: a sentence, a `Violation`, or a tuple of a sentence and
    the events to blame, which the story then shows; nothing or None: the invariant holds. A whole number counts towards
    `Verdict.exercised` (without one, each run counts once); `chaosqs.not_exercised(why)` and
    `chaosqs.not_applicable(why)` give the reason for no verdict. `statement` is the invariant in one sentence,
    `applies` the designs and runs that it is about, `unit` the plural noun that the numbers count. `name`: lower-case
    words with dashes, at most 60 characters; None: the function's name. Raises ValueError for any other name, and for
    the name of an invariant of chaosqs.
    """

    def decorate(function: InvariantFunction) -> Invariant:
        chosen = function.__name__.strip("_").replace("_", "-").lower() if name is None else name
        if not _NAME.fullmatch(chosen):
            raise ValueError(f"name must be lower-case words with dashes, at most 60 characters, not {chosen!r}")
        if any(is_taken(chosen) for is_taken in _TAKEN):
            raise ValueError(f"name must not be that of an invariant of chaosqs's own: {chosen!r}")
        title, judge = chosen.replace("-", " "), partial(_judge, chosen, function)
        made = _KNOWN[chosen] = Invariant(chosen, title, statement, applies, unit, default=True, judge=judge)
        return made

    return decorate


def _judge(name: str, function: InvariantFunction, history: History) -> Verdict:
    try:
        return _verdict(name, function, attrs.evolve(history, scenario=attrs.evolve(history.scenario)))
    except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
        return Verdict(name, Status.INCONCLUSIVE, _traceback(error))


def _verdict(name: str, function: InvariantFunction, history: History) -> Verdict:
    findings = _Findings(name, history)
    try:
        said = function(history)
        for each in (said,) if isinstance(said, str | Violation | int | Silence) else said or ():
            findings.add(each)
    except AssertionError as error:
        findings.add(_assertion(error))
    return findings.verdict()


@attrs.define
class _Findings:
    """The findings of a user's function on a history."""

    name: str
    history: History
    violations: list[Violation] = attrs.field(factory=list[Violation])
    exercised: int | None = None
    silence: Silence | None = None

    def add(self, said: Said) -> None:
        """Add one finding. Raises TypeError for a value of any other type."""
        match said:
            case str():
                self.violations.append(self._violation(said, ()))
            case Violation():
                self.violations.append(attrs.evolve(said, invariant=self.name))
            case Silence():
                self.silence = said
            case int() if not isinstance(said, bool):
                self.exercised = (self.exercised or 0) + said
            case tuple():
                texts = [part for part in said if isinstance(part, str)]
                events = [part for part in said if not isinstance(part, str)]
                self.violations.append(self._violation(" ".join(texts), events))
            case _:
                what = "sentences, violations, tuples of a sentence and events, whole numbers, not_exercised(…)"
                raise TypeError(f"an invariant must return or yield {what} or not_applicable(…), not {said!r:.80}")

    def _violation(self, text: str, events: Iterable[Event]) -> Violation:
        """Return a violation that blames events; without events, the last event of the run, when all was known."""
        blamed = [self._index(event) for event in events]
        indexes = sorted(blamed) or [len(self.history.events) - 1][: len(self.history.events)]
        at = self.history.events[indexes[-1]].at if blamed else self.history.ended_at_ms
        messages: list[object] = [getattr(self.history.events[index], "message", None) for index in blamed]
        numbers = dict.fromkeys(message for message in messages if isinstance(message, int))
        return Violation(self.name, text, at, "", tuple(numbers), tuple(indexes))

    def _index(self, event: Event) -> int:
        for index, known in enumerate(self.history.events):
            if known is event:
                return index
        raise TypeError(f"only events of the history can be blamed, not {event!r:.80}")

    def verdict(self) -> Verdict:
        """Return the verdict by all findings."""
        if self.silence is not None and not self.violations:
            return Verdict(self.name, self.silence.status, self.silence.reason)
        exercised = 1 if self.exercised is None else self.exercised
        return judged(self.name, self.violations, exercised, "nothing that it counts happened")


def _assertion(error: AssertionError) -> str:
    """Return the message of an assertion, without the lines that pytest adds, or the asserting line."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    text = str(error).partition("\n")[0] or f"{frame.line or 'an assertion'} is not so"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _traceback(error: Exception) -> str:
    """Return the traceback from the user's function on."""
    found = error.__traceback__
    while found is not None and found.tb_next is not None and found.tb_frame.f_code.co_filename == __file__:
        found = found.tb_next
    return "".join(traceback.format_exception(type(error), error, found)).rstrip()
