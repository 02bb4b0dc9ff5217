"""The page of every rule of the behaviour ledger: in our words, how sure it is, where it is kept, and a test of it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeAlias

from tools.tables import table

Rule: TypeAlias = dict[str, str]

ROOT = Path(__file__).parents[1]
FLAGS = (
    "`C` is confirmed by an AWS source or recording, `C2` by two, on `D` AWS sources disagree, `I` is inferred, `U` "
    "unconfirmed. A rule without a test fails the tests."
)


def page() -> str:
    """Return the page."""
    tests = _tests()
    listed: dict[str, list[Rule]] = tomllib.loads((ROOT / "docs" / "fidelity.toml").read_text(encoding="utf-8"))
    rules = listed["rule"]
    modelled = sum("not_modelled" not in rule for rule in rules)
    rows = [(rule["id"], rule["rule"], rule["certainty"], _kept(rule), _test(rule, tests)) for rule in rules]
    return f"# Fidelity\n\n{modelled} of {len(rules)} rules of SQS are modelled. {FLAGS}\n\n" + table(
        ("rule", "what AWS does", "certainty", "where it is kept", "a test that carries its id"), rows
    )


def _kept(rule: Rule) -> str:
    if "not_modelled" in rule:
        return f"not modelled: {rule['not_modelled']}"
    choice = f" ({rule['choice']})" if "choice" in rule else ""
    return f"`{rule['where']}`{choice}"


def _test(rule: Rule, tests: dict[str, str]) -> str:
    name = tests.get(rule["id"], "")
    return f"`{name}`" if name else "–"


def _tests() -> dict[str, str]:
    """Return for each rule the first test whose name carries its id."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")):
            for family, number in re.findall(r"_([A-Z]{2,3})_(\d+)", name):
                found.setdefault(f"{family}-{int(number)}", name)
    return found
