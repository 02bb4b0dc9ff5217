"""Values of expressions, and the functions that make values of values.

A function raises an error where its arguments do not fit.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import attrs

from chaosqs.importers.cloudformation.scope import Unknown
from chaosqs.importers.terraform.syntax import Block, Expression
from chaosqs.model.json import Json

MAXIMUM_TEXT = 20_000
"""Maximum characters of a text."""
MAXIMUM_ITEMS = 2_000
"""Maximum items of a list that a function makes."""
MAXIMUM_PARTS = 20_000
"""Maximum values in a list or mapping, those in its parts included."""
MAXIMUM_NUMBER = 10**30
"""Maximum amount of a number that is computed."""

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value] | Unknown | Encoded | Instance | Frame"
Names: TypeAlias = Mapping[str, Value]
"""Values of names that hold in a part of an expression: `each`, `count`, the variables of a `for`."""


@attrs.frozen
class Encoded:
    """The result of `jsonencode`, kept as its value: parts of it may be unknown."""

    value: Value


@attrs.frozen(eq=False)
class Input:
    """A value for a variable of a module."""

    expression: Expression
    frame: "Frame"
    names: Names
    how: str
    """Source of the value: `given` (in a file), `module.orders`."""


@attrs.define(eq=False)
class Frame:
    """One instance of a module: what its directory has, and its inputs."""

    path: str
    """`module.orders.`; empty for the root module."""
    directory: Path
    blocks: Mapping[tuple[str, ...], Block]
    """By kind and labels: `("resource", "aws_sqs_queue", "orders")`; a local is `("local", "name")`."""
    inputs: Mapping[str, Input] = attrs.field(factory=dict[str, Input])
    unread: str = ""
    """Reason why the module is not read; empty if it is."""
    line: int = 0
    """Line of the call, if the module is not in the tree but known here."""

    def of(self, kind: str) -> list[Block]:
        """Return the blocks of a kind."""
        return [block for key, block in self.blocks.items() if key[0] == kind]


@attrs.frozen(eq=False)
class Instance:
    """One instance of a resource or a data source."""

    address: str
    block: Block
    frame: Frame
    names: Names


# Values ---------------------------------------------------------------------------------------------------------------


def whole(value: Scalar) -> Scalar:
    """Return a number without fraction as a whole one, and anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def is_large(values: Iterable[Value]) -> bool:
    """Return True if some values have more parts than `MAXIMUM_PARTS`, those that are shared counted each time."""
    left, waiting = MAXIMUM_PARTS, list(values)
    while waiting and left > 0:
        value = waiting.pop()
        inner = value.value if isinstance(value, Encoded) else value
        if isinstance(inner, dict | list):
            more = inner.values() if isinstance(inner, dict) else inner
            left -= len(more)
            waiting += list(more) if left > 0 else []
    return left <= 0


def unknown_in(values: Iterable[Value], *, deep: bool) -> Unknown | None:
    """Return the first unknown value among some, `deep`: also in their parts; None if there is none."""
    for value in values:
        if isinstance(value, Unknown):
            return value
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        found = unknown_in(inner, deep=True) if deep else None
        if found is not None:
            return found
    return None


def text_of(value: Value) -> str | None:
    """Return a value as text, as in a template; None for anything but texts, numbers and truth values."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return f"{whole(value)}"
        case Encoded(value=inner) if unknown_in([inner], deep=True) is None:
            return json.dumps(_plain(inner), separators=(",", ":"))
        case _:
            return None


def _plain(value: Value) -> object:
    match value:
        case dict():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return text_of(value)


def number_of(value: Value) -> int | float | None:
    """Return a number, which may be written as text; None for anything else."""
    if isinstance(value, str):
        try:
            value = whole(float(value)) if re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value) else None
        except ValueError:
            return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def truth_of(value: Value) -> bool | None:
    """Return a truth value, which may be written as text; None for anything else."""
    return (
        {True: True, False: False, "true": True, "false": False}.get(value) if isinstance(value, bool | str) else None
    )


# Functions ------------------------------------------------------------------------------------------------------------


class _Misfit(ValueError):
    """Raised if a function does not fit its arguments."""


def _text(value: Value) -> str:
    text = text_of(value)
    if text is None:
        raise _Misfit
    return text


def _number(value: Value) -> int | float:
    number = number_of(value)
    if number is None:
        raise _Misfit
    return number


def _list(value: Value) -> list[Value]:
    if isinstance(value, list):
        return value
    raise _Misfit


def _table(value: Value) -> dict[str, Value]:
    if isinstance(value, dict):
        return value
    raise _Misfit


def _numbers(values: tuple[Value, ...]) -> list[int | float]:
    return [_number(each) for value in values for each in (value if isinstance(value, list) else [value])]


def _merge(*tables: Value) -> Value:
    return {key: value for table in tables if table is not None for key, value in _table(table).items()}


def _concat(*lists: Value) -> Value:
    found = [each for items in lists for each in _list(items)]
    if len(found) > MAXIMUM_ITEMS:
        raise _Misfit
    return found


def _lookup(*arguments: Value) -> Value:
    known, name = _table(arguments[0]), _text(arguments[1])
    return known[name] if name in known else arguments[2]


def _format(*arguments: Value) -> Value:
    pattern, *left = arguments

    def one(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        value = left.pop(0)
        width = found[1]
        if found[2] in "df":
            number = _number(value)
            return f"%{width}d" % number if found[2] == "d" else f"%{width}f" % number
        return f"%{width}s" % _text(value)

    text = re.sub(r"%%|%([-+0]?\d{0,3}(?:\.\d{1,2})?)([sdvfq])", one, _text(pattern))
    if left:
        raise _Misfit
    return text


def _flatten(items: Value) -> Value:
    found = list[Value]()
    for each in _list(items):
        inner = _flatten(each) if isinstance(each, list) else [each]
        found += inner if isinstance(inner, list) else []
    return _concat(found)


def _distinct(items: Value) -> Value:
    found = list[Value]()
    for each in _list(items)[:MAXIMUM_ITEMS]:
        if each not in found:
            found.append(each)
    return found


def _length(value: Value) -> Value:
    if isinstance(value, str | list | dict):
        return len(value)
    raise _Misfit


def _element(items: Value, index: Value) -> Value:
    known = _list(items)
    return known[int(_number(index)) % len(known)]


def _one(items: Value) -> Value:
    known = _list(items)
    if len(known) > 1:
        raise _Misfit
    return known[0] if known else None


def _tobool(value: Value) -> Value:
    outcome = truth_of(value)
    if outcome is None:
        raise _Misfit
    return outcome


def _jsondecode(value: Value) -> Value:
    return value.value if isinstance(value, Encoded) else read_json(_text(value))


def read_json(text: str) -> Value:
    """Return the value of JSON text. Raises `ValueError`."""
    try:
        document: Json = json.loads(text[:MAXIMUM_TEXT])
        return _from_json(document)
    except RecursionError:
        raise ValueError from None


def _from_json(value: Json) -> Value:
    match value:
        case dict():
            return {key: _from_json(each) for key, each in value.items()}
        case list():
            return [_from_json(each) for each in value]
        case None | bool() | int() | float() | str():
            return value


def _replace(text: Value, old: Value, new: Value) -> Value:
    if len(_text(old)) > 1 and _text(old)[0] == _text(old)[-1] == "/":
        raise _Misfit  # a regular expression
    return _text(text).replace(_text(old), _text(new))[:MAXIMUM_TEXT]


def _join(*arguments: Value) -> Value:
    return _text(arguments[0]).join(_text(each) for each in _list(_concat(*arguments[1:])))


def _range(*bounds: Value) -> Value:
    return [*range(*(int(_number(each)) for each in bounds))[:MAXIMUM_ITEMS]]


def _same(value: Value) -> Value:
    return value


def _rounded(value: Value, *, up: bool) -> Value:
    number = _number(value)
    return -int(-number // 1) if up else int(number // 1)


class _OfMany(Protocol):
    def __call__(self, *arguments: Value) -> Value: ...


_OF_ONE: Mapping[str, Callable[[Value], Value]] = {
    "abs": lambda value: abs(_number(value)),
    "basename": lambda text: Path(_text(text)).name,
    "ceil": lambda value: _rounded(value, up=True),
    "compact": lambda items: [each for each in _list(items) if each not in (None, "")],
    "dirname": lambda text: str(Path(_text(text)).parent),
    "distinct": _distinct,
    "flatten": _flatten,
    "floor": lambda value: _rounded(value, up=False),
    "jsondecode": _jsondecode,
    "jsonencode": Encoded,
    "keys": lambda table: [*sorted(_table(table))],
    "length": _length,
    "lower": lambda text: _text(text).lower(),
    "nonsensitive": _same,
    "one": _one,
    "sensitive": _same,
    "sort": lambda items: [*sorted(_text(each) for each in _list(items))],
    "sum": lambda items: sum(_numbers((items,))),
    "title": lambda text: _text(text).title(),
    "tobool": _tobool,
    "tolist": _list,
    "tomap": _table,
    "tonumber": _number,
    "toset": _distinct,
    "tostring": _text,
    "trimspace": lambda text: _text(text).strip(),
    "upper": lambda text: _text(text).upper(),
    "values": lambda table: [value for _, value in sorted(_table(table).items())],
}
_OF_TWO: Mapping[str, Callable[[Value, Value], Value]] = {
    "contains": lambda items, value: value in _list(items),
    "element": _element,
    "endswith": lambda text, end: _text(text).endswith(_text(end)),
    "split": lambda between, text: [*_text(text).split(_text(between))],
    "startswith": lambda text, start: _text(text).startswith(_text(start)),
    "trim": lambda text, chars: _text(text).strip(_text(chars)),
    "trimprefix": lambda text, start: _text(text).removeprefix(_text(start)),
    "trimsuffix": lambda text, end: _text(text).removesuffix(_text(end)),
    "zipmap": lambda keys, values: dict(zip(map(_text, _list(keys)), _list(values), strict=True)),
}
_OF_THREE: Mapping[str, Callable[[Value, Value, Value], Value]] = {
    "replace": _replace,
    "slice": lambda items, start, end: _list(items)[int(_number(start)) : int(_number(end))],
    "substr": lambda text, start, size: _text(text)[int(_number(start)) :][
        : int(_number(size)) if size != -1 else None
    ],
}
_OF_MANY: Mapping[str, _OfMany] = {
    "concat": _concat,
    "format": _format,
    "join": _join,
    "lookup": _lookup,
    "max": lambda *values: max(_numbers(values)),
    "merge": _merge,
    "min": lambda *values: min(_numbers(values)),
    "range": _range,
}
FUNCTIONS = frozenset({*_OF_ONE, *_OF_TWO, *_OF_THREE, *_OF_MANY})
STRUCTURAL = frozenset(
    {"concat", "element", "flatten", "jsondecode", "jsonencode", "keys", "length", "lookup", "merge", "nonsensitive"}
    | {"one", "sensitive", "slice", "tolist", "tomap", "toset", "values", "zipmap"}
)
"""Functions that give a value even where a part of a collection is unknown."""


def applied(name: str, arguments: Sequence[Value]) -> Value:
    """Return the result of a function. Raises an error if the arguments do not fit."""
    match arguments:
        case [only] if name in _OF_ONE:
            return _OF_ONE[name](only)
        case [first, second] if name in _OF_TWO:
            return _OF_TWO[name](first, second)
        case [first, second, third] if name in _OF_THREE:
            return _OF_THREE[name](first, second, third)
        case _:
            return _OF_MANY[name](*arguments)
