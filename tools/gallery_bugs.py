"""Promises that no design breaks: what a violation, a bug of chaosqs, would look like, from a doctored history.

The histories are those of the known-bad fixtures. There is nothing to replay: the simulator makes no such history.
"""

from __future__ import annotations

from pathlib import Path

from chaosqs.invariants import Invariant, by_name
from chaosqs.model.causal_slice import causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Explanation
from chaosqs.report.diagram import sequence
from chaosqs.report.markdown import slug
from chaosqs.report.summary import paragraph
from chaosqs.report.text import fenced, plain_text
from chaosqs.report.timeline import narrate
from tests.known_bad import (
    batch_over_its_size,
    dead_letter_too_soon,
    duplicate_let_in,
    filter_forgotten,
    message_vanished,
    more_executions_than_reserved,
    receive_of_a_hidden_message,
)
from tests.known_bad.known_bad import KnownBad

BUGS = {
    found.KNOWN_BAD.breaks: (found.KNOWN_BAD, (found.__doc__ or "").partition("\n")[0])
    for found in (
        message_vanished,
        dead_letter_too_soon,
        duplicate_let_in,
        batch_over_its_size,
        filter_forgotten,
        more_executions_than_reserved,
        receive_of_a_hidden_message,
    )
}
"""For each promise a known-bad fixture, and what is broken, in one sentence: `A broken fake: …`."""

_INTRODUCTION = """\
# No design breaks it: {title}

**No design breaks this promise**, whatever its settings, its load and the faults. A violation of it is a bug of
chaosqs: please report it, with `scenario.json`. So that you know one when you see it, the history below is doctored:
no run of the simulator looks like this, and there is nothing to replay.

The promise: {statement} It applies {applies}

## What it would say

{broken} {paragraph}

{diagram}

{steps}
"""


def write_page(reports: Path, name: str) -> Path:
    """Write the page of one of these promises; return its folder."""
    folder = reports / f"bug-{slug(name)}"
    folder.mkdir(parents=True)
    known_bad, broken = BUGS[name]
    (folder / "report.md").write_text(page(by_name(name), known_bad, broken), encoding="utf-8", newline="\n")
    return folder


def page(invariant: Invariant, known_bad: KnownBad, broken: str) -> str:
    """Return the page."""
    history = known_bad.strikes()
    violation = invariant.judge(history).violations[0]
    mapping, scenario = history.scenario.design.mappings[0].name, history.scenario
    explanation = Explanation(own_bug=True)
    doctored = Counterexample("", mapping, invariant.name, violation, scenario, history.digest, {}, explanation)
    return _INTRODUCTION.format(
        title=invariant.title,
        statement=invariant.statement,
        applies=invariant.applies[0].lower() + invariant.applies[1:],
        broken=broken,
        paragraph=plain_text(paragraph(doctored, history), 4000),
        diagram=fenced(sequence(causal_slice(history, violation)), "mermaid"),
        steps="\n".join(f"- **{step.time}** {plain_text(step.text)}" for step in narrate(doctored, history)),
    )
