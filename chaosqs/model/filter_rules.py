"""One rule of a filter pattern: what it asks of one value, and how its JSON is read.

Lambda lists these for event filtering: a string, number, true, false or null, `exists`, `prefix`, `suffix`,
`equals-ignore-case`, `anything-but` and `numeric` (FL-8). Not listed there, and taken as EventBridge takes them
(Assumed): `equals-ignore-case` inside `prefix` and `suffix`; `prefix`, `suffix` and `equals-ignore-case` inside
`anything-but`. Refused: `wildcard`, which EventBridge keeps for the rules of event buses.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from functools import partial
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NoReturn, Self, TypeAlias

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json

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
