"""Faults of calls to other services: they strike, the client meets them as on AWS, and the history names them."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import Phase, find, settings

from chaosqs.errors import InvalidScenario
from chaosqs.model.events import InvocationEnded, ServiceCalled
from chaosqs.model.faults import KINDS, FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.coverage import reachable
from chaosqs.search.search import service_calls
from chaosqs.simulation.run import simulate
from chaosqs.strategies.faults import fault_plans
from tests.lambda_.test_other_services import TABLE, scenario

CALLS = [kind.name for kind in KINDS if kind.injection_point == "call"]


def run(*outcomes: str, windows: tuple[Window, ...] = (), handler: str = "puts", seed: int = 0) -> History:
    """Run one message whose receives have these outcomes."""
    calm = scenario(handler, TABLE, faults=FaultPlan([outcomes], windows), seed=seed)
    return simulate(calm, verify=True)


def calls(history: History) -> list[ServiceCalled]:
    return [event for _, event in history.each(ServiceCalled)]


def test_without_faults_each_call_is_in_the_history() -> None:
    (call,) = calls(run())
    assert (call.service, call.operation, call.error, call.fault) == ("dynamodb", "PutItem", "", "")


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("named", ["dynamodb:PutItem", "dynamodb", "*"])
def test_each_kind_strikes_the_call_that_it_names(kind: str, named: str) -> None:
    """Keyed by message and receive; the operation, its service, or all calls."""
    first = calls(run(f"{kind}:{named}"))[0]
    assert first.fault == f"{kind}:{named} at receive 1 of message 1"


@pytest.mark.parametrize("kind", CALLS)
def test_each_kind_strikes_while_its_window_is_open(kind: str) -> None:
    window = Window(f"{kind}:dynamodb", "worker", 0, 30)
    assert calls(run(windows=(window,)))[0].fault == f"{kind}:dynamodb on worker from 0 s for 30 s"


@pytest.mark.parametrize("kind", CALLS)
def test_calls_of_other_operations_and_functions_are_spared(kind: str) -> None:
    plan = (Window(f"{kind}:dynamodb", "reader", 0, 30), Window(f"{kind}:s3:PutObject", "", 0, 30))
    assert [call.fault for call in calls(run(f"{kind}:dynamodb:GetItem", windows=plan))] == [""]


def test_throttled_calls_are_tried_again_in_virtual_time_and_raise_botocores_error() -> None:
    """LX-7: the handler meets the exception after botocore's attempts."""
    history = run("throttled_call:dynamodb:PutItem")
    attempts = [call for call in calls(history) if call.fault]
    assert len(attempts) > 2  # as many as the installed botocore makes
    assert {call.error for call in attempts} == {"ProvisionedThroughputExceededException"}
    assert attempts[-1].at - attempts[0].at > 8 * len(attempts)  # pauses beside the latency
    assert "ProvisionedThroughputExceededException" in repr(history.effects)
    assert [event.outcome for _, event in history.each(InvocationEnded)] == ["raised", "succeeded"]


@pytest.mark.parametrize(
    ("handler", "code"),
    [("puts", "InternalServerError"), ("publishes", "InternalFailure"), ("stores", "InternalError")],
)
def test_failed_calls_are_answered_with_500_in_each_protocol(handler: str, code: str) -> None:
    """LX-7: JSON, query and XML."""
    history = run("failed_call:*", handler=handler)
    assert {call.error for call in calls(history) if call.fault} == {code}
    (first, *_) = [event for _, event in history.each(InvocationEnded)]
    assert first.outcome == "raised"
    assert code in first.error


def test_slow_calls_take_five_seconds_longer() -> None:
    """LX-1: as a dependency that is slow."""
    (call,) = calls(run("slow_call:dynamodb"))
    assert 5_000 <= call.at - calls(run())[0].at <= 5_100


def test_a_client_that_waits_for_less_than_a_slow_call_tries_again() -> None:
    """OR-4: botocore's retries happen, in virtual time; the call that was given up had its effect, too."""
    history = run("slow_call:dynamodb", handler="puts_impatiently")
    given_up, again = calls(history)
    assert (bool(given_up.fault), again.fault) == (True, "")
    assert given_up.at == calls(run(handler="puts_impatiently"))[0].at - 8 + 2_000  # the latency is part of the wait
    assert 0 < again.at - given_up.at < 2_000
    assert [effect.name for effect in history.effects] == ["done"]


def test_a_client_that_does_not_try_again_gets_the_error() -> None:
    """OR-4: botocore's own."""
    history = run("slow_call:dynamodb:PutItem", handler="gives_up")
    failed = dict(history.effects[0].values)
    assert failed["error"] == "ReadTimeoutError"
    assert str(failed["message"]).startswith('Read timeout on endpoint URL: "https://dynamodb.us-east-1.amazonaws.com/')
    assert len(calls(history)) == 1


def test_a_call_whose_response_is_lost_has_its_effect_twice() -> None:
    """OR-4: the client tries again, and the handler never knows."""
    history = run("lost_call_response:dynamodb:PutItem")
    assert [bool(call.fault) for call in calls(history)] == [True, False]
    assert [event.outcome for _, event in history.each(InvocationEnded)] == ["succeeded"]


@pytest.mark.parametrize("kind", [*CALLS, "failed_call:No Service", "failed_call:"])
def test_a_fault_of_a_call_names_the_call(kind: str) -> None:
    with pytest.raises(InvalidScenario, match="messages"):
        run(kind)


def test_searches_draw_faults_for_the_calls_that_handlers_make_and_for_no_others() -> None:
    """What a calm run calls; without such calls the kinds of faults are left out."""
    calm = scenario("puts", TABLE)
    grid = ScenarioGrid(calm.design, "orders", calm.behaviours)
    points = service_calls(grid)
    assert points == ("dynamodb:PutItem",)
    wanted = {f"{kind}:dynamodb:PutItem" for kind in CALLS}
    plans = [each.faults for each in attrs.evolve(grid, points=points).faulty_variants(1, 1)]
    assert wanted <= {plan.messages[0][0] for plan in plans if plan.messages}
    drawn = fault_plans(calm.design, points=points)
    once = settings(phases=[Phase.generate], database=None)
    find(drawn, lambda plan: any(set(receives) & wanted for receives in plan.messages), settings=once)
    assert not {f"fault {kind}" for kind in CALLS} & set(reachable(calm.design))
