"""The page of every rule of the behaviour ledger: in our words, how sure it is, where it is kept, and a test of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeAlias

import attrs

from chaosqs.model.assumptions import Assumptions
from tools.tables import table

Rule: TypeAlias = dict[str, str]

ROOT = Path(__file__).parents[1]
CHAPTERS = {"sqs": "SQS", "lambda": "The event source mapping and Lambda"}
"""The files of docs/fidelity, and what each is about."""
FLAGS = (
    "`C` is confirmed by an AWS source or recording, `C2` by two, on `D` AWS sources disagree, `I` is inferred, `U` "
    "unconfirmed. A rule without a test fails the tests."
)
ASSUMED = (
    "AWS does not document these. Each is a field of `Assumptions`, which a `Scenario` carries; the ids name the "
    "measurements that pin it. `vary_assumptions` lets a search draw them, and a story says which its verdict hangs on."
)
HEAD = ("rule", "what AWS does", "certainty", "where it is kept", "a test that carries its id")


def page() -> str:
    """Return the page."""
    tests, chapters = carriers(), {title: rules(name) for name, title in CHAPTERS.items()}
    every = [rule for chapter in chapters.values() for rule in chapter]
    modelled = sum("not_modelled" not in rule for rule in every)
    whole = f"{modelled} of {len(every)} rules of SQS, the event source mapping and Lambda are modelled."
    tables = [(title, table(HEAD, [_row(rule, tests) for rule in chapter])) for title, chapter in chapters.items()]
    sections = [*tables, ("What is assumed", f"{ASSUMED}\n\n{assumed()}")]
    return f"# Fidelity\n\n{whole} {FLAGS}\n" + "".join(f"\n## {title}\n\n{text}" for title, text in sections)


def assumed() -> str:
    """Return the table of everything that AWS does not document."""
    rows = [
        (
            f"`{field.name}`",
            f"{field.default} {field.metadata['unit']}",
            f"{field.metadata['low']} to {field.metadata['high']}",
            str(field.metadata["why"]),
        )
        for field in attrs.fields(Assumptions)
    ]
    return table(("name", "default", "range", "what it is, and what pins it"), rows)


def rules(chapter: str) -> list[Rule]:
    """Return the rules of one file, in its order."""
    text = (ROOT / "docs" / "fidelity" / f"{chapter}.toml").read_text(encoding="utf-8")
    listed: dict[str, list[Rule]] = tomllib.loads(text)
    return listed["rule"]


def carriers() -> dict[str, str]:
    """Return for each rule the first test that carries its id: in its name, or in the id of one of its cases.

    `test_ER_1_to_ER_6_…` carries all six.
    """
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for test, case in re.findall(r'def (test_\w+)|\bid="(\w+)"', path.read_text(encoding="utf-8")):
            for rule in carried(f"_{test or case}"):
                found.setdefault(rule, test or case)
    return found


def carried(name: str) -> list[str]:
    single = re.findall(r"_([A-Z]{2,3})_(\d+)", name)
    ranges = re.findall(r"_([A-Z]{2,3})_(\d+)_to_\1_(\d+)", name)
    spread = [(family, number) for family, low, high in ranges for number in range(int(low), int(high) + 1)]
    return [f"{family}-{int(number)}" for family, number in (*single, *spread)]


def _row(rule: Rule, tests: dict[str, str]) -> tuple[str, ...]:
    name = tests.get(rule["id"], "")
    return rule["id"], rule["rule"], rule["certainty"], _kept(rule), f"`{name}`" if name else "–"


def _kept(rule: Rule) -> str:
    if "not_modelled" in rule:
        return f"not modelled: {rule['not_modelled']}"
    choice = f" ({rule['choice']})" if "choice" in rule else ""
    return f"`{rule['where']}`{choice}"
