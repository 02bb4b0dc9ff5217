"""A handler that fails on one thing in a message is found, and the counterexample shows that thing and no other."""

from __future__ import annotations

import pytest

from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.message import Message
from chaosqs.search.messages import sources
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import searched

SAMPLE = {
    "id": "o-1",
    "customer_id": "c-1",
    "amount": 12.5,
    "status": "paid",
    "lines": [{"sku": "x1", "quantity": 2}],
    "address": {"city": "Bern", "zip": "3000"},
}
DESIGN = Design(
    [Queue("orders", redrive=Redrive("dead", 2)), Queue("dead")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=5)],
)


TOTAL, PICK = ("total", "amount is null in place of 12.5"), ("pick", 'lines[0].sku is empty in place of "x1"')


SLOW = pytest.param(*PICK, 0, marks=pytest.mark.deep)


@pytest.mark.parametrize(("handler", "note", "seed"), [(*TOTAL, 0), (*TOTAL, 1), (*TOTAL, 2), SLOW])
def test_it_shrinks_to_the_one_field(handler: str, note: str, seed: int) -> None:
    """Two messages: one with that one field changed, and the bystander of its batch, which is the sample."""
    found = searched(
        DESIGN,
        "orders→worker",
        (NO_BYSTANDER_DEAD_LETTERED,),
        behaviours={"worker": Behaviour(handler=f"tests.search.amount_handlers:{handler}")},
        profile=QUICK,
        seed=seed,
        messages=sources(DESIGN, {"orders": [SAMPLE]}),
    ).finding(NO_BYSTANDER_DEAD_LETTERED)
    assert found.scenario is not None
    [load] = found.scenario.workload
    odd, ordinary = load.messages
    assert odd.note == note
    assert ordinary == Message(SAMPLE)
    assert found.scenario.seed == 0
