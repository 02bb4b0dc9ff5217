"""Whatever a client sends, SQS answers or refuses: nothing else comes out, and what is refused changes nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.sqs.api.parameters import ApiError
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.sqs import OPERATIONS, Sqs
from tests.sqs.api.probe import Probe, queue, with_dead_letters

WORDS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(("true", "false", "30", "-1", "arn:aws:sqs:us-east-1:123456789012:dead", "*", "All", ".*", "1e5")),
    st.sampled_from(
        ('{"deadLetterTargetArn": 5, "maxReceiveCount": {}}', '{"redrivePermission": []}', "[1]", "{}", "null")
    ),
    st.sampled_from(
        ('{"Statement": 5}', '{"Statement": [5]}', '{"Statement": {"Sid": "x"}}', '{"sourceQueueArns": "x"}')
    ),
)
# fmt: off
NAMES = st.sampled_from((
    "Id", "MessageBody", "DelaySeconds", "ReceiptHandle", "VisibilityTimeout", "DataType", "StringValue",
    "BinaryValue", "StringListValues", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "FifoQueue", "KmsMasterKeyId",
    "a", "MessageAttributes", "MessageGroupId", "MessageDeduplicationId", "MessageSystemAttributes", "AWSTraceHeader",
))
# fmt: on
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 12), st.just(50_000), st.floats(), st.binary(max_size=2), WORDS
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
# fmt: off
MEMBERS = st.sampled_from((
    "QueueName", "Attributes", "AttributeNames", "tags", "Tags", "TagKeys", "Label", "AWSAccountIds", "Actions",
    "MessageBody", "MessageAttributes", "MessageSystemAttributes", "DelaySeconds", "MessageGroupId", "Entries",
    "MessageDeduplicationId", "ReceiptHandle", "VisibilityTimeout", "MaxNumberOfMessages", "WaitTimeSeconds",
    "ReceiveRequestAttemptId", "MessageAttributeNames", "MessageSystemAttributeNames", "MaxResults", "NextToken",
    "SourceArn", "DestinationArn", "MaxNumberOfMessagesPerSecond", "TaskHandle", "QueueNamePrefix",
))
# fmt: on


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(OPERATIONS)), st.booleans(), st.dictionaries(MEMBERS, VALUES, max_size=6), st.booleans())
def test_only_answers_and_api_errors_come_out(
    operation: str,
    fifo: bool,  # noqa: FBT001 - drawn
    parameters: dict[str, object],
    named: bool,  # noqa: FBT001 - drawn
) -> None:
    """For every operation with parameters of any kind; the queue is as before where it is refused."""
    sqs = Sqs()
    orders, dead = with_dead_letters(sqs, 1, fifo=fifo)
    (orders.put if fifo else orders.send)("a")
    before = orders.state(), dead.state()
    given_url = {"QueueUrl": orders.url} if named else {}
    try:
        answer = sqs.call(operation, {**given_url, **parameters})
    except ApiError:
        assert (orders.state(), dead.state()) == before
    else:
        assert isinstance(answer, dict | Wait)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_an_accepted_policy_can_be_used(attributes: dict[str, object]) -> None:
    """What SetQueueAttributes accepts, the other operations can read."""
    orders = queue(Sqs())
    try:
        orders.call("SetQueueAttributes", Attributes=attributes)
    except ApiError:
        return
    _use(orders)


@settings(max_examples=300, deadline=None)
@given(WORDS)
def test_any_policy_that_is_accepted_can_be_extended(policy: str) -> None:
    """AddPermission and RemovePermission work on it, or refuse."""
    orders = queue(Sqs())
    try:
        orders.call("SetQueueAttributes", Attributes={"Policy": policy})
        orders.call("AddPermission", Label="one", AWSAccountIds=["1"], Actions=["*"])
        orders.call("RemovePermission", Label="one")
    except ApiError:
        pass
    _use(orders)


def _use(orders: Probe) -> None:
    assert "QueueArn" in str(orders.call("GetQueueAttributes", AttributeNames=["All"]))
    assert orders.send()
    orders.receive()
