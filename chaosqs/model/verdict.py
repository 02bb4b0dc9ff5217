"""The verdict of an invariant on a history."""

from enum import StrEnum

import attrs


class Status(StrEnum):
    """The possible results."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_APPLICABLE = "not applicable"
    NOT_EXERCISED = "not exercised"
    INCONCLUSIVE = "inconclusive"
    """The history does not settle it (`Verdict.unsettled`), or the invariant itself failed; `Verdict.reason` tells."""
    ARTEFACT = "artefact"
    """Of a search: violated, but of all assumption sets that fit AWS's measurements, under chaosqs's default alone."""


@attrs.frozen(repr=False)
class Violation:
    """One violation of an invariant: a sentence, and the messages and events to blame."""

    invariant: str
    text: str
    """The sentence, with messages numbered from 1 as stories do."""
    at: int
    """Time at which it became true, in milliseconds."""
    queue: str
    """Queue of the message that it is about; empty if it is about a function."""
    messages: tuple[int, ...]
    """Numbers of the messages concerned, from 0."""
    events: tuple[int, ...]
    """Indexes in the history of the events to blame; the last one is the violation itself."""

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"

    def __repr__(self) -> str:
        """Return the sentence alone: pytest shows the reprs of what a failed `assert` compares, and cuts long ones."""
        return f"<Violation of {self}>"


@attrs.frozen
class Verdict:
    """The verdict of one invariant on one history, or on all histories of a search."""

    invariant: str
    status: Status
    reason: str = ""
    """Reason why it is not applicable, not exercised or inconclusive; empty otherwise."""
    exercised: int = 0
    """Number of occurrences that could have violated the invariant."""
    violations: tuple[Violation, ...] = ()
    """The violations; of a verdict that is unsettled, those that may turn out to be none."""
    excused: tuple[str, ...] = ()
    """One sentence for each violation that does not count because a fault from outside caused it; names the fault."""
    candidates: tuple[Violation, ...] = ()
    """The excused violations that an ordinary configuration might have prevented. Where it does, under the same faults
    and seed, they count: searches, `explore` and `assert_holds` try it, a judge of one history cannot."""
    unsettled: tuple[tuple[str, int], ...] = ()
    """Mappings (`orders→worker`) and messages. Running each message alone settles the verdict: searches, `explore` and
    `assert_holds` do so, a judge of one history cannot."""
