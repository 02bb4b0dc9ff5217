"""Findings of a search are the first cases of the next one, in any database of Hypothesis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs
import pytest
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    InMemoryExampleDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.json import from_json
from chaosqs.model.scenario import Scenario
from chaosqs.search.profiles import QUICK
from chaosqs.search.run import InvariantSearch
from chaosqs.search.search import search, search_designs, searched
from chaosqs.strategies import designs
from tests.search.designs import MAPPING, ROOMY, SOUND, invariant, never_dead_lettered, over_polling

PROMISED = invariant(never_dead_lettered)
THROTTLING = NO_DEAD_LETTERING_BY_THROTTLING
HURRIED = attrs.evolve(QUICK, max_examples=40, shrink_simulations=50)
WIDER = attrs.evolve(ROOMY, queues=(*ROOMY.queues, attrs.evolve(ROOMY.queues[1], name="returns")))
LENIENT = attrs.evolve(ROOMY, queues=(attrs.evolve(ROOMY.queues[0], redrive=None), ROOMY.queues[1]))
"""The roomy design, in which no message is ever given up."""


def trial(
    database: ExampleDatabase,
    design: Design = ROOMY,
    promise: Invariant = PROMISED,
    *,
    seed: int = 1,
    name: str = "",
    behaviours: Mapping[str, Behaviour] | None = None,
    vary_assumptions: bool = False,
) -> InvariantSearch:
    """Search, and return what came of it without shrinking it; in the roomy design, failures break the promise."""
    found = searched(
        design,
        MAPPING,
        (promise,),
        behaviours=behaviours,
        profile=HURRIED,
        seed=seed,
        database=database,
        name=name,
        vary_assumptions=vary_assumptions,
    )
    assert found.search_run is not None
    return found.search_run.searches[0]


class Shelf(ExampleDatabase):
    """A database of a project's own, on data at which a test can look."""

    def __init__(self, data: dict[bytes, set[bytes]]) -> None:
        super().__init__()
        self._data = data

    def save(self, key: bytes, value: bytes) -> None:
        self._data.setdefault(key, set()).add(value)

    def fetch(self, key: bytes) -> Iterable[bytes]:
        return tuple(self._data.get(key, ()))

    def delete(self, key: bytes, value: bytes) -> None:
        self._data.get(key, set()).discard(value)


@pytest.fixture
def data() -> dict[bytes, set[bytes]]:
    """Return the data of an empty database."""
    return {}


@pytest.fixture
def database(data: dict[bytes, set[bytes]]) -> ExampleDatabase:
    """Return the database on that data."""
    return Shelf(data)


def entries(data: Mapping[bytes, set[bytes]]) -> list[bytes]:
    """Return what a database holds."""
    return [entry for kept in data.values() for entry in kept]


def test_it_is_the_first_case_of_the_next_search(data: dict[bytes, set[bytes]], database: ExampleDatabase) -> None:
    """Whatever the seed, and the counterexample is the same."""
    first = search(ROOMY, MAPPING, PROMISED, profile=HURRIED, seed=1, database=database)
    assert first.violated
    assert first.cases > 1
    again = search(ROOMY, MAPPING, PROMISED, profile=HURRIED, seed=2, database=database)
    assert (again.cases, again.scenario) == (1, first.scenario)
    kept = [from_json(Scenario, entry.decode()) for entry in entries(data)]
    assert first.scenario in kept
    assert len(kept) <= 2


def test_what_holds_leaves_nothing_and_costs_nothing(data: dict[bytes, set[bytes]], database: ExampleDatabase) -> None:
    """Not a case more, not an entry."""
    held = trial(database, SOUND, THROTTLING)
    assert (held.open, held.tally.cases) == (True, HURRIED.max_examples)
    assert entries(data) == []


def test_other_settings_of_the_design_are_judged_by_it_and_a_fix_makes_it_forgotten(
    data: dict[bytes, set[bytes]], database: ExampleDatabase
) -> None:
    """A change that does not help is found out by the first case; after one that does, nothing is remembered."""
    assert not trial(database, over_polling(), THROTTLING).open
    useless = trial(database, over_polling(max_receive_count=2), THROTTLING)
    assert (useless.open, useless.tally.cases, len(entries(data))) == (False, 1, 1)
    assert trial(database, SOUND, THROTTLING).open
    assert entries(data) == []


@pytest.mark.parametrize("cases", [1, 3, 6])
def test_what_is_remembered_takes_no_case_away(cases: int, database: ExampleDatabase) -> None:
    """However much was mended since: the search is the one that it would be without, and comes after it."""
    for count in (1, 2, 3, 4):
        assert not trial(database, over_polling(max_receive_count=count), THROTTLING).open
    brief = attrs.evolve(HURRIED, max_examples=cases)
    kept = searched(SOUND, MAPPING, (THROTTLING,), profile=brief, seed=1, database=database).search_run
    alone = searched(SOUND, MAPPING, (THROTTLING,), profile=brief, seed=1).search_run
    assert kept is not None
    assert alone is not None
    assert alone.cases == cases < kept.cases


def test_other_searches_do_not_see_it(data: dict[bytes, set[bytes]], database: ExampleDatabase) -> None:
    """Those of a design of another name or with other parts, with other behaviours given, with varied assumptions."""
    assert trial(database).tally.cases > 1
    trial(database, name="other.yaml")
    trial(database, WIDER)
    trial(database, behaviours={"worker": Behaviour(poison=(0,))})
    trial(database, vary_assumptions=True)
    assert len(data) == 5
    assert trial(database).tally.cases == 1


@pytest.mark.parametrize("rubbish", [b"", b"\xff\xfe", b"{}", b'{"chaosqs": 99}', b'{"design": {"queues": []}}'])
def test_what_cannot_be_read_is_forgotten(
    rubbish: bytes, data: dict[bytes, set[bytes]], database: ExampleDatabase
) -> None:
    """An entry of a later chaosqs, or of somebody else's, is no obstacle."""
    assert not trial(database).open
    ((key, kept),) = data.items()
    database.delete(key, next(iter(kept)))
    database.save(key, rubbish)
    assert not trial(database).open
    assert rubbish not in entries(data)


def test_searches_of_other_processes_share_a_directory(tmp_path: Path) -> None:
    """Two projects, or two machines with one disk, find what either has found."""
    assert trial(DirectoryBasedExampleDatabase(tmp_path)).tally.cases > 1
    assert trial(DirectoryBasedExampleDatabase(tmp_path), seed=3).tally.cases == 1


def test_a_database_that_cannot_be_written_is_read(data: dict[bytes, set[bytes]], database: ExampleDatabase) -> None:
    """As continuous integration shares what it has found: nothing is kept there, and nothing forgotten."""
    assert not trial(database).open
    before, readable = entries(data), ReadOnlyDatabase(database)
    assert trial(readable, seed=4).tally.cases == 1
    assert trial(readable, LENIENT).open
    assert trial(MultiplexedDatabase(InMemoryExampleDatabase(), readable), seed=5).tally.cases == 1
    assert entries(data) == before


def test_a_search_over_designs_remembers_the_design_too(database: ExampleDatabase) -> None:
    """There the design is what was drawn."""
    assert search_designs(designs(), PROMISED, profile=HURRIED, seed=1, database=database).violated
    assert search_designs(designs(), PROMISED, profile=HURRIED, seed=2, database=database).cases == 1
