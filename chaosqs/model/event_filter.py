"""Event filters of a mapping: filter patterns in EventBridge's syntax, as Lambda applies them to SQS messages.

A pattern is an object. A key with a list matches if one of the list's rules matches the value under that key; a key
with an object goes one level down; all keys of an object must match, and one branch of each `$or` (FL-8).

An array in a message is flattened: its elements replace it, and one that matches is enough. All keys of one object
must match the same element; in an array of objects, each object alone determines which keys are absent (Assumed).
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

# The rules of a filter pattern ---------------------------------------------------------------------------------------
#
# Lambda lists these for event filtering: a string, number, true, false or null, `exists`, `prefix`, `suffix`,
# `equals-ignore-case`, `anything-but` and `numeric` (FL-8). Not listed there, but accepted as EventBridge accepts them
# (Assumed): `equals-ignore-case` inside `prefix` and `suffix`; `prefix`, `suffix` and `equals-ignore-case` inside
# `anything-but`. Refused: `wildcard`, which EventBridge supports only in the rules of event buses.

REFUSAL = "Invalid filter pattern definition."
"""AWS's error message for every malformed pattern (EC-24)."""
_MAX_NUMBER = 2**53  # EventBridge compares doubles, and takes no number beyond the whole ones that they hold exactly
_IGNORE_CASE = "equals-ignore-case"
_INSIDE_ANYTHING_BUT = ("prefix", "suffix", _IGNORE_CASE)
_LOWER, _UPPER = (">", ">="), ("<", "<=")

Path: TypeAlias = tuple[str, ...]
Test: TypeAlias = Callable[[Json], bool]
"""The predicate of one rule, for one value that is neither an array nor an object."""


class InvalidPattern(InvalidInput):
    """A filter pattern that AWS refuses. The message starts with AWS's words; the detail follows."""

    def __init__(self, detail: str, rule: str = "EC-24") -> None:
        """Build the error from its detail and the ledger rule that the pattern breaks."""
        super().__init__(f"{REFUSAL} {detail} ({rule})")


class Number(float):
    """A JSON number that keeps its spelling: 300, 300.0 and 3.0e2 are not equal (FL-9)."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        """Parse a JSON number."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def read_json(text: str) -> Json:
    """Return the value of JSON text; numbers keep their spelling. Raises ValueError or RecursionError for any other."""
    document: Json = _READER.decode(text)
    return document


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


_READER = json.JSONDecoder(parse_int=Number, parse_float=Number, parse_constant=_no_constant)


def refuse(path: Path, must: str) -> NoReturn:
    """Raise `InvalidPattern` for the part of a pattern at a path."""
    raise InvalidPattern(f"{'.'.join(path) or 'The pattern'} {must}.")


def is_absence(item: Json) -> bool:
    """Return True if a rule is `{"exists": false}`, the only rule that needs no value."""
    return isinstance(item, dict) and len(item) == 1 and item.get("exists") is False


def compile_rule(item: Json, path: Path) -> Test:
    """Return the predicate of a rule. Raises `InvalidPattern`."""
    if isinstance(item, list):
        refuse(path, "must not have a list among its rules")
    if not isinstance(item, dict):
        return partial(_equal, item)
    name, operand = _only(item, path)
    if name not in OPERATORS:
        refuse(path, f'has the operator "{name}"; Lambda has {", ".join(OPERATORS)}')
    return OPERATORS[name](operand, path)


def _only(item: dict[str, Json], path: Path) -> tuple[str, Json]:
    if len(item) != 1:
        refuse(path, "must have one operator in each rule that is an object")
    return next(iter(item.items()))


def _equal(wanted: Json, leaf: Json) -> bool:
    """Compare character by character, numbers too (FL-9)."""
    if isinstance(wanted, Number):
        return isinstance(leaf, Number) and leaf.text == wanted.text
    return type(leaf) is type(wanted) and leaf == wanted


def _exists(operand: Json, path: Path) -> Test:
    if operand is not True:
        refuse(path, 'must have true or false for "exists"')
    return lambda _: True


def _text(compare: Callable[[str, str], bool], operand: Json, path: Path) -> Test:
    """Return a comparison of strings; it never matches a number."""
    ignore_case = isinstance(operand, dict) and [*operand] == [_IGNORE_CASE]
    wanted = operand[_IGNORE_CASE] if isinstance(operand, dict) and ignore_case else operand
    if not isinstance(wanted, str):
        refuse(path, "must compare with a string")
    if ignore_case:
        small = wanted.lower()
        return lambda leaf: isinstance(leaf, str) and compare(leaf.lower(), small)
    return lambda leaf: isinstance(leaf, str) and compare(leaf, wanted)


def _ignoring_case(operand: Json, path: Path) -> Test:
    return _text(operator.eq, {_IGNORE_CASE: operand}, path)


def _anything_but(operand: Json, path: Path) -> Test:
    """Return a test that a value, of any type, equals or matches none of the operands; an absent value never passes."""
    name, values = _only(operand, path) if isinstance(operand, dict) else ("", operand)
    listed = values if isinstance(values, list) else [values]
    if name:
        if name not in _INSIDE_ANYTHING_BUT or not listed:
            refuse(path, f'must have one of {", ".join(_INSIDE_ANYTHING_BUT)} inside "anything-but"')
        tests = [OPERATORS[name](value, path) for value in listed]
    else:
        if not listed or not any(all(isinstance(value, kind) for value in listed) for kind in (str, Number)):
            refuse(path, 'must have a string, a number, only strings or only numbers for "anything-but"')
        tests = [partial(_equal, value) for value in listed]
    return lambda leaf: not any(test(leaf) for test in tests)


def _numeric(operand: Json, path: Path) -> Test:
    """Return a comparison by value: one bound, or a lower and then an upper one (FL-9)."""
    terms = operand if isinstance(operand, list) else []
    signs = [sign for sign in terms[::2] if isinstance(sign, str) and sign in _COMPARISONS]
    bounds = [bound for bound in terms[1::2] if isinstance(bound, Number) and abs(bound) <= _MAX_NUMBER]
    ranged = len(signs) > 1 and len(bounds) > 1 and signs[0] in _LOWER and signs[1] in _UPPER and bounds[0] < bounds[1]
    if not len(terms) == 2 * len(signs) == 2 * len(bounds) == (4 if ranged else 2):
        refuse(path, 'must have "numeric" as [sign, number], or as [">" or ">=", low, "<" or "<=", high]')
    checks = [(_COMPARISONS[sign], bound) for sign, bound in zip(signs, bounds, strict=True)]
    return lambda leaf: (
        isinstance(leaf, Number) and abs(leaf) <= _MAX_NUMBER and all(compare(leaf, bound) for compare, bound in checks)
    )


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _cidr(operand: Json, path: Path) -> Test:
    """Return a test for an address in a network. Assumed: published samples for SQS use it."""
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
    _IGNORE_CASE: _ignoring_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": _cidr,
}
"""The operators of rules that are objects; no key of a branch of `$or` may have such a name."""


# Filtering a message --------------------------------------------------------------------------------------------------

MOST_CHARACTERS = 4_096
"""Maximum length of one pattern (EC-8)."""

_MOST_LEVELS = 100  # a limit of chaosqs: AWS documents none
_BODY, _PLAIN_BODY = "body", "\0body"  # keys of a JSON body and of a plain-text body in a record


class Match(Enum):
    """The result of filtering a message, with its ledger id; unless it matched, it is deleted unseen (FL-2)."""

    MATCHED = "FL-3"
    """One of the filters matches, or there is no filter."""
    NOT_MATCHED = "FL-2"
    """No filter matches."""
    PLAIN_BODY = "FL-5"
    """Dropped: the filters require JSON in the body, and the body is not JSON."""
    JSON_BODY = "FL-6"
    """Dropped: the filters require plain text, and the body is JSON."""

    @property
    def dropped(self) -> bool:
        """True if the format of the body alone decided."""
        return self in {Match.PLAIN_BODY, Match.JSON_BODY}


# The compiled pattern -----------------------------------------------------------------------------------------------


@attrs.frozen
class Rules:
    """The rules in one list; one of them is enough."""

    tests: tuple[Test, ...]
    absent: bool
    """True if `{"exists": false}` is one of them: it matches where there is no leaf; an object is no leaf (FL-8)."""

    def match(self, values: Sequence[Json]) -> bool:
        """Return True if a rule matches one of the values, arrays flattened."""
        leaves = [value for value in _flattened(values) if not isinstance(value, dict)]
        return any(test(leaf) for leaf in leaves for test in self.tests) or (self.absent and not leaves)


@attrs.frozen
class Field:
    """One key of a pattern."""

    key: str
    node: Rules | Fields
    must_exist: bool
    """True if an absent key never matches: so for the body, which is absent under this key in the other format."""

    def match(self, document: Mapping[str, Json]) -> bool:
        """Return True if the value under the key, or its absence, matches this part of the pattern."""
        if self.key in document:
            return self.node.match([document[self.key]])
        return not self.must_exist and self.node.match([])


@attrs.frozen
class Fields:
    """An object of a pattern: all its fields, and one branch of each `$or`."""

    fields: tuple[Field, ...]
    choices: tuple[tuple[Fields, ...], ...]

    def match(self, values: Sequence[Json]) -> bool:
        """Return True if one object among the values matches; without any object, an empty one is tested."""
        return any(map(self.holds, [value for value in _flattened(values) if isinstance(value, dict)] or [{}]))

    def holds(self, document: Mapping[str, Json]) -> bool:
        """Return True if an object matches all fields and choices."""
        return all(field.match(document) for field in self.fields) and all(
            any(branch.holds(document) for branch in branches) for branches in self.choices
        )

    def has_others(self) -> bool:
        """Return whether this object, the outermost one, tests other keys than the body."""
        branches = (branch for choice in self.choices for branch in choice)
        return any(not field.must_exist for field in self.fields) or any(branch.has_others() for branch in branches)

    def formats(self) -> Iterator[str]:
        """Yield the body formats that this object, the outermost one, requires."""
        yield from (field.key for field in self.fields if field.must_exist)
        for branches in self.choices:
            for branch in branches:
                yield from branch.formats()


@attrs.frozen
class Pattern:
    """A filter pattern that AWS would accept."""

    text: str
    root: Fields = attrs.field(eq=False, repr=False)
    formats: tuple[str, ...] = attrs.field(eq=False, repr=False)
    """Body formats that the pattern requires; empty if it tests only other keys (FL-7)."""
    others: bool = attrs.field(eq=False, repr=False)
    """True if the pattern tests other keys than `body`."""


_NO_METADATA: Mapping[str, Json] = {}


def matches(patterns: Sequence[Pattern], body: str, metadata: Mapping[str, Json] | None = _NO_METADATA) -> Match:
    """Return the result for a message with this body; several patterns are alternatives (FL-3).

    Lambda documents filtering on `body` only (FL-4), but also a table by which other keys filter on metadata (FL-7).
    Such keys are therefore accepted (Assumed). `metadata`: the message's event record, which they test; None: a pattern
    that has such keys matches no message.

    Any JSON text counts as a JSON body, even a bare number (Assumed: FL-5 and FL-6 say no more than "JSON").
    """
    record = _record(body, metadata or _NO_METADATA)
    usable = patterns if metadata is not None else [pattern for pattern in patterns if not pattern.others]
    if not patterns or any(pattern.root.holds(record) for pattern in usable):
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


def _flattened(values: Sequence[Json]) -> Iterator[Json]:
    """Yield the values with each array replaced by its elements, at any depth."""
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
    return Pattern(text, root, tuple(root.formats()), root.has_others())


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
    """Return the branches of an `$or`: two or more objects, none with an operator as key; else `$or` is a plain key."""
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
