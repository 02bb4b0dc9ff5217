"""A counterexample's file → the counterexample → what becomes of it when it runs again."""

from __future__ import annotations

from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explorer.replay import Outcome, replay
from chaosqs.model.counterexample import Counterexample
from chaosqs.report.story import story
from chaosqs.session.files import read_object, structured
from chaosqs.session.place import Place, place_of
from chaosqs.session.promises import known
from chaosqs.session.wording import relative_to
from chaosqs.simulator.run import isolated

FIXED = Outcome.FIXED
"""What a replay comes to when the invariant is not violated any more."""


@attrs.frozen
class Replayed:
    """What became of a counterexample."""

    file: str
    """As one writes it in the root directory."""
    outcome: Outcome
    counterexample: Counterexample
    story: str
    """The story of this run, or, where the violation is gone, the sentence that used to be true."""
    place: Place


def read_counterexample(path: Path, root: Path) -> Counterexample:
    """Read a counterexample. Raises `InvalidInput` with the file's name where it is none, or of another version."""
    fields = read_object(path, root)
    if "violation" not in fields:
        raise InvalidInput(f"{relative_to(root, path)}: is no counterexample; give the scenario.json of a report")
    found = structured(Counterexample, fields, path, root)
    mappings = [mapping.name for mapping in found.scenario.design.mappings]
    try:
        known(found.invariant, found.design, root)
    except InvalidInput as error:
        raise InvalidInput(f"{relative_to(root, path)}: {error}") from None
    if found.mapping not in mappings:
        there = ", ".join(mappings) or "none"
        raise InvalidInput(f"{relative_to(root, path)}: its design has no mapping {found.mapping!r}; there are {there}")
    return found


def replayed(path: Path, root: Path) -> Replayed:
    """Run a counterexample again. Raises `InvalidInput` as `read_counterexample` does, or for an unknown invariant."""
    found, file = read_counterexample(path, root), relative_to(root, path)
    try:
        again = replay(found)
    except ValueError as error:
        raise InvalidInput(f"{file}: {error}") from None
    if again.outcome is Outcome.FIXED:
        return Replayed(file, again.outcome, found, f"It used to be: {found.violation.text}\n", place_of(found))
    now = attrs.evolve(found, violation=again.verdict.violations[0])
    return Replayed(file, again.outcome, found, story(now, again.history, replay=file), place_of(found))


def story_of(path: Path, root: Path) -> str:
    """Return the story of a counterexample, with the explanation that its file has. Raises as `read_counterexample`."""
    found = read_counterexample(path, root)
    return story(found, isolated(found.scenario), replay=relative_to(root, path))
