"""Why a counterexample happens: which settings and faults matter, and from which value on the invariant holds.

Each setting is turned alone, on the minimal scenario, over a ladder of the values that AWS accepts, before the panel of
its draws of luck. A value counts as holding only if it costs nothing else: see `Answer.cures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import attrs

from chaosqs.explorer.crowd import in_a_crowd
from chaosqs.explorer.dials import Dial, Value, dials
from chaosqs.explorer.fix import fixes
from chaosqs.explorer.guesses import hanging
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.explorer.panel import Panel, panel_of
from chaosqs.explorer.plan_text import without_one
from chaosqs.explorer.profiles import CI, Profile
from chaosqs.explorer.threshold import Threshold, threshold
from chaosqs.explorer.tipping import tipping
from chaosqs.invariants import OURS, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Explanation, Setting
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario


@attrs.frozen
class _Found:
    """A setting, and the values at which its threshold lies."""

    setting: Setting
    dial: Dial
    edges: tuple[Value, ...]


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
    path: `functions[0].reserved_concurrency`. What no design can violate is our own bug, and nothing explains it.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    oracle = Oracle(invariant, mapping.queue)
    known = origins or {}
    panel, rate = panel_of(scenario, oracle, profile.draws)
    turned = [_setting(scenario, dial, panel, known) for dial in dials(scenario.design, mapping)]
    found = [each for each in turned if each is not None]
    edges = {each.dial.path: each.edges for each in found}
    given = dict(behaviours or {})
    settings = [each.setting for each in found]
    for place, setting in enumerate(settings):
        if (setting.owner, setting.name) == (mapping.name, "batch_size") and not setting.matters:
            settings[place] = attrs.evolve(setting, in_a_crowd=in_a_crowd(scenario, mapping, oracle, given))
    return Explanation(
        settings=tuple(settings),
        faults=_needed_faults(scenario, oracle),
        rate=rate,
        fixes=fixes(scenario, mapping, oracle, given, profile.trials, edges=edges),
        assumptions=hanging(panel),
        tipping=tipping(scenario, oracle, rate),
    )


def _setting(scenario: Scenario, dial: Dial, panel: Panel, origins: Mapping[str, str]) -> _Found | None:
    """Turn one dial over its ladder; None where no other value can be simulated.

    Where no value helps in the counterexample, as there everything is in step, one may still do so whenever it is not.
    """
    found, lucky = _threshold(scenario, dial, panel), panel.by_chance
    text = "" if found is None else dial.counted(found.text)
    if not text and lucky is not None:
        found = _threshold(scenario, dial, lucky)
        text = f"{dial.counted(found.text)} under other luck" if found and found.text else ""
    if found is None or (dial.quiet and not text):
        return None
    value = repr(dial.read(scenario.design))
    setting = Setting(dial.owner, dial.name, value, bool(text), text, origins.get(dial.path, ""))
    return _Found(setting, dial, found.edges)


def _threshold(scenario: Scenario, dial: Dial, panel: Panel) -> Threshold | None:
    """Return from which value on the invariant holds before a panel; None where no other value can be simulated."""
    value = dial.read(scenario.design)
    answers = {
        other: answer for other in dial.ladder if other != value and (answer := panel.seems(dial, other)) is not None
    }
    if not answers:
        return None
    return threshold(value, answers, partial(panel.holds, dial), partial(panel.surely, dial))


def _needed_faults(scenario: Scenario, oracle: Oracle) -> tuple[str, ...]:
    """Return, as texts, the faults without which the violation does not happen: each one left out alone."""
    return tuple(text for text, plan in without_one(scenario.faults) if _holds_with(scenario, plan, oracle))


def _holds_with(scenario: Scenario, plan: FaultPlan, oracle: Oracle) -> bool:
    return not oracle.violated(ending(attrs.evolve(scenario, faults=plan)))
