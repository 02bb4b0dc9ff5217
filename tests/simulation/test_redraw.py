"""A run that is redrawn from a moment on keeps its past and gets another future."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import redrawn, simulate
from tests.search.designs import MAPPING, over_polling

SCENARIO = Scenario(over_polling(), [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29)})
PLAN = FaultPlan(pauses=[Pause(f"{MAPPING}/1", 2, 3)])
SCENARIOS = [
    SCENARIO,
    attrs.evolve(SCENARIO, seed=7),
    attrs.evolve(SCENARIO, faults=PLAN),
    attrs.evolve(SCENARIO, faults=PLAN, seed=7),
]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("until", [0, 12_000, 72_014])
def test_what_was_is_kept_and_what_comes_is_drawn_anew(scenario: Scenario, until: int) -> None:
    """All events up to the moment are the same, byte for byte; those after it are others."""
    own, other = simulate(scenario), redrawn(scenario, until, 5)
    kept = [event for event in own.events if event.at <= until]
    assert list(other.events[: len(kept)]) == kept
    assert other.events != own.events
    assert redrawn(scenario, until, 5).digest == other.digest
    assert redrawn(scenario, until, 6).digest != other.digest


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_seed_makes_the_same_future(scenario: Scenario) -> None:
    """A run that goes on with its own seed, or whose seed changes after its end, is the run itself."""
    own = simulate(scenario)
    assert redrawn(scenario, 12_000, scenario.seed).digest == own.digest
    assert redrawn(scenario, own.ended_at_ms, 5).digest == own.digest
