"""When everything must be over: each term of the bound is needed, and together they are enough."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings

from chaosqs.invariants import DRAINS_AFTER_HEALING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import Action, FaultPlan, Window
from chaosqs.model.liveness import Bound, bound, liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from chaosqs.strategies import designs, scenarios

QUEUE = Queue("orders", visibility_timeout=1, redrive=Redrive("dlq", 1))


def tight(
    queue: Queue = QUEUE, *, mapping: EventSourceMapping | None = None, function: Function | None = None
) -> Design:
    """A design whose terms are all small: those of a second's visibility and one delivery."""
    dead_letters = Queue("dlq.fifo" if queue.fifo else "dlq")
    mapping = mapping or EventSourceMapping(queue.name, "worker", batch_size=1)
    return Design([queue, dead_letters], [function or Function("worker", timeout=1)], [mapping])


def patient(visibility_timeout: int, max_receive_count: int = 1) -> Queue:
    return Queue("orders", visibility_timeout, redrive=Redrive("dlq", max_receive_count))


ORDERED = Queue("orders.fifo", 30, redrive=Redrive("dlq.fifo", 1))
ONE = (Burst("orders", 1),)
NEEDS: dict[str, tuple[str, Scenario]] = {
    "a late arrival": ("last_arrival", Scenario(tight(), [Burst("orders", 1, at=100)])),
    "a late end of the plan": (
        "plan",
        Scenario(tight(patient(1, 1000)), ONE, faults=FaultPlan(windows=[Window("throttled", "", 0, 2000)])),
    ),
    "a late send": ("sending", Scenario(tight(), ONE, faults=FaultPlan(sends=["late_send"]))),
    "a delay": ("delay", Scenario(tight(attrs.evolve(QUEUE, delay=60)), ONE)),
    "many deliveries": ("cycles", Scenario(tight(patient(30, 5)), ONE, {"worker": Behaviour(poison=[0])})),
    "deliveries from both queues": (
        "cycles",
        Scenario(
            Design(
                [
                    Queue("orders", 30, redrive=Redrive("dlq", 2)),
                    Queue("dlq", 30, redrive=Redrive("last", 2)),
                    Queue("last"),
                ],
                [Function("worker")],
                [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "worker")],
            ),
            ONE,
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    "more spoilt receives than cycles": (
        "cycles",
        Scenario(tight(Queue("orders")), ONE, faults=FaultPlan([["error"] * 20])),
    ),
    "a group whose messages fail one after another": (
        "cycles",
        Scenario(
            tight(ORDERED, function=Function("worker", timeout=5)),
            [Burst("orders.fifo", 6, groups=1)],
            {"worker": Behaviour(error_rate=1)},
        ),
    ),
    "much work": (
        "working",
        Scenario(
            tight(
                patient(360),
                mapping=EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2),
                function=Function("worker", timeout=60),
            ),
            [Burst("orders", 100)],
            {"worker": Behaviour(seconds_per_batch=50)},
        ),
    ),
    "throttles": (
        "working",
        Scenario(
            tight(Queue("orders"), function=Function("worker", timeout=5, reserved_concurrency=1)),
            [Burst("orders", 400)],
            {"worker": Behaviour(seconds_per_batch=4)},
        ),
    ),
    "stalls": (
        "holding",
        Scenario(tight(ORDERED), [Burst("orders.fifo", 10, groups=1)], faults=FaultPlan([["stall"]] * 10)),
    ),
    "a mapping that is enabled again": (
        "changing",
        Scenario(
            tight(),
            [Burst("orders", 1, at=70)],
            faults=FaultPlan(
                actions=[
                    Action("change", "orders→worker", 1, "enabled", value=False),
                    Action("change", "orders→worker", 70, "enabled", value=True),
                ]
            ),
        ),
    ),
}


def bound_of(scenario: Scenario) -> Bound:
    return bound(scenario.design, scenario.workload, scenario.behaviours, scenario.faults, scenario.assumptions)


def drained(scenario: Scenario) -> float | None:
    """Return when everything is over in a run that ends with the bound."""
    end = liveness_deadline(scenario.design, scenario.workload, scenario.behaviours, scenario.faults)
    return simulate(attrs.evolve(scenario, until=end)).summary()["drained_at"]


@pytest.mark.parametrize(("term", "scenario"), NEEDS.values(), ids=NEEDS)
def test_each_term_is_needed_and_all_are_enough(term: str, scenario: Scenario) -> None:
    """Everything is over by the bound, and would not be by the bound without its term."""
    found, over = bound_of(scenario), drained(scenario)
    assert over is not None
    spent: float = getattr(found, term)
    assert found.seconds - spent < over <= found.seconds


def test_retention_ends_everything() -> None:
    """What nobody gets done with is gone when its retention is over, however long its cycles would take."""
    queue = Queue("orders", 60, retention_period=60)
    scenario = Scenario(tight(queue), ONE, {"worker": Behaviour(error_rate=1)})
    assert drained(scenario) == 60
    assert bound_of(scenario).seconds == bound_of(scenario).retention < 70


def test_a_healed_plan_ends_when_it_is_healed() -> None:
    """After that moment no fault of a message strikes, however many the plan names."""
    faults = FaultPlan([["error"] * 90], heal_at=10)
    assert (
        liveness_deadline(tight(Queue("orders")), ONE, {}, faults)
        < 330
        < liveness_deadline(tight(Queue("orders")), ONE, {}, attrs.evolve(faults, heal_at=None))
    )


def test_a_failing_function_without_a_policy_gets_ten_cycles() -> None:
    """It never ends; a limited number of cycles is enough to see that."""
    failing = {"worker": Behaviour(error_rate=1)}
    assert bound_of(Scenario(tight(Queue("orders")), ONE, failing)).cycles == 300


def test_a_policy_that_grants_a_thousand_deliveries_is_not_waited_for() -> None:
    """A run goes on for a hundred of them."""
    assert bound_of(Scenario(tight(patient(30, 1000)), ONE, {"worker": Behaviour(error_rate=1)})).cycles == 3000


@pytest.mark.parametrize(
    "design",
    [
        Design([Queue("orders")]),
        Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker", enabled=False)]),
        Design(
            [Queue("orders")],
            [Function("worker", reserved_concurrency=0)],
            [EventSourceMapping("orders", "worker")],
        ),
        Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")], Account(10, 10)),
    ],
    ids=["no mapping", "disabled", "switched off", "no room"],
)
def test_there_is_a_bound_for_every_design(design: Design) -> None:
    """Also where nothing is ever worked off."""
    assert 0 < liveness_deadline(design, [Burst("orders", 3, at=5)], {}) < 500


SOUND = designs(maximum_concurrency_fits=True).map(
    lambda design: attrs.evolve(
        design,
        queues=[
            attrs.evolve(queue, visibility_timeout=max(queue.visibility_timeout, 6 * 60 + 5)) for queue in design.queues
        ],
    )
)


@settings(max_examples=100)
@given(scenarios(SOUND, failing=False, messages=20))
def test_sound_designs_are_drained_by_the_bound(scenario: Scenario) -> None:
    """Whatever goes wrong from outside, all is over by then, but for what a function always fails on."""
    history = simulate(scenario)
    assert DRAINS_AFTER_HEALING.judge(history).violations == ()
