"""The texts of an explanation, which the story, the report and the summaries share."""

from collections.abc import Iterator, Mapping
from itertools import groupby

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.causal_slice import Slice, causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.events import InvocationEnded, Received, Throttled
from chaosqs.model.explanation import (
    AtAPrice,
    Change,
    CutBy,
    Ensemble,
    EnsembleWord,
    Evidence,
    Explanation,
    Fix,
    LoadSensitivity,
    Part,
    PointOfNoReturn,
    Rarer,
    Setting,
    SettingPath,
    Side,
    Threshold,
    Toll,
    Unknown,
    Value,
)
from chaosqs.model.faults import OK, Action, FaultPlan, outcome_text
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.report.descriptions import EventGroup
from chaosqs.report.event_text import said
from chaosqs.report.text import counted, listed, named, ordinal, percent, shown, time_text, title_of, verb

NO_FAULT = "no fault was needed"
OWN_BUG = "This is a bug of chaosqs, not of the design: please report it with scenario.json."
OUTDATED = (
    "The explanation in the file is left out: it describes another history, or has a form that is no longer read. "
    "Search the design again for an explanation."
)
_MAX_ORIGINS = 3
_MIN_FACTOR = 10  # minimum growth that is shown as a factor
_WHOLE = 10  # per cent from which on bounds have no decimals
_MIN_INCREASE = 0.05  # minimum relative increase of latency or concurrency that is mentioned


def note(explanation: Explanation) -> str:
    """Return the remark on the explanation as a whole; usually empty."""
    return OWN_BUG if explanation.own_bug else OUTDATED if explanation.outdated else ""


def cause(explanation: Explanation) -> str:
    """Return where the cause is told in full: `also broken by the cause of "no starvation", which is told there`."""
    return (
        f"told under {title_of(explanation.cause)!r}: what prevents that prevents this, too"
        if explanation.cause
        else ""
    )


PARTS: Mapping[Part, str] = {
    "rate": "how often it happens",
    "settings": "other settings",
    "premises": "what it needs of the load",
    "faults": "which faults it needs",
    "fixes": "other fixes",
    "assumptions": "assumptions",
    "point_of_no_return": "the point of no return",
}


def unfinished(explanation: Explanation) -> list[str]:
    """Return the parts that are missing or incomplete; `cut_by` says why."""
    return [PARTS[part] for part in explanation.unfinished]


_CUT_BY: Mapping[CutBy, str] = {
    "runs": "the profile allows no more runs",
    "time": "the time was over",
    "interrupt": "interrupted",
    "request": "--no-explain",
    "accepted": "the violation is accepted",
}


def cut_by(explanation: Explanation, hint: str = "") -> str:
    """Return the reason why parts are missing or incomplete; `hint`: how to get more runs."""
    return _CUT_BY[explanation.cut_by] + (hint if explanation.cut_by == "runs" else "")


# Settings ---------------------------------------------------------------------------------------------------------


def telling(explanation: Explanation) -> list[Setting]:
    """Return the settings that matter: those with a safe value first, then under load, rarer, and at a price."""
    found = [each for each in explanation.settings if each.matters or each.load or each.at_a_price]
    return sorted(found, key=lambda setting: (not setting.thresholds, not setting.rarer, not setting.load))


def matters(explanation: Explanation) -> list[str]:
    """Return the settings that matter: `reserved_concurrency 2 (safe from 5)`."""
    found = [setting for setting in telling(explanation) if setting.matters or setting.load]
    return [f"{setting_name(s, explanation)} {shown(value_text(s), 30)} ({shown(part(s), 80)})" for s in found]


def safety(explanation: Explanation) -> str:
    """Return what stands behind the word `safe`: `safe: 0 of 400 cases, 0 of 200 seeds with up to 200 messages`.

    With fewer trials the words are `not seen`.
    """
    found = [threshold for setting in explanation.settings for threshold in setting.thresholds]
    if not found:
        return ""
    least = min(found, key=lambda each: (each.evidence.trials, each.cases))
    sets = f"; and {in_sets(least.sets)}" if least.sets else ""
    few = "" if least.safe else ": too few to call it safe"
    seeds = seeds_text(least.evidence, least.messages)
    return f"{_word(least)}: 0 of {least.cases:,} cases of a search, {seeds}{sets}{few}"


def _word(threshold: Threshold) -> str:
    return "safe" if threshold.safe else "not seen"


def in_sets(others: int) -> str:
    """Return where a claim holds, by the number of other assumption sets: `in all 28 sets`; empty if there are none."""
    return f"in all {1 + others:,} sets" if others else ""


def seeds_text(evidence: Evidence, messages: int) -> str:
    """Return the trials without a violation: `0 of 200 seeds with up to 160 messages`."""
    return f"0 of {counted(evidence.trials, 'seed')} with up to {counted(messages, 'message')}"


def at_a_price(explanation: Explanation) -> list[str]:
    """Return the values that only move the damage: `retention_period up to 60 (messages expire)`."""
    return [
        f"{setting_name(setting, explanation)} {_side_text(price.side, price.value)} ({_tolls_text(price)})"
        for setting in explanation.settings
        if (price := setting.at_a_price) is not None and not setting.matters
    ]


def _tolls_text(price: AtAPrice) -> str:
    """Return the worst that a value does, in at most two words: `messages expire and are not processed`."""
    return listed([text for toll, text in _TOLLS.items() if toll in price.tolls][:_MAX_TOLLS])


_MAX_TOLLS = 2
_TOLLS: Mapping[Toll, str] = {
    "expired": "messages expire",
    "not_processed": "some are not processed",
    "given_up": "some are given up",
    "not_received": "some are not received",
    "excused": "only a fault excuses it",
    "not_finished": "the work does not end",
}
"""The worst first."""


def uninvolved(explanation: Explanation) -> list[str]:
    """Return the names of the settings with which the violation stays, at low, usual and high values."""
    free = [setting for setting in explanation.settings if setting.same_at and not setting.load]
    return list(dict.fromkeys(setting_name(s, explanation) for s in free))


def throughput_only(explanation: Explanation) -> list[str]:
    """Return the names of the settings that change speed and cost alone."""
    return [setting_name(s, explanation) for s in explanation.settings if s.path.attribute in _SPEED]


def unsettled(explanation: Explanation) -> list[str]:
    """Return the names of the settings of which the trials do not tell whether they matter."""
    known = [*telling(explanation), *(s for s in explanation.settings if s.same_at or s.path.attribute in _SPEED)]
    return [setting_name(s, explanation) for s in explanation.settings if s not in known]


_SPEED = ("memory",)
"""Settings that no run shows to do more than make a function faster."""


def setting_name(setting: Setting, explanation: Explanation) -> str:
    """Return the name of a setting, with its owner if several settings have that name."""
    name = setting.path.attribute
    ambiguous = len({other.path for other in explanation.settings if other.path.attribute == name}) > 1
    return f"{shown(owner(setting.path), 30)}.{shown(name, 40)}" if ambiguous else shown(name, 40)


def owner(path: SettingPath) -> str:
    """Return the name of the queue, function or mapping that has a setting, or `account`."""
    return path.name or path.kind


def value_text(setting: Setting) -> str:
    """Return the value of a setting in the counterexample."""
    value = setting.value
    return f"unknown ({value.reason})" if isinstance(value, Unknown) else repr(value)


def part(setting: Setting) -> str:
    """Return the part of a setting: `safe from 5`, `rarer from 60: 38 % → 2 % (0–9 %)`, `load_text`; or empty.

    With few trials: `not seen from 5`.
    """
    if setting.thresholds:
        ranges = (_counted(setting.path, _side_text(each.side, each.value)) for each in setting.thresholds)
        return f"{_word(setting.thresholds[0])} {' and '.join(ranges)}"
    if setting.rarer:
        rarer = setting.rarer
        return f"rarer {_counted(setting.path, _side_text(rarer.side, rarer.value))}: {_rates(rarer)}"
    if setting.load:
        return load_text(setting.load)
    if setting.at_a_price:
        price = setting.at_a_price
        return f"{_counted(setting.path, _side_text(price.side, price.value))} only at a price: {_tolls_text(price)}"
    return ""


def _rates(rarer: Rarer) -> str:
    return f"{_interval_text(rarer.present)} → {_interval_text(rarer.changed)}"


def _interval_text(evidence: Evidence) -> str:
    """Return a rate with its 95 % confidence interval: `38 % (35–41)`."""
    low, high = evidence.interval()
    share = evidence.violations / evidence.trials if evidence.trials else 0
    return f"{percent(share)} % ({percent(low)}–{percent(high)})"


def _side_text(side: Side, value: Value) -> str:
    if side == "any":
        return "with any number"
    if isinstance(value, bool):
        return f"with {value}"
    if value is None:
        return "without a limit"
    if value == 0:
        return "at 0"
    return f"{'from' if side == 'at_least' else 'up to'} {value:,}"


_UNITS = {"redrive": "receive", "provisioned_pollers": "poller", "filters": "pattern"}
"""Units of settings whose names do not imply them."""


def _counted(path: SettingPath, text: str) -> str:
    """Return a text with the unit of its last number: `from 5 receives`, `without patterns`."""
    unit = _UNITS.get(path.attribute)
    if unit is None or not text[-1:].isdigit():
        return text
    if text.endswith("at 0"):
        return f"without {unit}s"
    return f"{text} {unit}" if text.endswith(" 1") else f"{text} {unit}s"


def load_text(load: LoadSensitivity) -> str:
    """Return the effect under load: `holds in 15 % of draws with 100 messages at once, in 98 % with 1`."""
    return (
        f"holds in {_kept(load.present)} of draws with {load.messages} messages at once, "
        f"in {_kept(load.changed)} with {load.other}"
    )


def _kept(evidence: Evidence) -> str:
    """Return the share of trials that kept the invariant."""
    return f"{percent(1 - evidence.violations / evidence.trials)} %" if evidence.trials else "none"


def origins(explanation: Explanation) -> list[str]:
    """Return the origins of the settings that matter, at most three."""
    found = [str(setting.origin) for setting in telling(explanation) if setting.matters and setting.origin is not None]
    return [shown(origin, 90) for origin in dict.fromkeys(found)][:_MAX_ORIGINS]


# Faults and assumptions -------------------------------------------------------------------------------------------


def faults(counterexample: Counterexample) -> list[str]:
    """Return the faults that the violation needs; `NO_FAULT` if it needs none; nothing if that is unknown."""
    explanation, plan = counterexample.explanation, counterexample.scenario.faults
    if explanation.own_bug:
        return []
    if explanation.faults:
        return [shown(text, 80) for fault in explanation.faults for text in planned_faults(fault)]
    if "faults" in explanation.unfinished or "rate" in explanation.unfinished:
        return []
    unexplained = explanation in (Explanation(), Explanation(outdated=True))
    return [] if unexplained and planned_faults(plan) else [NO_FAULT]


def planned_faults(plan: FaultPlan) -> list[str]:
    """Return each fault, action and pause of a plan: `throttled at receive 1 of message 2`."""
    return list(_planned(plan))


def _planned(plan: FaultPlan) -> Iterator[str]:
    for message, receives in enumerate(plan.messages):
        for index, kind in enumerate(receives):
            if kind != OK:
                yield f"{outcome_text(kind)} at receive {index + 1} of message {message + 1}"
    for message, kind in enumerate(plan.sends):
        if kind != OK:
            yield f"{kind} of message {message + 1}"
    for window in plan.windows:
        scope = f" on {window.scope}" if window.scope else ""
        yield f"{outcome_text(window.kind)}{scope} from {window.start:g} s for {window.seconds:g} s"
    for action in plan.actions:
        yield _action_text(action)
    for pause in plan.pauses:
        yield f"{pause.task} held from its step {pause.step:,} for {pause.steps:,} steps of others"


def _action_text(action: Action) -> str:
    change = f" {action.setting} to {action.value}" if action.setting else ""
    return f"{action.kind}{change} of {action.target} at {action.at:g} s"


def assumptions(counterexample: Counterexample) -> list[str]:
    """Return the assumptions that decide the verdict: `throttle_retry 2,000 ms (holds at 100 ms)`.

    Empty if none decides it, or none was tried. Those of which the ensemble tells more are left out.
    """
    explanation = counterexample.explanation
    told = {each.name for each in explanation.ensemble.deciding} if explanation.ensemble else set[str]()
    good = [each for each in explanation.assumptions or () if each.verdict == "holds" and each.name not in told]
    return [
        shown(_assumption_text(counterexample.scenario, name, [each.value for each in group]), 80)
        for name, group in groupby(good, key=lambda each: each.name)
    ]


OVER_SETS: Mapping[EnsembleWord, str] = {
    "robust": "Robust",
    "depends": "Depends on AWS",
    "artefact": "Artefact",
    "unsettled": "Not settled",
}
"""Labels of the verdict over assumption sets."""


def over_sets(explanation: Explanation) -> str:
    """Return the verdict over assumption sets that fit AWS's measurements: `in all 28 assumption sets that fit …`."""
    found = explanation.ensemble
    if found is None:
        return ""
    sets = _sets_text(found)
    match found.verdict:
        case "robust":
            return f"in all {sets}"
        case "artefact":
            return f"in one of {sets}, chaosqs's default: no other set produces it"
        case "depends":
            others = ", never in the others" if found.violated else ""
            never = f"in {_of(found.violated, sets)}{others} ({_least(found)} each)"
            return "; ".join([never, *_deciding(found)])
        case "unsettled":
            rare = f" ({_least(found)} in the others are too few to tell)" if found.trials else ""
            return f"seen in {_of(found.violated, sets)}{rare}"


def artefact(explanation: Explanation) -> str:
    """Return why a violation does not count, if no other assumption set produces it; else an empty text."""
    return over_sets(explanation) if explanation.is_artefact else ""


def _of(violated: int, sets: str) -> str:
    return f"{violated:,} of {sets}" if violated else f"none of {sets}"


def _sets_text(found: Ensemble) -> str:
    """Return the number of sets: `28 assumption sets that fit AWS's measurements`."""
    if found.sets < found.known:
        return f"{found.sets:,} tried assumption sets, of {found.known:,} that fit AWS's measurements"
    return f"{found.sets:,} assumption sets that fit AWS's measurements"


def _least(found: Ensemble) -> str:
    return f"0 of {counted(found.trials, 'trial')} or more"


def _deciding(found: Ensemble) -> Iterator[str]:
    """Yield what decides: `held_batches decides: 7 never, 9 in 45 % of seeds`."""
    for name, group in groupby(found.deciding, key=lambda each: each.name):
        ends = [f"{each.value:,} {_often(each.evidence)}" for each in group]
        yield f"{shown(name, 40)} decides: {', '.join(ends)}"
    if found.together:
        yield f"{listed([shown(name, 40) for name in found.together])} decide together"


def _often(evidence: Evidence) -> str:
    share = f"in {percent(evidence.violations / evidence.trials)} %" if evidence.violations else "in none"
    return f"{share} of {counted(evidence.trials, 'seed')}"


def _assumption_text(scenario: Scenario, name: str, values: list[int]) -> str:
    field = attrs.fields_dict(Assumptions).get(name)
    unit = "" if field is None else f" {field.metadata['unit']}"
    present = "" if field is None else f" {getattr(scenario.assumptions, name):,}{unit}"
    return f"{name}{present} (holds at {' and '.join(f'{value:,}{unit}' for value in values)})"


# Figures ----------------------------------------------------------------------------------------------------------


def failure(history: History, violation: Violation) -> InvocationEnded | None:
    """Return the failed invocation of real code that matters for a violation; None if there is none.

    It is the last one that the violation blames, or else the last one of the violation's messages.
    """
    last = violation.events[-1] if violation.events else len(history.events) - 1
    ends = [end for index, end in history.each(InvocationEnded) if index <= last and (end.trace or end.output)]
    blamed = [end for end in ends if any(history.events[index] is end for index in violation.events)]
    own = [end for end in ends if any(message in violation.messages for message in end.messages)]
    return next(reversed(blamed or own), None)


def error_text(end: InvocationEnded) -> str:
    """Return the error of real code with its place: `KeyError: 'order' at invoice.py:12 in handler`."""
    error = shown(end.error or end.outcome.replace("_", " "), 200)
    places = [shown(place, 100) for place in end.trace]
    called = f", called at {', '.join(reversed(places[:-1]))}" if places[:-1] else ""
    return f"{error} at {places[-1]}{called}" if places else error


def rate(explanation: Explanation) -> str:
    """Return the rate of the violation: `38 % of 200 seeds (32–45 %); 4–61 % over the 28 assumption sets`.

    Empty if it was not measured.
    """
    found, sets = explanation.rate, explanation.ensemble
    if found is None or found.trials <= 0:
        return ""
    low, high = found.interval()
    share = percent(found.violations / found.trials)
    text = f"{share} % of {found.trials:,} seeds ({percent(low)}–{percent(high)} %)"
    if sets is None or not sets.lowest or not sets.highest:
        return text
    ends = dict.fromkeys(percent(each.violations / max(1, each.trials)) for each in (sets.lowest, sets.highest))
    return f"{text}; {'–'.join(ends)} % over the {sets.sets:,} assumption sets"


def point_of_no_return(counterexample: Counterexample, history: History) -> str:
    """Return the point of no return: `from 47.2 s: third receive of message 2`; empty if it was not searched."""
    found = counterexample.explanation.point_of_no_return
    if found is None:
        return ""
    if found.at is None:
        return f"from the start ({_futures(found)})"
    what = "" if found.event is None else _what(causal_slice(history, counterexample.violation), found.event)
    if not what:
        return f"only at {time_text(found.at)}, when it happened: until then, chance could still avoid it"
    before = "" if found.avoidable_at is None else time_text(found.avoidable_at)
    until = f", avoidable until {before}" if before not in {"", time_text(found.at)} else ""
    return f"from {time_text(found.at)}: {shown(what, 90)} ({_futures(found)}{until})"


def _futures(found: PointOfNoReturn) -> str:
    return f"{found.evidence.violations:,} of {found.evidence.trials:,} futures"


def _what(story: Slice, index: int) -> str:
    """Describe the event at an index: `third receive of message 2`; empty for an index out of range."""
    if not 0 <= index < len(story.history.events):
        return ""
    event = story.event(index)
    if isinstance(event, Received):
        for message, count in zip(event.messages, event.receive_counts, strict=True):
            if message in story.focus:
                return f"{ordinal(count)} receive of message {message + 1:,}"
    if isinstance(event, Throttled):
        return f"{named(event.messages)} {verb(event.messages, 'are')} throttled{' again' if event.attempt > 1 else ''}"
    return said(story, [EventGroup((index,), (event,))], summed=False)


# Fixes ------------------------------------------------------------------------------------------------------------


def fixes(counterexample: Counterexample) -> list[str]:
    """Return the changes that prevent it, then those that help: `batch_size = 1 (0 of 2,000, drain time +0 %)`."""
    tried = [fix for fix in counterexample.explanation.fixes if fix.evidence.trials > 0]
    texts = [f"{shown(changes_text(fix, counterexample.mapping), 60)} ({fix_text(fix)})" for fix in tried]
    work = [text for text, fix in zip(texts, tried, strict=True) if fix.prevents]
    fail = [f"less often with {text}" for text, fix in zip(texts, tried, strict=True) if not fix.prevents]
    least = min((fix.sets for fix in tried if fix.prevents), default=0)
    if least:
        work[-1] += f", {'each ' if len(work) > 1 else ''}{in_sets(least)}"
    return [*(work or ["nothing that was tried"]), *fail] if tried else []


def changes_text(fix: Fix, mapping: str) -> str:
    """Return the changes of a fix for a counterexample on a mapping: `maximum_concurrency = 2 and batch_size = 1`."""
    groups = [list(group) for _, group in groupby(_mentioned_changes(fix), key=_alike)]
    return " and ".join(_change_text(group, mapping) for group in groups)


def _mentioned_changes(fix: Fix) -> Iterator[Change]:
    """Yield the changes, except provisioned pollers that a new maximum concurrency excludes anyway (EC-6)."""
    limited = {change.setting.name for change in fix.changes if change.setting.attribute == "maximum_concurrency"}
    for change in fix.changes:
        if change.setting.attribute != "provisioned_pollers" or change.setting.name not in limited:
            yield change


def _alike(change: Change) -> tuple[object, ...]:
    """Return the grouping key of a change; the same change on all mappings of a function is one group."""
    path = change.setting
    return path.attribute, change.after, path.kind, path.name.rpartition("→")[2] if path.kind == "mapping" else path


def _change_text(alike: list[Change], mapping: str) -> str:
    path, value = alike[0].setting, alike[0].after
    name = path.attribute
    if name == "redrive":
        return f"redrive to a new dead-letter queue with max_receive_count = {value}"
    if value is None or (name == "filters" and not value):
        return f"no {name}"
    elsewhere = path.kind == "queue" and path.name != mapping.partition("→")[0]
    each = f" on each mapping of {path.name.rpartition('→')[2]}" if len(alike) > 1 else ""
    return f"{f'{path.name}.' if elsewhere else ''}{name} = {value}{each}"


def fix_text(fix: Fix) -> str:
    """Return the evidence and cost of a fix: `below 2 %, was 38 %, drain time +0 %, concurrency +50 %`."""
    price = fix.price
    parts = [fix_evidence(fix), *([] if price.drain is None else [f"drain time {growth(price.drain)}"])]
    rest = (("latency", price.latency), ("concurrency", price.concurrency))
    parts += [f"{what} {growth(each)}" for what, each in rest if each is not None and each >= _MIN_INCREASE]
    return ", ".join([*parts, *conditions(fix), *([f"but breaks {breaks(fix)}"] if fix.breaks else [])])


def fix_evidence(fix: Fix) -> str:
    """Return the evidence of a fix: `certain by AWS's rules`, `below 2 %, was 38 %`, `too rare to tell`."""
    if fix.rules:
        return "certain by AWS's rules"
    before = (
        "" if fix.base is None or not fix.base.trials else f", was {percent(fix.base.violations / fix.base.trials)} %"
    )
    if not fix.conclusive:
        return f"0 of {fix.evidence.trials:,}, too few to tell{before}"
    if fix.prevents:
        return f"below {bound_text(fix.evidence)} %{before}"
    return f"{_interval_text(fix.evidence)}{before}"


def bound_text(evidence: Evidence) -> str:
    """Return the upper end of a rate in per cent: `1.9`; from ten on without decimals."""
    value = evidence.bound * 100
    return f"{value:.0f}" if value >= _WHOLE else f"{value:.1f}"


def conditions(fix: Fix) -> list[str]:
    """Return the conditions on the code without which a fix does not work: it must report failures (PB-1)."""
    reports = any(change.setting.attribute == "report_batch_item_failures" and change.after for change in fix.changes)
    return ["if the handler answers with batchItemFailures"] if reports else []


def breaks(fix: Fix) -> str:
    """Return the titles of the invariants that a fix violates; empty if there are none."""
    return listed([title_of(name) for name in fix.breaks])


def growth(relative: float) -> str:
    """Return a relative growth as text: `+10 %`, `-5 %`; from a factor of ten on, `× 1,103`."""
    factor = relative + 1
    return f"× {round(factor):,}" if factor >= _MIN_FACTOR else f"{round(relative * 100):+,} %"
