"""Designs that follow AWS's advice keep every promise, whatever strikes them: the search raises no false alarm."""

from __future__ import annotations

from typing import Literal

import attrs
import pytest

from chaosqs.invariants import DEFAULT
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.profiles import CI
from chaosqs.search.run import SearchRun, budgeted, searched_run
from chaosqs.search.simplicity import HEALTHY, ending, strain
from chaosqs.strategies import designs, scenarios

CHUNKS, SCENARIOS = 50, 1_000
FORTNIGHT = 1_209_600  # seconds


def healthy(scenario: Scenario) -> Scenario:
    """Return the scenario with functions that keep a second or more below their timeout.

    On the edge one timeout leads to the next, as the initialisation after it counts (LX-14).
    """
    kept = {
        name: behaviour
        for name, behaviour in scenario.behaviours.items()
        if strain(scenario.design, name, behaviour) == HEALTHY
    }
    return ending(attrs.evolve(scenario, behaviours=kept))


def searched(*, fifo: bool, seed: int, cases: int) -> SearchRun:
    """Judge a number of scenarios of sound designs with functions that do not fail by themselves."""
    drawn = scenarios(designs(fifo=fifo, sound=True, dead_letter_queues=True), failing=False).map(healthy)
    return searched_run(drawn, DEFAULT, budgeted(CI, cases, seed))


def broken(search_run: SearchRun) -> dict[str, object]:
    return {trial.oracle.invariant.name: trial.tally.violating for trial in search_run.searches if not trial.open}


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_sound_designs_keep_every_invariant(*, fifo: bool) -> None:
    """40 scenarios of each kind of queue, under all faults, schedules and operators: no violation."""
    search_run = searched(fifo=fifo, seed=0, cases=40)
    assert broken(search_run) == {}
    held = [trial.tally.verdict("").status for trial in search_run.searches]
    assert held.count(Status.HOLDS) >= 10, "the others are about real code or the other kind of queue"
    assert Status.INCONCLUSIVE not in held


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(CHUNKS))
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_hundred_thousand_scenarios_of_sound_designs(*, fifo: bool, seed: int) -> None:
    """100 chunks of 1,000 scenarios, each with a seed of its own: no violation."""
    assert broken(searched(fifo=fifo, seed=seed + 1, cases=SCENARIOS)) == {}


# Designs as a team would write them, by AWS's advice ------------------------------------------------------------------


def sound(
    *,
    end: str = "",
    timeout: int = 30,
    queue: Queue | None = None,
    function: Function | None = None,
    mapping: EventSourceMapping | None = None,
    account: Account | None = None,
    era: Literal["2018-06", "2023-11", "2025-11"] = "2025-11",
) -> Design:
    """Return a design: six timeouts of visibility, five receives, partial responses, and 14 days for dead letters."""
    mapping = attrs.evolve(
        mapping or EventSourceMapping(f"orders{end}", "worker"), queue=f"orders{end}", report_batch_item_failures=True
    )
    visibility = 6 * timeout + mapping.maximum_batching_window
    queue = attrs.evolve(
        queue or Queue(f"orders{end}"), visibility_timeout=visibility, redrive=Redrive(f"dead{end}", 5)
    )
    function = attrs.evolve(function or Function("worker"), timeout=timeout)
    dead = Queue(f"dead{end}", retention_period=FORTNIGHT)
    return Design([queue, dead], [function], [mapping], account or Account(), era)


def mapped(
    *, batch_size: int = 10, maximum_batching_window: int = 0, maximum_concurrency: int | None = None
) -> EventSourceMapping:
    return EventSourceMapping(
        "orders", "worker", batch_size, maximum_batching_window, maximum_concurrency=maximum_concurrency
    )


def two(queues: tuple[str, str], functions: tuple[str, str]) -> Design:
    """Return two queues with dead-letter queues of their own; of one function with a reservation for both mappings."""
    own = [Queue(name, visibility_timeout=180, redrive=Redrive(f"{name}-dead", 5)) for name in queues]
    dead = [Queue(f"{name}-dead", retention_period=FORTNIGHT) for name in queues]
    known = [Function(name, timeout=30, reserved_concurrency=10) for name in dict.fromkeys(functions)]
    mappings = [
        EventSourceMapping(queue, function, maximum_concurrency=5, report_batch_item_failures=True)
        for queue, function in zip(queues, functions, strict=True)
    ]
    return Design([*own, *dead], known, mappings)


SOUND = {
    "plain": sound(),
    "one message a batch": sound(mapping=mapped(batch_size=1)),
    "a short window": sound(mapping=mapped(batch_size=10, maximum_batching_window=5)),
    "a long window": sound(mapping=mapped(batch_size=100, maximum_batching_window=60)),
    "large batches": sound(mapping=mapped(batch_size=1000, maximum_batching_window=20)),
    "maximum concurrency of 2": sound(
        function=Function("worker", reserved_concurrency=2), mapping=mapped(maximum_concurrency=2)
    ),
    "maximum concurrency of 10": sound(mapping=mapped(batch_size=1, maximum_concurrency=10)),
    "room in the reservation": sound(
        function=Function("worker", reserved_concurrency=50), mapping=mapped(maximum_concurrency=20)
    ),
    "provisioned pollers": sound(mapping=attrs.evolve(mapped(), provisioned_pollers=(2, 4))),
    "provisioned concurrency": sound(
        function=Function("worker", provisioned_concurrency=5), mapping=mapped(maximum_concurrency=5)
    ),
    "a delay": sound(queue=Queue("orders", delay=60)),
    "kept for a fortnight": sound(queue=Queue("orders", retention_period=FORTNIGHT)),
    "a function of 15 minutes": sound(timeout=900, mapping=mapped(batch_size=1)),
    "a function of a second": sound(timeout=1),
    "pollers of 2018": sound(era="2018-06"),
    "pollers of 2023": sound(era="2023-11"),
    "other traffic": sound(account=Account(1000, 500), mapping=mapped(maximum_concurrency=10)),
    "two queues, two functions": two(("orders", "returns"), ("worker", "auditor")),
    "two queues, one function": two(("orders", "returns"), ("worker", "worker")),
    "FIFO, one message a batch": sound(end=".fifo", mapping=mapped(batch_size=1)),
    "FIFO, partial responses": sound(end=".fifo", mapping=mapped(batch_size=10)),
    "FIFO, a maximum concurrency": sound(end=".fifo", mapping=mapped(batch_size=10, maximum_concurrency=2)),
}
"""22 designs; modelled handlers of those on FIFO queues stop at the first failure (PB-15)."""
SAMPLE = ("two queues, one function", "FIFO, partial responses")


def accused(name: str, cases: int) -> dict[str, object]:
    """Search each mapping of a sound design, with functions that do not fail by themselves; return what is violated."""
    found: dict[str, object] = {}
    for mapping in SOUND[name].mappings:
        drawn = scenarios(SOUND[name], queue=mapping.queue, failing=False).map(healthy)
        found |= broken(searched_run(drawn, DEFAULT, budgeted(CI, cases, 0), queue=mapping.queue))
    return found


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sound_design_is_not_accused(name: str) -> None:
    """In 40 cases."""
    assert accused(name, 40) == {}


@pytest.mark.deep
@pytest.mark.parametrize("name", SOUND)
def test_no_sound_design_is_accused_in_a_thousand_cases(name: str) -> None:
    """22 designs, FIFO with partial responses among them."""
    assert len(SOUND) == 22
    assert accused(name, 1_000) == {}
