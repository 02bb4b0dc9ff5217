"""A design checks itself as a whole and finds its parts."""

from __future__ import annotations

import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive, Resource
from tests.model.helpers import refusals


def test_invalid_design_lists_everything_that_is_wrong() -> None:
    """One attempt shows all problems, each with path, value, what would be right, and the rule."""
    with pytest.raises(InvalidDesign) as caught:
        Design(
            [Queue("orders", visibility_timeout=-1, redrive=Redrive("nowhere", 0))],
            [Function("worker", timeout=901)],
            [EventSourceMapping("orders", "worker", batch_size=11)],
            era="2020-01",  # type: ignore[arg-type]
        )
    assert str(caught.value).splitlines() == [
        "queues[0].visibility_timeout = -1: must be a whole number from 0 to 43200 seconds (VT-1)",
        "queues[0].redrive.max_receive_count = 0: must be a whole number from 1 to 1000 deliveries (DLQ-1)",
        "functions[0].timeout = 901: must be a whole number from 1 to 900 seconds (LX-1)",
        "mappings[0].maximum_batching_window = 0: must be at least 1 second for batch_size 11 (over 10) (EC-3)",
        "era = '2020-01': must be '2018-06' or '2023-11' or '2025-11'",
        "queues[0].redrive.dead_letter_queue = 'nowhere': must name a queue of the design (DLQ-13)",
        "mappings[0]: Queue visibility timeout: -1 seconds is less than Function timeout: 901 seconds (EC-11)",
    ]


def test_names_are_unique() -> None:
    """Two queues or two functions of one name cannot be told apart."""
    assert refusals([Queue("orders")] * 2) == [("queues", "")]
    assert refusals(functions=[Function("worker")] * 3) == [("functions", "")]


def test_parts_are_found_by_name() -> None:
    """A design finds its queues and functions by name, and a function's mappings in their order."""
    queues, functions = [Queue("orders"), Queue("returns")], [Function("worker"), Function("auditor")]
    pairs = [("returns", "worker"), ("orders", "auditor"), ("orders", "worker")]
    design = Design(queues, functions, [EventSourceMapping(queue, function) for queue, function in pairs])
    assert design.queue("returns") is queues[1]
    assert design.function("worker") is functions[0]
    assert [mapping.name for mapping in design.mappings_of("worker")] == ["returns→worker", "orders→worker"]
    with pytest.raises(KeyError):
        design.queue("nowhere")


def test_design_keeps_tuples() -> None:
    """Whatever holds the parts, the design is a value: equal parts make equal, hashable designs."""
    design = Design([Queue("orders")], iter([Function("worker")]))
    assert design == Design((Queue("orders"),), (Function("worker"),))
    assert hash(design) == hash(Design((Queue("orders"),), (Function("worker"),)))


@pytest.mark.parametrize(
    ("resource", "field"),
    [
        (Resource("Table", "orders"), "type"),
        (Resource("AWS::DynamoDB::Table", ""), "name"),
        (Resource("AWS::DynamoDB::Table", "orders", "[]"), "properties"),
        (Resource("AWS::DynamoDB::Table", "orders", "{"), "properties"),
    ],
)
def test_resources_that_are_refused(resource: Resource, field: str) -> None:
    """The error names the field of the resource."""
    with pytest.raises(InvalidDesign, match=rf"resources\[0\]\.{field}"):
        Design([Queue("orders")], resources=[resource])
