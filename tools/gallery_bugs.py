"""Writes report pages for invariants that no search violates, from the histories of known-bad fixtures.

No design violates an internal invariant, so its history is fabricated, and there is nothing to replay.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from chaosqs.invariants import ALL, Invariant, by_name
from chaosqs.model.causal_slice import causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Explanation
from chaosqs.report.markdown import sequence, slug
from chaosqs.report.summary import paragraph
from chaosqs.report.text import fenced, plain_text
from chaosqs.report.timeline import narrate
from tests.known_bad.known_bad import NAMES, KnownBad, known_bad
from tools.gallery_designs import MISTAKES


def _shown(invariant: Invariant) -> tuple[KnownBad, str]:
    """Return a known-bad fixture that violates an invariant, and its docstring's first line: `A broken fake: …`."""
    names = [name for name in NAMES if known_bad(name).breaks == invariant.name]
    name = next((name for name in names if known_bad(name).shown), names[0])
    return known_bad(name), (import_module(f"tests.known_bad.{name}").__doc__ or "").partition("\n")[0]


BUGS = {each.name: _shown(each) for each in ALL if each.internal}
"""For each internal invariant, a fixture that violates it, with the defect in one sentence."""

_SEARCHED = {name for mistake in MISTAKES for name in mistake.breaks}
EXAMPLES = {
    each.name: _shown(each)
    for each in ALL
    if not each.internal and not any(name.startswith(each.name) for name in _SEARCHED)
}
"""The same for each other invariant that no design of `gallery_designs` violates."""

_BUG = """\
# No design violates it: {title}

**No design violates this invariant**, whatever its settings, its load and the faults. A violation of it is a bug of
chaosqs: please report it, with `scenario.json`. So that you know one when you see it, the history below is doctored:
no run of the simulator looks like this, and there is nothing to replay.
"""
_EXAMPLE = """\
# An example: {title}

The history below is that of a test. No search made it smaller, and nothing explains it.
"""
_REST = """
The invariant: {statement} It applies {applies}

## What it would say

{broken} {paragraph}

{diagram}

{steps}
"""


def write_page(reports: Path, name: str) -> Path:
    """Write the page of one of these invariants; return its folder."""
    folder = reports / f"{'bug' if name in BUGS else 'example'}-{slug(name)}"
    folder.mkdir(parents=True)
    fixture, broken = (BUGS | EXAMPLES)[name]
    (folder / "report.md").write_text(page(by_name(name), fixture, broken), encoding="utf-8", newline="\n")
    return folder


def page(invariant: Invariant, fixture: KnownBad, broken: str) -> str:
    """Return the page."""
    history = fixture.bad_history()
    violation = invariant.judge(history).violations[0]
    mapping, scenario = history.scenario.design.mappings[0].name, history.scenario
    explanation = Explanation(own_bug=invariant.internal)
    doctored = Counterexample("", mapping, invariant.name, violation, scenario, history.digest, {}, explanation)
    return ((_BUG if invariant.internal else _EXAMPLE) + _REST).format(
        title=invariant.title,
        statement=invariant.statement,
        applies=invariant.applies[0].lower() + invariant.applies[1:],
        broken=broken,
        paragraph=plain_text(paragraph(doctored, history), 4000),
        diagram=fenced(sequence(causal_slice(history, violation)), "mermaid"),
        steps="\n".join(f"- **{step.time}** {plain_text(step.text)}" for step in narrate(doctored, history)),
    )
