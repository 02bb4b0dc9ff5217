"""Why a counterexample happens: which settings and faults matter, and from which value on the invariant holds.

Each setting is turned alone, on the minimal scenario, over a ladder of the values that AWS accepts, before the panel of
its draws of luck. A value counts as holding only if it costs nothing else: see `Answer.cures`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from chaosqs.explorer.dials import Dial, Value, dials, rank
from chaosqs.explorer.fix import fixes
from chaosqs.explorer.guesses import hanging
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.explorer.panel import Panel, panel_of
from chaosqs.explorer.plan_text import without_one
from chaosqs.explorer.profiles import CI, Profile
from chaosqs.explorer.tipping import tipping
from chaosqs.invariants import CONSERVATION, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Explanation, Setting
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario

_SCAN = 4


def explain(
    scenario: Scenario,
    mapping: EventSourceMapping,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain a scenario in which an invariant is violated on a mapping.

    `behaviours` are those that the user gave: a fix must do with them. `origins`: where settings were read from, by
    path: `functions[0].reserved_concurrency`. A violation of `conservation` is our own bug: no design explains it.
    """
    if invariant.name == CONSERVATION.name:
        return Explanation(own_bug=True)
    oracle = Oracle(invariant, mapping.queue)
    known = origins or {}
    panel, rate = panel_of(scenario, oracle, profile.draws)
    settings = [_setting(scenario, dial, panel, known) for dial in dials(scenario.design, mapping)]
    return Explanation(
        settings=tuple(setting for setting in settings if setting is not None),
        faults=_needed_faults(scenario, oracle),
        rate=rate,
        fixes=fixes(scenario, mapping, oracle, dict(behaviours or {}), profile.trials),
        assumptions=hanging(panel),
        tipping=tipping(scenario, oracle, rate),
    )


def _setting(scenario: Scenario, dial: Dial, panel: Panel, origins: Mapping[str, str]) -> Setting | None:
    """Turn one dial over its ladder; None where no other value can be simulated."""

    def holds(value: Value) -> bool | None:
        return panel.holds(dial, value)

    value = dial.read(scenario.design)
    answers = {other: answer for other in dial.ladder if other != value and (answer := holds(other)) is not None}
    if not answers:
        return None
    text = threshold(value, answers, holds)
    return Setting(dial.owner, dial.name, repr(value), bool(text), text, origins.get(dial.path, ""))


def threshold(value: Value, answers: Mapping[Value, bool], holds: Callable[[Value], bool | None]) -> str:
    """Say from where on an invariant holds that is violated at `value`; empty where no other value helps.

    `answers`: for each value tried, whether it holds. `holds` is asked for the values between two of them.
    """
    tried = sorted(answers, key=rank)
    if not any(answers.values()):
        return ""
    if isinstance(value, bool):
        return f"holds with {not value}"
    above = [other for other in tried if rank(other) > rank(value)]
    below = [other for other in reversed(tried) if rank(other) < rank(value)]
    up, down = _run(above, answers), _run(below, answers)
    texts = [_from(value, above, up, holds)] if up else []
    texts += [_up_to(value, below, down, holds)] if down else []
    if sum(answers.values()) > len(up) + len(down):
        return (
            f"holds at {', '.join('no limit' if other is None else f'{other:,}' for other in tried if answers[other])}"
        )
    return f"holds {' and '.join(texts)}"


def _run(outwards: list[Value], answers: Mapping[Value, bool]) -> list[Value]:
    """Return the values at the far end that all hold, in the order given."""
    place = len(outwards)
    while place and answers[outwards[place - 1]]:
        place -= 1
    return outwards[place:]


def _from(value: Value, above: list[Value], up: list[Value], holds: Callable[[Value], bool | None]) -> str:
    place = above.index(up[0])
    fails = value if place == 0 else above[place - 1]
    edge = _edge(fails, up[0], holds)
    return "without a limit" if edge is None else f"from {edge:,}"


def _up_to(value: Value, below: list[Value], down: list[Value], holds: Callable[[Value], bool | None]) -> str:
    place = below.index(down[0])
    fails = value if place == 0 else below[place - 1]
    edge = _edge(fails, down[0], holds)
    return f"up to {edge:,}"


def _edge(fails: Value, good: Value, holds: Callable[[Value], bool | None]) -> Value:
    """Return the value nearest to `fails` that holds as all tried beyond it do: by steps when near, else by halves."""
    if fails is None or good is None:
        return good
    step = 1 if good > fails else -1
    while abs(good - fails) > 1:
        middle = good - step if abs(good - fails) <= _SCAN else (good + fails) // 2
        if holds(middle):
            good = middle
        elif abs(good - fails) <= _SCAN:
            break
        else:
            fails = middle
    return good


def _needed_faults(scenario: Scenario, oracle: Oracle) -> tuple[str, ...]:
    """Return, as texts, the faults without which the violation does not happen: each one left out alone."""
    return tuple(text for text, plan in without_one(scenario.faults) if _holds_with(scenario, plan, oracle))


def _holds_with(scenario: Scenario, plan: FaultPlan, oracle: Oracle) -> bool:
    return not oracle.violated(ending(attrs.evolve(scenario, faults=plan)))
