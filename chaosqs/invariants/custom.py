"""Promises of users' own: a function of a history that returns or yields what is wrong with it.

    @chaosqs.invariant("Each order is charged once.")
    def orders_are_charged_once(history):
        for effect, times in charges(history):
            if times > 1:
                yield f"Order {effect} was charged {times} times."

It gets a copy of the history: whatever it does to that, no other invariant sees it. An `assert` that fails is a
violation, with its message. Any other error means that the invariant itself is wrong: then its verdict is
`inconclusive`, and the reason is the traceback.
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
_LONGEST = 300  # characters of an assertion that a sentence shows
_TAKEN: list[Callable[[str], object]] = []
_KNOWN: dict[str, Invariant] = {}


def take(is_taken: Callable[[str], object]) -> None:
    """Note which names no promise of a user's may have."""
    _TAKEN.append(is_taken)


def known(name: str) -> Invariant | None:
    """Return the promise of that name, if its module has been imported; the latest one where there are two."""
    return _KNOWN.get(name)


@attrs.frozen
class Silence:
    """Why a promise says nothing about a run."""

    status: Status
    reason: str


def not_applicable(reason: str) -> Silence:
    """Return that a promise does not speak about such a design, whatever happens, for the reason given."""
    return Silence(Status.NOT_APPLICABLE, reason)


def not_exercised(reason: str) -> Silence:
    """Return that nothing in the run could have broken the promise, for the reason given."""
    return Silence(Status.NOT_EXERCISED, reason)


Blamed: TypeAlias = tuple[str | Event, ...]
"""A sentence and the events to blame, in any order."""
Said: TypeAlias = str | Violation | Blamed | int | Silence
"""What a promise may yield: what is wrong, how often it could have been, or why it says nothing."""
InvariantFunction: TypeAlias = Callable[[History], Iterable[Said] | str | Violation | int | Silence | None]
"""The user's function: what it returns is one thing, or several."""


def invariant(
    statement: str, *, name: str | None = None, applies: str = "To every run.", unit: str = "runs"
) -> Callable[[InvariantFunction], Invariant]:
    """Make an invariant of a function that takes a `History`.

    The function yields, or returns in a list, each thing that is wrong: a sentence, a `Violation`, or a tuple of a
    sentence and the events to blame, which the story then shows; nothing or None: the promise holds. A whole number
    counts towards `Verdict.exercised` (without one, each run counts once); `chaosqs.not_exercised(why)` and
    `chaosqs.not_applicable(why)` say that it has nothing to say. `statement` is the promise in one sentence, `applies`
    the designs and runs that it is about, `unit` what the numbers count. `name`: lower-case words with dashes, at most
    60 characters; None: the function's name. Raises ValueError for another name, or one that is taken.
    """

    def decorate(promise: InvariantFunction) -> Invariant:
        chosen = promise.__name__.strip("_").replace("_", "-").lower() if name is None else name
        if not _NAME.fullmatch(chosen):
            raise ValueError(f"name must be lower-case words with dashes, at most 60 characters, not {chosen!r}")
        if any(is_taken(chosen) for is_taken in _TAKEN):
            raise ValueError(f"name must not be that of an invariant of chaosqs's own: {chosen!r}")
        title, judge = chosen.replace("-", " "), partial(_judge, chosen, promise)
        made = _KNOWN[chosen] = Invariant(chosen, title, statement, applies, unit, default=True, judge=judge)
        return made

    return decorate


def _judge(name: str, promise: InvariantFunction, history: History) -> Verdict:
    try:
        return _verdict(name, promise, attrs.evolve(history, scenario=attrs.evolve(history.scenario)))
    except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
        return Verdict(name, Status.INCONCLUSIVE, _traceback(error))


def _verdict(name: str, promise: InvariantFunction, history: History) -> Verdict:
    heard = _Heard(name, history)
    try:
        said = promise(history)
        for each in (said,) if isinstance(said, str | Violation | int | Silence) else said or ():
            heard.hear(each)
    except AssertionError as error:
        heard.hear(_assertion(error))
    return heard.verdict()


@attrs.define
class _Heard:
    """What a promise has said of a history."""

    name: str
    history: History
    violations: list[Violation] = attrs.field(factory=list[Violation])
    exercised: int | None = None
    silence: Silence | None = None

    def hear(self, said: Said) -> None:
        """Take one thing in. Raises TypeError for what means nothing."""
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
        """Blame events by their places; without any, the last event of the run, as only then all was known."""
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
        """Return what all that comes to."""
        if self.silence is not None and not self.violations:
            return Verdict(self.name, self.silence.status, self.silence.reason)
        exercised = 1 if self.exercised is None else self.exercised
        return judged(self.name, self.violations, exercised, "nothing that it counts happened")


def _assertion(error: AssertionError) -> str:
    """Return the message of an assertion, without what pytest adds to it, or the line that asserts."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    told = str(error).partition("\n")[0] or f"{frame.line or 'an assertion'} is not so"
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def _traceback(error: Exception) -> str:
    """Return the traceback from the user's function on."""
    found = error.__traceback__
    while found is not None and found.tb_next is not None and found.tb_frame.f_code.co_filename == __file__:
        found = found.tb_next
    return "".join(traceback.format_exception(type(error), error, found)).rstrip()
