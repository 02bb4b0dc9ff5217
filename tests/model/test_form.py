"""The form of a counterexample's file: as long as the schema has the same number, it only grows.

A file leaves out what is at its default, so a default is a part of the form, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import attrs
import pytest

from chaosqs.errors import InvalidScenario
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Explanation
from chaosqs.model.faults import ACTIONS, KIND_NAMES
from chaosqs.model.json import SCHEMA, Json, from_json, migrated, to_json

HERE = Path(__file__).parent
FORM = HERE / "schemas" / f"{SCHEMA}.txt"
OLD = sorted((HERE / "files").glob("*.json"))
"""Counterexamples as earlier states of chaosqs wrote them."""


def form() -> list[str]:
    """Return each field that a counterexample's file may have, with type and default, and the words of its faults."""
    kinds = sorted(_kinds(Counterexample, {}).values(), key=lambda kind: kind.__name__)
    words = [*(f"fault {name}" for name in KIND_NAMES), *(f"action {name}" for name in ACTIONS)]
    return [*(line for kind in kinds for line in _lines(kind)), *sorted(words)]


def _lines(kind: type[attrs.AttrsInstance]) -> Iterator[str]:
    hints = get_type_hints(kind)
    for field in attrs.fields(kind):
        default = "" if field.default is attrs.NOTHING else f" = {_shown(field.default)}"
        yield f"{kind.__name__}.{field.name}: {_named(hints[field.name])}{default}"


def _shown(default: object) -> str:
    """Return a default without an address in memory, and without the fields of what has lines of its own."""
    if attrs.has(type(default)):
        return f"{type(default).__name__}()"
    factory = getattr(default, "factory", None)
    return repr(default) if factory is None else f"{getattr(factory, '__name__', factory)}()"


def _named(hint: object) -> str:
    """Return a type as the form has it; a word out of a list with the whole list, for a file may hold any of them."""
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def _kinds(hint: object, found: dict[str, type[attrs.AttrsInstance]]) -> dict[str, type[attrs.AttrsInstance]]:
    """Collect a type and all that its fields are made of."""
    if isinstance(hint, type) and attrs.has(hint) and hint.__name__ not in found:
        found[hint.__name__] = hint
        for inner in get_type_hints(hint).values():
            _kinds(inner, found)
    for inner in get_args(hint):
        _kinds(inner, found)
    return found


def test_what_a_file_could_hold_it_still_can() -> None:
    """Whoever takes a field away or changes a default raises the schema, and writes a step to it."""
    gone = [line for line in FORM.read_text(encoding="utf-8").splitlines() if line not in form()]
    assert not gone, f"files of schema {SCHEMA} mean something else now: add a step to model/migrations.py for {gone}"


def test_what_is_new_is_held_from_now_on() -> None:
    """A field that is not in the list could be changed later, and nobody would notice."""
    known = FORM.read_text(encoding="utf-8").splitlines()
    new = [line for line in form() if line not in known]
    assert not new, f"add to {FORM.relative_to(HERE.parents[1])}:\n" + "\n".join(new)


@pytest.mark.parametrize("path", OLD, ids=lambda path: str(path.stem))
def test_files_of_earlier_days_are_read(path: Path) -> None:
    """As they were written, and what is written of them is read again."""
    found = from_json(Counterexample, path.read_text(encoding="utf-8"))
    assert found.scenario.design.mappings
    assert from_json(Counterexample, to_json(found)) == found


@pytest.mark.parametrize("path", OLD, ids=lambda path: str(path.stem))
def test_explanations_of_the_first_release_are_dropped_and_said_to_be(path: Path) -> None:
    """They were English: nothing of them can be a value. What is written anew is so still."""
    document: dict[str, Json] = json.loads(path.read_text(encoding="utf-8"))
    assert document["chaosqs"] == 1
    found = from_json(Counterexample, json.dumps(document))
    assert found.explanation == Explanation(outdated="explanation" in document)
    assert from_json(Counterexample, to_json(found)).explanation == found.explanation


def test_a_bug_of_ours_stays_one() -> None:
    """Of an old explanation that says no more, nothing is lost."""
    assert migrated({"chaosqs": 1, "explanation": {"own_bug": True}}) == {"explanation": {"own_bug": True}}
    assert migrated({"chaosqs": 1, "explanation": {"own_bug": True, "faults": ["crash"]}}) == {
        "explanation": {"own_bug": True, "outdated": True}
    }


def test_there_are_files_of_earlier_days() -> None:
    """A test of no file shows nothing."""
    assert len(OLD) >= 4


def renamed(fields: dict[str, Json]) -> dict[str, Json]:
    """Call one field otherwise, as a step would."""
    return {("seed" if name == "seed" else name): value for name, value in fields.items()}


def doubled(fields: dict[str, Json]) -> dict[str, Json]:
    """Write down what a file left out when the default was another, as a step would."""
    return {"until": 60, **fields}


STEPS = (renamed, doubled)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({"chaosqs": 1, "seed": 3}, {"until": 60, "seed": 3}),
        ({"chaosqs": 2, "seed": 3}, {"until": 60, "seed": 3}),
        ({"chaosqs": 2, "until": 5}, {"until": 5}),
        ({"chaosqs": 3, "seed": 3}, {"seed": 3}),
        ({"seed": 3}, {"seed": 3}),
    ],
)
def test_older_files_take_each_step_that_they_lack(document: dict[str, Json], fields: dict[str, Json]) -> None:
    """In order, from their own schema on; a file without a number is one of today, written by hand."""
    given = dict(document)
    assert migrated(document, STEPS) == fields
    assert document == given


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {"chaosqs": 9, "versions": {"chaosqs": "7.1.0"}},
            (
                "chaosqs = 9: must be a schema that this version reads, 1 to 3: upgrade chaosqs; "
                "the file says that chaosqs 7.1.0 wrote it"
            ),
        ),
        (
            {"chaosqs": 4, "versions": [7]},
            "chaosqs = 4: must be a schema that this version reads, 1 to 3: upgrade chaosqs",
        ),
        ({"chaosqs": 0}, "chaosqs = 0: must be the number of a schema, 1 to 3"),
        ({"chaosqs": True}, "chaosqs = True: must be the number of a schema"),
        ({"chaosqs": "2"}, "chaosqs = '2': must be the number of a schema"),
        ({"chaosqs": None}, "chaosqs = None: must be the number of a schema"),
    ],
)
def test_a_newer_schema_is_refused_and_says_who_claims_to_have_written_it(document: dict[str, Json], said: str) -> None:
    """Nobody can guess what it means: a later version may have written it, or somebody the number."""
    with pytest.raises(InvalidScenario) as caught:
        migrated(document, STEPS)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("assumptions", "time"),
    [({}, 60_000), ({"mapping_change": 5_000, "cold_start": 1}, 5_000)],
    ids=["default", "given"],
)
def test_changes_of_mappings_take_as_long_as_when_a_file_was_written(assumptions: dict[str, Json], time: int) -> None:
    """A minute, or what the file says; without such a change nothing is written."""
    change: Json = {"kind": "change", "target": "orders→worker", "at": 5, "setting": "batch_size", "value": 1}
    scenario: Json = {"faults": {"actions": [change]}, "assumptions": {**assumptions}}
    now = {"mapping_change": time, "mapping_change_least": time}
    wanted: Json = {"faults": {"actions": [change]}, "assumptions": {**assumptions, **now}}
    assert migrated({"chaosqs": 1, "scenario": scenario}) == {"scenario": wanted}
    calm: dict[str, Json] = {"faults": {"actions": [{"kind": "purge", "target": "orders", "at": 5}]}}
    assert migrated({"chaosqs": 1, **calm}) == calm
