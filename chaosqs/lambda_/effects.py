"""Effects of handlers' calls on other services that recognise no repetition: each repeated call has one more effect.

Calls with the same outcome each time (PutItem of an item, PutObject of a key) have no such effect; nor have those whose
repetition the service recognises (a FIFO topic, an execution that has a name). Updates are left out: a counter of
attempts should count each one.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeGuard

_CALLS: Mapping[str, str] = {
    "events:PutEvents": "Entries",
    "firehose:PutRecord": "",
    "firehose:PutRecordBatch": "Records",
    "kinesis:PutRecord": "",
    "kinesis:PutRecords": "Records",
    "ses:SendEmail": "",
    "ses:SendRawEmail": "",
    "ses:SendTemplatedEmail": "",
    "sesv2:SendEmail": "",
    "sns:Publish": "",
    "sns:PublishBatch": "PublishBatchRequestEntries",
    "stepfunctions:StartExecution": "",
}
"""Calls that have an effect each time, with the parameter that lists the effects of one call; empty: it has one."""
_NO_CONTENTS = ("Id", "Time")
"""Keys of entries that tell the entries of a call apart, or when it was made."""
_CLAIM = re.compile(rb'"ConditionExpression":\s*"[^"]*(?:attribute_not_exists|<)')
"""A condition under which only the first of several equal writes succeeds, or the first after a time limit."""


def effects(call: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return a digest of each effect of a call (`sns:Publish`): equal effects have equal digests.

    A call that is made while an exception is handled has none: it reports a failure, and each attempt may.
    """
    if call not in _CALLS or sys.exc_info()[0] is not None or _recognised(call, parameters):
        return ()
    listed = _CALLS[call]
    entries = parameters.get(listed) if listed else [parameters]
    rest = {key: value for key, value in parameters.items() if key != listed} if listed else {}
    return tuple(_digest([rest, entry]) for entry in entries) if _is_list(entries) else ()


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _recognised(call: str, parameters: Mapping[str, object]) -> bool:
    """Return True if the service recognises a repetition: by a deduplication id, or by the execution's name."""
    if call == "stepfunctions:StartExecution":
        return "name" in parameters
    return str(parameters.get("TopicArn", parameters.get("TargetArn", ""))).endswith(".fifo")


def _digest(effect: list[object]) -> str:
    entry = effect[-1]
    if _is_mapping(entry):
        effect = [*effect[:-1], {key: value for key, value in entry.items() if key not in _NO_CONTENTS}]
    return blake2b(json.dumps(effect, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def is_claim(service: str, body: object, headers: Sequence[str]) -> bool:
    """Return True if a request is a conditional write by which code claims its work, as idempotency needs it."""
    if service == "dynamodb":
        return isinstance(body, bytes) and _CLAIM.search(body) is not None
    return service == "s3" and "If-None-Match" in headers
