"""Exhaustion: nothing within the bound is left out, whatever is pruned; and what is said is what was done."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations, product

import attrs
import pytest

from chaosqs.errors import InvalidInput, NotDeterministic
from chaosqs.invariants import (
    AT_LEAST_ONCE_DELIVERY,
    NO_CONCURRENT_PROCESSING,
    NO_EARLY_DEAD_LETTERING,
    NO_SECOND_PROCESSING,
)
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationEnded
from chaosqs.model.faults import KINDS, OK, FaultPlan, Pause
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.model.workload import Burst, as_sent
from chaosqs.project.exhaust import Exhaustion, exhaust
from chaosqs.search.exhaust import LONGEST, Call, Cell, outcome_at, with_fault
from chaosqs.simulation.run import simulate
from tests.search.designs import ROOMY, invariant, never_dead_lettered, promise

Shape = tuple[object, ...]
"""A history without what tells by which message of a batch a fault was meant."""


def design(
    queue: Queue,
    *others: Queue,
    timeout: int = 5,
    reserved: int | None = None,
    mapping: EventSourceMapping | None = None,
) -> Design:
    """Return a queue and a function with a mapping; `mapping`: another one than the usual."""
    mapping = mapping or EventSourceMapping(queue.name, "worker")
    return Design([queue, *others], [Function("worker", timeout=timeout, reserved_concurrency=reserved)], [mapping])


ORDERS = Queue("orders", visibility_timeout=30)
DLQ = Queue("dlq", visibility_timeout=30)
TWICE = Queue("orders", visibility_timeout=30, redrive=Redrive("dlq", 2))
EACH = EventSourceMapping("orders", "worker", batch_size=1)
WINDOW = EventSourceMapping("orders", "worker", batch_size=2, maximum_batching_window=2)
PARTIAL = EventSourceMapping("orders", "worker", report_batch_item_failures=True)
ONE_MESSAGE = {
    "alone": Scenario(design(ORDERS), [Burst("orders", 1)]),
    "redriven": Scenario(design(TWICE, DLQ), [Burst("orders", 1)]),
    "visible too soon": Scenario(design(attrs.evolve(ORDERS, visibility_timeout=3), timeout=2), [Burst("orders", 1)]),
    "dead letters are polled": Scenario(
        Design(
            [Queue("orders", visibility_timeout=30, redrive=Redrive("dlq", 1)), DLQ],
            [Function("worker", timeout=5)],
            [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "worker")],
        ),
        [Burst("orders", 1)],
    ),
}
TWO_MESSAGES = {
    "one batch": Scenario(design(ORDERS), [Burst("orders", 2)]),
    "two pollers": Scenario(design(ORDERS, mapping=EACH), [Burst("orders", 2)]),
    "a window": Scenario(design(ORDERS, mapping=WINDOW), [Burst("orders", 2, over=2)]),
    "a window longer than visibility": Scenario(
        design(attrs.evolve(ORDERS, visibility_timeout=4), timeout=2, mapping=WINDOW),
        [Burst("orders", 2, over=2)],
    ),
    "one group": Scenario(design(Queue("orders.fifo", visibility_timeout=30)), [Burst("orders.fifo", 2, groups=1)]),
    "one execution": Scenario(
        design(attrs.evolve(ORDERS, visibility_timeout=6), reserved=1, mapping=EACH), [Burst("orders", 2)]
    ),
    "a delete of what was received again": Scenario(
        design(attrs.evolve(ORDERS, visibility_timeout=6), reserved=1, mapping=EACH),
        [Burst("orders", 2)],
        faults=FaultPlan(messages=[["cold_start"]]),
    ),
    "a poison message": Scenario(
        design(TWICE, DLQ, mapping=PARTIAL), [Burst("orders", 2)], {"worker": Behaviour(poison=[0])}
    ),
}
WORLDS = ONE_MESSAGE | TWO_MESSAGES
SENDS = [kind.name for kind in KINDS if kind.keyed and kind.injection_point == "send"]
RECEIVES = [kind.name for kind in KINDS if kind.keyed and kind.injection_point != "send" and not kind.is_named]
RACER = Behaviour(handler="tests.quality.racers:first_configures")
CHARGER = Behaviour(handler="tests.search.charging_handlers:handle")
BY = re.compile(r"( at receive \d+)? of message \d+$")


def shape(history: History) -> Shape:
    """Return a history with the kinds of its faults only."""
    faults = [(event, str(getattr(event, "fault", ""))) for event in history.events]
    events = [repr(event).replace(fault, BY.sub("", fault)) if fault else repr(event) for event, fault in faults]
    return *events, history.ended_at_ms, history.drained_at_ms


def exhausted(start: Scenario, *, faults: int, pauses: int = 0) -> list[History]:
    """Return all histories of an exhaustion that differ; the first is that of the world itself."""
    histories: list[History] = []

    def note(history: History) -> Verdict:
        histories.append(history)
        return promise("note", [])

    mapping, noting = start.design.mappings[0].name, [invariant(note)]
    done = exhaust(start, mapping, invariants=noting, faults=faults, pauses=pauses, max_runs=10**6)
    assert done.proven
    assert done.histories == len(histories) <= done.runs
    return histories


def faults(scenario: Scenario, receives: int = 6) -> list[tuple[Cell, str]]:
    """Return every fault of a send or one of the first receives, of copies of the messages, too; many never strike."""
    load = scenario.workload[0]
    assert isinstance(load, Burst)
    indexes = product(range(2 * load.count), range(receives + 1))
    return [(location, kind) for location in indexes for kind in (SENDS if location[1] == 0 else RECEIVES)]


def with_faults(scenario: Scenario, added: Iterable[tuple[Cell, str]]) -> Scenario | None:
    """Return the scenario with the faults; None where two of them are for one send or receive."""
    plan = scenario.faults
    for location, kind in added:
        if outcome_at(plan, location) != OK:
            return None
        plan = with_fault(plan, location, kind)
    return attrs.evolve(scenario, faults=plan)


def every_plan(scenario: Scenario, depth: int, receives: int = 6) -> set[Shape]:
    """Return the shapes of the histories of all plans of up to a number of faults, each of them run."""
    single = faults(scenario, receives)
    chosen = (added for size in range(depth + 1) for added in combinations(single, size))
    plans = (with_faults(scenario, added) for added in chosen)
    return {shape(simulate(plan)) for plan in plans if plan is not None}


RARELY = ("two pollers", "one batch", "one execution", "a window longer than visibility")
"""Worlds that differ little from others, or take long: `make deep` compares them."""


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.deep if n in RARELY else ()) for n in WORLDS])
def test_no_single_fault_is_left_out(name: str) -> None:
    """What the pruning leaves has the same histories as all plans of a grid, run one by one."""
    histories = exhausted(WORLDS[name], faults=1)
    assert {shape(history) for history in histories} == every_plan(histories[0].scenario, 1)


@pytest.mark.deep
@pytest.mark.parametrize("name", WORLDS)
def test_no_two_faults_are_left_out(name: str) -> None:
    """Nor with two faults, of which the second may strike only because of the first. The grid has two receives."""
    histories = exhausted(WORLDS[name], faults=2)
    assert every_plan(histories[0].scenario, 2, receives=2) <= {shape(history) for history in histories}


def every_pause(scenario: Scenario, depth: int) -> set[Shape]:
    """Return the shapes of the histories of all plans of up to a number of pauses, each of them run."""
    tasks = [f"{scenario.design.mappings[0].name}/{number}" for number in range(1, 7)]
    pauses = [Pause(*pause) for pause in product([*tasks, "worker#1", "worker#2"], range(1, 7), range(1, LONGEST + 1))]
    chosen = (added for size in range(depth + 1) for added in combinations(pauses, size))
    plans = [attrs.evolve(scenario.faults, pauses=added) for added in chosen]
    return {shape(simulate(attrs.evolve(scenario, faults=plan))) for plan in plans}


@pytest.mark.parametrize("name", ["alone", pytest.param("two pollers", marks=pytest.mark.deep), "one execution"])
def test_no_single_pause_is_left_out(name: str) -> None:
    """Every task, each of its steps, each length."""
    histories = exhausted(WORLDS[name], faults=0, pauses=1)
    assert {shape(history) for history in histories} == every_pause(histories[0].scenario, 1)


@pytest.mark.deep
def test_no_pause_of_real_code_is_left_out() -> None:
    """Invocations of real code are tasks, too."""
    real = Scenario(design(ORDERS, mapping=EACH), [Burst("orders", 2)], {"worker": RACER})
    histories = exhausted(real, faults=0, pauses=1)
    assert {shape(history) for history in histories} == every_pause(histories[0].scenario, 1)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["alone", "one batch"])
def test_no_fault_with_a_pause_is_left_out(name: str) -> None:
    """Either may be possible only because of the other; a pause may part a batch. Compared with a part of a grid."""
    histories = exhausted(WORLDS[name], faults=1, pauses=1)
    world = histories[0].scenario
    pauses = [Pause(*one) for one in product(["orders→worker/1", "orders→worker/2"], range(1, 5), (1, 2, 5, 10))]
    faulted = [plan for one in faults(world, receives=2) if (plan := with_faults(world, [one])) is not None]
    plans = [attrs.evolve(plan, faults=attrs.evolve(plan.faults, pauses=[one])) for plan in faulted for one in pauses]
    assert {shape(simulate(plan)) for plan in plans} <= {shape(history) for history in histories}


# What is said


def test_a_proof_says_what_it_covers() -> None:
    """The counts are of this very design: whoever changes the simulator's faults changes them knowingly."""
    done = exhaust(ROOMY, invariants=[AT_LEAST_ONCE_DELIVERY], faults=1)
    assert done.proven
    assert (done.runs, done.histories, done.same_call, done.complete) == (76, 70, 25, 1)
    assert str(done) == (
        "none of 70 schedules up to depth 1 violates at-least-once delivery "
        "(up to 2 messages, up to 1 fault of 33 kinds; 31 more are equivalent to these)"
    )


def test_what_nothing_exercised_is_said_to_be() -> None:
    """No plan violates it, and none could have."""
    done = exhaust(ROOMY, invariants=[NO_EARLY_DEAD_LETTERING], faults=0)
    assert done.proven
    assert str(done).startswith("none of 2 schedules up to depth 0 exercises no early dead-lettering (up to 2 messages")


def test_the_same_again() -> None:
    """Exhaustion draws nothing."""
    first, second = (exhaust(ROOMY, faults=1) for _ in range(2))
    assert first == second


def test_the_shortest_counterexample() -> None:
    """One fault, though two would do as well; it ends by itself."""
    tight = design(ORDERS, timeout=30)
    done = exhaust(tight, messages=1, invariants=[NO_CONCURRENT_PROCESSING, AT_LEAST_ONCE_DELIVERY])
    broken, kept = done.findings
    assert broken.scenario == Scenario(tight, [Burst("orders", 1)], faults=FaultPlan(messages=[["slow"]]))
    assert kept.verdict.status is Status.HOLDS
    assert not done.proven
    assert done.complete == 2
    said = str(done).splitlines()
    assert said[0] == "no concurrent processing is violated by 1 disturbance: slow at receive 1 of message 1"
    assert " violates at-least-once delivery (" in said[1]


def test_what_needs_no_fault_is_found_without() -> None:
    """Before any other plan is tried."""
    done = exhaust(design(ORDERS), invariants=[invariant(never_received)])
    assert done.runs == 1
    assert done.findings[0].scenario == Scenario(design(ORDERS), [Burst("orders", 1)])
    assert str(done) == "never received is violated without any fault"


def never_received(history: History) -> Verdict:
    """Promise what no design keeps."""
    broken = [Violation("never-received", "Received.", 0, "orders", (message,), ()) for message in history.deliveries]
    return promise("never-received", broken)


def test_spent_runs_are_no_proof() -> None:
    """Nothing holds that was not tried."""
    done = exhaust(ROOMY, invariants=[AT_LEAST_ONCE_DELIVERY], max_runs=50)
    verdict = done.findings[0].verdict
    assert (done.runs, done.complete, done.proven) == (50, 0, False)
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.reason.startswith("stopped after ")
    assert "at depth 1 (all up to depth 0): none violates at-least-once delivery, which proves nothing" in str(done)


def test_what_waits_counts_for_nothing() -> None:
    """Plans with a fault are known after the first two runs, but none of them was tried."""
    done = exhaust(ROOMY, invariants=[AT_LEAST_ONCE_DELIVERY], faults=1, max_runs=2)
    assert (done.runs, done.same_call, done.kinds) == (2, 0, ())
    assert str(done).endswith("(up to 2 messages, up to 1 fault of 0 kinds; 0 more are equivalent to these)")
    assert len(exhaust(ROOMY, invariants=[AT_LEAST_ONCE_DELIVERY], faults=1, max_runs=3).kinds) == 1


def test_a_violation_counts_although_the_runs_are_spent() -> None:
    """A counterexample needs no proof."""
    done = exhaust(design(ORDERS, timeout=30), invariants=[NO_CONCURRENT_PROCESSING, NO_SECOND_PROCESSING], max_runs=20)
    assert [found.verdict.status for found in done.findings] == [Status.VIOLATED, Status.INCONCLUSIVE]


def test_a_scenario_brings_its_own_world() -> None:
    """Its workload, its behaviours, its seed and its faults; what is tried comes on top."""
    plan = FaultPlan(messages=[["error"]])
    start = Scenario(ONE_MESSAGE["redriven"].design, [Burst("orders", 1)], faults=plan, seed=7)
    (found,) = exhaust(start, invariants=[invariant(never_dead_lettered)], faults=1).findings
    assert found.scenario is not None
    assert found.scenario.seed == 7
    assert [receives[0] for receives in found.scenario.faults.messages] == ["error"]
    assert len(found.scenario.faults.messages[0]) == 2


def test_pauses_of_a_scenario_stay() -> None:
    """They are part of its world, whatever is added to them."""
    own = Pause("orders→worker/1", 1, 2)
    start = attrs.evolve(ONE_MESSAGE["alone"], faults=FaultPlan(pauses=[own]))
    assert all(history.scenario.faults.pauses[0] == own for history in exhausted(start, faults=0, pauses=1))


def test_points_in_real_code_are_struck() -> None:
    """Each site that a handler passes."""
    real = Scenario(design(ORDERS), [Burst("orders", 1)], {"worker": CHARGER})
    kinds = {kind for history in exhausted(real, faults=1) for (kind,) in history.scenario.faults.messages[:1]}
    assert {"fault_point:charge", "error"} <= kinds


def test_a_handler_that_contradicts_itself_proves_nothing() -> None:
    """Whoever runs in two ways is told so."""
    moody = {"worker": Behaviour(handler="tests.search.moody_handlers:handle")}
    with pytest.raises(NotDeterministic):
        exhaust(design(ORDERS), behaviours=moody)


def test_a_mapping_that_is_switched_off() -> None:
    """There is nothing to try."""
    off = Design([ORDERS], [Function("worker")], [EventSourceMapping("orders", "worker", enabled=False)])
    done = exhaust(off, invariants=[AT_LEAST_ONCE_DELIVERY])
    assert (done.runs, done.findings[0].verdict.status) == (0, Status.NOT_APPLICABLE)
    assert not done.proven


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (partial(exhaust, messages=0), "messages = 0: must be 1 or more"),
        (partial(exhaust, messages=101), "messages = 101: must be 100 or less, as all are tried one by one"),
        (partial(exhaust, faults=-1), "faults = -1: must be 0 or more"),
        (partial(exhaust, pauses=-1), "pauses = -1: must be 0 or more"),
        (partial(exhaust, max_runs=0), "max_runs = 0: must be 1 or more"),
    ],
)
def test_a_bound_that_means_nothing_is_refused(wrong: Callable[[Design], Exhaustion], said: str) -> None:
    """By its name and range."""
    with pytest.raises(InvalidInput, match=re.escape(said)):
        wrong(ROOMY)


def test_a_scenario_with_another_number_of_messages_is_refused() -> None:
    """It has its own."""
    with pytest.raises(InvalidInput, match="a scenario has a workload of its own"):
        exhaust(ONE_MESSAGE["alone"], messages=3)


def test_a_mapping_must_be_told_where_there_are_several() -> None:
    """And be one of the design's."""
    several = WORLDS["dead letters are polled"].design
    for mapping in ("", "orders→other"):
        with pytest.raises(InvalidInput, match="must be one of the design's: orders→worker, dlq→worker"):
            exhaust(several, mapping)


def test_one_kind_strikes_a_call_once() -> None:
    """Of two faults for one injection point the second would do nothing, by whichever message it is meant."""
    call = Call(("error", "crash"), ((0, 1), (1, 1)), 3, 3)
    assert call.free(FaultPlan()) == [(0, 1), (1, 1)]
    assert call.free(FaultPlan(messages=[["stall"]])) == [(1, 1)]
    assert call.free(FaultPlan(messages=[["crash"]])) == []


def never_fails(history: History) -> Verdict:
    """Judge that no invocation fails."""
    failed = [event for _, event in history.each(InvocationEnded) if event.outcome != "succeeded"]
    return promise(
        "never-fails", [Violation("never-fails", "It failed.", event.at, "", event.messages, ()) for event in failed]
    )


def test_the_messages_of_a_queue_are_sent_in_turn() -> None:
    """Each with an identifier of its own; a load with messages or a size of its own stays as it is."""
    code = {"worker": Behaviour(handler="tests.search.amount_handlers:total")}
    tried = partial(exhaust, behaviours=code, faults=0, invariants=[invariant(never_fails)])
    good, bad = {"id": "o-1", "amount": 5}, {"id": "o-1", "amount": None}
    assert tried(ROOMY, samples={"orders": [good, good]}).proven
    (found,) = tried(ROOMY, samples={"orders": [good, bad]}).findings
    assert found.scenario is not None
    bodies = [each.body(index) for index, each in enumerate(as_sent(found.scenario.workload))]
    assert bodies == ['{"id": "o-1", "amount": 5}', '{"id": "o-2", "amount": null}']
    for own in (Burst("orders", messages=[good]), Burst("orders", 1, body_bytes=50)):
        assert tried(Scenario(ROOMY, [own]), samples={"orders": [bad]}).proven
    (found,) = tried(Scenario(ROOMY, [Burst("orders", 1)]), samples={"orders": [bad]}).findings
    assert found.verdict.status is Status.VIOLATED
