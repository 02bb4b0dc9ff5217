"""The real code of the gallery: handlers whose bug a history of theirs shows."""

from __future__ import annotations

import json

import chaosqs

Event = dict[str, list[dict[str, str]]]


def answers(event: Event, _context: object) -> Event:
    """Import each order but the first, and answer which failed: right, if the mapping reads the answer."""
    failed = [message for message in event["Records"] if json.loads(message["body"])["message"] == 0]
    return {"batchItemFailures": [{"itemIdentifier": message["messageId"]} for message in failed]}


def charges(event: Event, _context: object) -> None:
    """Charge the card of each order, without a look at those that have been charged before."""
    for message in event["Records"]:
        chaosqs.record("charged", message, order=json.loads(message["body"])["message"])
