"""Real handlers that read a field of the body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypedDict

from chaosqs.model.json import Json


class Record(TypedDict):
    """What these handlers read of a message."""

    body: str


class Event(TypedDict):
    """The event of a batch."""

    Records: Sequence[Record]


def total(event: Event, _: object) -> None:
    """Fail on a message whose `amount` is null, and on no other."""
    for each in event["Records"]:
        if parsed(each["body"]).get("amount", 0) is None:
            raise TypeError("amount is None")


def parsed(text: str) -> dict[str, Json]:
    """Return the object in a body; empty if there is none."""
    try:
        found: Json = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def pick(event: Event, _: object) -> None:
    """Fail on a message with a line whose `sku` is the empty text, and on no other."""
    for each in event["Records"]:
        lines = parsed(each["body"]).get("lines")
        if isinstance(lines, list) and any(isinstance(line, dict) and line.get("sku") == "" for line in lines):
            raise ValueError("a line without a product")


def accepts(event: Event, _: object) -> None:
    """Accept messages with an `id`."""
    for each in event["Records"]:
        if "id" not in parsed(each["body"]):
            raise KeyError("id")
