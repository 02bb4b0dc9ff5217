"""What a whole session came to, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chaosqs.invariants import by_name
from chaosqs.report.terminal import Row, summary_lines
from chaosqs.session.answers import Answer, passes

_EVERY_MAPPING = "every mapping"


def summary(answers: Sequence[Answer], notices: Iterable[str] = ()) -> list[str]:
    """Return the table of verdicts, what they rest on, and where the reports are."""
    asked = [found for found in answers if not found.canary]
    return [
        *summary_lines([_row(found) for found in asked]),
        *(_canary(found) for found in answers if found.canary),
        *_assumptions(answers),
        *(found.broken.problem or f"report: {found.broken.report}" for found in asked if found.broken),
        *notices,
    ]


def details(found: Answer) -> str:
    """Return what the search behind one answer saw, for reports that keep the output of tests that pass."""
    unit = by_name(found.invariant).unit
    reached = ", ".join(f"{mark} in {count:,}" for mark, count in found.reached.items())
    return "\n".join(
        [
            f"{found.status}: {found.reason or f'{found.exercised:,} {unit}'}, {found.cases:,} cases",
            *([f"cases that reached something: {reached}"] if reached else []),
            *(f"excused: {sentence}" for sentence in found.excused),
        ]
    )


def _row(found: Answer) -> Row:
    return Row(
        found.design,
        found.mapping or _EVERY_MAPPING,
        found.invariant,
        found.status,
        found.exercised,
        by_name(found.invariant).unit,
        found.cases,
        found.reason,
    )


def _canary(found: Answer) -> str:
    if passes(found):
        return f"{found.design}: broken on purpose, and the search found it in case {found.cases:,}"
    return f"{found.design}: broken on purpose, and the search DID NOT FIND IT in {found.cases:,} cases"


def _assumptions(answers: Iterable[Answer]) -> Iterator[str]:
    for design, sentence in dict.fromkeys(
        (found.design, sentence) for found in answers for sentence in found.assumptions
    ):
        yield f"{design}: assumed: {sentence}"
