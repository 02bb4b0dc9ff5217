from collections.abc import Callable

import pytest
from hypothesis import given

from chaosqs.model.design import DEFAULT_ERA, ERAS, Design, EventSourceMapping, Function, Queue
from chaosqs.strategies import designs
from tests.strategies.pasting import pastes_back
from tests.strategies.sampling import sample, simplest

BORING = Design(
    queues=[Queue("orders")],
    functions=[Function("worker")],
    mappings=[EventSourceMapping("orders", "worker")],
)


@given(designs())
def test_a_drawn_design_pastes_back(design: Design) -> None:
    """Every drawn design is one that AWS would accept, and its repr makes it again."""
    assert pastes_back(design)


def test_the_simplest_design_has_the_defaults_of_aws() -> None:
    """What a design does not need for a violation shrinks to AWS's default."""
    assert simplest(designs()) == BORING


@given(designs(fifo=True))
def test_queues_are_in_order_where_that_is_asked_for(design: Design) -> None:
    """`fifo` gives designs of FIFO queues, dead-letter queues included, with the batches that AWS allows them."""
    assert all(queue.fifo for queue in design.queues)
    assert pastes_back(design)


@given(designs(maximum_concurrency_fits=True))
def test_maximum_concurrency_fits_where_that_is_asked_for(design: Design) -> None:
    """The option gives designs in which every mapping has a maximum concurrency that finds room (MC-3)."""
    assert all(design.maximum_concurrency_fits(function.name) for function in design.functions)


@given(designs(dead_letter_queues=True))
def test_every_polled_queue_has_a_dead_letter_queue_where_that_is_asked_for(design: Design) -> None:
    """`dead_letter_queues=True` gives each polled queue a redrive policy."""
    assert all(design.queue(mapping.queue).redrive is not None for mapping in design.mappings)


@given(designs(dead_letter_queues=False))
def test_no_queue_has_a_dead_letter_queue_where_that_is_asked_for(design: Design) -> None:
    """`dead_letter_queues=False` gives none a redrive policy."""
    assert all(queue.redrive is None for queue in design.queues)


REACHABLE: dict[str, Callable[[Design], bool]] = {
    "two queues, one function": lambda d: len(d.mappings_of("worker")) > 1,
    "two functions": lambda d: len(d.functions) > 1,
    "two functions on one queue": lambda d: len([m for m in d.mappings if m.queue == "orders"]) > 1,
    "switched off": lambda d: d.functions[0].reserved_concurrency == 0,
    "one execution": lambda d: d.functions[0].reserved_concurrency == 1,
    "visibility equals timeout": lambda d: d.queues[0].visibility_timeout == d.functions[0].timeout,
    "one delivery": lambda d: d.queues[0].redrive is not None and d.queues[0].redrive.max_receive_count == 1,
    "maximum concurrency": lambda d: d.mappings[0].maximum_concurrency == 2,
    "little room in the account": lambda d: (
        d.functions[0].reserved_concurrency is None and d.concurrency_limit("worker") < 5
    ),
    "maximum concurrency that does not fit": lambda d: (
        not d.maximum_concurrency_fits("worker") and d.mappings[0].maximum_concurrency is not None
    ),
    "large batches": lambda d: d.mappings[0].batch_size == 25 and d.mappings[0].maximum_batching_window == 5,
    "batches of one": lambda d: d.mappings[0].batch_size == 1,
    "partial batch responses": lambda d: d.mappings[0].report_batch_item_failures,
}


@pytest.fixture(scope="module")
def drawn() -> list[Design]:
    return sample(designs(), 300)


@pytest.mark.parametrize("wanted", REACHABLE.values(), ids=REACHABLE)
def test_the_space_contains_the_designs_that_matter(wanted: Callable[[Design], bool], drawn: list[Design]) -> None:
    """Shared functions, competing functions, ties of visibility and timeout, tight accounts: all are drawn."""
    assert any(map(wanted, drawn))


def test_every_era_is_drawn(drawn: list[Design]) -> None:
    """Designs follow any of the laws of the pollers; the current one is the simplest."""
    assert {design.era for design in drawn} == set(ERAS)
    assert BORING.era == DEFAULT_ERA
