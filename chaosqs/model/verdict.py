"""What an invariant says about a history."""

from enum import StrEnum

import attrs


class Status(StrEnum):
    """The five things that a verdict can be."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"
    NOT_EXERCISED = "not exercised"
    INCONCLUSIVE = "inconclusive"
    """The invariant itself failed: `Verdict.reason` is its traceback."""


@attrs.frozen(repr=False)
class Violation:
    """One way in which an invariant is broken: a sentence, and what is to blame."""

    invariant: str
    text: str
    """The sentence, with messages numbered from 1 as stories do."""
    at: int
    """When it became true, in milliseconds."""
    queue: str
    """The queue whose message it is about; empty where it is about a function."""
    messages: tuple[int, ...]
    """Numbers of the messages concerned, from 0."""
    events: tuple[int, ...]
    """Places in the history of the events to blame, the last one being the violation itself."""

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"

    def __repr__(self) -> str:
        """Return the sentence alone: pytest shows the reprs of what a failed `assert` compares, and cuts long ones."""
        return f"<Violation of {self}>"


@attrs.frozen
class Verdict:
    """What one invariant says about one history, or about all histories of a search."""

    invariant: str
    status: Status
    reason: str = ""
    """Why it is not applicable, not exercised or inconclusive; empty otherwise."""
    exercised: int = 0
    """How often it could have failed: occurrences of what it speaks about."""
    violations: tuple[Violation, ...] = ()
    excused: tuple[str, ...] = ()
    """What would be a violation, had not a fault from outside caused it: one sentence each, naming the fault."""
