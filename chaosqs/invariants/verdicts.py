"""How an invariant comes to one of its four verdicts."""

from collections.abc import Callable, Iterable, Sequence

import attrs

from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict, Violation

# What an invariant is to commands, searches and reports: a promise with its texts, and a judge. ----------------------


@attrs.frozen
class Invariant:
    """A promise about every run of a design, and the function that judges whether a history keeps it."""

    name: str
    """As commands and reports spell it: `no-dead-lettering-by-throttling`."""
    title: str
    """As stories spell it: `no dead-lettering by throttling`."""
    statement: str
    """The promise, in one sentence."""
    applies: str
    """The designs and runs that it speaks about, in one sentence."""
    unit: str
    """What `Verdict.exercised` counts: the occurrences that could have broken it, as a plural noun."""
    default: bool
    """Judged unless others are asked for: a sound design keeps it, whatever AWS may legally do."""
    judge: Callable[[History], Verdict] = attrs.field(repr=False)
    internal: bool = False
    """No design, load or fault can break it: a violation is a bug of chaosqs."""


# The words of violations: messages numbered from 1, lists with an `and`, thousands with a comma. ---------------------


def message_text(message: int) -> str:
    """Return how a sentence begins about a message: `Message 4` for number 3."""
    return f"Message {message + 1:,}"


def messages_text(messages: Iterable[int]) -> str:
    """Return several messages as they stand within a sentence: `message 4`, `messages 1, 2 and 5`."""
    numbers = [f"{message + 1:,}" for message in messages]
    return f"message{'' if len(numbers) == 1 else 's'} {listed(numbers)}"


def times(count: int) -> str:
    """Return how often: `once`, `2 times`."""
    return "once" if count == 1 else f"{count:,} times"


def counted(count: int, thing: str) -> str:
    """Return so many things: `1 delivery`, `2 deliveries`."""
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


# ---------------------------------------------------------------------------------------------------------------------


def not_applicable(invariant: str, reason: str) -> Verdict:
    """Return the verdict on a design to which the invariant says nothing, whatever happens."""
    return Verdict(invariant, Status.NOT_APPLICABLE, reason)


def judged(
    invariant: str, violations: Sequence[Violation], exercised: int, idle: str, excused: Sequence[str] = ()
) -> Verdict:
    """Return the verdict on a history; `idle` tells why it could not have failed, where nothing exercised it."""
    if violations:
        return Verdict(invariant, Status.VIOLATED, "", exercised, tuple(violations), tuple(excused))
    if not exercised:
        return Verdict(invariant, Status.NOT_EXERCISED, idle, excused=tuple(excused))
    return Verdict(invariant, Status.HOLDS, "", exercised, excused=tuple(excused))
