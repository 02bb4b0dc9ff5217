"""What an explanation says, as short texts that the story and the report share."""

from __future__ import annotations

from collections import Counter

from chaosqs.model.counterexample import Counterexample, Explanation, Fix, Rate, Setting, Tipping
from chaosqs.report.step import moment_text
from chaosqs.report.text import listed, percent, shown
from chaosqs.report.words import title_of

NO_FAULT = "no fault was needed"
_ORIGINS = 3
_FACTOR = 10
"""From so many times as much on, growth is told as a factor."""
_NOTABLE = 0.05
"""From how much more on latency and concurrency are a price worth a word."""


def telling(explanation: Explanation) -> list[Setting]:
    """Return the settings that matter: in the counterexample, then in a crowd."""
    found = [setting for setting in explanation.settings if setting.matters or setting.in_a_crowd]
    return sorted(found, key=lambda setting: not setting.matters)


def matters(explanation: Explanation) -> list[str]:
    """Return the settings that matter: `reserved_concurrency 2 (holds from 5)`."""
    found = telling(explanation)
    return [f"{setting_name(s, explanation)} {shown(s.value, 30)}{_threshold(s)}" for s in found]


def any_value(explanation: Explanation) -> list[str]:
    """Return the names of the settings that may be anything."""
    free = [setting for setting in explanation.settings if setting not in telling(explanation)]
    return list(dict.fromkeys(setting_name(s, explanation) for s in free))


def setting_name(setting: Setting, explanation: Explanation) -> str:
    """Return the name of a setting, with its owner where several have a setting of that name."""
    named = [(other.owner, other.name) for other in explanation.settings if other.name == setting.name]
    ambiguous = len(Counter(named)) > 1 and setting.owner
    return f"{shown(setting.owner, 30)}.{shown(setting.name, 40)}" if ambiguous else shown(setting.name, 40)


def _threshold(setting: Setting) -> str:
    text = setting.threshold or setting.in_a_crowd
    return f" ({shown(text, 80)})" if text else ""


def faults(counterexample: Counterexample) -> list[str]:
    """Return the faults that it takes; `NO_FAULT` where it takes none; nothing where that is not known."""
    explanation, plan = counterexample.explanation, counterexample.scenario.faults
    if explanation.own_bug:
        return []
    if explanation.faults:
        return [shown(fault, 80) for fault in explanation.faults]
    planned = plan.windows or any(kind != "ok" for receives in plan.messages for kind in receives)
    return [] if planned and explanation == Explanation() else [NO_FAULT]


def rate(found: Rate | None) -> str:
    """Return how often: `38 % of 1,000 draws of luck (35–41 %)`; empty where it was not measured."""
    if found is None or found.of <= 0:
        return ""
    low, high = found.interval()
    return f"{percent(found.violated / found.of)} % of {found.of:,} draws of luck ({percent(low)}–{percent(high)} %)"


def fixes(explanation: Explanation) -> list[str]:
    """Return the changes that prevent it, then those that help: `batch_size = 1 (0 of 2,000, drain time +0 %)`."""
    tried = [fix for fix in explanation.fixes if fix.of > 0]
    work = [f"{shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated == 0]
    fail = [f"less often with {shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated > 0]
    return [*(work or ["nothing that was tried"]), *fail] if tried else []


def guesses(explanation: Explanation) -> list[str]:
    """Return the assumptions that the verdict hangs on; nothing where it hangs on none, or nobody looked."""
    return [shown(text, 80) for text in explanation.assumptions or ()]


def fix_text(fix: Fix) -> str:
    """Return how a change did and what it costs: `0 of 2,000, drain time +0 %, concurrency +50 %`."""
    seen = "certain by AWS's rules" if fix.certain else f"{fix.violated:,} of {fix.of:,}"
    parts = [seen, *([] if fix.drain is None else [f"drain time {growth(fix.drain)}"])]
    parts += [f"{what} {growth(part)}" for what, part in _prices(fix) if part is not None and part >= _NOTABLE]
    return ", ".join([*parts, *conditions(fix), *([f"but breaks {breaks(fix)}"] if fix.breaks else [])])


def conditions(fix: Fix) -> list[str]:
    """Return what the code must do besides, for a change of the design to work: to report failures (PB-1)."""
    reports = any(change.setting == "report_batch_item_failures" and change.value for change in fix.changes)
    return ["if the handler answers with batchItemFailures"] if reports else []


def _prices(fix: Fix) -> tuple[tuple[str, float | None], ...]:
    return ("latency", fix.latency), ("concurrency", fix.concurrency)


def breaks(fix: Fix) -> str:
    """Return the promises that a change breaks, as stories spell them; empty where it breaks none."""
    return listed([title_of(name) for name in fix.breaks])


def growth(relative: float) -> str:
    """Return by how much something grew: `+10 %`, `-5 %`; as a factor from ten on: `× 1,103`."""
    factor = relative + 1
    return f"× {round(factor):,}" if factor >= _FACTOR else f"{round(relative * 100):+,} %"


def tipping(found: Tipping | None) -> str:
    """Return from when on it was inevitable: `from 47.2 s: third receive of message 2`; empty where nobody looked."""
    if found is None:
        return ""
    if found.at is None:
        return f"from the start ({_futures(found)})"
    if not found.what:
        return f"only at {moment_text(found.at)}, when it happened: until then, luck could still avoid it"
    before = "" if found.avoidable_at is None else moment_text(found.avoidable_at)
    until = f", avoidable until {before}" if before not in {"", moment_text(found.at)} else ""
    return f"from {moment_text(found.at)}: {shown(found.what, 90)} ({_futures(found)}{until})"


def _futures(found: Tipping) -> str:
    return f"{found.violated:,} of {found.of:,} futures"


OWN_BUG = "This is a bug of chaosqs, not of the design: please report it with scenario.json."


def origins(explanation: Explanation) -> list[str]:
    """Return where the settings that matter were read from; three at the most."""
    found = [s.origin for s in explanation.settings if s.matters and s.origin]
    return [shown(origin, 90) for origin in dict.fromkeys(found)][:_ORIGINS]
