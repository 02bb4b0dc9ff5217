"""Files of older schemas → the present one, step by step. A newer one is refused: nobody can guess what it means.

A file leaves out what is at its default, so the schema is changed by a field that goes or gets another name or type,
and by a default that becomes another one: such a change comes with a step that writes what the file meant. A new field
whose default is what always was needs none. `tests/model/test_form.py` holds this.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from chaosqs.errors import InvalidScenario, Problem

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
"""What `json.loads` returns."""

Step: TypeAlias = Callable[[dict[str, Json]], dict[str, Json]]
"""The fields of a file of some schema → those of the next."""

KEY = "chaosqs"
"""The field that has the number of the schema."""

STEPS: tuple[Step, ...] = ()
"""The first makes schema 1 into 2, and so on. There was no need for one yet: all that was ever added has a default."""

SCHEMA = 1 + len(STEPS)
"""The schema of all files that chaosqs writes."""


def migrated(document: dict[str, Json], steps: Sequence[Step] = STEPS) -> dict[str, Json]:
    """Return the fields of a file in the present schema, without its number; a file without one is of the present one.

    Raises `InvalidScenario` for a schema that is newer, or none.
    """
    fields = dict(document)
    present = 1 + len(steps)
    schema: object = fields.pop(KEY, present)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise InvalidScenario([Problem(KEY, repr(schema), f"must be the number of a schema, 1 to {present}")])
    if schema > present:
        must = f"is the schema of {_writer(fields)}; this one reads schemas up to {present}: update chaosqs"
        raise InvalidScenario([Problem(KEY, str(schema), must)])
    for step in steps[schema - 1 :]:
        fields = step(fields)
    return fields


def _writer(fields: dict[str, Json]) -> str:
    """Return who wrote a file: `chaosqs 0.4.0`, or what can be said of a file that does not tell."""
    versions = fields.get("versions")
    version = versions.get("chaosqs") if isinstance(versions, dict) else None
    return f"chaosqs {version}" if isinstance(version, str) else "a later chaosqs"
