"""A strategy for the values that a JSON Schema describes.

The keywords that schemas of messages use are read (drafts 6 to 2020-12); `oneOf` as `anyOf`. Any other keyword that
restricts values is refused by name, so that no value is drawn that the schema forbids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil, floor
from typing import TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json

Schema: TypeAlias = Mapping[str, Json]

_NOTES = {"$schema", "$id", "$defs", "definitions", "$comment", "title", "description", "default", "examples"}
"""Keywords that restrict nothing."""
_OF_OBJECTS = {"properties", "required", "additionalProperties"}
_OF_ARRAYS = {"items", "minItems", "maxItems", "uniqueItems"}
_OF_TEXTS = {"minLength", "maxLength", "pattern", "format"}
_OF_NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_ALONE = ("$ref", "const", "enum", "anyOf", "oneOf")
"""Keywords beside which only `type` is read."""
_READ = {"type", *_ALONE, *_OF_OBJECTS, *_OF_ARRAYS, *_OF_TEXTS, *_OF_NUMBERS}
_FORMATS: Mapping[str, SearchStrategy[Json]] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    "email": st.from_regex(r"[a-z]{1,9}@[a-z]{1,9}\.example", fullmatch=True),
    "uri": st.from_regex(r"https://[a-z]{1,9}\.example/[a-z]{0,9}", fullmatch=True),
    "uuid": st.uuids().map(str),
}
_PLAIN = st.characters(min_codepoint=32, max_codepoint=126)
_TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_LARGEST = 10**9
_MOST_ITEMS = 5
_MOST_CHARACTERS = 40
_DEEPEST = 20


def is_schema(document: Json) -> bool:
    """Return True for a document that says that it is a JSON Schema, or that has the properties of an object."""
    if not isinstance(document, dict):
        return False
    return "$schema" in document or (document.get("type") == "object" and isinstance(document.get("properties"), dict))


def from_schema(schema: Schema, where: str) -> SearchStrategy[Json]:
    """Return the strategy; `where` names the schema in errors. Raises `InvalidInput` for a keyword that is not read."""
    return _Reader(schema, where).strategy(schema, 0)


class _Reader:
    """Reads one schema."""

    def __init__(self, root: Schema, where: str) -> None:
        """Take the document that references are relative to."""
        self.root, self.where = root, where

    def strategy(self, given: Json | Schema, depth: int) -> SearchStrategy[Json]:
        """Return the strategy of a part of the schema."""
        if given is True:
            given = {}
        if not isinstance(given, Mapping) or depth > _DEEPEST:
            raise self.refusal("a part that is not an object, or refers to itself")
        unread = [name for name in given if name not in _READ | _NOTES]
        alone = [name for name in _ALONE if name in given]
        if alone:
            unread += [name for name in given if name not in {alone[0], "type"} | _NOTES]
        if unread:
            raise self.refusal(f"the keyword {unread[0]}")
        if "$ref" in given:
            return self.strategy(self.referred(str(given["$ref"])), depth + 1)
        if "const" in given:
            return st.just(given["const"])
        choices = given.get("enum")
        if isinstance(choices, list) and choices:
            return st.sampled_from(choices)
        for name in ("anyOf", "oneOf"):
            parts = given.get(name)
            if isinstance(parts, list) and parts:
                return st.one_of([self.strategy(part, depth + 1) for part in parts])
        kinds = given.get("type", list(_TYPES[:-2]))
        names = kinds if isinstance(kinds, list) else [kinds]
        return st.one_of([self.of_type(str(name), given, depth) for name in names])

    def of_type(self, name: str, given: Schema, depth: int) -> SearchStrategy[Json]:
        """Return the strategy of values of one type."""
        makers: dict[str, Callable[[], SearchStrategy[Json]]] = {
            "null": st.none,
            "boolean": st.booleans,
            "integer": lambda: _integers(given),
            "number": lambda: _numbers(given),
            "string": lambda: self.text(given),
            "array": lambda: self.array(given, depth),
            "object": lambda: self.object(given, depth),
        }
        if name not in makers:
            raise self.refusal(f"the type {name!r}")
        return makers[name]()

    def text(self, given: Schema) -> SearchStrategy[Json]:
        """Return the strategy of texts."""
        low, high = _size(given, "Length", _MOST_CHARACTERS)
        if "pattern" in given:
            found = st.from_regex(str(given["pattern"]), alphabet=_PLAIN)
            return found.filter(lambda text: low <= len(text) <= max(high, _MOST_CHARACTERS)).map(str)
        form = given.get("format")
        if form is not None:
            if str(form) not in _FORMATS:
                raise self.refusal(f"the format {form!r}")
            return _FORMATS[str(form)]
        return st.text(_PLAIN, min_size=low, max_size=high).map(str)

    def array(self, given: Schema, depth: int) -> SearchStrategy[Json]:
        """Return the strategy of arrays."""
        low, high = _size(given, "Items", _MOST_ITEMS)
        items = self.strategy(given.get("items", {"type": "string"}), depth + 1)
        unique = repr if given.get("uniqueItems") is True else None
        return st.lists(items, min_size=low, max_size=high, unique_by=unique).map(list)

    def object(self, given: Schema, depth: int) -> SearchStrategy[Json]:
        """Return the strategy of objects; fields that the schema does not name are not drawn."""
        properties, needed = given.get("properties", {}), given.get("required", [])
        if not isinstance(properties, dict) or not isinstance(needed, list):
            raise self.refusal("properties or required of a wrong type")
        fields = {name: self.strategy(part, depth + 1) for name, part in properties.items()}
        required = {str(name): fields.get(str(name), st.text(max_size=_MOST_ITEMS)) for name in needed}
        others = {name: part for name, part in fields.items() if name not in required}
        return st.fixed_dictionaries(required, optional=others).map(dict)

    def referred(self, reference: str) -> Json:
        """Return the part that a reference within the document names."""
        found: Json = dict(self.root)
        for part in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
            name = part.replace("~1", "/").replace("~0", "~")
            if not reference.startswith("#") or not isinstance(found, dict) or name not in found:
                raise self.refusal(f"the reference {reference!r}")
            found = found[name]
        return found

    def refusal(self, what: str) -> InvalidInput:
        """Return the error for something that is not read."""
        return InvalidInput(
            f"{self.where}: the JSON Schema has {what}, which is not read here.\n"
            "Name a function that returns a Hypothesis strategy instead: bodies = 'tests/bodies.py:orders'."
        )


def _figure(given: Schema, name: str) -> float | None:
    value = given.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _integers(given: Schema) -> SearchStrategy[Json]:
    minimum, above = _figure(given, "minimum"), _figure(given, "exclusiveMinimum")
    maximum, below = _figure(given, "maximum"), _figure(given, "exclusiveMaximum")
    lows = [*([] if minimum is None else [ceil(minimum)]), *([] if above is None else [floor(above) + 1])]
    highs = [*([] if maximum is None else [floor(maximum)]), *([] if below is None else [ceil(below) - 1])]
    low = max(lows, default=min([-_LARGEST, *highs]))
    return st.integers(low, min(highs, default=max(_LARGEST, low))).map(int)


def _numbers(given: Schema) -> SearchStrategy[Json]:
    minimum, above = _figure(given, "minimum"), _figure(given, "exclusiveMinimum")
    maximum, below = _figure(given, "maximum"), _figure(given, "exclusiveMaximum")
    lows = [figure for figure in (minimum, above) if figure is not None]
    highs = [figure for figure in (maximum, below) if figure is not None]
    low = max(lows, default=min([-float(_LARGEST), *highs]))
    found = st.floats(low, min(highs, default=max(float(_LARGEST), low)), allow_nan=False)
    return found.filter(lambda value: value not in (above, below)).map(float)


def _size(given: Schema, name: str, most: int) -> tuple[int, int]:
    """Return the least and the most characters or items; few where the schema allows many."""
    low, high = _figure(given, f"min{name}"), _figure(given, f"max{name}")
    least = 0 if low is None else int(low)
    return least, max(least, most if high is None else min(int(high), least + most))
