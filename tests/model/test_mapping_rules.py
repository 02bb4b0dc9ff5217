"""Event source mappings that AWS refuses."""

from __future__ import annotations

import pytest

from chaosqs.model.design import Era, EventSourceMapping, Function, Queue
from tests.model.helpers import NOT_WHOLE, changed, refusals

PLAIN = EventSourceMapping("orders", "worker")


def refused(mapping: EventSourceMapping, *, era: Era = "2025-11") -> list[tuple[str, str]]:
    return refusals([Queue("orders"), Queue("orders.fifo")], [Function("worker")], [mapping], era=era)


def mapped(**fields: object) -> list[tuple[str, str]]:
    return refused(changed(PLAIN, **fields))


def test_EC_1_batch_size() -> None:
    """1 to 10,000 messages."""
    for accepted in (1, 10_000):
        assert mapped(batch_size=accepted, maximum_batching_window=1) == []
    for wrong in (0, 10_001, *NOT_WHOLE):
        assert mapped(batch_size=wrong, maximum_batching_window=1) == [("mappings[0].batch_size", "EC-1")]


def test_EC_1_batch_size_of_a_fifo_queue() -> None:
    """At most 10 messages, and a window does not help."""
    assert refused(EventSourceMapping("orders.fifo", "worker", 10)) == []
    assert ("mappings[0].batch_size", "EC-1") in refused(EventSourceMapping("orders.fifo", "worker", 11))


def test_EC_2_batching_window() -> None:
    """0 to 300 seconds."""
    for accepted in (0, 300):
        assert mapped(maximum_batching_window=accepted) == []
    for wrong in (-1, 301, *NOT_WHOLE):
        assert mapped(maximum_batching_window=wrong) == [("mappings[0].maximum_batching_window", "EC-2")]


def test_EC_3_batch_over_ten_needs_a_window() -> None:
    """A batch size over 10 takes a window of at least one second."""
    assert mapped(batch_size=10) == []
    assert mapped(batch_size=11, maximum_batching_window=1) == []
    assert mapped(batch_size=11) == [("mappings[0].maximum_batching_window", "EC-3")]


def test_EC_4_EQ_4_fifo_queue_has_no_window() -> None:
    """A batching window is for standard queues."""
    refusal = [("mappings[0].maximum_batching_window", "EC-4")]
    assert refused(EventSourceMapping("orders.fifo", "worker", maximum_batching_window=1)) == refusal


def test_EC_5_MC_5_maximum_concurrency() -> None:
    """None, or 2 to 1,000 invocations."""
    for accepted in (None, 2, 1000):
        assert mapped(maximum_concurrency=accepted) == []
    for wrong in (1, 1001, 2.5, "2", True):
        assert mapped(maximum_concurrency=wrong) == [("mappings[0].maximum_concurrency", "EC-5")]


def test_EC_6_PM_2_provisioned_pollers() -> None:
    """A minimum of 2 to 200 and a maximum of 2 to 10,000, in this order."""
    for accepted in ((2, 2), (200, 10_000)):
        assert mapped(provisioned_pollers=accepted) == []
    for wrong, path in (
        ((1, 5), "provisioned_pollers[0]"),
        ((201, 300), "provisioned_pollers[0]"),
        ((2, 10_001), "provisioned_pollers[1]"),
        ((2, 1), "provisioned_pollers[1]"),
        ((5, 4), "provisioned_pollers"),
        ((2,), "provisioned_pollers"),
        ((2, 3, 4), "provisioned_pollers"),
    ):
        assert mapped(provisioned_pollers=wrong) == [(f"mappings[0].{path}", "EC-6")]


@pytest.mark.parametrize("era", ["2018-06", "2023-11"])
def test_EC_6_provisioned_pollers_came_in_2025(era: Era) -> None:
    """An older era knows no provisioned pollers."""
    mapping = EventSourceMapping("orders", "worker", provisioned_pollers=(2, 4))
    assert refused(mapping, era=era) == [("mappings[0].provisioned_pollers", "EC-6")]


def test_MC_6_provisioned_pollers_exclude_maximum_concurrency() -> None:
    """One of them bounds the pollers, not both."""
    refusal = [("mappings[0].maximum_concurrency", "MC-6")]
    assert mapped(provisioned_pollers=(2, 4), maximum_concurrency=2) == refusal


def test_EC_8_filters() -> None:
    """At most 10 patterns of at most 4,096 characters."""
    pattern = '{"body": ["' + "x" * 4082 + '"]}'
    assert len(pattern) == 4096
    assert mapped(filters=(pattern,) * 10) == []
    assert mapped(filters=('{"body": ["x"]}',) * 11) == [("mappings[0].filters", "EC-8")]
    assert mapped(filters=(pattern + " ",)) == [("mappings[0].filters[0]", "EC-8")]
    assert mapped(filters=(pattern, 7)) == [("mappings[0].filters[1]", "EC-8")]


@pytest.mark.parametrize("pattern", ["null", "plain text", "[]", '"text"', '{"body": []}'])
def test_EC_24_filter_is_a_json_object(pattern: str) -> None:
    """What is not a JSON object is no pattern."""
    assert mapped(filters=(pattern,)) == [("mappings[0].filters[0]", "EC-24")]


def test_EC_11_visibility_timeout_covers_the_function_timeout() -> None:
    """A queue hides a message at least as long as the function may run; AWS's own words tell it."""
    queues, mappings = [Queue("orders", visibility_timeout=30)], [PLAIN]
    assert refusals(queues, [Function("worker", timeout=30)], mappings) == []
    assert refusals(queues, [Function("worker", timeout=31)], mappings) == [("mappings[0]", "EC-11")]


def test_EC_11_is_not_judged_on_wrong_values() -> None:
    """A value that is wrong by itself is told once."""
    queues = [changed(Queue("orders"), visibility_timeout="30")]
    assert refusals(queues, [Function("worker")], [PLAIN]) == [("queues[0].visibility_timeout", "VT-1")]


def test_EC_12_mapping_names_a_queue_and_a_function() -> None:
    """Both ends of a mapping exist."""
    assert refused(EventSourceMapping("nowhere", "worker")) == [("mappings[0].queue", "EC-12")]
    assert refused(EventSourceMapping("orders", "nobody")) == [("mappings[0].function", "")]


def test_EC_13_one_mapping_for_a_queue_and_a_function() -> None:
    """The same pair cannot be mapped twice; others may be."""
    queues, functions = [Queue("orders"), Queue("returns")], [Function("worker"), Function("auditor")]
    pairs = [("orders", "worker"), ("orders", "auditor"), ("returns", "worker")]
    mappings = [EventSourceMapping(queue, function) for queue, function in pairs]
    assert refusals(queues, functions, mappings) == []
    assert refusals(queues, functions, [*mappings, mappings[0]]) == [("mappings", "EC-13")]


@pytest.mark.parametrize("field", ["report_batch_item_failures", "enabled"])
def test_switches_are_true_or_false(field: str) -> None:
    """A switch is not a number or a word."""
    for wrong in (1, "true", None):
        assert mapped(**{field: wrong}) == [(f"mappings[0].{field}", "")]
