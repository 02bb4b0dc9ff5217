"""Pauses that are drawn fit their design, and the simplest schedule has none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.scenario import Scenario
from chaosqs.strategies import designs
from chaosqs.strategies.faults import pauses
from tests.strategies.pasting import pastes_back
from tests.strategies.sampling import sample, simplest

DESIGN = Design(
    queues=[Queue("orders"), Queue("idle")],
    functions=[Function("worker"), Function("other")],
    mappings=[EventSourceMapping("orders", "worker"), EventSourceMapping("idle", "other", enabled=False)],
)


@settings(max_examples=50)
@given(st.data())
def test_pauses_fit_their_design(data: st.DataObject) -> None:
    """A scenario takes them: whatever the design, whichever functions are real code."""
    design = data.draw(designs())
    real = data.draw(st.sets(st.sampled_from([function.name for function in design.functions])).map(sorted))
    drawn = data.draw(pauses(design, real=real))
    assert len(drawn) <= 3
    assert len({(pause.task, pause.step) for pause in drawn}) == len(drawn), "one step has one pause"
    assert pastes_back(drawn)
    Scenario(design, faults=FaultPlan(pauses=drawn))


def test_the_simplest_schedule_has_no_pause() -> None:
    """And of one pause, the first step of the first task for one step of others."""
    assert simplest(pauses(DESIGN)) == ()
    assert simplest(pauses(DESIGN), bool) == (Pause("orders→worker/1", 1, 1),)
    assert simplest(pauses(DESIGN, real=["worker"]), bool) == (Pause("worker#1", 1, 1),)


def test_only_tasks_that_the_design_can_have_are_held() -> None:
    """Pollers of mappings that are on, invocations of functions that are real code; the first ten of each."""
    tasks = {f"orders→worker/{number}" for number in range(1, 11)}
    assert held(pauses(DESIGN)) == tasks
    assert held(pauses(DESIGN, real=["worker"])) == tasks | {f"worker#{number}" for number in range(1, 11)}
    assert held(pauses(Design(queues=[Queue("orders")]))) == set()


def held(strategy: SearchStrategy[tuple[Pause, ...]]) -> set[str]:
    seen = [pause for drawn in sample(strategy, 300) for pause in drawn]
    assert all(1 <= pause.step <= 40 and pause.steps in {1, 3, 10, 30} for pause in seen)
    return {pause.task for pause in seen}


def test_a_function_that_the_design_does_not_have_is_refused() -> None:
    """By name, with those that it has."""
    with pytest.raises(ValueError, match="no function is called 'wroker': the design has worker, other"):
        pauses(DESIGN, real=["wroker"])
