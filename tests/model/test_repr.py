"""The repr of a value makes the same value again."""

from __future__ import annotations

from hypothesis import given

import chaosqs.model.assumptions
import chaosqs.model.behaviour
import chaosqs.model.design
import chaosqs.model.faults
import chaosqs.model.message
import chaosqs.model.scenario
import chaosqs.model.workload
from chaosqs.model.design import Design, EventSourceMapping, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.model.drawn import scenarios

MODULES = (
    chaosqs.model.assumptions,
    chaosqs.model.behaviour,
    chaosqs.model.design,
    chaosqs.model.faults,
    chaosqs.model.message,
    chaosqs.model.scenario,
    chaosqs.model.workload,
)


def pasted(text: str) -> object:
    """Evaluate a repr where the names of the model are known, as in a test that it is pasted into."""
    names: dict[str, object] = {name: value for module in MODULES for name, value in vars(module).items()}
    result: object = eval(text, names)  # noqa: S307 - the text is the repr of a value that this test drew
    return result


@given(scenarios)
def test_repr_pastes_back(scenario: Scenario) -> None:
    """A scenario's repr is a constructor call that makes an equal scenario."""
    assert pasted(repr(scenario)) == scenario


def test_repr_leaves_defaults_out() -> None:
    """Only what differs from the default is printed; the first field stands without its name."""
    assert repr(Queue("orders")) == "Queue('orders')"
    assert repr(Queue("orders.fifo")) == "Queue('orders.fifo')"
    assert repr(Queue("orders", delay=5, redrive=Redrive("dlq", 3))) == (
        "Queue('orders', delay=5, redrive=Redrive('dlq', max_receive_count=3))"
    )
    assert repr(EventSourceMapping("orders", "worker")) == "EventSourceMapping('orders', function='worker')"
    assert repr(Window("error", "", 0, 1)) == "Window('error', scope='', start=0, seconds=1)"
    assert repr(FaultPlan()) == "FaultPlan()"


def test_repr_of_a_scenario() -> None:
    """A whole scenario reads as one would write it."""
    scenario = Scenario(Design([Queue("orders")]), [Burst("orders", 6)], seed=3)
    assert repr(scenario) == "Scenario(Design((Queue('orders'),)), workload=(Burst('orders', count=6),), seed=3)"
