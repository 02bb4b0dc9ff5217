"""Which messages a mapping keeps: filter patterns in EventBridge's syntax, as Lambda reads them for SQS.

A pattern is an object. A key with a list holds where one of the list's rules holds for the value under that key; a key
with an object goes one level down; all keys of an object must hold, and one branch of each `$or` (FL-8).

An array in a message is crushed out: its elements stand for the value, and one that holds is enough. The keys of one
object must hold for one and the same element; in an array of objects each decides by itself what it has not (Assumed).
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NoReturn, Self, TypeAlias

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json

# One rule of a filter pattern: what it asks of one value, and how its JSON is read. ----------------------------------
#
# Lambda lists these for event filtering: a string, number, true, false or null, `exists`, `prefix`, `suffix`,
# `equals-ignore-case`, `anything-but` and `numeric` (FL-8). Not listed there, and taken as EventBridge takes them
# (Assumed): `equals-ignore-case` inside `prefix` and `suffix`; `prefix`, `suffix` and `equals-ignore-case` inside
# `anything-but`. Refused: `wildcard`, which EventBridge keeps for the rules of event buses.

REFUSAL = "Invalid filter pattern definition."
"""What AWS answers to a malformed pattern, whatever is wrong with it (EC-24)."""
_EXACT = 2**53  # EventBridge compares doubles, and takes no number beyond the whole ones that a double holds exactly
_FOLDED = "equals-ignore-case"
_NEGATED = ("prefix", "suffix", _FOLDED)
_LOW, _HIGH = (">", ">="), ("<", "<=")

Path: TypeAlias = tuple[str, ...]
Test: TypeAlias = Callable[[Json], bool]
"""One rule, as a question about one value that is neither an array nor an object."""


class InvalidPattern(InvalidInput):
    """A filter pattern that AWS refuses. The message has AWS's words first, then what is wrong."""

    def __init__(self, detail: str, rule: str = "EC-24") -> None:
        """Take what is wrong, and the rule by which it is."""
        super().__init__(f"{REFUSAL} {detail} ({rule})")


class Number(float):
    """A JSON number that remembers its spelling: 300, 300.0 and 3.0e2 are not equal (FL-9)."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Read a number as JSON spells it."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_json(text: str) -> Json:
    """Return what JSON text says, numbers with their spelling. Raises ValueError or RecursionError where it is none."""
    document: Json = _READER.decode(text)
    return document


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


_READER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)


def refuse(path: Path, must: str) -> NoReturn:
    """Refuse a pattern for what stands at a path."""
    raise InvalidPattern(f"{'.'.join(path) or 'The pattern'} {must}.")


def is_absence(item: Json) -> bool:
    """Tell whether a rule is `{"exists": false}`, the only one that needs no value."""
    return isinstance(item, dict) and len(item) == 1 and item.get("exists") is False


def compile_rule(item: Json, path: Path) -> Test:
    """Return the question that a rule asks of a value. Raises `InvalidPattern`."""
    if isinstance(item, list):
        refuse(path, "must not have a list among its rules")
    if not isinstance(item, dict):
        return partial(_same, item)
    name, operand = _only(item, path)
    if name not in OPERATORS:
        refuse(path, f'has the operator "{name}"; Lambda has {", ".join(OPERATORS)}')
    return OPERATORS[name](operand, path)


def _only(item: dict[str, Json], path: Path) -> tuple[str, Json]:
    if len(item) != 1:
        refuse(path, "must have one operator in each rule that is an object")
    return next(iter(item.items()))


def _same(wanted: Json, leaf: Json) -> bool:
    """Compare character by character, numbers too (FL-9)."""
    if isinstance(wanted, Number):
        return isinstance(leaf, Number) and leaf.text == wanted.text
    return type(leaf) is type(wanted) and leaf == wanted


def _exists(operand: Json, path: Path) -> Test:
    if operand is not True:
        refuse(path, 'must have true or false for "exists"')
    return lambda _: True


def _text(compare: Callable[[str, str], bool], operand: Json, path: Path) -> Test:
    """Return a comparison of strings; a number is never compared as one."""
    folded = isinstance(operand, dict) and [*operand] == [_FOLDED]
    wanted = operand[_FOLDED] if isinstance(operand, dict) and folded else operand
    if not isinstance(wanted, str):
        refuse(path, "must compare with a string")
    if folded:
        small = wanted.lower()
        return lambda leaf: isinstance(leaf, str) and compare(leaf.lower(), small)
    return lambda leaf: isinstance(leaf, str) and compare(leaf, wanted)


def _ignoring_case(operand: Json, path: Path) -> Test:
    return _text(operator.eq, {_FOLDED: operand}, path)


def _anything_but(operand: Json, path: Path) -> Test:
    """Return the negation: it needs a value, of any type, and none is the same as no value."""
    name, values = _only(operand, path) if isinstance(operand, dict) else ("", operand)
    listed = values if isinstance(values, list) else [values]
    if name:
        if name not in _NEGATED or not listed:
            refuse(path, f'must have one of {", ".join(_NEGATED)} inside "anything-but"')
        tests = [OPERATORS[name](value, path) for value in listed]
    else:
        if not listed or not any(all(isinstance(value, kind) for value in listed) for kind in (str, Number)):
            refuse(path, 'must have a string, a number, only strings or only numbers for "anything-but"')
        tests = [partial(_same, value) for value in listed]
    return lambda leaf: not any(test(leaf) for test in tests)


def _numeric(operand: Json, path: Path) -> Test:
    """Return a comparison by value: one bound, or a lower and then an upper one (FL-9)."""
    terms = operand if isinstance(operand, list) else []
    signs = [sign for sign in terms[::2] if isinstance(sign, str) and sign in _COMPARISONS]
    bounds = [bound for bound in terms[1::2] if isinstance(bound, Number) and abs(bound) <= _EXACT]
    ranged = len(signs) > 1 and len(bounds) > 1 and signs[0] in _LOW and signs[1] in _HIGH and bounds[0] < bounds[1]
    if not len(terms) == 2 * len(signs) == 2 * len(bounds) == (4 if ranged else 2):
        refuse(path, 'must have "numeric" as [sign, number], or as [">" or ">=", low, "<" or "<=", high]')
    checks = [(_COMPARISONS[sign], bound) for sign, bound in zip(signs, bounds, strict=True)]
    return lambda leaf: (
        isinstance(leaf, Number) and abs(leaf) <= _EXACT and all(compare(leaf, bound) for compare, bound in checks)
    )


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _cidr(operand: Json, path: Path) -> Test:
    """Return whether a value is an address in a network. Assumed: published samples for SQS use it."""
    try:
        network = ip_network(operand) if isinstance(operand, str) else None
    except ValueError:
        network = None
    if network is None:
        refuse(path, 'must have a network such as "10.0.0.0/24" for "cidr"')
    return lambda leaf: isinstance(leaf, str) and _inside(leaf, network)


def _inside(text: str, network: IPv4Network | IPv6Network) -> bool:
    try:
        return ip_address(text) in network
    except ValueError:
        return False


OPERATORS: Mapping[str, Callable[[Json, Path], Test]] = {
    "exists": _exists,
    "prefix": partial(_text, str.startswith),
    "suffix": partial(_text, str.endswith),
    _FOLDED: _ignoring_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}
"""What a rule that is an object may be; no key of a branch of `$or` may have such a name."""


# ---------------------------------------------------------------------------------------------------------------------

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
