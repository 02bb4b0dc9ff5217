"""Values as JSON and back. Defaults are left out; unknown fields and wrong types are refused by path.

Every file carries the number of its schema; `migrated` converts files of older schemas.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseValidationError, ClassValidationError, Converter, IterableValidationError
from cattrs.errors import ForbiddenExtraKeysError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from chaosqs.errors import InvalidInput, InvalidScenario, Problem
from chaosqs.model import values
from chaosqs.model.explanation import (
    CutBy,
    MaybeValue,
    Part,
    Population,
    PremiseKind,
    ResourceKind,
    Side,
    Toll,
    Unknown,
    Value,
    VerdictWord,
)
from chaosqs.model.message import Attribute, Message, attribute
from chaosqs.model.workload import Burst, Load, Steady

# Schemas of files -----------------------------------------------------------------------------------------------------
#
# Older files are converted step by step; newer ones are refused, because nobody can guess what they mean. A file leaves
# out defaults, so the schema changes when a field is removed or gets another name, type or default: each such change
# comes with a step that writes what the file meant. A new field with the former behaviour as its default needs no step.
# `tests/model/test_form.py` checks this.

Json: TypeAlias = values.Json
"""A value that `json.loads` returns."""

Step: TypeAlias = Callable[[dict[str, Json]], dict[str, Json]]
"""A function from the fields of one schema to those of the next."""

KEY = "chaosqs"
"""Name of the field with the number of the schema."""


_FORMER_NAME = "is the former name of seed: write only seed"
_IN_MEMORY = {"history", "_luck"}
"""Fields that no file has: the history of a finding, and the former name of `seed`."""


def _without_explanation_text(fields: dict[str, Json]) -> dict[str, Json]:
    """Drop an explanation that cannot be converted, and mark it as outdated; `own_bug` is kept."""
    old = fields.get("explanation")
    if not isinstance(old, dict):
        return fields
    kept = {name: value for name, value in old.items() if name == "own_bug"}
    return {**fields, "explanation": kept if kept == old else {**kept, "outdated": True}}


def _with_seed(fields: dict[str, Json], path: str = "") -> dict[str, Json]:
    """Rename `luck` to `seed`, in a scenario or in the one that a counterexample holds."""
    scenario = fields.get("scenario")
    inner = {"scenario": _with_seed(scenario, "scenario.")} if isinstance(scenario, dict) else {}
    if "luck" in fields and "seed" in fields:
        raise InvalidScenario([Problem(f"{path}luck", str(fields["luck"]), _FORMER_NAME)])
    return {("seed" if name == "luck" else name): value for name, value in {**fields, **inner}.items()}


def _with_time_of_changes(fields: dict[str, Json]) -> dict[str, Json]:
    """Write the time that changes of mappings took: a minute, where a scenario says nothing else."""
    scenario = fields.get("scenario")
    if isinstance(scenario, dict):
        return {**fields, "scenario": _with_time_of_changes(scenario)}
    faults, given = fields.get("faults"), fields.get("assumptions", {})
    actions = faults.get("actions") if isinstance(faults, dict) else None
    changes = isinstance(actions, list) and any(
        isinstance(each, dict) and each.get("kind") == "change" for each in actions
    )
    if not changes or not isinstance(given, dict):
        return fields
    time = given.get("mapping_change", 60_000)
    return {**fields, "assumptions": {**given, "mapping_change": time, "mapping_change_least": time}}


_FORMER_REACTION: dict[str, Json] = {
    "throttle_retry": 2_000,
    "throttle_retry_limit": 16_000,
    "last_retry": 0,
    "throttle_reaction": 0,
    "receive_after_giving_up": 0,
    "let_go_on_error": 50,
    "let_go_in_proportion": 0,
}
"""Assumptions of the first release about pollers after throttles and errors; it left them out of its files."""


def _with_reaction(fields: dict[str, Json]) -> dict[str, Json]:
    """Write how pollers of the first release reacted to throttles and errors, where a scenario says nothing else."""
    scenario, given = fields.get("scenario"), fields.get("assumptions", {})
    if isinstance(scenario, dict):
        return {**fields, "scenario": _with_reaction(scenario)}
    if "design" not in fields or not isinstance(given, dict):
        return fields
    return {**fields, "assumptions": {**_FORMER_REACTION, **given}}


def _to_schema_2(fields: dict[str, Json]) -> dict[str, Json]:
    """Return the fields of any file of the first release, in the second schema."""
    return _with_reaction(_with_time_of_changes(_with_seed(_without_explanation_text(fields))))


def _to_schema_3(fields: dict[str, Json]) -> dict[str, Json]:
    """Return the fields of a file of schema 2 without its explanation, whose thresholds were claims of another kind."""
    return _without_explanation_text(fields)


STEPS: tuple[Step, ...] = (_to_schema_2, _to_schema_3)
"""The first step converts schema 1 to 2, and so on."""

SCHEMA = 1 + len(STEPS)
"""The schema of all files that chaosqs writes."""


def migrated(document: dict[str, Json], steps: Sequence[Step] = STEPS) -> dict[str, Json]:
    """Return the fields of a file in the present schema, without its number; a file without one is of the present one.

    Raises `InvalidScenario` for a schema that is newer or invalid.
    """
    fields = dict(document)
    present = 1 + len(steps)
    schema: object = fields.pop(KEY, present)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise InvalidScenario([Problem(KEY, repr(schema), f"must be the number of a schema, 1 to {present}")])
    if schema > present:
        must = f"must be a schema that this version reads, 1 to {present}: upgrade chaosqs{_writer(fields)}"
        raise InvalidScenario([Problem(KEY, str(schema), must)])
    for step in steps[schema - 1 :]:
        fields = step(fields)
    return fields


def _writer(fields: dict[str, Json]) -> str:
    """Return a sentence on the version that wrote a file; empty if the file does not name it."""
    versions = fields.get("versions")
    version = versions.get("chaosqs") if isinstance(versions, dict) else None
    return f"; the file says that chaosqs {version} wrote it" if isinstance(version, str) else ""


# Reading and writing --------------------------------------------------------------------------------------------------


_Kind = TypeVar("_Kind")

_LARGEST = 2**53
"""The largest whole number that all readers of JSON agree on; no setting comes near it."""
_LITERALS = ("true", "false", "null")


def to_json(value: attrs.AttrsInstance) -> str:
    """Return a value as JSON text, with the schema's version, two spaces of indentation and a final newline."""
    document = {KEY: SCHEMA, **_CONVERTER.unstructure(value)}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def from_json(kind: type[_Kind], text: str) -> _Kind:
    """Return the value that JSON text describes. Raises `InvalidScenario` with the path of each problem."""
    return structure(kind, parsed(text))


def parsed(text: str) -> Json:
    """Return the document that JSON text describes. Raises `InvalidScenario` with the place of the error."""
    try:
        document: Json = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"at line {error.lineno}, column {error.colno}: {error.msg}"
        raise InvalidScenario(f"is {_trouble(text, error)} {where}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidScenario(f"is not JSON that can be read: {error}") from None
    return document


def _trouble(text: str, error: json.JSONDecodeError) -> str:
    """Return the description of a text that is not JSON: empty, cut off, or something else."""
    if not text.strip():
        return "empty, not JSON"
    rest = text[error.pos :].strip()
    early = not rest or error.msg.startswith("Unterminated string") or any(word.startswith(rest) for word in _LITERALS)
    return "cut off: its JSON ends" if early else "not JSON"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def structure(kind: type[_Kind], document: Json) -> _Kind:
    """Return the value that a parsed JSON document describes; as `from_json`."""
    if not isinstance(document, dict):
        message = f"must be a JSON object that describes a {kind.__name__}"
        raise InvalidScenario(message)
    fields = migrated(document)
    try:
        return _CONVERTER.structure(fields, kind)
    except (BaseValidationError, InvalidInput) as error:
        raise InvalidScenario(list(_problems(error, ""))) from None


def _problems(error: BaseException, path: str) -> Iterator[Problem]:
    """Yield each problem with its path; cattrs nests one exception group for each level."""
    if isinstance(error, ClassValidationError):
        named, others = error.group_exceptions()
        for inner, field in named:
            yield from _problems(inner, f"{path}.{field.name}" if path else field.name)
        for inner in others:
            yield from _problems(inner, path)
    elif isinstance(error, IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from _problems(inner, f"{path}[{item.index!r}]")
    else:
        yield from _leaf(error, path)


def _leaf(error: BaseException, path: str) -> Iterator[Problem]:
    prefix = f"{path}." if path else ""
    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl) if field.name not in _IN_MEMORY]
        for name in sorted(error.extra_fields):
            former = name == "luck" and "seed" in known
            must = _FORMER_NAME if former else f"unknown field: there are {', '.join(known)}"
            yield Problem(f"{prefix}{name}", "", must)
    elif isinstance(error, InvalidInput) and error.problems:
        for problem in error.problems:
            yield attrs.evolve(problem, path=f"{prefix}{problem.path}")
    elif isinstance(error, KeyError):
        yield Problem(path or str(error.args[0]), "", "is required")
    elif isinstance(error, AttributeError):  # from cattrs, which calls `items` on whatever should be an object
        yield Problem(path, "", "must be an object")
    else:
        yield Problem(path, "", str(error))


def _shown(value: Json) -> str:
    return json.dumps(value)[:60]


def _strict(kind: type, name: str) -> Callable[[Json, type], Json]:
    """Return a hook that accepts values of one JSON type only; cattrs would convert others."""
    kinds = (int, float) if kind is float else (kind,)

    def hook(value: Json, _: type) -> Json:
        if isinstance(value, kinds) and (kind is bool or not isinstance(value, bool)):
            _refuse_extremes(value)
            return value
        message = f"must be {name}, not {_shown(value)}"
        raise TypeError(message)

    return hook


def _refuse_extremes(value: Json) -> None:
    """Raise TypeError for a value that has the right type but cannot be used: a lone surrogate, or a huge number."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise TypeError(f"must be text, and {_shown(value)} has a lone surrogate") from None
    if isinstance(value, int | float) and not abs(value) <= _LARGEST:
        raise TypeError(f"must be a number of at most {_LARGEST}")


def _object_hook(kind: type[attrs.AttrsInstance], converter: Converter) -> Callable[[Json, type], attrs.AttrsInstance]:
    """Return the hook for a class of chaosqs: it accepts a JSON object with the fields of the class and no others."""
    left_out = override(omit=True)  # see `_IN_MEMORY`
    structure_fields = make_dict_structure_fn(
        kind, converter, _cattrs_forbid_extra_keys=True, history=left_out, _luck=left_out
    )

    def hook(value: Json, _: type) -> attrs.AttrsInstance:
        if isinstance(value, dict):
            return structure_fields(value, kind)
        message = f"must be an object that describes a {kind.__name__}, not {_shown(value)}"
        raise TypeError(message)

    return hook


def _has_history(kind: type[attrs.AttrsInstance]) -> bool:
    return attrs.has(kind) and "history" in attrs.fields_dict(kind)


def _without_history(
    kind: type[attrs.AttrsInstance], converter: Converter
) -> Callable[[attrs.AttrsInstance], dict[str, Json]]:
    """Return the hook that leaves out the `history` of a value: its scenario determines it."""
    attrs.resolve_types(kind)
    return make_dict_unstructure_fn(kind, converter, _cattrs_omit_if_default=True, history=override(omit=True))


def _structure_load(value: Json, _: type) -> Load:
    if isinstance(value, dict) and "per_second" in value:
        return _CONVERTER.structure(value, Steady)
    return _CONVERTER.structure(value, Burst)


def _structure_message(value: Json, _: type) -> Message:
    """Return a message from its fields, or from its body alone."""
    if isinstance(value, str):
        value = {"body": value}
    if isinstance(value, dict) and isinstance(value.get("body"), dict | list):
        value = {**value, "body": json.dumps(value["body"])}
    message = _MESSAGE_HOOK(value, Message)
    assert isinstance(message, Message)
    return message


def _structure_attribute(value: Json, _: type) -> Attribute:
    return attribute(value)


def _unstructure_attribute(value: Attribute) -> Json:
    if value.data_type == "String" and isinstance(value.value, str):
        return value.value
    if isinstance(value.value, bytes):
        return {"DataType": value.data_type, "BinaryValue": b64encode(value.value).decode()}
    return {"DataType": value.data_type, "StringValue": value.value}


def _structure_value(value: Json, _: type) -> Value:
    """Return the value of a setting."""
    if value is None or isinstance(value, int):
        _refuse_extremes(value)
        return value
    message = f"must be a whole number, true, false or null, not {_shown(value)}"
    raise TypeError(message)


def _structure_maybe(value: Json, kind: type) -> MaybeValue:
    """Return the value of a setting, or an `Unknown` with the reason why nobody knows it."""
    return _CONVERTER.structure(value, Unknown) if isinstance(value, dict) else _structure_value(value, kind)


def _structure_literal(value: Json, kind: type) -> Json:
    """Return one of the allowed words."""
    words: tuple[str, ...] = get_args(kind)
    if value in words:
        return value
    message = f"must be one of {', '.join(words)}, not {_shown(value)}"
    raise TypeError(message)


def _structure_tuple(value: Json, kind: type) -> tuple[object, ...]:
    """Return the tuple for a JSON array; cattrs would also accept a string, character by character."""
    if not isinstance(value, list):
        message = f"must be an array, not {_shown(value)}"
        raise TypeError(message)
    kinds: tuple[object, ...] = get_args(kind)
    if kinds[-1] is Ellipsis:
        return tuple(_CONVERTER.structure(value, list[kinds[0]]))  # type: ignore[valid-type]
    if len(kinds) != len(value):
        message = f"must be an array of {len(kinds)}, not {len(value)}"
        raise TypeError(message)
    hooks = [_CONVERTER.get_structure_hook(kind) for kind in kinds]
    return tuple(hook(item, kind) for hook, item, kind in zip(hooks, value, kinds, strict=True))


def _is_tuple(kind: type) -> bool:
    return getattr(kind, "__origin__", None) is tuple


def _is_literal(kind: object) -> bool:
    return get_origin(kind) is Literal


def _make_converter() -> Converter:
    converter = Converter(omit_if_default=True)
    words = (CutBy, Part, Population, PremiseKind, ResourceKind, Side, Toll, VerdictWord)
    for kind, name in ((int, "a whole number"), (float, "a number"), (str, "a string"), (bool, "true or false")):
        converter.register_structure_hook(kind, _strict(kind, name))
    converter.register_structure_hook_factory(attrs.has, _object_hook)
    converter.register_unstructure_hook_factory(_has_history, _without_history)
    converter.register_structure_hook(Load, _structure_load)
    converter.register_structure_hook(Attribute, _structure_attribute)
    converter.register_unstructure_hook(Attribute, _unstructure_attribute)
    converter.register_structure_hook(Message, _structure_message)
    converter.register_structure_hook_func(lambda kind: kind == Value, _structure_value)
    converter.register_structure_hook_func(lambda kind: kind == MaybeValue, _structure_maybe)
    converter.register_structure_hook_func(_is_tuple, _structure_tuple)
    # For a design or scenario any string is accepted here, because its own checks name the allowed words and the rule.
    # An explanation has no checks of its own.
    converter.register_structure_hook_func(_is_literal, _strict(str, "a string"))
    converter.register_structure_hook_func(lambda kind: kind in words, _structure_literal)
    return converter


_CONVERTER = _make_converter()
_MESSAGE_HOOK = _object_hook(Message, _CONVERTER)
