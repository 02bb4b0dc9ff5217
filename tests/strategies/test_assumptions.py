"""Draws of assumptions about AWS."""

from __future__ import annotations

import attrs
from hypothesis import given

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.strategies import scenarios
from chaosqs.strategies.scenarios import assumptions
from tests.strategies.sampling import sample, simplest

DESIGN = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])


def differing(drawn: Assumptions) -> dict[str, int]:
    """Return the assumptions that are not as measured."""
    fields = attrs.fields(Assumptions)
    return {field.name: value for field in fields if (value := getattr(drawn, field.name)) != field.default}


def test_the_simplest_are_the_measured_ones() -> None:
    """What a counterexample does not need shrinks away."""
    assert simplest(assumptions()) == Assumptions()
    assert simplest(scenarios(DESIGN, vary_assumptions=True)).assumptions == Assumptions()


@given(assumptions())
def test_few_differ_and_each_is_at_an_end_of_its_range(drawn: Assumptions) -> None:
    """A scenario takes them."""
    Scenario(DESIGN, assumptions=drawn)
    fields = attrs.fields_dict(Assumptions)
    assert len(differing(drawn)) <= 3
    for name, value in differing(drawn).items():
        assert value in {fields[name].metadata["low"], fields[name].metadata["high"]}


def test_every_end_of_every_range_is_drawn() -> None:
    """No assumption is left out."""
    drawn = {(name, value) for each in sample(assumptions(), 400) for name, value in differing(each).items()}
    ends = {
        (field.name, end)
        for field in attrs.fields(Assumptions)
        for end in (field.metadata["low"], field.metadata["high"])
        if end != field.default
    }
    assert drawn == ends


def test_scenarios_vary_assumptions_only_where_they_are_asked_to() -> None:
    """Otherwise all of them rest on what was measured."""
    guessed, measured = (sample(scenarios(DESIGN, vary_assumptions=varied), 50) for varied in (True, False))
    assert any(differing(scenario.assumptions) for scenario in guessed)
    assert not any(differing(scenario.assumptions) for scenario in measured)
