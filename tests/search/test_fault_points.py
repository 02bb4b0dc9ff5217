"""The sites that handlers name are read from their source, before anything runs."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.search.search import Sites, sites

SOURCE = """
import chaosqs
from chaosqs import fault_point, sometimes

def pay(event, context):
    if chaosqs.fault_point("charge"):
        raise TimeoutError
    for record in event["Records"]:
        fault_point("store", record)
        fault_point("charge", record)
    sometimes("paid")
    chaosqs.sometimes("paid twice")
    sometimes("paid")
    fault_point(event["name"])
    fault_point()
    print("charge")
"""
NUMBERS = count()


def reading(*sources: str | bytes, place: Path) -> Sites:
    """Return the sites of handlers in modules with these sources; no two tests share a module's name."""
    behaviours: dict[str, Behaviour] = {}
    for source in sources:
        name = f"sites_of_test_{next(NUMBERS)}"
        text = source.encode() if isinstance(source, str) else source
        (place / f"{name}.py").write_bytes(text)
        behaviours[name] = Behaviour(handler=f"{name}:pay")
    return sites(behaviours)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory from which modules can be imported."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_plain_and_attribute_calls_are_found_once_and_in_order(place: Path) -> None:
    """Names that are no plain strings are not known before the run, and other functions' arguments do not count."""
    assert reading(SOURCE, place=place) == Sites(("charge", "store"), ("paid", "paid twice"))


def test_several_handlers_are_read_one_after_the_other(place: Path) -> None:
    """A name that two modules share is one site."""
    other = 'import chaosqs\nchaosqs.fault_point("refund")\nchaosqs.fault_point("charge")\n'
    assert reading(other, SOURCE, place=place).points == ("refund", "charge", "store")


@pytest.mark.parametrize("source", ["def pay(:", b"\xff\xfe\xfa", "\0"], ids=["syntax", "encoding", "null"])
def test_a_module_that_cannot_be_read_has_none(place: Path, source: str | bytes) -> None:
    """Whoever runs the handler says what is wrong with it."""
    assert reading(source, place=place) == Sites()


@pytest.mark.parametrize("handler", ["no_such_module:pay", "no_such_package.module:pay", "sys:exit", "json:loads"])
def test_modules_that_are_not_there_or_name_no_site_have_none(handler: str) -> None:
    """Built-in modules have no source at all."""
    assert sites({"worker": Behaviour(handler=handler)}) == Sites()


def test_modelled_functions_name_no_sites() -> None:
    """Only real code has sites."""
    assert sites({"worker": Behaviour(1), "other": Behaviour()}) == Sites()
