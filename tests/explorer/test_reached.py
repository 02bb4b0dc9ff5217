from chaosqs.explorer.reached import MARKS, margins, reached
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.fault import KIND_NAMES, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulator.run import simulate
from tests.explorer.designs import ROOMY, STARVED


def test_what_a_run_reached_is_told_in_order() -> None:
    """Over-polling reaches throttles, returns and the dead-letter queue."""
    marks = reached(simulate(STARVED))
    assert list(marks) == [mark for mark in MARKS if mark in marks]
    assert {"throttled", "visibility expired", "received again"} <= set(marks)


def test_a_calm_run_reaches_nothing() -> None:
    """One message that is processed is no news."""
    assert reached(simulate(Scenario(ROOMY, [Burst("orders", 1)]))) == ()


def test_every_kind_of_fault_leaves_its_mark() -> None:
    """A fault that struck is told by its kind, and only if it struck."""
    for kind in KIND_NAMES:
        struck = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[[kind]]))
        missed = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[[], [kind]]))
        assert f"fault {kind}" in reached(simulate(struck))
        assert f"fault {kind}" not in reached(simulate(missed))


def test_failures_are_told_by_how_they_look() -> None:
    """Errors, timeouts and crashes are three things."""
    for mark, failing in (
        ("errors", Behaviour(poison=[0])),
        ("timeouts", Behaviour(poison=[0], hangs=True)),
        ("crashes", Behaviour(poison=[0], crashes=True)),
    ):
        marks = reached(simulate(Scenario(ROOMY, [Burst("orders", 1)], {"worker": failing})))
        assert [other for other in marks if other in {"errors", "timeouts", "crashes"}] == [mark]


def test_margins_are_shares_of_what_is_granted() -> None:
    """A message that used up all its deliveries is at 1; the search climbs there."""
    failed = simulate(Scenario(ROOMY, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}))
    assert margins(failed) == {"throttled": 0, "received": 1}
    assert margins(simulate(STARVED))["throttled"] > 0
