"""Message contents in a send: body, attributes and system attributes, read, checked and digested."""

from collections.abc import Mapping

from chaosqs.model.message import (
    BAD_CHARACTERS,
    ILLEGAL_CHARACTERS,
    MOST_ATTRIBUTES,
    Attribute,
    content_bytes,
    name_problem,
    value_problem,
)
from chaosqs.sqs.api.parameters import ApiError, Parameters, error, invalid, missing, structure, text
from chaosqs.sqs.machines.attributes import SENDER, Content, attributes_md5, body_md5

MOST_BYTES = 1_048_576
"""Maximum bytes of a message or of a batch (SZ-1, SZ-4)."""


def read_content(parameters: Parameters, prefix: str = "") -> Content:
    """Return the contents that a send asks for; raise `ApiError` for invalid ones. Their size is not checked."""
    body = text(parameters, "MessageBody")
    if not body:
        raise missing(f"{prefix}MessageBody")  # SZ-6
    if ILLEGAL_CHARACTERS.search(body):
        raise error("InvalidMessageContents", BAD_CHARACTERS)  # SZ-7, SZ-8
    attributes = _attributes(structure(parameters.get("MessageAttributes")))
    trace = _trace_header(structure(parameters.get("MessageSystemAttributes")))
    return Content(
        body,
        attributes,
        trace,
        SENDER,
        body_md5=body_md5(body),
        attributes_md5=attributes_md5(attributes),
        size=content_bytes(body, attributes),
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
    if len(given) > MOST_ATTRIBUTES:  # AT-1
        raise invalid(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].")
    return {name: _attribute(name, structure(value)) for name, value in given.items()}


def _attribute(name: str, given: Parameters) -> Attribute:
    _refuse(name_problem(name))
    if given.get("StringListValues") or given.get("BinaryListValues"):
        raise invalid("Message attribute list values in SendMessage operation are not supported.")
    data_type = text(given, "DataType") or ""
    value: object = given.get("BinaryValue" if data_type.partition(".")[0] == "Binary" else "StringValue")
    _refuse(value_problem(name, data_type, value))
    assert isinstance(value, str | bytes)
    return Attribute(data_type, value)


def _refuse(problem: str) -> None:
    if problem:
        raise invalid(problem)


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
