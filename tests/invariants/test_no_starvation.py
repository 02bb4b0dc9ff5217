from __future__ import annotations

from chaosqs.invariants import NO_STARVATION
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design
from tests.known_bad.mapping_that_gets_nothing import shared

TWO = Design(
    [Queue("orders"), Queue("returns")],
    [Function("worker"), Function("auditor")],
    [EventSourceMapping("orders", "worker"), EventSourceMapping("returns", "auditor")],
)


def test_one_mapping_alone_cannot_starve() -> None:
    """There is nobody who could get what it does not."""
    assert NO_STARVATION.judge(Story(orders_design()).end()).status is Status.NOT_APPLICABLE


def test_functions_without_a_reservation_share_one_pool_LC_2() -> None:
    """So their mappings are watched together."""
    verdict = NO_STARVATION.judge(Story(TWO).end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_EXERCISED,
        "no mapping that shares executions was throttled",
    )


def test_each_time_is_told_once() -> None:
    """Though the throttles go on."""
    assert len(NO_STARVATION.judge(shared(20)).violations) == 1


def test_throttles_of_faults_do_not_count() -> None:
    """The plan, not the other mapping, has kept it out."""
    story = Story(TWO).send(queue="returns")
    story.receive(0, mapping="returns→auditor").throttle(fault="throttled from 0 s for 9 s", running=0)
    assert NO_STARVATION.judge(story.end()).exercised == 0
