"""The list of rules is complete, the code names each rule where the list says, and each has a test that carries it."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

import pytest

from tools.compare_emulators import BEHAVIOURS, EMULATORS, Behaviour, answered
from tools.compare_emulators import RESULT as EMULATORS_FILE
from tools.fidelity import CHAPTERS, ROOT, Rule, carried, carriers, rules

FAMILIES = {
    "VT": 15,
    "RH": 10,
    "RX": 12,
    "IF": 6,
    "OR": 4,
    "SZ": 8,
    "BT": 5,
    "AT": 6,
    "DL": 7,
    "RT": 3,
    "PQ": 3,
    "DQ": 2,
    "GA": 1,
    "EN": 1,
    "DLQ": 20,
    "MV": 7,
    "FQ": 9,
    "FF": 26,
    "LC": 16,
    "LX": 25,
    "EC": 26,
    "EP": 13,
    "EF": 8,
    "PB": 17,
    "ES": 13,
    "MC": 6,
    "PM": 5,
    "EQ": 6,
    "FL": 11,
    "ER": 14,
    "CW": 33,
}
"""The last rule of each family of the ledger's chapters 1 to 11, in its order; ER and CW number its tables of §10.9 and
§11."""
FIRST = {"MC": 0}
"""The first one, where that is not 1."""
EVERY = [rule for chapter in CHAPTERS for rule in rules(chapter)]


def names(text: str) -> set[str]:
    """Return the rule ids that a text names, ranges (`DLQ-2 … DLQ-6`) written out."""
    found = set(re.findall(r"\b[A-Z]{2,3}-\d+\b", text))
    for family, low, high in re.findall(r"\b([A-Z]{2,3})-(\d+) … \1-(\d+)\b", text):
        found |= {f"{family}-{number}" for number in range(int(low), int(high) + 1)}
    return found


def test_every_rule_of_the_ledger_is_listed_once() -> None:
    """In the ledger's families and numbers."""
    expected = [
        f"{family}-{number}" for family, last in FAMILIES.items() for number in range(FIRST.get(family, 1), last + 1)
    ]
    assert sorted(rule["id"] for rule in EVERY) == sorted(expected)


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule["id"])
def test_each_rule_is_kept_or_says_why_not(rule: Rule) -> None:
    """The file that keeps it names it."""
    assert rule["rule"].endswith(".")
    assert ("where" in rule) != ("not_modelled" in rule)
    if "where" in rule:
        assert rule["id"] in names((ROOT / rule["where"]).read_text(encoding="utf-8"))


def test_each_rule_has_a_test_that_carries_it() -> None:
    """`test_VT_6_…`; those that are not modelled have none."""
    tests = carriers()
    assert [rule["id"] for rule in EVERY if "where" in rule and rule["id"] not in tests] == []


def test_names_of_tests_carry_single_rules_and_ranges() -> None:
    """Numbers may have leading zeros; a range is written with `to`."""
    assert carried("_test_EC_01_PB_2_x") == ["EC-1", "PB-2"]
    assert set(carried("_test_ER_1_to_ER_3_x")) == {"ER-1", "ER-2", "ER-3"}


@pytest.mark.parametrize(("rule", "title", "wanted", "behaviour"), BEHAVIOURS, ids=[each[1] for each in BEHAVIOURS])
def test_chaosqs_answers_as_aws_where_emulators_are_compared(
    rule: str, title: str, wanted: str, behaviour: Behaviour
) -> None:
    """The table of docs/fidelity.md says so of this version; its rules are in the ledger."""
    opened = next(open_world for name, open_world in EMULATORS.items() if name.startswith("chaosqs"))
    assert answered(opened, behaviour) == wanted, title
    assert not rule or rule in {each["id"] for chapter in CHAPTERS for each in rules(chapter)}


def test_assumed_words_of_errors_are_listed() -> None:
    """As often as the code of a file says so."""
    listed = Counter(each["where"] for chapter in CHAPTERS for each in rules(chapter, "assumed") if "words" in each)
    sources = ((path, path.read_text(encoding="utf-8")) for path in (ROOT / "chaosqs").rglob("*.py"))
    marked = {str(path.relative_to(ROOT)): text.count("Assumed wording") for path, text in sources}
    assert dict(listed) == {path: count for path, count in marked.items() if count}


def test_the_table_of_emulators_has_all_behaviours() -> None:
    """None was added since it was measured."""
    measured = tomllib.loads(EMULATORS_FILE.read_text(encoding="utf-8"))
    assert [(each["rule"], each["title"], each["aws"]) for each in measured["behaviour"]] == [
        each[:3] for each in BEHAVIOURS
    ]
