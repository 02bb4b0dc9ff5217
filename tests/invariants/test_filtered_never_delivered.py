"""Which messages a mapping may hand over."""

from __future__ import annotations

import attrs

from chaosqs.invariants import FILTERED_NEVER_DELIVERED
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst
from tests.invariants.builder import Story, orders_design


def verdict_on(story: Story) -> Verdict:
    history = attrs.evolve(story.end(), scenario=Scenario(story.design, [Burst("orders", 3)]))
    return FILTERED_NEVER_DELIVERED.judge(history)


def story_of(*filters: str, enabled: bool = True) -> Story:
    mapping = EventSourceMapping("orders", "worker", filters=filters, enabled=enabled)
    return Story(orders_design(mapping=mapping)).send(4)


def test_FL_3_one_filter_that_matches_is_enough() -> None:
    """Messages that no filter matches must not be delivered; others may be."""
    story = story_of('{"body": {"message": [0]}}', '{"body": {"message": [1]}}')
    story.receive(0, 1).start()
    story.receive(2).filter_out()
    verdict = verdict_on(story)
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


def test_each_message_that_should_have_gone_is_blamed() -> None:
    """Of one batch those that match no filter."""
    story = story_of('{"body": {"message": [1]}}')
    story.receive(0, 1, 2).start()
    assert [violation.messages for violation in verdict_on(story).violations] == [(0,), (2,)]


def test_messages_of_clients_are_not_judged() -> None:
    """A history does not tell what is in them."""
    story = story_of('{"body": {"message": [1]}}')
    story.receive(3).start()
    assert verdict_on(story).status is Status.NOT_EXERCISED


def test_nothing_to_judge() -> None:
    """Without a filter, or with one that everything matches."""
    assert verdict_on(story_of()).reason == "no mapping that polls has a filter"
    assert verdict_on(story_of('{"body": {"message": [1]}}', enabled=False)).status is Status.NOT_APPLICABLE
    story = story_of('{"body": {"message": [0]}}')
    story.receive(0).start()
    assert verdict_on(story).reason == "every message matched a filter of orders→worker"
