"""Faults of Lambda and of handlers, modelled and real: each is reached, does what it says, and is named."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import ALL
from chaosqs.invariants.registry import check
from chaosqs.lambda_.machines.concurrency import UNRESERVED
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Event, Held, InvocationEnded, InvocationStarted, Received, Released, Sent, Throttled
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load
from chaosqs.simulation.run import simulate
from tests.lambda_.test_handlers import scenario as real
from tests.simulation import consumers

NAME = "{} at receive 1 of message 1"
WORKER = Function("worker", timeout=5)
A_SECOND = Behaviour(1, 0)


def run(
    faults: FaultPlan,
    *loads: Load,
    function: Function = WORKER,
    behaviour: Behaviour = A_SECOND,
    reporting: bool = False,
    seed: int = 0,
) -> History:
    """Run a modelled function twice with the same result, and prove that the books are right and all is done."""
    mapping = EventSourceMapping("orders", "worker", report_batch_item_failures=reporting)
    design = Design([Queue("orders", visibility_timeout=30)], [function], [mapping])
    loads = loads or (Burst("orders", 1),)
    history = simulate(Scenario(design, loads, {"worker": behaviour}, faults, seed=seed), verify=True)
    assert check(history, ALL) == ()
    assert history.summary()["messages"]["remaining"] == 0
    return history


def keyed(kind: str) -> FaultPlan:
    """Return a plan that strikes the first receive of the first message."""
    return FaultPlan([[kind]])


def starts(history: History) -> list[InvocationStarted]:
    """Return the starts of invocations."""
    return [event for event in history.events if isinstance(event, InvocationStarted)]


def ends(history: History) -> list[InvocationEnded]:
    """Return the ends of invocations."""
    return [event for event in history.events if isinstance(event, InvocationEnded)]


def all_of(history: History, kind: type[Event]) -> list[Event]:
    """Return the events of a kind."""
    return [event for event in history.events if isinstance(event, kind)]


# Invoking ---------------------------------------------------------------------------------------------------------


def test_EP_13_a_lost_invoke_never_reaches_lambda_and_is_repeated_a_second_later() -> None:
    """One message's fault loses one request: the second one gets through, within the same receive."""
    history = run(keyed("lost_invoke"))
    ((index, held),) = history.each(Held)
    received = next(index for index, event in enumerate(history.events) if isinstance(event, Received))
    fault = NAME.format("lost_invoke")
    assert held == Held(14, received, "orders→worker", 1, (0,), 1014, fault)
    (start,) = starts(history)
    assert (start.at, start.fault) == (1014, "")
    assert index < history.events.index(start)
    assert history.deliveries[0][0].ending is Ending.PROCESSED


def test_EP_13_the_pause_before_a_lost_invoke_is_repeated_is_an_assumption() -> None:
    """That before a delete is repeated, too."""
    lost = attrs.evolve(run(keyed("lost_invoke")).scenario, assumptions=Assumptions(delete_retry=3_000))
    (start,) = starts(simulate(lost))
    assert start.at == 3_014


def test_ES_8_while_requests_get_lost_the_poller_gives_up_when_visibility_is_over() -> None:
    """It repeats once a second, and forgets the batch as after throttles; the next receive is the second."""
    window = Window("lost_invoke", "worker", 0, 31)
    history = run(FaultPlan(windows=[window]))
    name = "lost_invoke on worker from 0 s for 31 s"
    first = [event for event in all_of(history, Held) if event.at < 30_000]
    assert [event.at for event in first] == [14 + 1000 * second for second in range(30)]
    (released, *_) = all_of(history, Released)
    assert (released.at, getattr(released, "why", ""), getattr(released, "fault", "")) == (30_000, "no answer", name)
    one, two = history.deliveries[0]
    assert (one.ending, one.fault) == (Ending.LOST, name)
    assert (two.ending, two.receive_count) == (Ending.PROCESSED, 2)


@pytest.mark.parametrize("scope", ["orders", "worker", "orders→worker", ""])
def test_a_window_may_name_the_queue_the_function_or_the_mapping(scope: str) -> None:
    """Whatever its injection point: invoke, handler, response."""
    for kind in ("lost_invoke", "error", "lost_response", "account_full", "cold_start"):
        plan = FaultPlan(windows=[Window(kind, scope, 0, 3)])
        faults = [getattr(event, "fault", "") for event in run(plan).events]
        assert any(fault.startswith(kind) for fault in faults), (kind, scope)


def test_LC_2_a_full_account_throttles_who_has_no_reservation() -> None:
    """With Lambda's reason, and all that is unreserved busy, for as long as the window is open."""
    window = Window("account_full", "", 0, 10)
    history = run(FaultPlan(windows=[window]))
    throttles = [event for event in history.events if isinstance(event, Throttled)]
    assert throttles
    for event in throttles:
        assert event.at < 10_000
        assert (event.reason, event.running, event.limit) == (UNRESERVED, 1000, 1000)
        assert event.fault == "account_full from 0 s for 10 s"
    assert starts(history)[0].at >= 10_000


@pytest.mark.parametrize(
    "function", [Function("worker", reserved_concurrency=5), Function("worker", provisioned_concurrency=5)]
)
def test_LC_3_LC_9_a_full_account_does_not_strike_what_is_set_aside(function: Function) -> None:
    """A reservation and provisioned concurrency are kept from others."""
    history = run(FaultPlan(windows=[Window("account_full", "", 0, 10)]), function=function)
    assert all_of(history, Throttled) == []
    assert [start.at for start in starts(history)] == [14]


def test_LX_12_a_cold_start_takes_9_seconds_before_the_handler() -> None:
    """Although an environment was warm; that time does not count as duration, nor against the timeout."""
    plan = FaultPlan([["ok"], ["cold_start"]])
    history = run(plan, Burst("orders", 1), Burst("orders", 1, at=10), Burst("orders", 1, at=40))
    fault = "cold_start at receive 1 of message 2"
    assert [(start.cold, start.fault) for start in starts(history)] == [(True, ""), (True, fault), (False, "")]
    assert [end.at - start.at for start, end in zip(starts(history), ends(history), strict=True)] == [
        1250,
        10_000,
        1000,
    ]
    assert {end.duration for end in ends(history)} == {1000}


def test_LC_9_provisioned_environments_know_no_cold_start_by_a_fault() -> None:
    """They are kept initialised."""
    history = run(keyed("cold_start"), function=Function("worker", timeout=5, provisioned_concurrency=1))
    assert [(start.cold, start.fault) for start in starts(history)] == [(False, "")]


# Modelled handlers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "outcome", "duration", "error", "next_duration"),
    [
        ("out_of_memory", "crashed", 500, "Runtime.OutOfMemory", 1250),
        ("init_failure", "crashed", 250, "Runtime.ImportModuleError", 1250),
        ("brown_out", "timed_out", 5000, "Sandbox.Timedout", 1250),
    ],
)
def test_LX_14_faults_that_reset_the_environment(
    kind: str, outcome: str, duration: int, error: str, next_duration: int
) -> None:
    """The next invocation in it begins with an initialisation that counts."""
    first, second = ends(run(keyed(kind)))
    assert (first.outcome, first.duration, first.error, first.fault) == (outcome, duration, error, NAME.format(kind))
    assert (second.outcome, second.duration, second.fault) == ("succeeded", next_duration, "")


def test_LX_12_an_initialisation_that_fails_is_tried_twice() -> None:
    """Before the handler of a new environment, then within the invocation; in a warm one within it only."""
    history = run(keyed("init_failure"))
    assert ends(history)[0].at - starts(history)[0].at == 250 + 250
    plan = FaultPlan([["ok"], ["init_failure"]])
    history = run(plan, Burst("orders", 1), Burst("orders", 1, at=10))
    assert ends(history)[1].at - starts(history)[1].at == ends(history)[1].duration == 250


def test_LX_1_a_brown_out_makes_a_handler_ten_times_as_slow() -> None:
    """Up to the function timeout."""
    (end,) = ends(run(keyed("brown_out"), behaviour=Behaviour(0.3, 0)))
    assert (end.outcome, end.duration, end.fault) == ("succeeded", 3000, NAME.format("brown_out"))
    first, _ = ends(run(keyed("brown_out"), behaviour=Behaviour(0.5, 0)))
    assert (first.outcome, first.duration) == ("timed_out", 5000)


def test_a_brown_out_is_not_blamed_for_what_fails_anyway() -> None:
    """Poison raises, only later; where the timeout comes first, the fault has brought that about."""
    mapping = EventSourceMapping("orders", "worker")
    design = Design([Queue("orders")], [WORKER], [mapping])
    for seconds, expected in ((0.3, ("raised", 3000, "")), (0.5, ("timed_out", 5000, NAME.format("brown_out")))):
        behaviour = {"worker": Behaviour(seconds, 0, poison=(0,))}
        history = simulate(Scenario(design, [Burst("orders", 1)], behaviour, keyed("brown_out"), until=20))
        (end,) = ends(history)
        assert (end.outcome, end.duration, end.fault) == expected


def test_PB_8_a_malformed_response_fails_the_whole_batch_after_its_work() -> None:
    """With partial batch responses; all come back."""
    history = run(keyed("malformed_response"), Burst("orders", 3), reporting=True, seed=3)
    end = next(end for end in ends(history) if 0 in end.messages)
    assert (end.outcome, end.failed, end.rule, end.fault) == (
        "succeeded",
        end.messages,
        "PB-8",
        NAME.format("malformed_response"),
    )
    assert [delivery.ending for delivery in history.deliveries[0]] == [Ending.REPORTED, Ending.PROCESSED]


def test_EF_2_without_partial_batch_responses_nobody_looks_at_a_malformed_one() -> None:
    """All is deleted; the history names the fault all the same."""
    (end,) = ends(run(keyed("malformed_response")))
    assert (end.outcome, end.failed, end.rule, end.fault) == (
        "succeeded",
        (),
        "EF-2",
        NAME.format("malformed_response"),
    )


def test_every_fault_of_a_modelled_function_is_the_same_under_any_seed() -> None:
    """Twice the same history, whatever is drawn."""
    kinds = ("lost_invoke", "account_full", "cold_start", "brown_out", "out_of_memory", "init_failure")
    plan = FaultPlan([[kind, "ok", kind] for kind in (*kinds, "malformed_response")])
    for seed in range(1, 6):
        first, second = (run(plan, Burst("orders", 20), seed=seed, reporting=seed % 2 == 0) for _ in range(2))
        assert first.digest == second.digest


# Real handlers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "outcome", "duration", "error", "sent"),
    [
        ("out_of_memory", "crashed", 8, "Runtime.OutOfMemory", 1),
        ("init_failure", "crashed", 250, "Runtime.ImportModuleError", 0),
        ("brown_out", "timed_out", 5000, "Sandbox.Timedout", 1),
        ("malformed_response", "succeeded", 516, "", 2),
    ],
)
def test_faults_strike_real_handlers_too(kind: str, outcome: str, duration: int, error: str, sent: int) -> None:
    """What they have done stands: nothing where the initialisation failed, all where the answer was malformed."""
    consumers.forget()
    history = simulate(real("sends_then_naps", fault=kind, until=20), verify=True)
    (end,) = ends(history)
    where = f"{kind} at call or wait 2, at" if kind == "out_of_memory" else f"{kind} at"
    assert end.fault.startswith(NAME.format(kind).replace(f"{kind} at", where))
    assert (end.outcome, end.duration, end.error) == (outcome, duration, error)
    assert sum(event.queue == "done" for event in history.events if isinstance(event, Sent)) == sent


@pytest.mark.parametrize("handler", ["naps", "naps_by_name"])
def test_in_a_brown_out_each_wait_takes_ten_times_as_long(handler: str) -> None:
    """`time.sleep`, however it was imported."""
    calm = real(handler, fault="brown_out", function=Function("worker", timeout=30, provisioned_concurrency=1))
    (end,) = ends(simulate(attrs.evolve(calm, seed=2), verify=True))
    assert (end.outcome, end.duration, end.fault) == ("succeeded", 10_000, NAME.format("brown_out"))


def test_PB_8_a_malformed_response_of_a_real_handler_fails_its_batch() -> None:
    """With partial batch responses all of it comes back, whatever the handler returned."""
    history = simulate(real("naps", 3, batch_size=10, fault="malformed_response", reporting=True), verify=True)
    first, second = ends(history)
    assert (first.outcome, first.failed, first.rule) == ("succeeded", (0, 1, 2), "PB-8")
    assert second.messages == (0, 1, 2)
    assert history.summary()["messages"]["processed"] == 3
