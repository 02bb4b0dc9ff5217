"""A counterexample's file → the counterexample, or in a few words why it is none."""

from __future__ import annotations

from pathlib import Path

from chaosqs.errors import InvalidInput
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design
from chaosqs.model.values import Checks
from chaosqs.session.files import named, read_object, structured
from chaosqs.session.promises import known
from chaosqs.session.wording import relative_to


def read_counterexample(path: Path, root: Path) -> Counterexample:
    """Read a counterexample. Raises `InvalidInput`, with the file's name, for what is none or cannot be told."""
    file, fields = relative_to(root, path), read_object(path, root)
    if "violation" not in fields:
        raise InvalidInput(f"{file}: is no counterexample; give the scenario.json of a report")
    found = structured(Counterexample, fields, path, root)
    with named(file):
        known(found.invariant, found.design, root)
        refuse_unmapped(found.mapping, found.scenario.design, "its design")
        _refuse_miscounted(found)
    return found


def refuse_unmapped(mapping: str, design: Design, called: str) -> None:
    """Raise `InvalidInput` where a design, which is `called` so, does not have a mapping of that name."""
    there = [one.name for one in design.mappings]
    if mapping not in there:
        raise InvalidInput(f"{called} has no mapping {mapping!r}; there are {', '.join(there) or 'none'}")


def _refuse_miscounted(found: Counterexample) -> None:
    """Raise `InvalidInput` for counts that no search has counted: nothing could be told of them."""
    explanation, checks = found.explanation, Checks("explanation")
    for field, counted in (
        ("rate", explanation.rate),
        ("tipping", explanation.tipping),
        *((f"fixes[{place}]", fix) for place, fix in enumerate(explanation.fixes)),
    ):
        if counted is not None:
            checks.whole(f"{field}.of", counted.of, 0, None)
            checks.whole(f"{field}.violated", counted.violated, 0, max(0, counted.of))
    if checks.problems:
        raise InvalidInput(checks.problems)
