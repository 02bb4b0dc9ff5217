"""Valid and invalid behaviours."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour, check_behaviour
from chaosqs.model.values import Checks
from tests.model.helpers import changed


def refused(behaviour: Behaviour) -> list[str]:
    checks = Checks("")
    check_behaviour(checks, behaviour)
    return [problem.path for problem in checks.problems]


@pytest.mark.parametrize(
    "behaviour",
    [
        Behaviour(),
        Behaviour(seconds_per_message=86_400, seconds_per_batch=0, spread=3, error_rate=1, poison=[0, 7]),
        Behaviour(hangs=True),
        Behaviour(crashes=True, handler="shop.orders:handle"),
    ],
)
def test_behaviours_that_are_accepted(behaviour: Behaviour) -> None:
    """The last valid values pass."""
    assert refused(behaviour) == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("seconds_per_message", -1),
        ("seconds_per_message", 86_401),
        ("seconds_per_batch", float("nan")),
        ("seconds_per_batch", "1"),
        ("spread", 3.1),
        ("error_rate", 1.01),
        ("error_rate", True),
        ("hangs", 1),
        ("crashes", None),
        ("handler", "shop.orders.handle"),
        ("handler", 7),
    ],
)
def test_behaviours_that_are_refused(field: str, wrong: object) -> None:
    """One beyond is refused, under its name."""
    assert refused(changed(Behaviour(), **{field: wrong})) == [field]


def test_poison_is_a_list_of_message_numbers() -> None:
    """Each number that is none is refused under its place."""
    assert refused(changed(Behaviour(), poison=(0, -1, "2"))) == ["poison[1]", "poison[2]"]


def test_failure_looks_like_one_thing() -> None:
    """A failure hangs or crashes, not both."""
    assert refused(Behaviour(hangs=True, crashes=True)) == ["hangs"]


@pytest.mark.parametrize(("name", "value"), [("1A", "x"), ("A", "x"), ("A-B", "x"), ("AB", 1)])
def test_variables_that_are_refused(name: str, value: object) -> None:
    """Lambda takes names of at least two letters, digits and _, and text."""
    assert refused(changed(Behaviour(), environment={name: value})) == [f"environment[{name!r}]"]
