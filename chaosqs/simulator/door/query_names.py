"""What the query protocol calls things: each item of a list and each pair of a map has a name of its own.

Botocore's model lost these names when SQS's clients moved to JSON, so they stand here (they are those of the model
of October 2023). A list's items are called like its shape without `List`, but for a few.
"""

from __future__ import annotations

from botocore.model import ListShape, MapShape, Shape

_ITEMS = {
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "StringList": "StringListValue",
    "BinaryList": "BinaryListValue",
}
_PAIRS = {
    "QueueAttributeMap": "Attribute",
    "MessageSystemAttributeMap": "Attribute",
    "MessageBodyAttributeMap": "MessageAttribute",
    "MessageBodySystemAttributeMap": "MessageSystemAttribute",
    "TagMap": "Tag",
}


def element_name(member: str, shape: Shape) -> str:
    """Return how a member of a structure is called: lists and maps are flattened, so each item bears its own name."""
    match shape:
        case ListShape():
            return _ITEMS.get(shape.name, shape.name.removesuffix("List"))
        case MapShape():
            return _PAIRS[shape.name]
        case _:
            return member


def pair_names(shape: MapShape) -> tuple[str, str]:
    """Return how key and value of a map's pairs are called."""
    return ("Key", "Value") if shape.name == "TagMap" else ("Name", "Value")
