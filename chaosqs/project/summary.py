"""The summary of a whole session, as lines for a terminal."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from chaosqs.invariants import by_name
from chaosqs.model.verdict import Status
from chaosqs.project.results import CheckResult, missed, passes
from chaosqs.project.wording import last_line
from chaosqs.report.terminal import Row, listed, summary_lines
from chaosqs.report.text import advice, mapping_text, shown, title_of
from chaosqs.search.coverage import SOMETIMES

_EVERY_MAPPING = "every mapping"


def summary(results: Sequence[CheckResult], notices: Iterable[str] = ()) -> list[str]:
    """Return the table of verdicts, the assumptions that they rest on, and the places of the reports."""
    asked = [found for found in results if not found.canary]
    return [
        *_judged(asked),
        *(line for reason in _failures(asked) for line in reason.splitlines()),
        *_failing(asked),
        *_artefacts(asked),
        *_accepted(asked),
        *(_canary(found) for found in results if found.canary),
        *_assumptions(results),
        *(found.broken.problem or f"report: {found.broken.report}" for found in asked if found.broken),
        *notices,
    ]


def _judged(asked: Sequence[CheckResult]) -> Iterator[str]:
    """Yield the verdicts on each mapping, and the marks that no case reached: a pass says nothing about these."""
    for _, group in groupby(asked, key=lambda found: (found.design, found.mapping)):
        own = list(group)
        yield from summary_lines([_row(found) for found in own])
        yield from (f"  {line}" for line in dict.fromkeys(map(_cut, own)) if line)
        whole = max((found for found in own if not found.broken), key=lambda found: found.cases, default=None)
        if whole is not None:
            never = [mark for mark in whole.unreached if not mark.startswith(f"{SOMETIMES} ")]
            yield from listed(f"no case of {whole.cases:,} reached", never)
            yield from listed("never reached, though it should be sometimes", missed(whole))


def _cut(found: CheckResult) -> str:
    """Return what the end of the time cut, as a line; the cases of a search are the same for all its invariants."""
    return f"{title_of(found.invariant)}: {found.cut}" if found.cut and found.broken else found.cut


def _failures(asked: Iterable[CheckResult]) -> Iterable[str]:
    """Return the reasons of inconclusive results, each reason once."""
    return dict.fromkeys(found.reason for found in asked if found.status is Status.INCONCLUSIVE)


def _failing(asked: Iterable[CheckResult]) -> Iterator[str]:
    """Yield the warnings that the real code of a mapping never succeeded, with what to do."""
    for design, mapping, sentence in dict.fromkeys(
        (found.design, found.mapping, found.failing) for found in asked if found.failing
    ):
        yield f"NOT TESTED: {shown(design, 50)}: {mapping_text(mapping)}: {shown(sentence, 300)}"
        yield f"  {advice(mapping, sentence)}"


def _artefacts(asked: Iterable[CheckResult]) -> Iterator[str]:
    """Yield the violations that do not count, as only one set of assumptions about AWS produces them."""
    for found in asked:
        if found.status is Status.ARTEFACT:
            name = f"{shown(found.design, 50)}: {mapping_text(found.mapping)}: {title_of(found.invariant)}"
            yield f"artefact: {name}: {found.reason}"


def _accepted(asked: Iterable[CheckResult]) -> Iterator[str]:
    """Yield the entries of the settings that accept violations, and those that have to go."""
    for found in asked:
        entry = found.accepted
        if entry is None:
            continue
        name = f"{shown(found.design, 50)}: {mapping_text(found.mapping)}: {title_of(found.invariant)}"
        if entry.problem:
            yield f"NOT ACCEPTED: {name}: {entry.problem} ({entry.place})"
        else:
            unseen = (
                "" if found.status in {Status.VIOLATED, Status.ARTEFACT} else f", not seen in {found.cases:,} cases"
            )
            yield f"accepted until {entry.until}: {name}{unseen}: {shown(entry.reason, 200)}"


def details(found: CheckResult) -> str:
    """Return the counts of the search behind one result, for reports that keep the output of tests that pass."""
    unit = by_name(found.invariant).unit
    coverage = ", ".join(f"{mark} in {count:,}" for mark, count in found.coverage.items())
    return "\n".join(
        [
            f"{found.status}: {found.reason or f'{found.exercised:,} {unit}'}, {found.cases:,} cases",
            *([f"cases that reached something: {coverage}"] if coverage else []),
            *(f"excused: {sentence}" for sentence in found.excused),
        ]
    )


def _row(found: CheckResult) -> Row:
    return Row(
        found.design,
        found.mapping or _EVERY_MAPPING,
        found.invariant,
        found.status,
        found.exercised,
        by_name(found.invariant).unit,
        found.cases,
        last_line(found.reason) if found.simulated else found.reason.partition("\n")[0],
    )


def _canary(found: CheckResult) -> str:
    if passes(found):
        return f"{found.design}: broken on purpose, and the search found it in case {found.cases:,}"
    return f"{found.design}: broken on purpose, and the search DID NOT FIND IT in {found.cases:,} cases"


def _assumptions(results: Iterable[CheckResult]) -> Iterator[str]:
    for design, sentence in dict.fromkeys(
        (found.design, sentence) for found in results for sentence in found.assumptions
    ):
        yield f"{design}: assumed: {sentence}"
