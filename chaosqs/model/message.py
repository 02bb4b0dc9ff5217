"""Messages that producers send: body, message attributes, and the ids of FIFO queues; and what SQS accepts of them."""

import json
import re
import string
from base64 import b64decode
from binascii import Error
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from chaosqs.errors import InvalidScenario, Problem
from chaosqs.model.values import Checks

# Message attributes: their types and names (AT-1 … AT-3) -------------------------------------------------------------

MOST_ATTRIBUTES = 10
"""Maximum message attributes of a message (AT-1)."""
_LONGEST_NAME = 256
_RESERVED = re.compile(r"(?:aws|amazon)\.", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,9}))?")
_MOST_DIGITS = 38
_LARGEST_EXPONENT = 126
_SMALLEST_EXPONENT = -128
ILLEGAL_CHARACTERS = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that neither a body nor an attribute may have (SZ-7, SZ-8)."""
BAD_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD"
    " | #x10000 to #x10FFFF"
)
"""The error of SQS for such a character."""


@attrs.frozen(repr=False)
class Attribute:
    """The value of one message attribute."""

    data_type: str
    """`String`, `Number` or `Binary`, with a custom label after a dot if the sender gave one (AT-2)."""
    value: str | bytes

    def __repr__(self) -> str:
        if self.data_type == "String" and isinstance(self.value, str):
            return repr(self.value)
        field = "BinaryValue" if isinstance(self.value, bytes) else "StringValue"
        return repr({"DataType": self.data_type, field: self.value})


Attributes: TypeAlias = Mapping[str, Attribute]


def attribute(given: object) -> Attribute:
    """Return an attribute from a text, a number, bytes, or the mapping that boto3 takes or that Lambda's event has.

    Raises TypeError for anything else. A `BinaryValue` that is text is read as Base64, as the AWS CLI does.
    """
    match given:
        case Attribute():
            return given
        case str():
            return Attribute("String", given)
        case bytes():
            return Attribute("Binary", given)
        case int() | float() if not isinstance(given, bool):
            return Attribute("Number", str(given))
        case _:
            return _spelt(given)


def _spelt(given: object) -> Attribute:
    match given:
        case {"DataType": str(data_type), "StringValue": str(value)} | {
            "dataType": str(data_type),
            "stringValue": str(value),
        }:
            return Attribute(data_type, value)
        case {"DataType": str(data_type), "BinaryValue": str() | bytes() as value} | {
            "dataType": str(data_type),
            "binaryValue": str() | bytes() as value,
        }:
            return Attribute(data_type, _bytes(value))
        case _:
            must = "must be text, a number, bytes, or a mapping with DataType and StringValue or BinaryValue"
            raise TypeError(must)


def _bytes(value: str | bytes) -> bytes:
    try:
        return value if isinstance(value, bytes) else b64decode(value, validate=True)
    except (Error, ValueError):
        raise TypeError("must have a BinaryValue in Base64") from None


def name_problem(name: str) -> str:
    """Return SQS's objection to the name of an attribute, or an empty string (AT-1)."""
    if not name:
        return "The request must contain non-empty message (user) attribute names."
    if len(name) > _LONGEST_NAME:
        return f"Length of message (user) attribute name must be less than {_LONGEST_NAME} bytes."
    if not all(character.isalnum() or character in "_.-" for character in name):  # of any alphabet (recorded)
        return (
            "Invalid non-alphanumeric character was found in the message (user) attribute name."
            " Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if _RESERVED.match(name):
        return (
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'."
            " These strings are reserved for internal use."
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        return "Invalid message (user) attribute name: it can't start or end with '.', or contain '..'."
    return ""


def value_problem(name: str, data_type: str, value: object) -> str:
    """Return SQS's objection to the type and value of an attribute, or an empty string (AT-2, AT-3)."""
    if not data_type:
        return f"The message (user) attribute '{name}' must contain a non-empty message attribute value."
    base = data_type.partition(".")[0]
    if base not in ("Binary", "Number", "String"):  # AT-2
        return (
            f"The type of message (user) attribute '{name}' is invalid."
            " You must use only the following supported type prefixes: Binary, Number, String."
        )
    if len(data_type) > _LONGEST_NAME:
        return f"Message (user) attribute '{name}' has a type that is longer than {_LONGEST_NAME} characters."
    if not value or not isinstance(value, bytes if base == "Binary" else str):  # AT-3
        return f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'."
    if base == "Number" and not _is_number(str(value)):
        return f"Can't cast the value of message (user) attribute '{name}' to a number."
    return BAD_CHARACTERS if isinstance(value, str) and ILLEGAL_CHARACTERS.search(value) else ""


def _is_number(value: str) -> bool:
    """Return True for a valid Number: up to 38 digits, from 10⁻¹²⁸ to 10¹²⁶ (AT-2)."""
    match = _NUMBER.fullmatch(value)
    if match is None:
        return False
    whole, fraction, exponent = match[1], match[2] or "", int(match[3] or 0)
    digits = (whole + fraction).strip("0")
    if not whole + fraction or len(digits) > _MOST_DIGITS:
        return False
    if not digits:
        return True
    magnitude = exponent + (
        len(whole.lstrip("0")) - 1 if whole.strip("0") else -len(fraction) + len(fraction.lstrip("0")) - 1
    )
    return _SMALLEST_EXPONENT <= magnitude <= _LARGEST_EXPONENT


def content_bytes(body: str, attributes: Attributes) -> int:
    """Return the bytes of a body and of each attribute's name, type and value; system attributes are free (SZ-1)."""
    total = len(body.encode("utf-8", "surrogatepass"))
    for name, each in attributes.items():
        value = each.value if isinstance(each.value, bytes) else each.value.encode("utf-8", "surrogatepass")
        total += len(name.encode("utf-8", "surrogatepass")) + len(each.data_type.encode()) + len(value)
    return total


# Ids of message groups and for deduplication -------------------------------------------------------------------------

_LONGEST_ID = 128
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)


def is_id(value: str) -> bool:
    """Return True for a valid id of a message group or for deduplication: 1 to 128 characters (FF-2, FF-3)."""
    return 1 <= len(value) <= _LONGEST_ID and _ID_CHARACTERS.issuperset(value)


# Messages ------------------------------------------------------------------------------------------------------------

_ID = r"[!-~]{0,128}"
_LONGEST_LITERAL = 20_000  # characters of a body that is printed as a Python literal
_LONG_RUN = re.compile(r"(.)\1{999,}", re.DOTALL)
_MOST_NESTED = 80  # brackets in such a body: Python's parser has a limit


def _body(given: object) -> str:
    if isinstance(given, str):
        return given
    try:
        return json.dumps(given, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        must = f"must be text, or a value that JSON can hold: {error}"
        raise InvalidScenario([Problem("body", repr(given)[:60], must)]) from None


def _attributes(given: Mapping[str, object]) -> dict[str, Attribute]:
    try:
        return {name: attribute(given[name]) for name in sorted(given)}
    except TypeError as error:
        raise InvalidScenario([Problem("attributes", repr(given)[:60], f"{error}")]) from None


_NO_ATTRIBUTES: Attributes = {}


@attrs.frozen(repr=False)
class Message:
    """One message as a producer sends it: `Message({"id": "o-1"}, attributes={"kind": "paid"})`."""

    body: str = attrs.field(converter=_body)
    """Text of the body; anything else is written as JSON."""
    attributes: Attributes = attrs.field(default=_NO_ATTRIBUTES, converter=_attributes, hash=False)
    """Message attributes: text (`String`), a number (`Number`), bytes (`Binary`), or the mapping that boto3 takes."""
    group: str = ""
    """Message group id; empty: the load's (FF-2, FQ-1)."""
    deduplication_id: str = ""
    """FIFO only. Empty: the SHA-256 of the body if the queue has content-based deduplication, else the message's own id
    (FF-3, FF-4)."""
    note: str = ""
    """Deviation of the body from that of an ordinary message, which stories show: `amount is null in place of 12.5`."""

    def __repr__(self) -> str:
        others = [field for field in attrs.fields(Message) if field.default is not attrs.NOTHING]
        values = [(field.name, getattr(self, field.name), field.default) for field in others]
        given = [f"{name}={value!r}" for name, value, usual in values if value != usual]
        return f"Message({', '.join([_literal(self.body), *given])})"

    @property
    def size(self) -> int:
        """Bytes that count against the queue's limit (SZ-1)."""
        return content_bytes(self.body, self.attributes)


def as_message(given: object) -> Message:
    """Return a message, or the message with this body."""
    return given if isinstance(given, Message) else Message(given)


def _literal(body: str) -> str:
    """Return the source of a body: a dict or list where that makes the same text, and no long run of one character."""
    brackets = body.count("{") + body.count("[")
    if body[:1] in ("{", "[") and len(body) <= _LONGEST_LITERAL and brackets <= _MOST_NESTED:
        try:
            document: object = json.loads(body)
            if json.dumps(document, allow_nan=False) == body:
                return repr(document)
        except (ValueError, RecursionError):
            pass
    run = _LONG_RUN.search(body) if len(body) > _LONGEST_LITERAL else None
    if run is None:
        return repr(body)
    parts = (repr(body[: run.start()]), f"{run[1]!r} * {len(run[0])}", repr(body[run.end() :]))
    return " + ".join(part for part in parts if part != "''")


def check_message(checks: Checks, message: Message) -> None:
    """Note the problems of a message, except those of its queue."""
    if not message.body:
        checks.refuse("body", message.body, "must have at least one character", "SZ-6")
    elif ILLEGAL_CHARACTERS.search(message.body):
        checks.refuse("body", _shown(message.body), f"must have valid characters only. {BAD_CHARACTERS}", "SZ-8")
    if len(message.attributes) > MOST_ATTRIBUTES:
        checks.refuse("attributes", len(message.attributes), f"must be at most {MOST_ATTRIBUTES}", "AT-1")
    for name, each in message.attributes.items():
        problem = name_problem(name) or value_problem(name, each.data_type, each.value)
        if problem:
            checks.refuse(f"attributes[{name!r}]", each, f"SQS refuses it: {problem}", "AT-2")
    must = "must be 1 to 128 letters, digits and punctuation, or left out"
    checks.name("group", message.group, _ID, must, "FF-2")
    checks.name("deduplication_id", message.deduplication_id, _ID, must, "FF-3")
    checks.name("note", message.note, r"(?s).*", "must be text")


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - fits a line of an error
