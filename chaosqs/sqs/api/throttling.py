"""What may keep any call from a queue: a FIFO queue's throughput, a KMS key that cannot be used."""

from __future__ import annotations

from chaosqs.sqs.api.parameters import error
from chaosqs.sqs.api.queue_resource import QueueResource
from chaosqs.sqs.api.region import Region
from chaosqs.sqs.machines.throughput import limit


def admit(region: Region, resource: QueueResource, action: str) -> None:
    """Refuse a call over a FIFO queue's throughput, where the accounts were asked to (FF-9 … FF-11)."""
    if not region.accounts.fifo_limits or not resource.fifo:
        return
    most = limit(resource.state.queue, resource.address.region)
    if not resource.throughput.admit(action, most, now=region.now):
        raise error("RequestThrottled", "Rate exceeded")


def check_key(region: Region, resource: QueueResource) -> None:
    """Refuse a send or a receive where the queue's KMS key is one that cannot be used (EN-1)."""
    key = resource.settings.get("KmsMasterKeyId", "")
    shape = region.accounts.keys.get(key)
    if shape is not None:
        raise error(shape, f"The KMS key {key} cannot be used.")
