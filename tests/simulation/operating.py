"""Runs in which an operator does something, judged by what has to hold whatever that is."""

from __future__ import annotations

from collections.abc import Sequence

from chaosqs.esm.mapping import change_time
from chaosqs.invariants.at_least_once_delivery import judge as judge_delivery
from chaosqs.invariants.concurrency_within_its_limits import judge as judge_concurrency
from chaosqs.invariants.conservation import judge as judge_conservation
from chaosqs.kernel.context import RandomStreams
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.events import InvocationEnded, InvocationStarted
from chaosqs.model.faults import Action, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import from_json, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping

MAPPING = "orders→worker"


def holds_after(seed: int = 0) -> int:
    """Return the milliseconds until the first change of the mapping holds."""
    return change_time(RandomStreams(seed), Assumptions(), MAPPING, 0)


HOLDS_AFTER = holds_after()
SLOW = Behaviour(seconds_per_batch=4)


def change(target: str, at: float, setting: str, value: int | None) -> Action:
    return Action("change", target, at, setting, value)


def switch(at: float, *, on: bool) -> Action:
    return Action("change", MAPPING, at, "enabled", value=on)


def run(
    actions: Sequence[Action],
    *,
    design: Design | None = None,
    load: Sequence[Load] = (Burst("orders", 60),),
    behaviour: Behaviour = SLOW,
    faults: FaultPlan = FaultPlan(),
    seed: int = 0,
    until: float | None = None,
) -> History:
    """Run some actions twice, and judge the run by what must hold whatever an operator does."""
    plan = FaultPlan(faults.messages, faults.windows, heal_at=faults.heal_at, actions=tuple(actions))
    design = design or one_mapping(timeout=5, receives=5, batch=1, era="2025-11")
    scenario = Scenario(design, load, {"worker": behaviour}, plan, seed, until)
    assert from_json(Scenario, to_json(scenario)) == scenario
    history = simulate(scenario, verify=True)
    for judge in (judge_conservation, judge_delivery, judge_concurrency):
        assert judge(history).violations == ()
    return history


def starts(history: History, since: float = 0) -> list[InvocationStarted]:
    return [event for _, event in history.each(InvocationStarted) if event.at >= since * 1000]


def messages(history: History) -> dict[str, int]:
    return history.summary()["messages"]


def busiest(history: History, since: float, until: float = 1e9) -> int:
    """Return the largest number of executions of the function at once in a span of seconds."""
    spans = {event.invocation: (event.at, history.ended_at_ms + 1) for _, event in history.each(InvocationStarted)}
    for _, event in history.each(InvocationEnded):
        spans[event.invocation] = (spans[event.invocation][0], event.at)
    moments = [since * 1000, *(start for start, _ in spans.values() if since * 1000 <= start < until * 1000)]
    return max(sum(start <= moment < end for start, end in spans.values()) for moment in moments)
