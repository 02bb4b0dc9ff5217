"""What an explanation says, as short texts that the story and the report share."""

from __future__ import annotations

from collections import Counter

from chaosqs.model.counterexample import Counterexample, Explanation, Fix, Rate, Setting
from chaosqs.report.text import percent, shown

NO_FAULT = "no fault was needed"
_ORIGINS = 3


def matters(explanation: Explanation) -> list[str]:
    """Return the settings that matter: `reserved_concurrency 2 (holds from 5)`."""
    found = [setting for setting in explanation.settings if setting.matters]
    return [f"{setting_name(s, explanation)} {shown(s.value, 30)}{_threshold(s)}" for s in found]


def any_value(explanation: Explanation) -> list[str]:
    """Return the names of the settings that may be anything."""
    return list(dict.fromkeys(setting_name(s, explanation) for s in explanation.settings if not s.matters))


def setting_name(setting: Setting, explanation: Explanation) -> str:
    """Return the name of a setting, with its owner where several have a setting of that name."""
    named = [(other.owner, other.name) for other in explanation.settings if other.name == setting.name]
    ambiguous = len(Counter(named)) > 1 and setting.owner
    return f"{shown(setting.owner, 30)}.{shown(setting.name, 40)}" if ambiguous else shown(setting.name, 40)


def _threshold(setting: Setting) -> str:
    return f" ({shown(setting.threshold, 40)})" if setting.threshold else ""


def faults(counterexample: Counterexample) -> list[str]:
    """Return the faults that it takes; `NO_FAULT` where it takes none; nothing where that is not known."""
    explanation, plan = counterexample.explanation, counterexample.scenario.faults
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
    """Return the changes that prevent it, then those that do not: `batch_size = 1 (0 of 2,000, drain time +0 %)`."""
    tried = [fix for fix in explanation.fixes if fix.of > 0]
    work = [f"{shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated == 0]
    fail = [f"not by {shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated > 0]
    return [*(work or ["nothing that was tried"]), *fail] if tried else []


def guesses(explanation: Explanation) -> list[str]:
    """Return the assumptions that the verdict hangs on; nothing where it hangs on none, or nobody looked."""
    return [shown(text, 80) for text in explanation.assumptions or ()]


def fix_text(fix: Fix) -> str:
    """Return how a change did: `0 of 2,000, drain time +0 %`."""
    seen = "certain by AWS's rules" if fix.certain else f"{fix.violated:,} of {fix.of:,}"
    return f"{seen}{'' if fix.drain is None else f', drain time {drain_text(fix.drain)}'}"


def drain_text(drain: float) -> str:
    """Return a change of the drain time: `+10 %`, `-5 %`."""
    return f"{round(drain * 100):+,} %"


def origins(explanation: Explanation) -> list[str]:
    """Return where the settings that matter were read from; three at the most."""
    found = [s.origin for s in explanation.settings if s.matters and s.origin]
    return [shown(origin, 90) for origin in dict.fromkeys(found)][:_ORIGINS]
