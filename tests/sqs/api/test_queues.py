"""Ledger, chapter 3: retention, purge, queues and their attributes."""

from __future__ import annotations

import pytest

from chaosqs.sqs.api.parameters import ApiError
from chaosqs.sqs.api.region import Accounts
from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Probe, entries, listed, queue


@pytest.mark.parametrize("seconds", ["59", "1209601"])
def test_RT_1_retention_is_a_minute_to_a_fortnight(sqs: Sqs, seconds: str) -> None:
    """Four days by default; then the message is gone."""
    orders = queue(sqs)
    orders.refused("SetQueueAttributes", Attributes={"MessageRetentionPeriod": seconds})
    orders.send()
    orders.advance(345_599)
    assert orders.counts() == (1, 0, 0)
    orders.advance(1)
    assert orders.counts() == (0, 0, 0)


def test_RT_2_in_flight_past_retention_it_never_comes_back(sqs: Sqs) -> None:
    """Its handle still deletes without an error."""
    orders = queue(sqs, MessageRetentionPeriod=60)
    orders.send()
    orders.advance(50)
    message = orders.one()
    orders.advance(11)
    assert orders.counts() == (0, 0, 0)
    orders.advance(30)
    assert orders.receive() == []
    orders.delete(message)


@pytest.mark.parametrize("name", ["orders", "orders.fifo"])
def test_RT_3_a_new_retention_is_for_stored_messages_too(sqs: Sqs, name: str) -> None:
    """Shorter: what is older goes; longer: what is there stays longer."""
    orders = queue(sqs, name)
    (orders.put if name.endswith(".fifo") else orders.send)("a")
    orders.advance(100)
    orders.call("SetQueueAttributes", Attributes={"MessageRetentionPeriod": "60"})
    assert orders.bodies() == []
    (orders.put if name.endswith(".fifo") else orders.send)("b")
    orders.call("SetQueueAttributes", Attributes={"MessageRetentionPeriod": "600"})
    orders.advance(599)
    assert orders.bodies() == ["b"]
    orders.advance(1)
    assert orders.counts() == (0, 0, 0)


def test_PQ_1_a_purge_removes_everything(sqs: Sqs) -> None:
    """Visible, in flight and delayed."""
    orders = queue(sqs)
    orders.send("flying")
    flying = orders.one()
    orders.send("visible")
    orders.send("delayed", DelaySeconds=5)
    orders.call("PurgeQueue")
    assert orders.counts() == (0, 0, 0)
    orders.delete(flying)
    orders.advance(60)
    assert orders.receive() == []


def test_PQ_2_one_purge_a_minute(sqs: Sqs) -> None:
    """A second one within 60 seconds is PurgeQueueInProgress, 403."""
    orders = queue(sqs)
    orders.call("PurgeQueue")
    orders.advance(59.9)
    refusal = orders.refused("PurgeQueue")
    assert (refusal.code, refusal.status) == ("AWS.SimpleQueueService.PurgeQueueInProgress", 403)
    assert refusal.message == "Only one PurgeQueue operation on orders is allowed every 60 seconds."
    orders.advance(0.1)
    orders.call("PurgeQueue")


def test_PQ_3_a_fifo_purge_forgets_deduplication(sqs: Sqs) -> None:
    """The same id is accepted again."""
    orders = queue(sqs, "orders.fifo")
    orders.put("a")
    orders.call("PurgeQueue")
    orders.put("a")
    assert orders.bodies() == ["a"]


def test_DQ_1_a_name_is_free_again_after_a_minute(sqs: Sqs) -> None:
    """Before that, QueueDeletedRecently; the new queue has nothing of the old one."""
    orders = queue(sqs)
    orders.send()
    orders.call("DeleteQueue")
    assert orders.refused("SendMessage", MessageBody="x").code == "AWS.SimpleQueueService.NonExistentQueue"
    orders.advance(59)
    with pytest.raises(ApiError) as caught:
        queue(sqs)
    assert caught.value.code == "AWS.SimpleQueueService.QueueDeletedRecently"
    orders.advance(1)
    assert queue(sqs).counts() == (0, 0, 0)


def test_DQ_2_creating_a_queue_again(sqs: Sqs) -> None:
    """With the same attributes, or without any, it gives the URL; with others QueueAlreadyExists."""
    queue(sqs, DelaySeconds=5)
    assert sqs.call("CreateQueue", {"QueueName": "orders"}) == {"QueueUrl": Probe(sqs, "orders").url}
    queue(sqs, DelaySeconds=5)
    with pytest.raises(ApiError) as caught:
        queue(sqs, DelaySeconds=6)
    assert (caught.value.code, caught.value.shape) == ("QueueAlreadyExists", "QueueNameExists")
    expected = "A queue already exists with the same name and a different value for attribute DelaySeconds"
    assert caught.value.message == expected


def test_GA_1_the_attributes_are_strings(sqs: Sqs) -> None:
    """As recorded on a fresh FIFO queue; counts are exact and current."""
    orders = queue(sqs, "orders.fifo")
    orders.put("a")
    attributes = entries(orders.call("GetQueueAttributes", AttributeNames=["All"])["Attributes"])
    assert attributes == {
        "ApproximateNumberOfMessages": "1",
        "ApproximateNumberOfMessagesDelayed": "0",
        "ApproximateNumberOfMessagesNotVisible": "0",
        "ContentBasedDeduplication": "false",
        "CreatedTimestamp": str(sqs.epoch // 1000),
        "DeduplicationScope": "queue",
        "DelaySeconds": "0",
        "FifoQueue": "true",
        "FifoThroughputLimit": "perQueue",
        "LastModifiedTimestamp": str(sqs.epoch // 1000),
        "MaximumMessageSize": "1048576",
        "MessageRetentionPeriod": "345600",
        "QueueArn": "arn:aws:sqs:us-east-1:123456789012:orders.fifo",
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
        "VisibilityTimeout": "30",
    }
    assert orders.call("GetQueueAttributes") == {}
    assert orders.call("GetQueueAttributes", AttributeNames=["Policy"]) == {}
    assert orders.refused("GetQueueAttributes", AttributeNames=["Nonsense"]).code == "InvalidAttributeName"


def test_EN_1_keys_are_stored_and_can_fail(sqs: Sqs) -> None:
    """60 to 86,400 seconds of reuse, 300 by default; one kind of encryption at a time."""
    orders = queue(sqs, KmsMasterKeyId="key")
    assert orders.attribute("KmsDataKeyReusePeriodSeconds") == "300"
    assert orders.attribute("SqsManagedSseEnabled") == "false"
    for seconds in ("59", "86401"):
        orders.refused("SetQueueAttributes", Attributes={"KmsDataKeyReusePeriodSeconds": seconds})
    both = {"KmsMasterKeyId": "key", "SqsManagedSseEnabled": "true"}
    assert orders.refused("SetQueueAttributes", Attributes=both).code == "InvalidAttributeName"
    orders.call("SetQueueAttributes", Attributes={"SqsManagedSseEnabled": "true"})
    names = ["KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled"]
    assert orders.call("GetQueueAttributes", AttributeNames=names) == {"Attributes": {"SqsManagedSseEnabled": "true"}}


@pytest.mark.parametrize(
    ("shape", "code"),
    [
        ("KmsAccessDenied", "KMS.AccessDeniedException"),
        ("KmsDisabled", "KMS.DisabledException"),
        ("KmsInvalidKeyUsage", "KMS.InvalidKeyUsageException"),
        ("KmsInvalidState", "KMS.InvalidStateException"),
        ("KmsNotFound", "KMS.NotFoundException"),
        ("KmsOptInRequired", "KMS.OptInRequired"),
        ("KmsThrottled", "KMS.ThrottlingException"),
    ],
)
def test_EN_1_a_key_that_cannot_be_used_keeps_messages_out_and_in(shape: str, code: str) -> None:
    """Sends and receives raise the error that the world was told of, nothing else does."""
    orders = queue(Sqs(Accounts(keys={"key": shape})), KmsMasterKeyId="key")
    assert orders.refused("SendMessage", MessageBody="x").code == code
    assert orders.refused("SendMessageBatch", Entries=[{"Id": "1", "MessageBody": "x"}]).shape == shape
    assert orders.refused("ReceiveMessage").code == code
    assert orders.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("", {}),
        ("a" * 81, {}),
        ("a.b", {}),
        ("é", {}),
        ("a/b", {}),
        ("orders.fifo", {}),
        ("orders", {"FifoQueue": "true"}),
        ("a" * 76 + ".fifo", {"FifoQueue": "true"}),
        (".fifo", {"FifoQueue": "true"}),
    ],
)
def test_FF_1_names_of_queues(sqs: Sqs, name: str, attributes: dict[str, str]) -> None:
    """1 to 80 characters, the suffix of FIFO queues included; nothing is created otherwise."""
    with pytest.raises(ApiError) as caught:
        sqs.call("CreateQueue", {"QueueName": name, "Attributes": attributes})
    assert caught.value.code == "InvalidParameterValue"
    assert sqs.call("ListQueues", {}) == {}


def test_FF_1_longest_names(sqs: Sqs) -> None:
    """80 characters of each type."""
    queue(sqs, "a" * 80)
    queue(sqs, "a" * 75 + ".fifo")


def test_FF_1_a_type_cannot_be_changed(sqs: Sqs) -> None:
    """Recorded: the attribute is unknown to a standard queue, and fixed on a FIFO queue."""
    orders, fifo = queue(sqs), queue(sqs, "orders.fifo")
    assert (
        orders.refused("SetQueueAttributes", Attributes={"FifoQueue": "true"}).message == "Unknown Attribute FifoQueue."
    )
    refusal = fifo.refused("SetQueueAttributes", Attributes={"FifoQueue": "false"})
    assert refusal.shape == "InvalidAttributeValue"
    assert refusal.message == (
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported."
    )
    with pytest.raises(ApiError):
        sqs.call("CreateQueue", {"QueueName": "other.fifo", "Attributes": {"FifoQueue": "false"}})


@pytest.mark.parametrize("name", ["Nonsense", "QueueArn", "CreatedTimestamp", "All", "ContentBasedDeduplication"])
def test_unknown_attributes_are_refused(sqs: Sqs, name: str) -> None:
    """InvalidAttributeName for what does not exist, cannot be set, or is of the other type of queue."""
    refusal = queue(sqs).refused("SetQueueAttributes", Attributes={name: "true"})
    assert (refusal.code, refusal.message) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


def test_queues_are_listed_in_pages(sqs: Sqs) -> None:
    """By prefix, by page with a token; all at once where no page is asked for."""
    for number in range(5):
        queue(sqs, f"q{number}")
    queue(sqs, "other")
    urls: list[object] = []
    token: object = None
    for _ in range(3):
        answer = sqs.call("ListQueues", {"QueueNamePrefix": "q", "MaxResults": 2, "NextToken": token})
        assert isinstance(answer, dict)
        urls += listed(answer, "QueueUrls")
        token = answer.get("NextToken")
    assert token is None
    assert urls == [Probe(sqs, f"q{number}").url for number in range(5)]
    whole = sqs.call("ListQueues", {})
    assert isinstance(whole, dict)
    assert len(listed(whole, "QueueUrls")) == 6
    assert "NextToken" not in whole
    for bad in ({"MaxResults": 0}, {"MaxResults": 1001}, {"MaxResults": 1, "NextToken": "?"}):
        with pytest.raises(ApiError):
            sqs.call("ListQueues", bad)


def test_regions_and_accounts_are_separate(sqs: Sqs) -> None:
    """A queue is found where it was made; another account's by its URL or owner."""
    orders = queue(sqs)
    with pytest.raises(ApiError):
        sqs.call("GetQueueUrl", {"QueueName": "orders"}, region="eu-west-1")
    with pytest.raises(ApiError):
        sqs.call("GetQueueUrl", {"QueueName": "orders"}, account="210987654321")
    owner = {"QueueName": "orders", "QueueOwnerAWSAccountId": "123456789012"}
    assert sqs.call("GetQueueUrl", owner, account="210987654321") == {"QueueUrl": orders.url}
    sqs.call("SendMessage", {"QueueUrl": orders.url, "MessageBody": "x"}, account="210987654321")
    assert orders.counts() == (1, 0, 0)
    assert sqs.call("CreateQueue", {"QueueName": "orders"}, region="eu-west-1") == {
        "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
    }
    assert orders.sqs.call("ListQueues", {}, region="ap-south-1") == {}


def test_addresses(sqs: Sqs) -> None:
    """Any host with account and name will do, and a bare name; another Region's host is InvalidAddress, 404."""
    orders = queue(sqs)
    for url in (
        "orders",
        "http://localhost:4566/123456789012/orders",
        "https://queue.amazonaws.com/123456789012/orders",
    ):
        sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": "x"})
    assert orders.counts() == (3, 0, 0)
    other = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
    for url in (other, "https://sqs.us-east-1.amazonaws.com/", "http://[/orders"):
        with pytest.raises(ApiError) as caught:
            sqs.call("SendMessage", {"QueueUrl": url, "MessageBody": "x"})
        assert (caught.value.code, caught.value.status) == ("InvalidAddress", 404)


def test_tags(sqs: Sqs) -> None:
    """Set at creation or later, changed, removed; up to 50."""
    sqs.call("CreateQueue", {"QueueName": "orders", "tags": {"a": "1"}})
    orders = Probe(sqs, "orders")
    orders.call("TagQueue", Tags={"b": "", "a": "2"})
    assert orders.call("ListQueueTags") == {"Tags": {"a": "2", "b": ""}}
    orders.call("UntagQueue", TagKeys=["a", "nope"])
    assert orders.call("ListQueueTags") == {"Tags": {"b": ""}}
    many = orders.refused("TagQueue", Tags={str(number): "" for number in range(50)})
    assert many.message == "Too many tags added for queue orders."
    orders.call("UntagQueue", TagKeys=["b"])
    assert orders.call("ListQueueTags") == {}
    long = "Tag keys must be between 1 and 128 characters in length."
    for keys in ([], [""], ["k" * 129]):
        assert orders.refused("UntagQueue", TagKeys=keys).message == long
    assert orders.refused("TagQueue", Tags={"k" * 129: ""}).message == long
    orders.refused("TagQueue", Tags={})


def test_permissions_are_statements_of_the_policy(sqs: Sqs) -> None:
    """As recorded: one label once, one account or action not as a list, the policy gone with its last statement."""
    orders = queue(sqs)
    orders.call("AddPermission", Label="one", AWSAccountIds=["111111111111"], Actions=["ReceiveMessage"])
    policy = orders.attribute("Policy")
    assert policy == (
        '{"Version":"2008-10-17","Id":"arn:aws:sqs:us-east-1:123456789012:orders/SQSDefaultPolicy","Statement":'
        '[{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:root"},'
        '"Action":"SQS:ReceiveMessage","Resource":"arn:aws:sqs:us-east-1:123456789012:orders"}]}'
    )
    again = orders.refused("AddPermission", Label="one", AWSAccountIds=["1"], Actions=["*"])
    assert again.message == "Value one for parameter Label is invalid. Reason: Already exists."
    fly = orders.refused("AddPermission", Label="two", AWSAccountIds=["1"], Actions=["Fly"])
    assert fly.message.startswith("Value SQS:Fly for parameter ActionName is invalid. Reason: Please refer to")
    own = orders.refused("AddPermission", Label="two", AWSAccountIds=["1"], Actions=["TagQueue"])
    assert own.message.endswith("Reason: Only the queue owner is allowed to invoke this action.")
    nobody = orders.refused("AddPermission", Label="two", AWSAccountIds=[], Actions=["*"])
    assert nobody.message == "Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."
    assert orders.refused("AddPermission", Label="two", AWSAccountIds=[], Actions=[]).code == "MissingParameter"
    many = ["*", *("SendMessage" for _ in range(7))]
    assert orders.refused("AddPermission", Label="two", AWSAccountIds=["1"], Actions=many).code == "OverLimit"
    orders.call("AddPermission", Label="two", AWSAccountIds=["1", "2"], Actions=["*"])
    orders.call("RemovePermission", Label="one")
    orders.call("RemovePermission", Label="two")
    assert orders.call("GetQueueAttributes", AttributeNames=["Policy"]) == {}
    missing = orders.refused("RemovePermission", Label="two")
    assert missing.message == "Value two for parameter Label is invalid. Reason: can't find label."


def test_policies_are_stored_as_given(sqs: Sqs) -> None:
    """A permission joins a single statement; an empty policy removes it; what is no JSON object is refused."""
    orders = queue(sqs)
    given = '{"Version": "2012-10-17", "Statement": {"Sid": "mine"}}'
    orders.call("SetQueueAttributes", Attributes={"Policy": given})
    assert orders.attribute("Policy") == given
    orders.call("AddPermission", Label="one", AWSAccountIds=["1"], Actions=["*"])
    assert '"Sid":"mine"' in orders.attribute("Policy")
    orders.call("SetQueueAttributes", Attributes={"Policy": ""})
    assert orders.call("GetQueueAttributes", AttributeNames=["Policy"]) == {}
    for bad in ("x", "[]", "1"):
        assert orders.refused("SetQueueAttributes", Attributes={"Policy": bad}).code == "InvalidAttributeValue"


@pytest.mark.parametrize("written", ["True", "TRUE", "tRue", "true"])
def test_flags_are_read_in_any_case(sqs: Sqs, written: str) -> None:
    """Recorded: True makes a FIFO queue; SQS answers true, and creates no other queue for true."""
    flags = {"FifoQueue": written, "ContentBasedDeduplication": written, "SqsManagedSseEnabled": written}
    sqs.call("CreateQueue", {"QueueName": "orders.fifo", "Attributes": flags})
    orders = queue(sqs, "orders.fifo", ContentBasedDeduplication="true", SqsManagedSseEnabled="true")
    shown = entries(orders.call("GetQueueAttributes", AttributeNames=list(flags))["Attributes"])
    assert shown == dict.fromkeys(flags, "true")
    orders.call("SendMessage", MessageBody="a", MessageGroupId="g")
    orders.call("SetQueueAttributes", Attributes={"ContentBasedDeduplication": "False"})
    assert orders.refused("SendMessage", MessageBody="b", MessageGroupId="g").code == "InvalidParameterValue"


@pytest.mark.parametrize("written", ["60", " 60", "60 ", "\t60\n"])
def test_numbers_may_have_blanks_around_them(sqs: Sqs, written: str) -> None:
    """Assumed; SQS answers the number."""
    orders = queue(sqs, VisibilityTimeout=written)
    orders.call("SetQueueAttributes", Attributes={"DelaySeconds": written})
    names = ["VisibilityTimeout", "DelaySeconds"]
    shown = entries(orders.call("GetQueueAttributes", AttributeNames=names)["Attributes"])
    assert shown == dict.fromkeys(names, "60")
    for odd in ("6 0", "", " ", "+60", "6e1", "60.0", "0x3c", "٦٠"):
        assert orders.refused("SetQueueAttributes", Attributes={"DelaySeconds": odd}).code == "InvalidAttributeValue"


_ONLY = "You can specify the {} only when FifoQueue is set to true."
_UNKNOWN = "Unknown Attribute {}."


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FifoQueue", "false", _UNKNOWN),
        ("FifoQueue", "False", _UNKNOWN),
        ("ContentBasedDeduplication", "true", _UNKNOWN),
        ("ContentBasedDeduplication", "false", _UNKNOWN),
        ("DeduplicationScope", "queue", _ONLY),
        ("FifoThroughputLimit", "perQueue", _ONLY),
    ],
)
def test_FF_1_FF_7_FF_8_a_standard_queue_has_no_attributes_of_fifo_queues(
    sqs: Sqs, name: str, value: str, message: str
) -> None:
    """Recorded: each is refused in its own words, on create and on set."""
    refusal = queue(sqs).refused("SetQueueAttributes", Attributes={name: value})
    assert (refusal.code, refusal.message) == ("InvalidAttributeName", message.format(name))
    with pytest.raises(ApiError) as caught:
        sqs.call("CreateQueue", {"QueueName": "others", "Attributes": {name: value}})
    assert (caught.value.code, caught.value.message) == ("InvalidAttributeName", message.format(name))


def test_a_change_of_no_attribute_is_refused(sqs: Sqs) -> None:
    """Assumed: as a request without the parameter."""
    refusal = queue(sqs).refused("SetQueueAttributes", Attributes={})
    assert (refusal.code, refusal.message) == (
        "MissingParameter",
        "The request must contain the parameter Attribute.Name.",
    )
