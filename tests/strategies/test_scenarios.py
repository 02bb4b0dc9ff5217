from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import KINDS, OK, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady, arrivals
from chaosqs.strategies import behaviours, designs, fault_plans, liveness_deadline, scenarios, workloads
from tests.strategies.pasting import pastes_back
from tests.strategies.sampling import sample, simplest

TWO = Design(
    queues=[
        Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", max_receive_count=3)),
        Queue("orders-dlq"),
        Queue("returns"),
        Queue("unread.fifo"),
    ],
    functions=[Function("worker", timeout=30)],
    mappings=[
        EventSourceMapping("orders", "worker", batch_size=5),
        EventSourceMapping("returns", "worker", enabled=False),
    ],
)
WORKER = TWO.functions[0]
NAMES = [kind.name for kind in KINDS if not kind.is_named]


@settings(max_examples=50)
@given(scenarios(designs()))
def test_a_drawn_scenario_pastes_back(scenario: Scenario) -> None:
    """Every drawn scenario fits its design, and its repr makes it again."""
    assert pastes_back(scenario)


def test_the_simplest_scenario_is_calm() -> None:
    """What a scenario does not need shrinks away: one message at once, no fault, seed 0, usual behaviour."""
    calm = simplest(scenarios(TWO))
    assert calm == Scenario(TWO, [Burst("orders", 1)], until=calm.until)


@given(scenarios(TWO, queue="returns"))
def test_the_queue_asked_for_gets_a_load(scenario: Scenario) -> None:
    """A search on one mapping always sends messages to its queue."""
    assert scenario.workload[0].queue == "returns"
    assert {load.queue for load in scenario.workload} <= {"orders", "returns"}


@given(scenarios(TWO, behaviours={"worker": Behaviour(seconds_per_message=2)}))
def test_given_behaviours_stay(scenario: Scenario) -> None:
    """What the user says of a function is never drawn."""
    assert scenario.behaviour("worker") == Behaviour(seconds_per_message=2)


@given(scenarios(TWO, faults=False, failing=False))
def test_a_scenario_can_be_without_faults(scenario: Scenario) -> None:
    """With `faults` and `failing` off, nothing goes wrong from outside, and functions fail only by being slow."""
    assert scenario.faults == FaultPlan()
    assert not scenario.behaviour("worker").error_rate
    assert not scenario.behaviour("worker").poison


@given(scenarios(TWO))
def test_a_run_goes_on_long_enough(scenario: Scenario) -> None:
    """After the last arrival there is time for all deliveries that the redrive policy grants, and for the move."""
    assert scenario.until is not None
    assert scenario.until >= arrivals(scenario.workload)[-1].at / 1000 + 3 * 60
    assert scenario.until == liveness_deadline(scenario.design, scenario.workload, scenario.behaviours, scenario.faults)


def test_every_kind_of_fault_is_drawn() -> None:
    """A fault of each kind can strike one message or one send, strike for a while, and be banned."""
    plans = sample(fault_plans(TWO, points=["charge"]))
    of_sends = {kind.name for kind in KINDS if kind.keyed and kind.injection_point == "send"}
    of_receives = {kind.name for kind in KINDS if kind.keyed and kind.injection_point != "send" and not kind.is_named}
    drawn = {kind for plan in plans for receives in plan.messages for kind in receives}
    assert drawn == {OK, *of_receives, "fault_point:charge"}
    assert {kind for plan in plans for kind in plan.sends} == {OK, *of_sends}
    assert {window.kind for plan in plans for window in plan.windows} == {*NAMES, "fault_point:charge"}
    kinds = {kind.name for kind in KINDS if kind.injection_point != "call"}  # those need a call among the points
    assert {kind for plan in plans for kind in plan.banned} == kinds


def test_operators_and_pauses_are_drawn() -> None:
    """A function is deployed anew, a dead-letter queue moved back, a poller and an invocation held."""
    plans = sample(fault_plans(TWO, held=["worker"]), 300)
    acts = {(action.kind, action.target) for plan in plans for action in plan.actions}
    assert {("redeploy", "worker"), ("redrive", "orders-dlq")} <= acts
    assert not {kind for kind, _ in acts} & {"purge", "change"}
    assert {pause.task.partition("#")[0] for plan in plans for pause in plan.pauses if "#" in pause.task} == {"worker"}


def test_fifo_queues_are_spared_what_cannot_happen_there() -> None:
    """A FIFO queue has no duplicates within a receive, and no other order."""
    fifo = Design([Queue("orders.fifo")], [Function("worker")], [EventSourceMapping("orders.fifo", "worker")])
    plans = sample(fault_plans(fifo), 200)
    impossible = {kind.name for kind in KINDS if kind.standard_only}
    assert not impossible & {kind for plan in plans for receives in plan.messages for kind in receives}
    assert not impossible & {window.kind for plan in plans for window in plan.windows}


def test_the_simplest_fault_plan_is_empty() -> None:
    """No fault is what a plan shrinks to."""
    assert simplest(fault_plans(TWO)) == FaultPlan()


@given(fault_plans(TWO, 2, kinds=["crash"]))
def test_a_fault_plan_keeps_within_its_bounds(plan: FaultPlan) -> None:
    """Only the messages and kinds that are asked for occur."""
    assert len(plan.messages) <= 2
    assert {kind for receives in plan.messages for kind in receives} <= {"ok", "crash"}


@given(fault_plans(TWO, kinds=()))
def test_without_kinds_there_are_no_faults(plan: FaultPlan) -> None:
    """No kinds, no faults."""
    assert plan == FaultPlan()


LOADS: dict[str, Callable[[tuple[Load, ...]], bool]] = {
    "a burst in step with the queue": lambda loads: isinstance(loads[0], Burst) and loads[0].at == loads[0].over == 60,
    "a large burst": lambda loads: isinstance(loads[0], Burst) and loads[0].count == 250,
    "a steady load": lambda loads: isinstance(loads[0], Steady) and loads[0].per_second == 10,
    "two queues": lambda loads: len(loads) == 2 and loads[1].queue == "returns",
}


@pytest.fixture(scope="module")
def loads() -> list[tuple[Load, ...]]:
    return sample(workloads(TWO))


@pytest.mark.parametrize("wanted", LOADS.values(), ids=LOADS)
def test_the_workloads_that_matter_are_drawn(
    wanted: Callable[[tuple[Load, ...]], bool], loads: list[tuple[Load, ...]]
) -> None:
    """Bursts and steady loads, at the moments that make ties, of a few hundred messages, on one queue or two."""
    assert any(map(wanted, loads))


@given(st.data(), st.integers(1, 20))
def test_a_load_keeps_within_its_bound(data: st.DataObject, messages: int) -> None:
    """`messages` bounds each load."""
    loads = data.draw(workloads(TWO, messages=messages))
    assert all(1 <= len(arrivals([load])) <= messages for load in loads)


@given(workloads(TWO))
def test_a_steady_load_sends_as_many_messages_as_were_drawn(loads: tuple[Load, ...]) -> None:
    """Rates and durations agree with whole numbers of messages."""
    for load in loads:
        if isinstance(load, Steady):
            assert abs(load.per_second * load.seconds - len(arrivals([load]))) < 0.01


def test_a_queue_in_order_has_message_groups() -> None:
    """A load of a FIFO queue names message groups, as SQS demands (FF-2)."""
    queues = [Queue("line.fifo")]
    design = Design(queues, [Function("worker")], [EventSourceMapping("line.fifo", "worker")])
    assert simplest(workloads(design)) == (Burst("line.fifo", 1, groups=1),)


BEHAVIOURS: dict[str, Callable[[Behaviour], bool]] = {
    "times out": lambda behaviour: behaviour.seconds_per_batch == 30,
    "on the edge": lambda behaviour: behaviour.seconds_per_batch == 29.999,
    "full batches time out": lambda behaviour: behaviour.seconds_per_message * 5 == 30,
    "always fails": lambda behaviour: behaviour.error_rate == 1,
    "hangs on one message": lambda behaviour: behaviour.poison == (0,) and behaviour.hangs,
    "crashes": lambda behaviour: behaviour.crashes,
    "varies": lambda behaviour: behaviour.spread > 0,
}


@pytest.fixture(scope="module")
def drawn_behaviours() -> list[Behaviour]:
    return sample(behaviours(WORKER, batch_size=5), 300)


@pytest.mark.parametrize("wanted", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_the_behaviours_that_matter_are_drawn(
    wanted: Callable[[Behaviour], bool], drawn_behaviours: list[Behaviour]
) -> None:
    """Durations tie with the timeout, full batches reach it, and failures look like all that failures look like."""
    assert any(map(wanted, drawn_behaviours))


def test_the_simplest_behaviour_is_the_default() -> None:
    """A function that need not misbehave does not."""
    assert simplest(behaviours(WORKER)) == Behaviour()


def test_what_the_design_does_not_have_is_refused_by_name() -> None:
    """An unknown queue, function or fault is a ValueError that says what there is."""
    with pytest.raises(ValueError, match="no queue is called 'orrders': the design has orders"):
        workloads(TWO, queue="orrders")
    with pytest.raises(ValueError, match="no function is called 'clerk': the design has worker"):
        scenarios(TWO, behaviours={"clerk": Behaviour()})
    with pytest.raises(ValueError, match="no fault is called 'meteor': there are throttled"):
        fault_plans(TWO, kinds=["meteor"])
    with pytest.raises(ValueError, match="the design has no mappings"):
        workloads(Design([Queue("orders")]))
