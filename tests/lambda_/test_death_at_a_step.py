"""Real handlers die, hang or are slowed down at any call or wait of their code, so half-done work is reached."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import Phase, given, settings

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Effect, InvocationEnded
from chaosqs.model.faults import STEPPED, FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.json import from_json, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.report.explanation import planned_faults
from chaosqs.simulation.run import simulate
from chaosqs.strategies.faults import fault_plans

HALF_DONE = """
import time

import chaosqs

def handler(event, context):
    chaosqs.record("in progress")
    chaosqs.record("charged")
    time.sleep(0.2)
    chaosqs.record("done")
"""
STEPS = ["in progress", "charged", "done"]
DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 1)), Queue("dead")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Return one message for the handler that can be half done."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "chaosqs_half_done.py").write_text(HALF_DONE, encoding="utf-8")
    behaviours = {"worker": Behaviour(handler="chaosqs_half_done:handler")}
    return Scenario(DESIGN, [Burst("orders", 1)], behaviours, until=20)


def struck(one: Scenario, kind: str) -> tuple[list[str], InvocationEnded]:
    """Return what the handler had done, and its end."""
    history = simulate(attrs.evolve(one, faults=FaultPlan([(kind,)])), verify=True)
    return done(history), next(event for event in history.events if isinstance(event, InvocationEnded))


def done(history: History) -> list[str]:
    return [event.name for event in history.events if isinstance(event, Effect)]


@pytest.mark.parametrize("kind", ["crash", "out_of_memory"])
def test_LX_14_death_comes_between_any_two_steps(one: Scenario, kind: str) -> None:
    """At the first: nothing is done; at the third, the sleep: all before it; beyond the last: everything."""
    reached = [struck(one, f"{kind}:{step}")[0] for step in range(1, 6)]
    assert reached == [[], STEPS[:1], STEPS[:2], STEPS[:2], STEPS]
    ends = [struck(one, f"{kind}:{step}")[1] for step in (3, 5)]
    assert [end.outcome for end in ends] == ["crashed", "crashed"]
    assert ends[0].fault == f"{kind} at call or wait 3, at receive 1 of message 1, chaosqs_half_done.py:9"


def test_LX_9_code_hangs_at_any_step_until_the_function_timeout(one: Scenario) -> None:
    """And the step has no effect."""
    reached = [struck(one, f"timeout:{step}") for step in range(1, 6)]
    assert [effects for effects, _ in reached] == [[], STEPS[:1], STEPS[:2], STEPS[:2], STEPS]
    assert {(end.outcome, end.duration) for _, end in reached} == {("timed_out", 5000)}


def test_a_slow_step_lets_the_functions_own_timeout_strike_after_it(one: Scenario) -> None:
    """So the timeout is reached at every wait; where no wait follows, the handler ends a millisecond before it."""
    (sleeps, first), (ends, last) = struck(one, "slow:1"), struck(one, "slow:4")
    assert (sleeps, first.outcome) == (STEPS[:2], "timed_out")
    assert (ends, last.outcome, last.duration) == (STEPS, "succeeded", 4999)
    assert "slow at call or wait 1," in first.fault


def test_in_a_brown_out_the_functions_own_timeout_strikes_wherever_the_code_is(one: Scenario) -> None:
    """A sleep of 0.2 s takes 2 s; a shorter timeout ends it."""
    short = attrs.evolve(DESIGN, functions=[Function("worker", timeout=1)])
    effects, end = struck(attrs.evolve(one, design=short), "brown_out")
    assert (effects, end.outcome) == (STEPS[:2], "timed_out")


def test_the_functions_own_timeout_is_reached_at_each_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With latencies from short to long, and no fault at all."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "chaosqs_calls.py").write_text(
        "import boto3, chaosqs\n"
        "def handler(event, context):\n"
        "    sqs = boto3.client('sqs')\n"
        "    for number in range(4):\n"
        "        sqs.send_message(QueueUrl='https://sqs/1/dead', MessageBody='x')\n"
        "        chaosqs.record(str(number))\n",
        encoding="utf-8",
    )
    design = attrs.evolve(DESIGN, functions=[Function("worker", timeout=1)])
    base = Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(handler="chaosqs_calls:handler")}, until=20)
    reached = {
        len(done(simulate(attrs.evolve(base, assumptions=Assumptions(call_latency=latency)))))
        for latency in (20, 300, 400, 600)
    }
    assert reached == {1, 2, 3, 4}


def test_a_window_strikes_each_invocation_at_its_step(one: Scenario) -> None:
    """The plan has the step, so it prints and replays."""
    plan = FaultPlan(windows=[Window("crash:3", "worker", 0, 10)])
    assert done(simulate(attrs.evolve(one, faults=plan))) == STEPS[:2]
    assert planned_faults(plan) == ["crash at call or wait 3, on worker from 0 s for 10 s"]


def test_without_a_number_faults_strike_as_before(one: Scenario) -> None:
    """A crash half-way, a timeout at the end. Models, which have no steps, ignore the number."""
    assert struck(one, "crash")[0] == STEPS[:1]
    assert struck(one, "timeout")[0] == STEPS
    modelled = attrs.evolve(one, behaviours={})
    assert [struck(modelled, kind)[1].outcome for kind in ("crash:3", "timeout:3", "slow:3")] == [
        "crashed",
        "timed_out",
        "succeeded",
    ]


def test_a_step_is_data_of_the_scenario(one: Scenario) -> None:
    """It goes through JSON, can be banned by its kind, and nonsense is refused."""
    plan = attrs.evolve(one, faults=FaultPlan([("crash:3",)]))
    assert from_json(Scenario, to_json(plan)) == plan
    banned = attrs.evolve(one, faults=FaultPlan([("crash:3",)], banned=["crash"]))
    assert done(simulate(banned)) == STEPS
    for wrong in ("crash:0", "crash:x", "crash:", "error:2", "crash:1:1"):
        with pytest.raises(ValueError, match="must be"):
            attrs.evolve(one, faults=FaultPlan([(wrong,)]))


def drawn(held: tuple[str, ...]) -> set[str]:
    """Return the outcomes of a few hundred drawn plans."""
    found: set[str] = set()

    @settings(max_examples=400, database=None, derandomize=True, phases=[Phase.generate])
    @given(fault_plans(DESIGN, 1, held=held))
    def collect(plan: FaultPlan) -> None:
        found.update(kind for receives in plan.messages for kind in receives)
        found.update(window.kind for window in plan.windows)

    collect()
    return found


def test_steps_are_drawn_for_real_code_only() -> None:
    """Each kind, early and late ones."""
    found = drawn(held=("worker",))
    for kind in STEPPED:
        steps = {int(outcome.partition(":")[2]) for outcome in found if outcome.startswith(f"{kind}:")}
        assert steps & set(range(1, 4))
        assert max(steps) > 20
    assert not any(":" in outcome for outcome in drawn(held=()))
