"""The list of rules is complete, the code names each rule where the list says, and each has a test that carries it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeAlias

import pytest

Rule: TypeAlias = dict[str, str]

ROOT = Path(__file__).parents[2]
FAMILIES = {
    "VT": 15,
    "RH": 10,
    "RX": 12,
    "IF": 6,
    "OR": 4,
    "SZ": 8,
    "BT": 5,
    "AT": 6,
    "DL": 6,
    "RT": 3,
    "PQ": 3,
    "DQ": 2,
    "GA": 1,
    "EN": 1,
    "DLQ": 20,
    "MV": 7,
    "FQ": 9,
    "FF": 26,
}
"""How many rules the ledger has in each family of its chapters 1 to 6."""


def rules() -> list[Rule]:
    listed: dict[str, list[Rule]] = tomllib.loads((ROOT / "docs" / "fidelity.toml").read_text())
    return listed["rule"]


def names(text: str) -> set[str]:
    """Return the rule ids that a text names, ranges (`DLQ-2 … DLQ-6`) written out."""
    found = set(re.findall(r"\b[A-Z]{2,3}-\d+\b", text))
    for family, low, high in re.findall(r"\b([A-Z]{2,3})-(\d+) … \1-(\d+)\b", text):
        found |= {f"{family}-{number}" for number in range(int(low), int(high) + 1)}
    return found


def carried() -> set[str]:
    """Return the rule ids that names of tests carry."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"def (test_\w+)", path.read_text()):
            found |= {f"{family}-{int(number)}" for family, number in re.findall(r"_([A-Z]{2,3})_(\d+)", name)}
    return found


def test_every_rule_of_the_ledger_is_listed_once() -> None:
    """In the ledger's families and numbers."""
    expected = [f"{family}-{number}" for family, count in FAMILIES.items() for number in range(1, count + 1)]
    assert sorted(rule["id"] for rule in rules()) == sorted(expected)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["id"])
def test_each_rule_is_kept_or_says_why_not(rule: Rule) -> None:
    """The file that keeps it names it."""
    assert rule["rule"].endswith(".")
    assert ("where" in rule) != ("not_modelled" in rule)
    if "where" in rule:
        assert rule["id"] in names((ROOT / rule["where"]).read_text())


def test_each_rule_has_a_test_that_carries_it() -> None:
    """`test_VT_6_…`; those that are not modelled have none."""
    missing = [rule["id"] for rule in rules() if "where" in rule and rule["id"] not in carried()]
    assert missing == []
