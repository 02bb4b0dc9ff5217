"""The invariant as a value, the words of its violations, and its verdicts."""

from collections.abc import Callable, Iterable, Sequence

import attrs

from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict, Violation

# Invariants -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Invariant:
    """A property of every run of a design, and the function that judges whether a history has it."""

    name: str
    """Name in commands and reports: `no-dead-lettering-by-throttling`."""
    title: str
    """Name in stories: `no dead-lettering by throttling`."""
    statement: str
    """The property, in one sentence."""
    applies: str
    """The designs and runs to which it applies, in one sentence."""
    unit: str
    """Plural noun for the occurrences that could have violated it, which `Verdict.exercised` counts."""
    default: bool
    """True if it is judged unless others are asked for: a sound design satisfies it, whatever AWS may do."""
    judge: Callable[[History], Verdict] = attrs.field(repr=False)
    internal: bool = False
    """True if no design, load or fault can violate it: a violation is a bug of chaosqs."""


# Texts of violations --------------------------------------------------------------------------------------------------


def message_text(message: int) -> str:
    """Return the subject of a sentence about a message, counted from 1: `Message 4` for number 3."""
    return f"Message {message + 1:,}"


def messages_text(messages: Iterable[int]) -> str:
    """Return messages as part of a sentence, counted from 1: `message 4`, `messages 1, 2 and 5`."""
    numbers = [f"{message + 1:,}" for message in messages]
    return f"message{'' if len(numbers) == 1 else 's'} {listed(numbers)}"


def times(count: int) -> str:
    """Return a number of times as text: `once`, `2 times`."""
    return "once" if count == 1 else f"{count:,} times"


def counted(count: int, thing: str) -> str:
    """Return a number of things as text: `1 delivery`, `2 deliveries`."""
    plural = f"{thing[:-1]}ies" if thing.endswith("y") else f"{thing}s"
    return f"{count:,} {thing if count == 1 else plural}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """Return words as a list: `a`, `a and b`, `a, b and c`."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def unique(words: Iterable[str]) -> list[str]:
    """Return each word once, in the order of first appearance."""
    return list(dict.fromkeys(words))


def function_of(mapping: str) -> str:
    """Return the function that a mapping, `orders→worker`, invokes."""
    return mapping.rpartition("→")[2]


# Verdicts -------------------------------------------------------------------------------------------------------------


def not_applicable(invariant: str, reason: str) -> Verdict:
    """Return the verdict on a design to which the invariant does not apply."""
    return Verdict(invariant, Status.NOT_APPLICABLE, reason)


def judged(
    invariant: str,
    violations: Sequence[Violation],
    exercised: int,
    idle: str,
    excused: Sequence[str] = (),
    *,
    candidates: Sequence[Violation] = (),
) -> Verdict:
    """Return the verdict on a history; `idle` is the reason why nothing exercised it, if so."""
    if violations:
        return Verdict(invariant, Status.VIOLATED, "", exercised, tuple(violations), tuple(excused))
    if not exercised:
        return Verdict(invariant, Status.NOT_EXERCISED, idle, excused=tuple(excused), candidates=tuple(candidates))
    return Verdict(invariant, Status.HOLDS, "", exercised, excused=tuple(excused), candidates=tuple(candidates))


def unsettled(
    invariant: str, candidates: Sequence[Violation], exercised: int, wanted: Iterable[tuple[str, int]]
) -> Verdict:
    """Return the verdict on a history that does not show who is to blame.

    `candidates`: violations, if it turns out so. `wanted`: the mappings and messages whose runs alone tell.
    """
    found = tuple(dict.fromkeys(wanted))
    functions = listed(unique(function_of(mapping) for mapping, _ in found))
    those = messages_text(message for _, message in found)
    reason = (
        f"unsettled: this run does not show whether {functions} fails on {those} alone; searches and assert_holds try "
        "that, in aws() send each message by itself"
    )
    marked = tuple(attrs.evolve(each, text=f"Unsettled: {each.text}") for each in candidates)
    return Verdict(invariant, Status.INCONCLUSIVE, reason, exercised, marked, unsettled=found)
