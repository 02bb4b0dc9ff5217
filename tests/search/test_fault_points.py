"""The sites that handlers name are read from their source, before anything runs."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.search.search import NamedPoints, named_points

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


def reading(*sources: str | bytes, index: Path) -> NamedPoints:
    """Return the sites of handlers in modules with these sources; no two tests share a module's name."""
    behaviours: dict[str, Behaviour] = {}
    for source in sources:
        name = f"sites_of_test_{next(NUMBERS)}"
        text = source.encode() if isinstance(source, str) else source
        (index / f"{name}.py").write_bytes(text)
        behaviours[name] = Behaviour(handler=f"{name}:pay")
    return named_points(behaviours)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory from which modules can be imported."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_plain_and_attribute_calls_are_found_once_and_in_order(index: Path) -> None:
    """Names that are no plain strings are not known before the run, and other functions' arguments do not count."""
    assert reading(SOURCE, index=index) == NamedPoints(("charge", "store"), ("paid", "paid twice"))


def test_several_handlers_are_read_one_after_the_other(index: Path) -> None:
    """A name that two modules share is one site."""
    other = 'import chaosqs\nchaosqs.fault_point("refund")\nchaosqs.fault_point("charge")\n'
    assert reading(other, SOURCE, index=index).points == ("refund", "charge", "store")


@pytest.mark.parametrize("source", ["def pay(:", b"\xff\xfe\xfa", "\0"], ids=["syntax", "encoding", "null"])
def test_a_module_that_cannot_be_read_has_none(index: Path, source: str | bytes) -> None:
    """Whoever runs the handler says what is wrong with it."""
    assert reading(source, index=index) == NamedPoints()


@pytest.mark.parametrize("handler", ["no_such_module:pay", "no_such_package.module:pay", "sys:exit", "json:loads"])
def test_modules_that_are_not_there_or_name_no_site_have_none(handler: str) -> None:
    """Built-in modules have no source at all."""
    assert named_points({"worker": Behaviour(handler=handler)}) == NamedPoints()


def test_modelled_functions_name_no_sites() -> None:
    """Only real code has sites."""
    assert named_points({"worker": Behaviour(1), "other": Behaviour()}) == NamedPoints()


def test_points_are_found_under_a_root_of_code(tmp_path: Path) -> None:
    """Two roots may have modules of one name, and the modules beside the handler's that it imports count, too."""
    for root, point in (("one", "first"), ("two", "second")):
        package = tmp_path / root / "src" / "pay"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("from . import fees\n", encoding="utf-8")
        (package / "fees.py").write_text(f"import chaosqs\nchaosqs.fault_point('fee {point}')\n", encoding="utf-8")
        (tmp_path / root / "app.py").write_text(
            f"import json, src.pay\nchaosqs.fault_point('{point}')\nimport app\n", encoding="utf-8"
        )
    behaviours = {root: Behaviour(handler="app:handler", code=str(tmp_path / root)) for root in ("one", "two")}
    assert named_points(behaviours).points == ("first", "fee first", "second", "fee second")
