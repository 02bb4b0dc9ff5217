"""`compare`: what can stand beside a scenario, how columns are named, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

import chaosqs
from chaosqs.errors import InvalidScenario
from chaosqs.model.alternative import RateLimitedFront, SelfPolling, Stream
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.project.comparing import Choice, compare
from chaosqs.simulation.run import simulate


def design(*, reserved: int | None = None, maximum: int | None = None, name: str = "worker") -> Design:
    """Return one queue and one function with a mapping."""
    mapping = EventSourceMapping("orders", name, batch_size=1, maximum_concurrency=maximum)
    queues = [Queue("orders", redrive=Redrive("dlq", 2)), Queue("dlq")]
    return Design(queues, [Function(name, timeout=10, reserved_concurrency=reserved)], [mapping])


SCENARIO = Scenario(design(reserved=2), [Burst("orders", 20)], {"worker": Behaviour(seconds_per_message=2)}, seed=4)
CHOICES = (SelfPolling("orders", "worker"), RateLimitedFront("worker", 2, 2), Stream("worker", 2))


def test_the_scenario_as_it_is_comes_first() -> None:
    """Its figures are those of `simulate`."""
    column = compare(SCENARIO).columns[0]
    history = simulate(SCENARIO)
    summary = history.summary()
    assert (column.name, column.digest) == ("event source mapping", history.digest)
    assert column.throttles == summary["functions"]["worker"]["Throttles"]
    assert column.invocations == summary["functions"]["worker"]["Invocations"]
    assert column.dead_lettered == summary["messages"]["dead_lettered"]
    assert column.drained_at == summary["drained_at"]
    assert (column.lost_to_the_caller, column.rate_limited) == (None, None)


def test_designs_and_scenarios_stand_beside_alternatives() -> None:
    """Each in the order in which it was given, under its name."""
    other = attrs.evolve(SCENARIO, seed=5)
    found = compare(
        SCENARIO,
        {"limited": design(maximum=2), "again": other, "stream": Stream("worker", 2, batch_size=1)},
        name="reserved",
    )
    assert [column.name for column in found.columns] == ["reserved", "limited", "again", "stream"]
    assert found.column("limited").digest == simulate(attrs.evolve(SCENARIO, design=design(maximum=2))).digest
    assert found.column("again").digest == simulate(other).digest
    assert found.column("limited").throttles == 0
    assert found.column("reserved").throttles > 0
    with pytest.raises(KeyError):
        found.column("nothing")


def test_what_has_no_name_is_called_what_it_is() -> None:
    """And numbered where there are several."""
    given: list[Choice] = [
        SelfPolling("orders", "worker"),
        Stream("worker", 1),
        Stream("worker", 2),
        RateLimitedFront("worker"),
        design(),
        SCENARIO,
    ]
    assert [column.name for column in compare(SCENARIO, given).columns] == [
        "event source mapping",
        "self-polling",
        "stream 1",
        "stream 2",
        "rate-limited front",
        "design",
        "scenario",
    ]


def test_the_table_and_json_are_the_same_each_time() -> None:
    """A comparison is a pure function of its arguments, and JSON can hold it."""
    one, other = compare(SCENARIO, CHOICES), compare(SCENARIO, CHOICES)
    assert str(one) == str(other)
    assert json.dumps(attrs.asdict(one)) == json.dumps(attrs.asdict(other))


def test_a_scenario_is_not_changed_by_its_comparison() -> None:
    """Its own column is the same, whatever stands beside it."""
    assert compare(SCENARIO).columns[0] == compare(SCENARIO, [Stream("worker", 2)]).columns[0]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Of all alternatives, each under its name; nothing is run."""
    wrong: dict[str, Choice] = {
        "polling": SelfPolling("nowhere", "worker", chains=0),
        "stream": Stream("worker", 0),
        "other load": attrs.evolve(SCENARIO, workload=[Burst("orders", 1)]),
        "other names": design(name="else"),
        "event source mapping": design(),
    }
    with pytest.raises(InvalidScenario) as refused:
        compare(SCENARIO, wrong)
    assert [problem.path for problem in refused.value.problems] == [
        "alternatives['polling'].chains",
        "alternatives['polling'].queue",
        "alternatives['polling'].function",
        "alternatives['stream'].shards",
        "alternatives['other load']",
        "alternatives['other names']: behaviours['worker']",
        "alternatives['event source mapping']",
    ]


def test_the_public_names_lead_here() -> None:
    """`from chaosqs import compare`."""
    assert chaosqs.compare is compare


PROGRAM = """
from tests.project.test_comparing import CHOICES, SCENARIO
from chaosqs import compare
print(" ".join(column.digest for column in compare(SCENARIO, CHOICES).columns))
"""


def test_another_process_gives_the_same_comparison() -> None:
    """Nothing in it depends on Python's hashing."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [column.digest for column in compare(SCENARIO, CHOICES).columns]
