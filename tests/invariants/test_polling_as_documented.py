"""When a message may wait, and how many pollers a mapping may have."""

from __future__ import annotations

from typing import Literal

import attrs
import pytest

from chaosqs.invariants import POLLING_AS_DOCUMENTED
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import PollersChanged
from chaosqs.model.faults import FaultPlan, Pause, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design

judge = POLLING_AS_DOCUMENTED.judge
WORKER = {"worker": Behaviour(seconds_per_batch=2)}


def grown(era: Literal["2018-06", "2023-11", "2025-11"], *, until: int = 400) -> Scenario:
    """A mapping that grows for 40 messages, and then has nothing to do."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1)
    design = Design([Queue("orders")], [Function("worker")], [mapping], era=era)
    return Scenario(design, [Burst("orders", 40)], WORKER, until=until)


def with_six_pollers(history: History) -> History:
    """The same history, in which a mapping never has less than six pollers once it has nothing to do."""
    events = [
        attrs.evolve(event, pollers=max(6, event.pollers))
        if isinstance(event, PollersChanged) and event.why == "nothing to do"
        else event
        for event in history.events
    ]
    return attrs.evolve(history, events=tuple(events))


@pytest.mark.parametrize(("era", "least"), [("2018-06", 5), ("2023-11", 5), ("2025-11", 2)])
def test_ES_5_pollers_go_back_as_the_era_says(era: Literal["2018-06", "2023-11", "2025-11"], least: int) -> None:
    """To the first five, and since 2025 to two."""
    history = simulate(grown(era))
    assert judge(history).status is Status.HOLDS
    last = [event.pollers for _, event in history.each(PollersChanged)][-1]
    assert last == least
    assert judge(with_six_pollers(history)).violations


def test_ES_3_more_pollers_than_the_ceiling() -> None:
    """A maximum concurrency lowers it (MC-1)."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=3)
    story = Story(orders_design(mapping=mapping))
    story.tell(PollersChanged(0, None, "orders→worker", 4, "first pollers"))
    (violation,) = judge(story.end()).violations
    assert violation.text.startswith("orders→worker has 4 pollers: at most 3 are allowed.")


def test_RX_5_a_message_that_nobody_receives_until_the_end() -> None:
    """It waits beside free pollers as well."""
    story = Story(orders_design())
    story.tell(PollersChanged(0, None, "orders→worker", 5, "first pollers"))
    (violation,) = judge(story.send().at(10).end()).violations
    assert violation.text.startswith("Message 1 waited in orders from 0.0 s to 10.0 s although a poller of orders")


def test_a_busy_poller_is_not_free() -> None:
    """A message waits for it as long as it works."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2)
    design = orders_design(function=Function("worker", timeout=30), mapping=mapping)
    history = simulate(Scenario(design, [Burst("orders", 5)], {"worker": Behaviour(seconds_per_batch=20)}))
    verdict = judge(history)
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 5)


def test_faults_end_the_judgement() -> None:
    """From the first one on pollers may be held back; pauses leave no event, so such a run is not judged at all."""
    late = FaultPlan(windows=[Window("failed_receive", "", 0, 60)])
    assert judge(simulate(attrs.evolve(grown("2025-11"), faults=late))).violations == ()
    paused = FaultPlan(pauses=[Pause("orders→worker/1", 1, 5)])
    assert judge(simulate(attrs.evolve(grown("2025-11"), faults=paused))).status is Status.NOT_EXERCISED


def test_designs_without_a_mapping() -> None:
    """There is nothing to promise."""
    assert judge(Story(Design([Queue("orders")])).end()).status is Status.NOT_APPLICABLE
