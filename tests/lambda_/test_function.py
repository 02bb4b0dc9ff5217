"""Lambda at run time: environments, cold starts, memory, responses, provisioned concurrency, rates."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.errors import InvalidScenario
from chaosqs.invariants import ALL, CONCURRENCY_WITHIN_ITS_LIMITS, NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.invariants.registry import check
from chaosqs.lambda_.machines.concurrency import RATE, RESERVED, RESERVED_RATE
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationEnded, InvocationStarted, Throttled
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate

FAST = Behaviour(seconds_per_batch=0.001)


def design(function: Function, *, batch_size: int = 1, reporting: bool = False, visibility: int = 60) -> Design:
    """Return a queue and a function with a mapping between them."""
    mapping = EventSourceMapping("orders", "worker", batch_size=batch_size, report_batch_item_failures=reporting)
    return Design([Queue("orders", visibility_timeout=visibility)], [function], [mapping])


def run(
    function: Function,
    behaviour: Behaviour,
    *loads: Load,
    faults: FaultPlan = FaultPlan(),
    assumptions: Assumptions = Assumptions(),
) -> History:
    """Run one function, and prove that the fake's own books are right."""
    behaviours = {"worker": behaviour}
    scenario = Scenario(design(function), loads or [Burst("orders", 1)], behaviours, faults, assumptions=assumptions)
    history = simulate(scenario, verify=True)
    assert check(history, ALL) == ()
    return history


def starts(history: History) -> list[InvocationStarted]:
    """Return the starts of invocations."""
    return [event for event in history.events if isinstance(event, InvocationStarted)]


def ends(history: History) -> list[InvocationEnded]:
    """Return the ends of invocations."""
    return [event for event in history.events if isinstance(event, InvocationEnded)]


def throttles(history: History) -> list[Throttled]:
    """Return the throttles."""
    return [event for event in history.events if isinstance(event, Throttled)]


# Environments -----------------------------------------------------------------------------------------------------


def test_LX_12_LX_15_a_cold_start_delays_and_does_not_count() -> None:
    """Its median where all is calm, between the start and the handler, outside of the duration."""
    history = run(Function("worker"), Behaviour(0.1, 0))
    (start,), (end,) = starts(history), ends(history)
    assert start.cold
    assert end.at - start.at == 250 + 100
    assert end.duration == 100


def test_LX_13_a_warm_environment_is_used_again() -> None:
    """One message after another needs one environment; after its lifetime another one."""
    load = [Burst("orders", 1), Burst("orders", 1, at=10), Burst("orders", 1, at=100), Burst("orders", 1, at=103)]
    history = run(Function("worker"), FAST, *load, assumptions=Assumptions(environment_lifetime=60_000))
    assert [start.cold for start in starts(history)] == [True, False, True, False]


def test_LC_9_provisioned_concurrency_knows_no_cold_start() -> None:
    """As many environments as are provisioned are warm from the beginning."""
    history = run(Function("worker", provisioned_concurrency=3), Behaviour(1), Burst("orders", 5))
    assert sorted(start.cold for start in starts(history)) == [False, False, False, True, True]


@pytest.mark.parametrize(("fault", "outcome"), [("crash", "crashed"), ("timeout", "timed_out")])
def test_LX_14_after_a_crash_or_a_timeout_initialisation_counts(fault: str, outcome: str) -> None:
    """The environment is used again, and its suppressed initialisation is part of the next duration."""
    plan = FaultPlan([(fault,)])
    history = run(Function("worker"), Behaviour(0.1, 0), Burst("orders", 1), Burst("orders", 1, at=10), faults=plan)
    assert [(end.outcome, end.duration) for end in ends(history)][1:] == [("succeeded", 350), ("succeeded", 100)]
    assert ends(history)[0].outcome == outcome
    assert [start.cold for start in starts(history)] == [True, False, False]


def test_LX_14_a_suppressed_initialisation_can_use_the_timeout_up() -> None:
    """It counts, so a function that just fits does not fit after a crash; after that timeout the same again."""
    plan, function = FaultPlan([("crash",)]), Function("worker", timeout=1)
    history = simulate(
        Scenario(design(function, visibility=6), [Burst("orders", 1)], {"worker": Behaviour(0.8, 0)}, plan, until=20)
    )
    assert [end.outcome for end in ends(history)] == ["crashed", "timed_out", "timed_out", "timed_out"]


def test_LX_12_an_initialisation_over_10_seconds_is_done_again() -> None:
    """Within the invocation, where it counts, and under the function timeout."""
    slow = Assumptions(cold_start=10_000)
    history = run(Function("worker", timeout=60), FAST, assumptions=slow)
    assert ends(history)[0].duration == 1
    scenario = attrs.evolve(history.scenario, seed=next(seed for seed in range(1, 50) if _too_slow(slow, seed)))
    (start,), (end,) = starts(simulate(scenario)), ends(simulate(scenario))
    assert end.duration > 10_000
    assert end.at - start.at == 10_000 + end.duration


def _too_slow(assumptions: Assumptions, seed: int) -> bool:
    scenario = Scenario(
        design(Function("worker", timeout=60)),
        [Burst("orders", 1)],
        {"worker": FAST},
        seed=seed,
        assumptions=assumptions,
    )
    return ends(simulate(scenario))[0].duration > 10_000


# Memory and responses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("memory", "milliseconds"), [(128, 13_820), (512, 3_455), (1024, 1_728), (1769, 1_000), (10_240, 1_000)]
)
def test_LX_3_durations_scale_with_memory_where_the_behaviour_says_so(memory: int, milliseconds: int) -> None:
    """Its times are those of one vCPU; less memory is less of it, more makes nothing faster."""
    function = Function("worker", timeout=30, memory=memory)
    (end,) = ends(run(function, Behaviour(1, 0, memory_scales=True)))
    assert end.duration == milliseconds
    (end,) = ends(run(function, Behaviour(1, 0)))
    assert end.duration == 1_000


def test_LX_5_a_response_over_6_MB_is_a_function_error() -> None:
    """At the recorded limit it succeeds, one byte more fails the batch."""
    assert ends(run(Function("worker"), Behaviour(response_bytes=6_291_556)))[0].outcome == "succeeded"
    over = Scenario(
        design(Function("worker")), [Burst("orders", 1)], {"worker": Behaviour(response_bytes=6_291_557)}, until=10
    )
    (end,) = ends(simulate(over))
    assert (end.outcome, end.rule, end.error) == ("raised", "LX-5", "Function.ResponseSizeTooLarge")


def test_LX_7_LX_9_an_end_names_its_error() -> None:
    """The behaviour's own type, or Lambda's."""
    failing = Behaviour(error_rate=1, raises="KeyError")
    for behaviour, error in (
        (failing, "KeyError"),
        (attrs.evolve(failing, hangs=True), "Sandbox.Timedout"),
        (attrs.evolve(failing, crashes=True), "Runtime.ExitError"),
    ):
        history = simulate(Scenario(design(Function("worker")), [Burst("orders", 1)], {"worker": behaviour}, until=10))
        assert [end.error for end in ends(history)] == [error]


def test_the_new_fields_of_a_behaviour_are_checked() -> None:
    """Each with its name."""
    with pytest.raises(InvalidScenario, match=r"response_bytes = -1.*LX-5"):
        Scenario(design(Function("worker")), behaviours={"worker": Behaviour(response_bytes=-1)})


# Rates ------------------------------------------------------------------------------------------------------------


def test_LC_8_a_fast_function_meets_its_request_rate() -> None:
    """20 a second for a reservation of 2: throttled with executions free, and all done a little later."""
    function = Function("worker", reserved_concurrency=2)
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2)
    one = Design([Queue("orders")], [function], [mapping])
    history = simulate(Scenario(one, [Burst("orders", 500)], {"worker": FAST}, seed=3), verify=True)
    reasons = {event.reason for event in throttles(history)}
    assert reasons == {RESERVED_RATE}
    assert min(event.running for event in throttles(history)) < 2
    summary = history.summary()
    assert summary["messages"]["processed"] == 500
    drained = summary["drained_at"]
    assert drained is not None
    assert drained >= 500 / 20 - 1
    assert check(history, ALL) == ()


def test_LC_8_slow_functions_never_meet_it() -> None:
    """From 100 ms on, the executions are the limit."""
    history = run(Function("worker", reserved_concurrency=2), Behaviour(0.2, 0), Burst("orders", 200))
    assert {event.reason for event in throttles(history)} == {RESERVED}


def test_LC_6_a_function_that_grows_too_fast_is_throttled_for_a_moment() -> None:
    """1,500 provisioned invocations at once: 1,000 start, the others find room in the next seconds."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(150, 150))
    large = Design(
        [Queue("orders", visibility_timeout=180)],
        [Function("worker", timeout=30)],
        [mapping],
        account=Account(concurrency=5000),
    )
    history = simulate(Scenario(large, [Burst("orders", 1500)], {"worker": Behaviour(20)}))
    assert {event.reason for event in throttles(history)} == {RATE}
    assert history.summary()["messages"]["processed"] == 1500
    assert sum(start.at < 100 for start in starts(history)) in range(1000, 1011)
    assert check(history, ALL) == ()


fast = st.builds(
    Behaviour,
    seconds_per_batch=st.sampled_from((0.001, 0.01, 0.05, 0.08)),
    spread=st.sampled_from((0, 0.5, 1.5)),
)


def _fitting(
    limits: tuple[int, ...], *, reserved: bool, visibility: int, receives: int, provisioned: int, era: Era
) -> Design:
    """Return mappings whose maximum concurrency just fits what their function may have."""
    queues = [
        Queue(f"q{index}", visibility_timeout=visibility, redrive=Redrive("dlq", receives))
        for index in range(len(limits))
    ]
    mappings = [
        EventSourceMapping(f"q{index}", "worker", batch_size=1, maximum_concurrency=limit)
        for index, limit in enumerate(limits)
    ]
    room, ready = sum(limits), min(provisioned, sum(limits))
    if reserved:
        function, account = Function("worker", reserved_concurrency=room, provisioned_concurrency=ready), Account()
    else:
        function, account = Function("worker", provisioned_concurrency=ready), Account(concurrency=room)
    return Design([*queues, Queue("dlq")], [function], mappings, account=account, era=era)


fitting = st.builds(
    _fitting,
    st.lists(st.sampled_from((2, 3, 5, 10)), min_size=1, max_size=3).map(tuple),
    reserved=st.booleans(),
    visibility=st.sampled_from((5, 6, 30)),
    receives=st.sampled_from((1, 2)),
    provisioned=st.sampled_from((0, 1, 4)),
    era=st.sampled_from(("2025-11", "2018-06")),
)


@settings(deadline=None, max_examples=60)
@given(fitting, fast, st.integers(50, 250), st.integers(0, 1000), st.booleans())
def test_LC_8_MC_3_rates_dead_letter_nothing_where_maximum_concurrency_fits(
    one: Design,
    behaviour: Behaviour,
    count: int,
    seed: int,
    burst: bool,  # noqa: FBT001 - Hypothesis gives it
) -> None:
    """Throttles by rates are over before a visibility timeout is, so no message is lost to them."""
    assert one.maximum_concurrency_fits("worker")
    loads: list[Load] = [
        Burst(mapping.queue, count) if burst else Steady(mapping.queue, 40, count / 40) for mapping in one.mappings
    ]
    history = simulate(Scenario(one, loads, {"worker": behaviour}, seed=seed))
    assert {event.reason for event in throttles(history)} <= {RATE, RESERVED_RATE}
    assert check(history, (CONCURRENCY_WITHIN_ITS_LIMITS, NO_DEAD_LETTERING_BY_THROTTLING)) == ()
    assert history.summary()["messages"]["dead_lettered_by_throttling"] == 0


def test_LC_9_idle_provisioned_environments_of_another_function_count_for_the_fit() -> None:
    """They are nobody else's, so a maximum concurrency that counts on them does not fit."""
    mappings = [
        EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=5),
        EventSourceMapping("mails", "mailer", batch_size=1, maximum_concurrency=2),
    ]
    queues = [Queue("orders"), Queue("mails")]
    for concurrency, fits in ((8, False), (9, True)):
        functions = [Function("worker"), Function("mailer", provisioned_concurrency=4)]
        shared = Design(queues, functions, mappings, account=Account(concurrency=concurrency))
        assert shared.maximum_concurrency_fits("worker") is fits
        history = simulate(Scenario(shared, [Burst("orders", 50)], {"worker": Behaviour(1)}, seed=2))
        assert bool(throttles(history)) is not fits
        assert check(history, (CONCURRENCY_WITHIN_ITS_LIMITS,)) == ()
