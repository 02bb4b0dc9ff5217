"""A counterexample as Markdown for a design review, as GitHub shows it."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from chaosqs.model.counterexample import Counterexample, Fix, Setting
from chaosqs.model.history import History
from chaosqs.report import facts
from chaosqs.report.command import replay_command
from chaosqs.report.escape import code, fenced, prose
from chaosqs.report.narrate import narrate
from chaosqs.report.prose import paragraph
from chaosqs.report.sequence import sequence
from chaosqs.report.slice import causal_slice
from chaosqs.report.snippet import source
from chaosqs.report.words import mapping_text, title_of


def markdown(counterexample: Counterexample, history: History, *, replay: str) -> str:
    """Return the report; `replay` is the path of the counterexample's file, as a user would give it."""
    explanation = counterexample.explanation
    faults = facts.faults(counterexample)
    return _template().render(
        mapping=mapping_text(counterexample.mapping),
        title=title_of(counterexample.invariant),
        design=counterexample.design,
        paragraph=paragraph(counterexample, history),
        own_bug=facts.OWN_BUG if explanation.own_bug else "",
        settings=[_plain(setting) for setting in facts.telling(explanation)],
        explained=bool(explanation.settings),
        free=facts.any_value(explanation),
        faults=faults,
        no_fault=faults == [facts.NO_FAULT],
        guesses=facts.guesses(explanation),
        guessed=explanation.assumptions is not None,
        rate=facts.rate(explanation.rate),
        fixes=(fixes := _best_first(explanation.fixes)),
        works=any(not fix.violated for fix in fixes),
        growth=facts.growth,
        breaks=facts.breaks,
        conditions=facts.conditions,
        tipping=facts.tipping(explanation.tipping),
        patch=fenced(explanation.patch, "diff") if explanation.patch else "",
        diagram=fenced(sequence(causal_slice(history, counterexample.violation)), "mermaid"),
        steps=narrate(counterexample, history),
        source=fenced(source(counterexample.scenario, counterexample.invariant), "python"),
        command=fenced(replay_command(replay), "sh"),
        versions=sorted(counterexample.versions.items()),
        digest=counterexample.digest,
    )


def _plain(setting: Setting) -> dict[str, str]:
    return {
        "owner": setting.owner,
        "name": setting.name,
        "value": setting.value,
        "threshold": (setting.threshold or setting.in_a_crowd).removeprefix("holds "),
        "origin": setting.origin,
    }


def _best_first(fixes: tuple[Fix, ...]) -> list[Fix]:
    return sorted((fix for fix in fixes if fix.of > 0), key=lambda fix: fix.violated > 0)


@cache
def _template() -> Template:
    """Return the template: what it prints of a user comes escaped or fenced."""
    environment = Environment(
        loader=PackageLoader("chaosqs.report", ""),
        autoescape=False,  # noqa: S701 - the filters below escape for Markdown, where HTML is only half of it
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["prose"] = prose
    environment.filters["code"] = code
    return environment.get_template("report.md.j2")
