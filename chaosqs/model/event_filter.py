"""Which messages a mapping keeps: filter patterns in EventBridge's syntax, as Lambda reads them for SQS.

A pattern is an object. A key with a list holds where one of the list's rules holds for the value under that key; a key
with an object goes one level down; all keys of an object must hold, and one branch of each `$or` (FL-8).

An array in a message is crushed out: its elements stand for the value, and one that holds is enough. The keys of one
object must hold for one and the same element; in an array of objects each decides by itself what it has not (Assumed).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

import attrs

from chaosqs.model.filter_rules import (
    OPERATORS,
    InvalidPattern,
    Path,
    Test,
    compile_rule,
    is_absence,
    read_json,
    refuse,
)
from chaosqs.model.json import Json

MOST_CHARACTERS = 4_096
"""Of one pattern (EC-8)."""

_MOST_LEVELS = 100  # ours: AWS documents none, and nobody nests so deep
_BODY, _PLAIN_BODY = "body", "\0body"


class Match(Enum):
    """What becomes of a message; the value is the id of the rule. All but the first are deleted unseen (FL-2)."""

    MATCHED = "FL-3"
    """One of the filters holds, or there is none."""
    NOT_MATCHED = "FL-2"
    """No filter holds."""
    PLAIN_BODY = "FL-5"
    """Dropped: the filters want JSON in the body, and it is none."""
    JSON_BODY = "FL-6"
    """Dropped: the filters want plain text, and the body is JSON."""

    @property
    def dropped(self) -> bool:
        """Whether the format of the body alone decided."""
        return self in {Match.PLAIN_BODY, Match.JSON_BODY}


# The compiled pattern -----------------------------------------------------------------------------------------------


@attrs.frozen
class Rules:
    """The rules in one list; one of them is enough."""

    tests: tuple[Test, ...]
    absent: bool
    """Whether `{"exists": false}` is one of them: it holds where there is no leaf, an object being none (FL-8)."""

    def match(self, values: Sequence[Json]) -> bool:
        """Tell whether a rule holds for one of the values, arrays crushed out."""
        leaves = [value for value in _crushed(values) if not isinstance(value, dict)]
        return any(test(leaf) for leaf in leaves for test in self.tests) or (self.absent and not leaves)


@attrs.frozen
class Field:
    """One key of a pattern."""

    key: str
    node: Rules | Fields
    must_exist: bool
    """Whether the key itself must be there: true of a body of the other format, which satisfies nothing."""

    def match(self, document: Mapping[str, Json]) -> bool:
        """Tell whether the value under the key satisfies what the pattern has there."""
        if self.key in document:
            return self.node.match([document[self.key]])
        return not self.must_exist and self.node.match([])


@attrs.frozen
class Fields:
    """An object of a pattern: all its fields, and one branch of each `$or`."""

    fields: tuple[Field, ...]
    choices: tuple[tuple[Fields, ...], ...]

    def match(self, values: Sequence[Json]) -> bool:
        """Tell whether one object among the values satisfies all; where there is none, an empty one is asked."""
        return any(map(self.holds, [value for value in _crushed(values) if isinstance(value, dict)] or [{}]))

    def holds(self, document: Mapping[str, Json]) -> bool:
        """Tell whether an object satisfies all."""
        return all(field.match(document) for field in self.fields) and all(
            any(branch.holds(document) for branch in branches) for branches in self.choices
        )

    def formats(self) -> Iterator[str]:
        """Name the formats that this object, the outermost, wants the body in."""
        yield from (field.key for field in self.fields if field.must_exist)
        for branches in self.choices:
            for branch in branches:
                yield from branch.formats()


@attrs.frozen
class Pattern:
    """A filter pattern that AWS would take."""

    text: str
    root: Fields = attrs.field(eq=False, repr=False)
    formats: tuple[str, ...] = attrs.field(eq=False, repr=False)
    """In which formats it wants the body; empty where it looks at other keys only (FL-7)."""


_NO_METADATA: Mapping[str, Json] = {}


def matches(patterns: Sequence[Pattern], body: str, metadata: Mapping[str, Json] = _NO_METADATA) -> Match:
    """Return what becomes of a message with this body; several patterns are alternatives (FL-3).

    Lambda documents filtering on `body` only (FL-4), and at once a table by which other keys filter on metadata (FL-7).
    So such keys are taken (Assumed), and look into `metadata`: the message's event record, where the caller has one.

    A body is JSON if it is any JSON text, a bare number included (Assumed: FL-5 and FL-6 say no more than "JSON").
    """
    record = _record(body, metadata)
    if not patterns or any(pattern.root.holds(record) for pattern in patterns):
        return Match.MATCHED
    body_format = _PLAIN_BODY if _PLAIN_BODY in record else _BODY
    if any(not pattern.formats or body_format in pattern.formats for pattern in patterns):
        return Match.NOT_MATCHED
    return Match.PLAIN_BODY if body_format == _PLAIN_BODY else Match.JSON_BODY


def _record(body: str, metadata: Mapping[str, Json]) -> dict[str, Json]:
    record = {key: value for key, value in metadata.items() if key != _BODY}
    try:
        record[_BODY] = read_json(body)
    except (ValueError, RecursionError):
        record[_PLAIN_BODY] = body
    return record


def _crushed(values: Sequence[Json]) -> Iterator[Json]:
    """Yield the values with each array replaced by its elements, however deep."""
    waiting = list(reversed(values))
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(reversed(value))
        else:
            yield value


# Compiling ------------------------------------------------------------------------------------------------------------


def parse(text: str) -> Pattern:
    """Return the pattern that JSON text describes. Raises `InvalidPattern` where AWS would refuse it (EC-8, EC-24)."""
    if len(text) > MOST_CHARACTERS:
        raise InvalidPattern(f"It has {len(text):,} characters; at most {MOST_CHARACTERS:,} are allowed.", "EC-8")
    try:
        document = read_json(text)
    except (ValueError, RecursionError):
        refuse((), "must be JSON")
    if not isinstance(document, dict):
        refuse((), "must be a JSON object")
    root = _fields(document, ())
    return Pattern(text, root, tuple(root.formats()))


def _fields(document: dict[str, Json], path: Path) -> Fields:
    if not document:
        refuse(path, "must not be an empty object")
    if len(path) > _MOST_LEVELS:
        refuse(path[:1], f"must not be nested deeper than {_MOST_LEVELS} levels")
    fields: list[Field] = []
    choices: list[tuple[Fields, ...]] = []
    for key, value in document.items():
        branches = _branches(key, value)
        if branches:
            choices.append(tuple(_fields(branch, path) for branch in branches))
        else:
            fields.append(_field(value, (*path, key)))
    return Fields(tuple(fields), tuple(choices))


def _branches(key: str, value: Json) -> list[dict[str, Json]]:
    """Return the branches of an `$or`: two objects or more, none with an operator's name; else it is a plain key."""
    if key != "$or" or not isinstance(value, list):
        return []
    branches = [item for item in value if isinstance(item, dict) and not any(name in OPERATORS for name in item)]
    return branches if len(branches) == len(value) > 1 else []


def _field(value: Json, path: Path) -> Field:
    node = _fields(value, path) if isinstance(value, dict) else _rules(value, path)
    if path == (_BODY,):
        return Field(_BODY if isinstance(node, Fields) else _PLAIN_BODY, node, must_exist=True)
    return Field(path[-1], node, must_exist=False)


def _rules(value: Json, path: Path) -> Rules:
    if not isinstance(value, list):
        refuse(path, "must be a list of rules, or an object")
    if not value:
        refuse(path, "must have a rule in its list")
    present = [item for item in value if not is_absence(item)]
    return Rules(tuple(compile_rule(item, path) for item in present), absent=len(present) < len(value))
