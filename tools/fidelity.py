"""Write the page of all rules of the behaviour ledger: text, certainty, the file that implements it, and a test."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TypeAlias

import attrs

from chaosqs.model.assumptions import Assumptions
from tools import service_models
from tools.tables import table

Rule: TypeAlias = dict[str, str]

ROOT = Path(__file__).parents[1]
CHAPTERS = {"sqs": "SQS", "lambda": "The event source mapping and Lambda"}
"""The files of docs/fidelity, with the titles of their chapters."""
INTRO = (
    "This page lists what AWS does, rule by rule. Use it to check whether a behaviour that your design depends on is "
    "modelled, how certain it is, which file implements it, and which test checks it."
)
CERTAINTIES = (
    ("`C`", "confirmed by an AWS source or a recording of AWS"),
    ("`C2`", "confirmed by two of them"),
    ("`D`", "AWS sources disagree"),
    ("`I`", "inferred"),
    ("`U`", "unconfirmed"),
)
COLUMNS = (
    "Text in brackets after a file says what chaosqs does where AWS leaves a choice. Every rule that is modelled has a "
    "test, or a case of one, whose name contains its id; without one, the tests of chaosqs fail."
)
ASSUMED = (
    "AWS does not document these values. Each is a field of `Assumptions`, which is part of a `Scenario`. The ids in "
    "brackets name the rules and the [measurements]({calibration}) that a value follows from. "
    "`vary_assumptions = true` lets a search draw them. A story names the assumptions that decide its verdict."
)
ANSWERS = (
    "No recording or documentation tells these answers of API calls, and no setting changes them. Designs do not "
    "depend on them."
)
HEAD = ("rule", "what AWS does", "certainty", "implemented in", "test")


EMULATORS = ROOT / "docs" / "fidelity" / "emulators.toml"
COMPARED = (
    "`python -m tools.compare_emulators` runs the same boto3 calls on each emulator in one go. ✓ means that it answers "
    "as AWS does, according to a recording of AWS or its documentation. We chose the behaviours and mended our own "
    "faults among them, so read the rows, not the sums. ministack and LocalStack's package ran without containers. A "
    "script of ours served LocalStack's package in place of the container, and emptied its queues on a URL of its own; "
    "LocalStack's delays after a deletion and a purge, which are off by default, were on. Not measured: LocalStack's "
    "container and paid editions, emulators that Python's package index does not have, and mappings of the others."
)


def page() -> str:
    """Return the page."""
    tests, chapters = carriers(), {title: rules(name) for name, title in CHAPTERS.items()}
    every = [rule for chapter in chapters.values() for rule in chapter]
    modelled = sum("not_modelled" not in rule for rule in every)
    whole = f"{modelled} of {len(every)} rules of SQS, the event source mapping and Lambda are modelled."
    flags = table(("certainty", "meaning"), CERTAINTIES)
    tables = [(title, table(HEAD, [_row(rule, tests) for rule in chapter])) for title, chapter in chapters.items()]
    sections = [
        *tables,
        ("Service models", service_models.section()),
        ("Assumed answers", f"{ANSWERS}\n\n{assumed_answers()}"),
        ("Assumptions", f"{ASSUMED.format(calibration='calibration.md')}\n\n{assumed()}"),
    ]
    head = f"# Fidelity\n\n{INTRO} {whole}\n\n{flags}\n{COLUMNS}\n"
    return head + "".join(f"\n## {title}\n\n{text}" for title, text in [("Emulators", emulators()), *sections])


def emulators() -> str:
    """Return the comparison of emulators, as `tools.compare_emulators` measured it."""
    measured = tomllib.loads(EMULATORS.read_text(encoding="utf-8"))
    names: list[str] = measured["emulators"]
    behaviours: list[dict[str, str]] = measured["behaviour"]
    answers: list[list[str]] = measured["answers"]
    rows: list[tuple[str, ...]] = []
    right = [0] * len(names)
    for each, given in zip(behaviours, answers, strict=True):
        right = [count + (answer == each["aws"]) for count, answer in zip(right, given, strict=True)]
        shown = ("✓" if answer == each["aws"] else answer for answer in given)
        rows.append((each["rule"], each["title"], each["aws"], *shown))
    rows.append(("", "as AWS", "", *(f"{count} of {len(behaviours)}" for count in right)))
    return f"{COMPARED}\n\n{table(('rule', 'behaviour', 'AWS', *names), rows)}"


def assumed() -> str:
    """Return the table of the assumptions about AWS."""
    rows = [
        (
            f"`{field.name}`",
            f"{field.default} {field.metadata['unit']}",
            f"{field.metadata['low']} to {field.metadata['high']}",
            str(field.metadata["why"]),
        )
        for field in attrs.fields(Assumptions)
    ]
    return table(("name", "default", "range", "meaning, and where the default comes from"), rows)


def assumed_answers() -> str:
    """Return the table of answers that are assumed and that no assumption changes."""
    every = [each for chapter in CHAPTERS for each in rules(chapter, "assumed")]
    rows = [
        (each["answer"] if "answer" in each else f"The words of the error: {each['words']}.", f"`{each['where']}`")
        for each in every
    ]
    return table(("what is assumed", "implemented in"), rows)


def rules(chapter: str, kind: str = "rule") -> list[Rule]:
    """Return the rules of one file, or its entries of another kind, in the order of the file."""
    text = (ROOT / "docs" / "fidelity" / f"{chapter}.toml").read_text(encoding="utf-8")
    listed: dict[str, list[Rule]] = tomllib.loads(text)
    return listed[kind]


def carriers() -> dict[str, str]:
    """Return, for each rule, the first test that has its id in its name or in the id of one of its cases.

    `test_ER_1_to_ER_6_…` has all six.
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
