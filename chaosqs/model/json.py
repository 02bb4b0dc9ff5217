"""Values as JSON and back: defaults left out, unknown fields and wrong types refused by path.

Every file carries the version of the schema; a file of a newer one is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar, get_args, get_origin

import attrs
from cattrs import ClassValidationError, Converter, IterableValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn

from chaosqs.errors import InvalidInput, InvalidScenario, Problem
from chaosqs.model.workload import Burst, Load, Steady

SCHEMA = 1
"""Version of the schema of all files that chaosqs writes."""

Value = TypeVar("Value")


def to_json(value: attrs.AttrsInstance) -> str:
    """Return a value as JSON text, with the schema's version, two spaces of indentation and a final newline."""
    document = {"chaosqs": SCHEMA, **_CONVERTER.unstructure(value)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def from_json(kind: type[Value], text: str) -> Value:
    """Return the value that JSON text describes. Raises `InvalidScenario` with the path of each thing wrong."""
    try:
        document: object = json.loads(text)
    except ValueError as error:
        message = f"not JSON: {error}"
        raise InvalidScenario(message) from None
    return structure(kind, document)


def structure(kind: type[Value], document: object) -> Value:
    """Return the value that a parsed JSON document describes; as `from_json`."""
    if not isinstance(document, dict):
        message = f"must be a JSON object that describes a {kind.__name__}"
        raise InvalidScenario(message)
    fields = {str(key): value for key, value in document.items()}
    version = fields.pop("chaosqs", SCHEMA)
    if version != SCHEMA:
        raise InvalidScenario([Problem("chaosqs", repr(version), f"must be schema version {SCHEMA}: written by another version of chaosqs")])
    try:
        return _CONVERTER.structure(fields, kind)
    except Exception as error:
        problems = list(_problems(error, ""))
        raise InvalidScenario(problems) from None


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    """Everything that is wrong, each under its path: cattrs nests one exception group for each level."""
    match error:
        case ClassValidationError():
            for inner, note in error.group_exceptions()[0]:
                yield from _problems(inner, f"{path}.{note.name}" if path else note.name)
            for inner in error.group_exceptions()[1]:
                yield from _problems(inner, path)
        case IterableValidationError():
            for inner, note in error.group_exceptions()[0]:
                yield from _problems(inner, f"{path}[{note.index!r}]")
            for inner in error.group_exceptions()[1]:
                yield from _problems(inner, path)
        case ForbiddenExtraKeysError():
            for name in sorted(error.extra_fields):
                known = ", ".join(field.name for field in attrs.fields(error.cl))
                yield Problem(f"{path}.{name}" if path else name, "", f"unknown field: there are {known}")
        case InvalidInput(problems=problems) if problems:
            for problem in problems:
                yield attrs.evolve(problem, path=_join(path, problem.path))
        case KeyError():
            yield Problem(path or str(error.args[0]), "", "is required")
        case _:
            yield Problem(path, "", str(error))


def _join(path: str, inner: str) -> str:
    return f"{path}.{inner}" if path and inner else path or inner


def _strict(kind: type, name: str) -> Callable[[object, type], object]:
    """Return a hook that takes values of one JSON type only, where cattrs would convert."""

    def hook(value: object, _: type) -> object:
        if isinstance(value, kind) and not (kind is not bool and isinstance(value, bool)):
            return value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return value
        message = f"must be {name}, not {json.dumps(value, default=str)[:60]}"
        raise TypeError(message)

    return hook


def _object_hook(kind: type[attrs.AttrsInstance], converter: Converter) -> Callable[[object, type], object]:
    """Return the hook for a value of ours: a JSON object with its fields and no others."""
    structure_fields = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def hook(value: object, _: type) -> object:
        if isinstance(value, Mapping):
            return structure_fields(value, kind)
        message = f"must be an object that describes a {kind.__name__}, not {json.dumps(value, default=str)[:60]}"
        raise TypeError(message)

    return hook


def _structure_load(value: object, _: type) -> Load:
    steady = isinstance(value, Mapping) and "per_second" in value
    return _CONVERTER.structure(value, Steady if steady else Burst)


def _structure_tuple(value: object, kind: type) -> object:
    """Take a JSON array only: cattrs would take a string apart."""
    if not isinstance(value, list):
        message = f"must be an array, not {json.dumps(value, default=str)[:60]}"
        raise TypeError(message)
    arguments = get_args(kind)
    if len(arguments) == 2 and arguments[1] is Ellipsis:  # noqa: PLR2004 - tuple[X, ...]
        return tuple(_CONVERTER.structure(value, list[arguments[0]]))  # type: ignore[valid-type]
    if len(arguments) != len(value):
        message = f"must be an array of {len(arguments)}, not {len(value)}"
        raise TypeError(message)
    return tuple(_CONVERTER.structure(item, kind) for item, kind in zip(value, arguments, strict=True))


def _make_converter() -> Converter:
    converter = Converter(omit_if_default=True)
    for kind, name in ((int, "a whole number"), (float, "a number"), (str, "a string"), (bool, "true or false")):
        converter.register_structure_hook(kind, _strict(kind, name))
    converter.register_structure_hook_factory(attrs.has, _object_hook)
    converter.register_structure_hook(Load, _structure_load)
    converter.register_structure_hook_func(lambda kind: get_origin(kind) is tuple, _structure_tuple)
    return converter


_CONVERTER = _make_converter()
