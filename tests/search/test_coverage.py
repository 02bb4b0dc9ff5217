import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import KINDS, FaultKind, FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.coverage import COVERAGE_MARKS, coverage, margins
from chaosqs.simulation.run import simulate
from tests.search.designs import ROOMY, STARVED


def test_what_a_run_reached_is_told_in_order() -> None:
    """Over-polling reaches throttles, returns and the dead-letter queue."""
    marks = coverage(simulate(STARVED))
    assert list(marks) == [mark for mark in COVERAGE_MARKS if mark in marks]
    assert {"throttled", "visibility expired", "received again"} <= set(marks)


def test_a_calm_run_reaches_nothing() -> None:
    """One message that is processed is no news."""
    assert coverage(simulate(Scenario(ROOMY, [Burst("orders", 1)]))) == ()


def plan_with(kind: FaultKind) -> FaultPlan:
    """Return a plan in which a kind strikes the first thing that it can."""
    if kind.injection_point == "send":
        return FaultPlan(sends=[kind.name]) if kind.keyed else FaultPlan(windows=[Window(kind.name, "", 0, 5)])
    return FaultPlan(messages=[[kind.name]]) if kind.keyed else FaultPlan(windows=[Window(kind.name, "", 0, 5)])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.is_named], ids=lambda kind: kind.name)
def test_every_kind_of_fault_leaves_its_mark(kind: FaultKind) -> None:
    """A fault that struck is told by its kind, and only if it struck."""
    faulted = Scenario(ROOMY, [Burst("orders", 3)], faults=plan_with(kind))
    missed = attrs.evolve(faulted, faults=attrs.evolve(faulted.faults, banned=[kind.name]))
    assert f"fault {kind.name}" in coverage(simulate(faulted))
    assert f"fault {kind.name}" not in coverage(simulate(missed))


def test_failures_are_told_by_how_they_look() -> None:
    """Errors, timeouts and crashes are three things."""
    for mark, failing in (
        ("errors", Behaviour(poison=[0])),
        ("timeouts", Behaviour(poison=[0], hangs=True)),
        ("crashes", Behaviour(poison=[0], crashes=True)),
    ):
        marks = coverage(simulate(Scenario(ROOMY, [Burst("orders", 1)], {"worker": failing})))
        assert [other for other in marks if other in {"errors", "timeouts", "crashes"}] == [mark]


def test_margins_are_shares_of_what_is_granted() -> None:
    """A message that used up all its deliveries is at 1; the search climbs there."""
    failed = simulate(Scenario(ROOMY, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}))
    assert margins(failed) == {
        "throttled": 0,
        "received": 1,
        "age": pytest.approx(2 / 3, abs=0.01),
        "concurrency": 0.001,
    }
    assert margins(simulate(STARVED))["throttled"] > 0
