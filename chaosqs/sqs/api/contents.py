"""Message contents in a send: body, attributes and system attributes, read, checked and digested."""

import re
from collections.abc import Mapping

from chaosqs.sqs.api.parameters import ApiError, Parameters, error, invalid, missing, structure, text
from chaosqs.sqs.machines.attributes import Attribute, Content, attributes_md5, body_md5, size

SENDER = "AIDACKCEVSQ6C2EXAMPLE"
"""`SenderId` of every message. Assumed: the caller is one IAM user, the one of AWS's documentation."""
MOST_BYTES = 1_048_576
"""Maximum bytes of a message or of a batch (SZ-1, SZ-4)."""
_MOST_ATTRIBUTES = 10
_LONGEST_NAME = 256
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_RESERVED = re.compile(r"(?:aws|amazon)\.", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,9}))?")
_MOST_DIGITS = 38
_LARGEST_EXPONENT = 126
_SMALLEST_EXPONENT = -128
_BAD_CHARACTERS = (
    "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD"
    " | #x10000 to #x10FFFF"
)


def read_content(parameters: Parameters, prefix: str = "") -> Content:
    """Return the contents that a send asks for; raise `ApiError` for invalid ones. Their size is not checked."""
    body = text(parameters, "MessageBody")
    if not body:
        raise missing(f"{prefix}MessageBody")  # SZ-6
    if _ILLEGAL.search(body):
        raise error("InvalidMessageContents", _BAD_CHARACTERS)  # SZ-7, SZ-8
    attributes = _attributes(structure(parameters.get("MessageAttributes")))
    trace = _trace_header(structure(parameters.get("MessageSystemAttributes")))
    return Content(
        body,
        attributes,
        trace,
        SENDER,
        body_md5=body_md5(body),
        attributes_md5=attributes_md5(attributes),
        size=size(body, attributes) if attributes else len(body.encode()),
    )


def measure(parameters: Parameters) -> int:
    """Return the bytes of a batch entry as far as they can be counted, even if the entry is invalid (SZ-4)."""
    total = len((text(parameters, "MessageBody") or "").encode("utf-8", "surrogatepass"))
    for name, given in structure(parameters.get("MessageAttributes")).items():
        value = structure(given)
        parts = (name, value.get("DataType"), value.get("StringValue"), value.get("BinaryValue"))
        total += sum(
            len(part.encode() if isinstance(part, str) else part) for part in parts if isinstance(part, str | bytes)
        )
    return total


def too_long(limit: int) -> ApiError:
    """Return the error for a message over the queue's limit (SZ-3)."""
    return invalid(f"One or more parameters are invalid. Reason: Message must be shorter than {limit} bytes.")


def system_attributes_md5(content: Content) -> str:
    """Return the MD5 of the system attributes that the sender set, or an empty string (AT-6)."""
    return attributes_md5({"AWSTraceHeader": Attribute("String", content.trace_header)}) if content.trace_header else ""


def _attributes(given: Mapping[str, object]) -> dict[str, Attribute]:
    if len(given) > _MOST_ATTRIBUTES:  # AT-1
        raise invalid(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{_MOST_ATTRIBUTES}].")
    return {name: _attribute(name, structure(value)) for name, value in given.items()}


def _attribute(name: str, given: Parameters) -> Attribute:
    _check_name(name)
    if given.get("StringListValues") or given.get("BinaryListValues"):
        raise invalid("Message attribute list values in SendMessage operation are not supported.")
    data_type = text(given, "DataType")
    if not data_type:
        raise invalid(f"The message (user) attribute '{name}' must contain a non-empty message attribute value.")
    base = data_type.partition(".")[0]
    if base not in ("Binary", "Number", "String"):  # AT-2
        raise invalid(
            f"The type of message (user) attribute '{name}' is invalid."
            " You must use only the following supported type prefixes: Binary, Number, String."
        )
    if len(data_type) > _LONGEST_NAME:
        raise invalid(f"Message (user) attribute '{name}' has a type that is longer than {_LONGEST_NAME} characters.")
    value: object = given.get("BinaryValue" if base == "Binary" else "StringValue")
    if not value or not isinstance(value, bytes if base == "Binary" else str):  # AT-3
        raise invalid(f"Message (user) attribute '{name}' must contain a non-empty value of type '{base}'.")
    if base == "Number" and not _is_number(str(value)):
        raise invalid(f"Can't cast the value of message (user) attribute '{name}' to a number.")
    if isinstance(value, str) and _ILLEGAL.search(value):
        raise invalid(_BAD_CHARACTERS)
    return Attribute(data_type, value)


def _check_name(name: str) -> None:
    if not name:
        raise invalid("The request must contain non-empty message (user) attribute names.")
    if len(name) > _LONGEST_NAME:
        raise invalid(f"Length of message (user) attribute name must be less than {_LONGEST_NAME} bytes.")
    if not _NAME.fullmatch(name):
        raise invalid(
            "Invalid non-alphanumeric character was found in the message (user) attribute name."
            " Can only include alphanumeric characters, hyphens, underscores, or dots."
        )
    if _RESERVED.match(name):
        raise invalid(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'."
            " These strings are reserved for internal use."
        )
    if name.startswith(".") or name.endswith(".") or ".." in name:
        raise invalid("Invalid message (user) attribute name: it can't start or end with '.', or contain '..'.")


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


def _trace_header(given: Parameters) -> str:
    for name in given:
        if name != "AWSTraceHeader":  # AT-4
            raise invalid(f"Message system attribute name '{name}' is invalid.")
    header = structure(given.get("AWSTraceHeader"))
    if not header:
        return ""
    if text(header, "DataType") != "String" or not text(header, "StringValue"):
        raise invalid("Message (system) attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.")
    return text(header, "StringValue") or ""
