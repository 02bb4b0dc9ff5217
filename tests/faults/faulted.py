"""One run with faults in it, proven to be in order, and ways to look into it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Event, InvocationStarted, Received
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load
from chaosqs.simulation.run import simulate

Found = TypeVar("Found", bound=Event)

FIRST = "{} at receive 1 of message 1"
"""How the fault of the first receive of the first message is named."""
MAPPINGS = {"orders": "orders→worker", "orders.fifo": "orders.fifo→worker"}
STANDARD, FIFO = MAPPINGS


def design(
    queue: str = STANDARD, *, batch: int = 10, era: Era = "2018-06", window: int = 0, maximum: int | None = None
) -> Design:
    """Return a queue with a dead-letter queue, and a function that may take 5 seconds."""
    dead = queue.replace("orders", "orders-dlq")
    mapping = EventSourceMapping(
        queue, "worker", batch_size=batch, maximum_batching_window=window, maximum_concurrency=maximum
    )
    queues = [Queue(queue, redrive=Redrive(dead, 5)), Queue(dead)]
    return Design(queues, [Function("worker", timeout=5)], [mapping], era=era)


def run(
    faults: FaultPlan,
    *loads: Load,
    of: Design | None = None,
    seconds: float = 1,
    seed: int = 0,
) -> History:
    """Run a plan twice; the runs are the same, the run drains, and its books and its messages are in order."""
    scenario = Scenario(
        of or design(), loads or [Burst(STANDARD, 1)], {"worker": Behaviour(seconds)}, faults, seed=seed
    )
    history = simulate(scenario, verify=True)
    promises = (invariants.CONSERVATION, invariants.AT_LEAST_ONCE_DELIVERY)
    assert invariants.check(history, promises) == ()
    assert history.drained_at_ms is not None
    assert history.summary()["messages"]["remaining"] == 0
    return history


def faulted(kind: str, count: int = 1, *, queue: str = STANDARD, batch: int = 10) -> History:
    """Run some messages that are sent at once, of which the first one's first receive is struck."""
    load = Burst(queue, count, groups=1 if queue == FIFO else 0)
    return run(FaultPlan([[kind]]), load, of=design(queue, batch=batch))


def windowed(kind: str, start: float, seconds: float, *loads: Load, heal_at: float | None = None) -> History:
    """Run a load through a window that strikes everything."""
    return run(FaultPlan(windows=[Window(kind, "", start, seconds)], heal_at=heal_at), *loads)


def only(history: History, kind: type[Found]) -> list[Found]:
    """Return the events of a kind."""
    return [event for event in history.events if isinstance(event, kind)]


def batches(history: History) -> list[tuple[int, tuple[int, ...]]]:
    """Return when each invocation began, and with which messages."""
    return [(event.at, event.messages) for event in only(history, InvocationStarted)]


def receives(history: History) -> list[tuple[int, tuple[int, ...]]]:
    """Return when each receive took place, and what it brought."""
    return [(event.at, event.messages) for event in only(history, Received)]


def named(history: History) -> set[str]:
    """Return the faults that the history names."""
    return {str(name) for event in history.events if (name := getattr(event, "fault", ""))}


def moments(events: Sequence[Event]) -> list[int]:
    """Return when some events took place, in milliseconds."""
    return [event.at for event in events]
