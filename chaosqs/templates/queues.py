"""A queue of the design from the properties of an `AWS::SQS::Queue`."""

from __future__ import annotations

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import Queue, Redrive, RedriveAllow
from chaosqs.templates.markup import parse
from chaosqs.templates.reading import Part, Reading
from chaosqs.templates.references import References, queue_in
from chaosqs.templates.scope import Unknown
from chaosqs.templates.tree import Leaf, Node, Table, described

_DELIVERIES = 10  # DLQ-1: the default that SetQueueAttributes states


def read_queue(part: Part, reading: Reading, references: References) -> Queue:
    """Return a queue; its dead-letter queue may turn out to be outside the template."""
    plain = Queue(part.name)
    scope, limit = "deduplication_scope", "fifo_throughput_limit"
    wait, size = "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize"
    content = "ContentBasedDeduplication"
    fifo = reading.flag(part, "FifoQueue", "fifo", plain.fifo if part.properties.get("FifoQueue") else False)
    return Queue(
        part.name,
        visibility_timeout=reading.whole(part, "VisibilityTimeout", "visibility_timeout", plain.visibility_timeout),
        retention_period=reading.whole(part, "MessageRetentionPeriod", "retention_period", plain.retention_period),
        delay=reading.whole(part, "DelaySeconds", "delay", plain.delay),
        receive_wait_time=reading.whole(part, wait, "receive_wait_time", plain.receive_wait_time),
        maximum_message_size=reading.whole(part, size, "maximum_message_size", plain.maximum_message_size),
        redrive=_redrive(part, reading, references, fifo=fifo),
        fifo=fifo,
        content_based_deduplication=reading.flag(part, content, "content_based_deduplication", default=False),
        deduplication_scope=reading.text(part, "DeduplicationScope", scope, plain.deduplication_scope),
        fifo_throughput_limit=reading.text(part, "FifoThroughputLimit", limit, plain.fifo_throughput_limit),
        redrive_allow=_redrive_allow(part, reading),
    )


def _redrive(part: Part, reading: Reading, references: References, *, fifo: bool) -> Redrive | None:
    policy = _policy(part, "RedrivePolicy", "redrive", reading)
    if policy is None:
        return None
    if policy.properties.get("maxReceiveCount") is None:
        reading.assume(f"{part.name}: RedrivePolicy has no maxReceiveCount; assumed {_DELIVERIES}")
    deliveries = reading.whole(policy, "maxReceiveCount", "max_receive_count", _DELIVERIES)
    target = references.queue(policy, "deadLetterTargetArn", fifo=fifo)
    if target is None:
        return None
    line = reading.line(policy, "deadLetterTargetArn")
    reading.came(policy, "dead_letter_queue", "deadLetterTargetArn", target, line)
    return Redrive(target, deliveries)


def _redrive_allow(part: Part, reading: Reading) -> RedriveAllow | None:
    policy = _policy(part, "RedriveAllowPolicy", "redrive_allow", reading)
    if policy is None:
        return None
    permission = reading.text(policy, "redrivePermission", "permission", "allowAll")
    sources: list[str] = []
    for value in reading.items(policy, "sourceQueueArns", "source_queues"):
        name = queue_in(value.text) if isinstance(value, Leaf) else None
        if isinstance(value, Unknown):
            reading.assume(f"{part.name}: sourceQueueArns {value.reason}; assumed that all queues may use it")
            return None
        if name is None:
            line = reading.line(policy, "sourceQueueArns")
            reading.refuse(f"{policy.path}.source_queues", described(value), "must be ARNs of SQS queues", line)
        else:
            sources.append(name)
    return RedriveAllow(permission, tuple(sources))


def _policy(part: Part, key: str, field: str, reading: Reading) -> Part | None:
    """Return a policy, which may be written as a mapping or as JSON text; None where there is none, or an empty one."""
    node = reading.node(part, key, field, None)
    if node is None:
        return None
    line = reading.line(part, key)
    table = _parsed(node, reading.file, line)
    if table is None:
        reading.refuse(f"{part.path}.{field}", described(node), f"must be a mapping or its JSON text ({key})", line)
    return (
        attrs.evolve(part, path=f"{part.path}.{field}", properties=table, line=line)
        if table and table.entries
        else None
    )


def _parsed(node: Node, file: str, line: int) -> Table | None:
    if isinstance(node, Leaf) and isinstance(node.value, str):
        try:
            node = parse(node.value, file, line=line)
        except InvalidDesign:
            return None
    return node if isinstance(node, Table) else None
