"""The gallery's handlers: real code with bugs."""

from __future__ import annotations

import json

import chaosqs

Event = dict[str, list[dict[str, str]]]


def answers(event: Event, _context: object) -> Event:
    """Import each order but the first, and report that as failed: correct only if the mapping reads the response."""
    failed = [message for message in event["Records"] if json.loads(message["body"])["message"] == 0]
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def charges(event: Event, _context: object) -> None:
    """Charge the card of each order, even if it was charged before."""
    for message in event["Records"]:
        chaosqs.record("charged", message, order=json.loads(message["body"])["message"])
