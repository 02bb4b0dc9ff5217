"""GetQueueAttributes: settings and counts of a queue, all as strings."""

from chaosqs.sqs.api.parameters import error
from chaosqs.sqs.api.region import QueueResource

NAMES = (
    "Policy",
    "VisibilityTimeout",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
    "ApproximateNumberOfMessagesDelayed",
    "DelaySeconds",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
)
"""The attributes of a queue (ledger 12)."""


def queue_attributes(resource: QueueResource, names: list[str], epoch: int) -> dict[str, str]:
    """Return the requested attributes that the queue has. Counts are exact and current here (GA-1)."""
    for name in names:
        if name not in NAMES and name != "All":
            raise error("InvalidAttributeName", f"Unknown Attribute {name}.")
    store = resource.state.machine.store
    known = {
        "QueueArn": resource.address.arn,
        "ApproximateNumberOfMessages": str(store.visible),
        "ApproximateNumberOfMessagesNotVisible": str(store.in_flight),
        "ApproximateNumberOfMessagesDelayed": str(store.delayed),
        "CreatedTimestamp": str((epoch + resource.created_at) // 1000),
        "LastModifiedTimestamp": str((epoch + resource.modified_at) // 1000),
        **resource.settings,
    }
    return known if "All" in names else {name: known[name] for name in NAMES if name in names and name in known}
