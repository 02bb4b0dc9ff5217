"""Settable attributes of a queue: names, ranges, defaults, and their conversion to and from the model's `Queue`."""

import json
from collections.abc import Mapping

from chaosqs.model.design import DEDUPLICATION_SCOPES, FIFO_THROUGHPUT_LIMITS, Queue, Redrive, RedriveAllow
from chaosqs.model.values import one_of
from chaosqs.sqs.api.parameters import Address, ApiError, error, from_arn

RANGES: Mapping[str, tuple[int, int]] = {
    "DelaySeconds": (0, 900),  # DL-1
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),  # EN-1
    "MaximumMessageSize": (1024, 1_048_576),  # SZ-2
    "MessageRetentionPeriod": (60, 1_209_600),  # RT-1
    "ReceiveMessageWaitTimeSeconds": (0, 20),  # RX-3
    "VisibilityTimeout": (0, 43_200),  # VT-1
}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "ContentBasedDeduplication": ("true", "false"),
    "DeduplicationScope": DEDUPLICATION_SCOPES,  # FF-7
    "FifoThroughputLimit": FIFO_THROUGHPUT_LIMITS,  # FF-8
    "SqsManagedSseEnabled": ("true", "false"),
}
_FLAGS = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
_MOST_DIGITS = 9
_FIFO_ONLY = {
    "ContentBasedDeduplication": "Unknown Attribute ContentBasedDeduplication.",
    "DeduplicationScope": "You can specify the DeduplicationScope only when FifoQueue is set to true.",
    "FifoQueue": "Unknown Attribute FifoQueue.",
    "FifoThroughputLimit": "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
}
"""The messages on attributes that a standard queue does not have, on create and on set (seen)."""
_POLICIES = ("Policy", "RedriveAllowPolicy", "RedrivePolicy")
_SETTABLE = (*RANGES, *_WORDS, *_POLICIES, "KmsMasterKeyId", "FifoQueue")
_STANDARD_DEFAULTS: Mapping[str, str] = {
    "VisibilityTimeout": "30",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "DelaySeconds": "0",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
}
_FIFO_DEFAULTS: Mapping[str, str] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoThroughputLimit": "perQueue",
}


def defaults(*, fifo: bool) -> dict[str, str]:
    """Return the attributes of a queue that was created without settings."""
    return {**_STANDARD_DEFAULTS, **(_FIFO_DEFAULTS if fifo else {})}


def normalized(given: Mapping[str, str]) -> dict[str, str]:
    """Return attributes as SQS keeps them: flags in lower case (seen); numbers without blanks around them (Assumed)."""
    return {
        name: value.strip().lower() if name in _FLAGS else value.strip() if name in RANGES else value
        for name, value in given.items()
    }


def check(given: Mapping[str, str], *, fifo: bool) -> None:
    """Refuse unknown attributes and invalid values; `check_policies` checks policies."""
    for name, value in given.items():
        if name not in _SETTABLE:
            raise error("InvalidAttributeName", f"Unknown Attribute {name}.")
        if not fifo and name in _FIFO_ONLY:
            raise error("InvalidAttributeName", _FIFO_ONLY[name])
        if name == "FifoQueue" and value != "true":
            raise invalid_attribute(name, " Reason: Modifying queue type is not supported.")  # FF-1
        if name in _WORDS and value not in _WORDS[name]:
            raise invalid_attribute(name)
        if name in RANGES and not _within(value, *RANGES[name]):
            raise invalid_attribute(name)
    if given.get("SqsManagedSseEnabled") == "true" and given.get("KmsMasterKeyId"):
        raise error(
            "InvalidAttributeName",
            "You can use one type of server-side encryption (SSE) at one time."
            " You can either enable KMS SSE or SQS SSE.",
        )


def merged(settings: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return settings with new ones. Empty policies and keys are removed; one encryption replaces the other."""
    result = {**settings, **given}
    if given.get("KmsMasterKeyId"):
        result["SqsManagedSseEnabled"] = "false"
        result.setdefault("KmsDataKeyReusePeriodSeconds", "300")
    elif given.get("SqsManagedSseEnabled") == "true" or not result.get("KmsMasterKeyId"):
        result.pop("KmsMasterKeyId", None)
        result.pop("KmsDataKeyReusePeriodSeconds", None)
    for name in _POLICIES:
        if not result.get(name):
            result.pop(name, None)
    limit, scope = result.get("FifoThroughputLimit"), result.get("DeduplicationScope")
    if limit == "perMessageGroupId" and scope != "messageGroup":  # FF-8
        raise invalid_attribute(
            "FifoThroughputLimit",
            " Reason: To set FifoThroughputLimit to perMessageGroupId, the DeduplicationScope must be messageGroup.",
        )
    return result


def invalid_attribute(name: str, reason: str = "") -> ApiError:
    """Return InvalidAttributeValue for one attribute."""
    return error("InvalidAttributeValue", f"Invalid value for the parameter {name}.{reason}")


def queue_of(name: str, settings: Mapping[str, str]) -> Queue:
    """Return the model's queue for checked settings."""
    number = {key: int(settings[key]) for key in RANGES if key in settings}
    return Queue(
        name,
        visibility_timeout=number["VisibilityTimeout"],
        retention_period=number["MessageRetentionPeriod"],
        delay=number["DelaySeconds"],
        receive_wait_time=number["ReceiveMessageWaitTimeSeconds"],
        maximum_message_size=number["MaximumMessageSize"],
        redrive=_redrive(settings.get("RedrivePolicy")),
        fifo=settings.get("FifoQueue") == "true",
        content_based_deduplication=settings.get("ContentBasedDeduplication") == "true",
        deduplication_scope=one_of(DEDUPLICATION_SCOPES, settings.get("DeduplicationScope")) or "queue",
        fifo_throughput_limit=one_of(FIFO_THROUGHPUT_LIMITS, settings.get("FifoThroughputLimit")) or "perQueue",
        redrive_allow=_redrive_allow(settings.get("RedriveAllowPolicy")),
    )


def settings_of(queue: Queue, address: Address) -> dict[str, str]:
    """Return the settings of a queue of a design."""
    settings = defaults(fifo=queue.fifo) | {
        "VisibilityTimeout": str(queue.visibility_timeout),
        "MaximumMessageSize": str(queue.maximum_message_size),
        "MessageRetentionPeriod": str(queue.retention_period),
        "DelaySeconds": str(queue.delay),
        "ReceiveMessageWaitTimeSeconds": str(queue.receive_wait_time),
    }
    if queue.fifo:
        settings["ContentBasedDeduplication"] = str(queue.content_based_deduplication).lower()
        settings["DeduplicationScope"] = queue.deduplication_scope
        settings["FifoThroughputLimit"] = queue.fifo_throughput_limit
    if queue.redrive is not None:
        target = Address(address.region, address.account, queue.redrive.dead_letter_queue)
        settings["RedrivePolicy"] = compact(
            {"deadLetterTargetArn": target.arn, "maxReceiveCount": queue.redrive.max_receive_count}
        )
    if queue.redrive_allow is not None:
        sources = [Address(address.region, address.account, name).arn for name in queue.redrive_allow.source_queues]
        policy: dict[str, object] = {"redrivePermission": queue.redrive_allow.permission}
        settings["RedriveAllowPolicy"] = compact(policy | ({"sourceQueueArns": sources} if sources else {}))
    return settings


def compact(value: Mapping[str, object]) -> str:
    """Return JSON text as SQS prints it."""
    return json.dumps(value, separators=(",", ":"))


def _within(value: str, low: int, high: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS and low <= int(value) <= high


def _redrive(policy: str | None) -> Redrive | None:
    if policy is None:
        return None
    fields = json.loads(policy)
    target = from_arn(fields["deadLetterTargetArn"])
    assert target is not None
    return Redrive(target.name, int(fields["maxReceiveCount"]))


def _redrive_allow(policy: str | None) -> RedriveAllow | None:
    if policy is None:
        return None
    fields = json.loads(policy)
    sources = [from_arn(arn) for arn in fields.get("sourceQueueArns", ())]
    return RedriveAllow(fields["redrivePermission"], tuple(source.name for source in sources if source is not None))
