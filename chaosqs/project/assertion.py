"""The assertion for a user's own test: a history keeps its invariants, or the test fails with the story."""

from collections.abc import Iterable, Iterator, Sequence

from chaosqs.errors import InvariantViolated
from chaosqs.invariants import DEFAULT, OURS, Invariant
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Explanation
from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.report.story import story
from chaosqs.report.text import counted, shown, title_of
from chaosqs.search.oracle import AloneOutcomes

MAX_OTHERS = 5
"""Further invariants that the message names, each with its first violation."""


def assert_holds(history: History, invariants: Iterable[Invariant] = DEFAULT) -> None:
    """Raise `InvariantViolated` where a history violates an invariant; its message is the story of the first violation.

    `invariants` are by default those that `check`, `explore` and `pytest --chaosqs` judge. An invariant of your own
    that raises fails the assertion too, with its traceback, and so does a verdict that the history of `aws()` leaves
    unsettled.
    """
    __tracebackhide__ = True  # pytest shows the line of the test
    alone = AloneOutcomes()
    verdicts = [alone.settled(invariant, history) for invariant in invariants]
    violated = [verdict for verdict in verdicts if verdict.status is Status.VIOLATED]
    parts = [_inconclusive(verdict) for verdict in verdicts if verdict.status is Status.INCONCLUSIVE]
    if violated:
        first = violated[0].violations[0]
        parts = [story(_counterexample(history, first), history), *_also(violated), *parts]
    if parts:
        raise InvariantViolated("\n".join(parts).rstrip())


def _counterexample(history: History, violation: Violation) -> Counterexample:
    """Return a counterexample without explanation, on the mapping that the violation is about."""
    mappings = history.scenario.design.mappings
    polling = [mapping.name for mapping in mappings if mapping.queue == violation.queue or len(mappings) == 1]
    return Counterexample(
        design="",
        mapping=polling[0] if polling else "",
        invariant=violation.invariant,
        violation=violation,
        scenario=history.scenario,
        digest=history.digest,
        explanation=Explanation(own_bug=violation.invariant in {ours.name for ours in OURS}),
    )


def _also(violated: Sequence[Verdict]) -> Iterator[str]:
    """Yield what else is violated, a line each."""
    more = len(violated[0].violations) - 1
    if more:
        yield f"Violated {more:,} more time{'' if more == 1 else 's'} in this run."
    for verdict in violated[1 : 1 + MAX_OTHERS]:
        yield f"Also violated: {title_of(verdict.invariant)}: {shown(verdict.violations[0].text, 500)}"
    if len(violated) > 1 + MAX_OTHERS:
        yield f"Also violated: {counted(len(violated) - 1 - MAX_OTHERS, 'more invariant')}."


def _inconclusive(verdict: Verdict) -> str:
    if verdict.unsettled:
        found = "".join(f"\n{shown(violation.text, 500)}" for violation in verdict.violations[:MAX_OTHERS])
        return f"{title_of(verdict.invariant)} is {verdict.status}: {verdict.reason}{found}"
    return f"{title_of(verdict.invariant)} is {verdict.status}, as judging it failed:\n{verdict.reason}"
