"""Runs have the events, summaries and verdicts that were recorded of them."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.model.history import History
from tools.net import EVENTS, Run, difference, names, neutral, record, renamed, runs

SPREAD = 6
"""`make test` compares one run in this number, `make deep` the others."""


def sample() -> list[object]:
    return [
        pytest.param(name, marks=() if place % SPREAD == 0 else pytest.mark.deep) for place, name in enumerate(names())
    ]


@pytest.mark.parametrize("name", sample())
def test_a_run_is_as_recorded(name: str) -> None:
    """Its events, its summary and its verdicts."""
    assert difference(name) == ""


def test_the_record_covers_every_run() -> None:
    """At least 500 scenarios, and nothing recorded that is no longer run."""
    assert record().keys() == runs().keys()
    assert len(runs()) >= 500


def test_every_kind_of_event_is_in_the_net() -> None:
    """Every class of the table occurs in a run."""
    varied = names(("alternative/stream/*", "design/*", "drawn/fifo-assumed/*", "handler/charges*", "handler/marks*"))
    kinds = {line.split('"')[1] for name in varied for line in runs()[name]().lines}
    assert {kind for kind, _ in EVENTS.values()} <= kinds


@attrs.frozen
class Unknown:
    """An event that no table has."""

    at: int


def test_an_unknown_event_raises() -> None:
    """A new or renamed class is refused by its name."""
    with pytest.raises(KeyError, match="has no Unknown"):
        neutral(Unknown(1))


def test_an_unknown_field_raises() -> None:
    """A new or renamed field is refused by its name, as is one that is gone."""
    with pytest.raises(KeyError, match="differs in color, colour"):
        renamed({"at": 1, "color": 2}, "at colour")


def test_names_and_order_do_not_show() -> None:
    """A table gives a field another name, or leaves it out, whatever the order."""
    assert renamed({"luck": 2, "other": 3, "at": 1}, "at luck:seed other:") == {"at": 1, "seed": 2}


def test_any_change_of_an_event_shows() -> None:
    """One millisecond in one event is another SHA-256."""
    history = runs()["session/works-in-order"]().history
    first, *others = history.events
    later = attrs.evolve(history, events=(attrs.evolve(first, at=first.at + 1), *others))
    assert _fingerprint(later) != _fingerprint(history)


def _fingerprint(history: History) -> object:
    return Run(history).recorded()["sha256"]
