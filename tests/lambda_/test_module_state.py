"""What a handler's module keeps belongs to one run of a search."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import isolated, simulate
from tests.lambda_ import keeping_handlers

SCENARIO = Scenario(
    Design([Queue("orders", visibility_timeout=10)], [Function("worker")], [EventSourceMapping("orders", "worker")]),
    [Burst("orders", 1)],
    {"worker": Behaviour(handler="tests.lambda_.keeping_handlers:handler")},
)


def outcomes(history: History) -> list[str]:
    return [event.outcome for event in history.events if isinstance(event, InvocationEnded)]


def test_isolated_runs_do_not_know_of_each_other() -> None:
    """Each begins as the module was imported, however often; nothing of it is left behind."""
    assert [outcomes(isolated(SCENARIO)) for _ in range(3)] == [["raised", "succeeded"]] * 3
    assert (keeping_handlers.SEEN, keeping_handlers.COUNTS, keeping_handlers.latest) == ([], {"calls": []}, "")
    assert keeping_handlers.store.kept == {}


def test_verifying_runs_begin_alike_and_the_last_one_can_be_looked_at() -> None:
    """`verify` compares two fresh runs; what the second one kept stays, as a plain run's does."""
    seen = keeping_handlers.SEEN
    try:
        assert outcomes(simulate(SCENARIO, verify=True)) == ["raised", "succeeded"]
        assert len(seen) == 1
        assert keeping_handlers.COUNTS == {"calls": [1, 0]}
    finally:
        seen.clear()
        keeping_handlers.COUNTS["calls"].clear()
        keeping_handlers.store.kept.clear()
        keeping_handlers.latest = ""
