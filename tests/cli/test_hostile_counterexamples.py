"""Files of counterexamples that something has happened to, in any place: an answer in few words, never a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import attrs
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.cli import main
from chaosqs.invariants import by_name
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.faults import Action, FaultPlan, Pause, Window
from chaosqs.model.json import Json, to_json
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.model.explained import EXPLANATION
from tests.project.kept import INVARIANT, kept

FAULTS = FaultPlan(
    [["ok", "slow"], ["throttled"]],
    [Window("throttled", "worker", 20, 15)],
    heal_at=200,
    sends=["ok", "late_send"],
    actions=[Action("change", "worker", 150, "memory", 256)],
    pauses=[Pause("orders→worker/3", 1, 2)],
)


def found() -> Counterexample:
    """Return a counterexample that has something of everything."""
    simple = kept("design")
    load = [Burst("orders", 20, over=30)]
    scenario = attrs.evolve(
        simple.scenario, workload=load, faults=FAULTS, seed=3, assumptions=Assumptions(cold_start=300)
    )
    history = simulate(scenario)
    violation = by_name(INVARIANT).judge(history).violations[0]
    return attrs.evolve(simple, scenario=scenario, digest=history.digest, violation=violation, explanation=EXPLANATION)


TEXT = to_json(found())
BYTES = TEXT.encode()
VERBS = st.sampled_from(["replay", "explain", "report", "run"])
STATUSES = {0, 1, 2}
BOUNDED = ("count", "over", "body_bytes", "until", "at")
"""Numbers that may make a run long: a file that asks for a million messages gets them."""


def told(verb: str, content: bytes) -> Result:
    """Run a verb on a file with such a content, in a directory of its own."""
    with tempfile.TemporaryDirectory() as location:
        file = Path(location) / "found.json"
        file.write_bytes(content)
        extra = ("--report-dir", f"{location}/reports") if verb == "report" else ()
        return CliRunner().invoke(main, [verb, str(file), *extra])


def check(result: Result) -> None:
    """Fail on anything but an answer: a status that the command line has, and few words where the input is wrong."""
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in STATUSES
    assert "Traceback" not in result.output
    if result.exit_code == 2:
        assert 1 <= len(result.stderr.splitlines()) <= 3


def test_whole_it_still_fails() -> None:
    """What the tests below damage is a counterexample that can be replayed and told."""
    assert "STILL FAILS" in told("replay", BYTES).output
    assert [told(verb, BYTES).exit_code for verb in ("replay", "explain", "report", "run")] == [1, 0, 0, 1]


@settings(max_examples=60)
@given(verb=VERBS, end=st.integers(0, len(BYTES) - 2))
def test_cut_off_anywhere(verb: str, end: int) -> None:
    """The beginning of a file is no counterexample, and is called cut off or, within a character, no text."""
    result = told(verb, BYTES[:end])
    check(result)
    assert result.exit_code == 2
    assert any(word in result.stderr for word in ("is cut off", "is empty", "is not text"))


@settings(max_examples=100)
@given(
    verb=VERBS,
    location=st.integers(0, len(BYTES) - 1),
    gone=st.integers(0, 4),
    new=st.one_of(st.binary(max_size=4), st.text('{}[]",:-.eE \n0tfnu\\', max_size=3).map(str.encode)),
)
def test_damaged_anywhere(verb: str, location: int, gone: int, new: bytes) -> None:
    """Some bytes are others; where it still is a counterexample, it has an outcome."""
    content = BYTES[:location] + new + BYTES[location + gone :]
    if not _is_long(content):
        check(told(verb, content))


VALUES: st.SearchStrategy[Json] = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        1,
        3,
        0.5,
        -0.5,
        1e300,
        10**30,
        2**53,
        "",
        "x",
        "orders",
        "ok",
        "→",
        "\ud800",
        "\0",
        [],
        {},
        [[]],
    ]
)


@settings(max_examples=120)
@given(data=st.data(), verb=VERBS)
def test_edited_anywhere(data: st.DataObject, verb: str) -> None:
    """One value is another, or one field is gone, or there is one more: refused by its path, or it has an outcome."""
    document: dict[str, Json] = json.loads(TEXT)
    spot = data.draw(st.sampled_from(_spots(document)))
    _edit(document, spot, data.draw(st.sampled_from(["set", "drop", "add"])), data.draw(VALUES))
    content = json.dumps(document).encode()
    if not _is_long(content):
        check(told(verb, content))


def _spots(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every value in a document."""
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [spot for key, part in inner for spot in ((*path, key), *_spots(part, (*path, key)))]


def _edit(document: Json, spot: tuple[str | int, ...], how: str, new: Json) -> None:
    for key in spot[:-1]:
        document = _at(document, key)
    last = spot[-1]
    if isinstance(document, dict) and isinstance(last, str):
        if how == "drop":
            del document[last]
        else:
            document[last if how == "set" else f"{last}_more"] = new
    elif isinstance(document, list) and isinstance(last, int):
        document[last : last + (how != "add")] = [] if how == "drop" else [new]


def _at(document: Json, key: str | int) -> Json:
    if isinstance(document, dict) and isinstance(key, str):
        return document[key]
    assert isinstance(document, list)
    assert isinstance(key, int)
    return document[key]


def _is_long(content: bytes) -> bool:
    """Tell whether a file asks for a run that would take long, which is its right."""
    try:
        document: Json = json.loads(content)
    except (ValueError, RecursionError):
        return False
    scenario = document.get("scenario") if isinstance(document, dict) else None
    return any(_exceeds(scenario, field) for field in BOUNDED)


def _exceeds(value: Json, field: str) -> bool:
    if isinstance(value, dict):
        found = value.get(field)
        large = isinstance(found, int | float) and abs(found) > 500
        return large or any(_exceeds(part, field) for part in value.values())
    return isinstance(value, list) and any(_exceeds(part, field) for part in value)
