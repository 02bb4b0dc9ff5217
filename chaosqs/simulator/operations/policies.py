"""RedrivePolicy, RedriveAllowPolicy and other attributes that are JSON: read and checked (DLQ-1, DLQ-12 … DLQ-17)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from chaosqs.simulator.operations.addresses import Address, from_arn
from chaosqs.simulator.operations.errors import ApiError, invalid_value
from chaosqs.simulator.operations.parameters import Parameters, is_map, sequence, structure
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.settings import compact, invalid_attribute

_MOST_RECEIVES = 1000
_MOST_SOURCES = 10
_MOST_DIGITS = 9
_CANNOT = "Amazon SQS can't create the redrive allow policy. "


def check_policies(region: Region, own: Address, given: Mapping[str, str], *, fifo: bool) -> dict[str, str]:
    """Return the policies among new attributes, as SQS will show them; raise what is wrong with them."""
    found: dict[str, str] = {}
    if given.get("RedrivePolicy"):
        found["RedrivePolicy"] = _redrive(region, own, given["RedrivePolicy"], fifo=fifo)
    if given.get("RedriveAllowPolicy"):
        found["RedriveAllowPolicy"] = _redrive_allow(given["RedriveAllowPolicy"])
    if given.get("Policy") and not _object(given["Policy"]):
        raise invalid_attribute("Policy")
    return found


def _redrive(region: Region, own: Address, given: str, *, fifo: bool) -> str:
    fields = _object(given)
    if fields is None:
        raise _bad_redrive(given, "Redrive policy is not a valid JSON map.")
    for name in ("deadLetterTargetArn", "maxReceiveCount"):
        if name not in fields:
            raise _bad_redrive(given, f"Redrive policy does not contain mandatory attribute: {name}.")
    if len(fields) > len(("deadLetterTargetArn", "maxReceiveCount")):
        raise _bad_redrive(given, "Only following attributes are supported: [deadLetterTargetArn, maxReceiveCount].")
    target = from_arn(str(fields["deadLetterTargetArn"]))
    if target is None:
        raise _bad_redrive(given, "Invalid value for deadLetterTargetArn.")
    count = _count(fields["maxReceiveCount"])
    if count is None:
        value = fields["maxReceiveCount"]
        reason = (
            f"Invalid value for maxReceiveCount: {value}, valid values are from 1 to {_MOST_RECEIVES} both inclusive."
        )
        raise _bad_redrive(given, reason)
    _check_target(region, own, target, given, fifo=fifo)
    return compact({"deadLetterTargetArn": target.arn, "maxReceiveCount": count})


def _check_target(region: Region, own: Address, target: Address, given: str, *, fifo: bool) -> None:
    if (target.region, target.account) != (own.region, own.account):  # DLQ-13
        raise _bad_redrive(given, "Dead-letter target owner should be same as the source.")
    hosted = region.queues.get(target.name)
    if hosted is None and target.name != own.name:
        raise _bad_redrive(given, "Dead letter target does not exist.")
    if target.name.endswith(".fifo") != fifo:  # DLQ-12
        raise _bad_redrive(given, "Dead-letter queue must be same type of queue as the source.")
    allow = None if hosted is None else hosted.line.queue.redrive_allow
    if allow is None or allow.permission == "allowAll":
        return
    if allow.permission == "denyAll" or own.name not in allow.source_queues:  # DLQ-17
        raise _bad_redrive(given, "The dead-letter queue's redrive allow policy does not permit this source queue.")


def _bad_redrive(given: str, reason: str) -> ApiError:
    return invalid_value(given, "RedrivePolicy", reason)


def _count(value: object) -> int | None:
    """Return a maximum receive count given as a number or as digits, or None where it is out of range (DLQ-1)."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    digits = str(value)
    count = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS else 0
    return count if 1 <= count <= _MOST_RECEIVES else None


def _redrive_allow(given: str) -> str:
    fields = _object(given)
    if fields is None:
        raise _bad_allow(given, "Redrive allow policy is not a valid JSON map.")
    permission, sources = fields.get("redrivePermission"), sequence(fields, "sourceQueueArns")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise _bad_allow(given, _CANNOT + "The redrivePermission must be allowAll, denyAll or byQueue.")
    if sources and permission != "byQueue":
        raise _bad_allow(
            given, _CANNOT + "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."
        )
    if permission == "byQueue":
        _check_sources(given, sources)
    return compact(fields)


def _check_sources(given: str, sources: Sequence[object]) -> None:
    if not sources:
        raise _bad_allow(
            given, _CANNOT + "When redrivePermission is byQueue, you must specify one or more source queue ARNs."
        )
    if len(sources) > _MOST_SOURCES:
        raise _bad_allow(given, _CANNOT + f"You can specify up to {_MOST_SOURCES} source queue ARNs.")
    if any(from_arn(str(source)) is None for source in sources):
        raise _bad_allow(given, _CANNOT + "Each source must be the ARN of a queue.")


def _bad_allow(given: str, reason: str) -> ApiError:
    return invalid_value(given, "RedriveAllowPolicy", reason)


def _object(given: str) -> Parameters | None:
    """Return the fields of a JSON object, or None where the text is none."""
    try:
        value: object = json.loads(given)
    except (ValueError, RecursionError):
        return None
    return structure(value) if is_map(value) else None
