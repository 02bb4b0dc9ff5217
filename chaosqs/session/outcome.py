"""What one item tells pytest, and how the process that prints the summary learns it."""

from __future__ import annotations

import attrs

from chaosqs.model.verdict import Status
from chaosqs.report.words import mapping_text, title_of
from chaosqs.session.answers import Answer, missed, passes
from chaosqs.session.place import Place
from chaosqs.session.wording import last_line


@attrs.frozen
class Told:
    """What came of one item; JSON can hold it, so it travels from xdist's workers."""

    place: Place
    headline: str = ""
    """One line, for summaries."""
    failure: str | None = None
    """What a failed item shows; None: it passes."""
    skipped: str = ""
    """Why it was not asked at all; empty: it was."""
    answer: Answer | None = None
    line: str = ""
    """What else the summary says."""
    report: str = ""
    """The report; empty where there is none."""

    @property
    def properties(self) -> list[tuple[str, object]]:
        """What JUnit and other reports keep of it."""
        found: list[tuple[str, object]] = []
        if self.answer is not None:
            found += [("chaosqs.verdict", str(self.answer.status)), ("chaosqs.cases", self.answer.cases)]
        if self.report:
            found.append(("chaosqs.report", self.report))
        return found


def told(found: Answer, *, strict: bool) -> Told:
    """Return what an answer means for its item."""
    title = title_of(found.invariant)
    place = found.broken.place if found.broken else Place(found.design)
    if not found.simulated and not strict:
        return Told(place, skipped=found.reason, answer=found)
    if passes(found, strict=strict):
        return Told(place, answer=found)
    if found.broken:
        failure = found.broken.story + (found.broken.problem or f"  Report          {found.broken.report}")
        return Told(place, f"{title}: {found.broken.sentence}", failure, answer=found, report=found.broken.report)
    return Told(place, *_without_story(found, title), answer=found)


def _without_story(found: Answer, title: str) -> tuple[str, str]:
    """Return headline and text for a failure that is no violation."""
    if found.canary:
        sentence = f"the search found nothing in {found.cases:,} cases of a design that is broken on purpose"
        return f"{title}: {sentence}", f"{found.design}: {title}: {sentence}: do not rely on this installation."
    if found.status is Status.INCONCLUSIVE:
        headline = f"{title}: {found.status}: {last_line(found.reason)}"
        return headline, f"{found.design}: {title} is {found.status}, as judging it failed:\n{found.reason}"
    headline = f"{title}: {_shortfall(found)}"
    where = f"{found.design}: {mapping_text(found.mapping)}" if found.mapping else found.design
    return headline, f"{where}: {headline} (strict: that counts as a failure)"


def _shortfall(found: Answer) -> str:
    """Return what a strict project misses in an answer that is otherwise none to complain of."""
    if not found.simulated:
        return f"not simulated: {found.reason}"
    if found.status is Status.NOT_EXERCISED:
        return f"{found.status}: {found.reason}"
    marks = missed(found)
    assert marks, f"{found} fails although it holds"
    return f"{found.status}, but no case of {found.cases:,} reached {', '.join(marks)}"
