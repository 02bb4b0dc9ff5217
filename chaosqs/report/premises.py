"""The texts of what a violation needs of the world, and of the loads at which it was not seen."""

from collections import Counter
from collections.abc import Mapping

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import SAFE_SEEDS, Explanation, Premise, PremiseKind
from chaosqs.model.faults import OK, outcome_text
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Steady
from chaosqs.report.explanation import seeds_text
from chaosqs.report.text import counted, percent, shown


def needs(counterexample: Counterexample) -> list[str]:
    """Return what the violation needs of the world: `batches that take 14 s or more (timeout 30 s)`, `7 messages`."""
    found = counterexample.explanation.premises
    within = {each.subject: f" within {each.value:g} s" for each in found if each.about == "spread"}
    queues = dict.fromkeys(each.subject for each in found if each.about == "messages")
    of_load = {
        queue: (f" in {shown(queue, 30)}" if len(queues) > 1 else "") + within.get(queue, "") for queue in queues
    }
    texts = [
        _need_text(premise, counterexample.scenario) + (of_load[premise.subject] if premise.about == "messages" else "")
        for premise in found
        if premise.about != "spread"
    ]
    return [*texts, *_fault_needs(counterexample.explanation)] if found else []


def _fault_needs(explanation: Explanation) -> list[str]:
    """Return the faults that are needed, by kind: `crash at one receive`, `lost_send of 2 sends`."""
    receives: Counter[str] = Counter()
    sends: Counter[str] = Counter()
    for plan in explanation.faults:
        receives.update(outcome_text(kind) for kinds in plan.messages for kind in kinds if kind != OK)
        sends.update(kind for kind in plan.sends if kind != OK)
    return [
        f"{shown(kind, 40)} at {'one' if count == 1 else count} {what}{'' if count == 1 else 's'}"
        for what, counts in (("receive", receives), ("send", sends))
        for kind, count in counts.items()
    ]


def safe_load(explanation: Explanation) -> list[str]:
    """Return the largest loads and durations at which the violation was not seen, each alone: `up to 6 messages`."""
    return [
        f"{text} ({seeds_text(premise.evidence, premise.messages)})"
        for premise in explanation.premises
        if (text := _safe_text(premise))
    ]


def load_label(explanation: Explanation) -> str:
    """Return the label of `safe_load`, which depends on the number of trials."""
    return "Safe load" if all(each.evidence.trials >= SAFE_SEEDS for each in explanation.premises) else "Not seen with"


def _need_text(premise: Premise, scenario: Scenario) -> str:
    value = premise.value
    match premise.about:
        case "messages":
            return "one message" if value == 1 else f"{counted(int(value), 'message')} or more"
        case "failures":
            return f"failures of {percent(value)} % of the invocations or more"
        case "groups" if value == 1:
            return "messages of one group"
        case "duration":
            unit = "batches" if premise.attribute == "seconds_per_batch" else "messages"
            known = (each.timeout for each in scenario.design.functions if each.name == premise.subject)
            limit = next((f" (timeout {timeout} s)" for timeout in known), "")
            return f"{unit} that take {value:g} s or more{limit}"
        case "rate" | "lasting" as kind:
            steady = (each for each in scenario.workload if isinstance(each, Steady) and each.queue == premise.subject)
            other = next((each.seconds if kind == "rate" else each.per_second for each in steady), 0)
            return _PREMISES[kind][0].format(value, other)
        case kind:
            return _PREMISES[kind][0].format(value, shown(outcome_text(premise.attribute), 40))


def _safe_text(premise: Premise) -> str:
    safe = premise.safe
    match premise.about:
        case "messages":
            return f"up to {counted(int(safe), 'message')}" if safe else ""
        case "failures":
            return f"failures of up to {percent(safe)} %"
        case "duration":
            return f"{'batches' if premise.attribute == 'seconds_per_batch' else 'messages'} of up to {safe:g} s"
        case kind:
            return _PREMISES[kind][1].format(safe, shown(outcome_text(premise.attribute), 40))


_PREMISES: Mapping[PremiseKind, tuple[str, str]] = {
    "spread": ("", "the same messages over {:g} s"),
    "rate": ("{:g} messages a second or more for {:g} s", "up to {:g} messages a second"),
    "lasting": ("{:g} s or more of {:g} messages a second", "the same rate for {:g} s"),
    "size": ("bodies of {:,.0f} bytes or more", "bodies of up to {:,.0f} bytes"),
    "groups": ("messages that share {:,.0f} groups", "the same messages in {:,.0f} groups"),
    "fault": ("{1} for {0:g} s or more", "{1} for up to {0:g} s"),
}
"""Texts of the need and of the safe value, for kinds that take no more than a value and a name."""
