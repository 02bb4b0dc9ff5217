"""Values drawn for a JSON Schema keep to it; what is not read is refused."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json
from chaosqs.strategies.schema import from_schema, is_schema

ORDER: dict[str, Json] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^o-[0-9]{1,4}$"},
        "amount": {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
        "count": {"type": "integer", "minimum": 3, "exclusiveMaximum": 5},
        "status": {"enum": ["open", "paid"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1, "maxItems": 2},
        "note": {"type": ["string", "null"], "maxLength": 3},
    },
    "required": ["id", "amount", "count", "status", "lines"],
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "properties": {"sku": {"const": "x1"}}, "required": ["sku"]}},
}


@given(from_schema(ORDER, "order.json"))
def test_values_keep_to_the_schema(value: Json) -> None:
    """Each keyword restricts them, and they are JSON."""
    assert isinstance(value, dict)
    assert json.loads(json.dumps(value)) == value
    assert re.fullmatch(r"o-[0-9]{1,4}\n?", str(value["id"]))
    assert isinstance(value["amount"], float)
    assert 0 < value["amount"] <= 100
    assert value["count"] in {3, 4}
    assert value["status"] in {"open", "paid"}
    assert value["lines"] in ([{"sku": "x1"}], [{"sku": "x1"}, {"sku": "x1"}])
    assert value.get("note") is None or len(str(value["note"])) <= 3
    assert set(value) <= {"id", "amount", "count", "status", "lines", "note"}


@given(st.data(), st.sampled_from(["date", "date-time", "email", "uri", "uuid"]))
def test_formats_are_texts(data: st.DataObject, form: str) -> None:
    """The usual ones are known."""
    assert isinstance(data.draw(from_schema({"type": "string", "format": form}, "x")), str)


@pytest.mark.parametrize(
    ("schema", "what"),
    [
        ({"allOf": []}, "the keyword allOf"),
        ({"anyOf": [{"type": "null"}], "minimum": 3}, "the keyword minimum"),
        ({"type": "string", "format": "hostname"}, "the format 'hostname'"),
        ({"type": "text"}, "the type 'text'"),
        ({"$ref": "#/$defs/none"}, "the reference '#/$defs/none'"),
        ({"$ref": "other.json"}, "the reference 'other.json'"),
        ({"$ref": "#"}, "a part that is not an object, or refers to itself"),
        ({"type": "array", "items": False}, "a part that is not an object"),
    ],
)
def test_what_is_not_read_is_refused(schema: dict[str, Json], what: str) -> None:
    """By name, with what to do instead."""
    with pytest.raises(InvalidInput, match=re.escape(f"x: the JSON Schema has {what}")):
        from_schema(schema, "x")


def test_a_schema_is_recognised() -> None:
    """It says so, or describes the properties of an object; a body does neither."""
    assert is_schema(ORDER)
    assert is_schema({"type": "object", "properties": {}})
    assert not is_schema({"type": "order", "properties": {}})
    assert not is_schema({"id": 1})
    assert not is_schema([])
