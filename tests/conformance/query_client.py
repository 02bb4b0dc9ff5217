"""A client that speaks the query protocol, as all did until November 2023.

Today's model of SQS is bent back to what it was then: the protocol, what the items of lists and maps are called, the
codes of errors. They are those that botocore 1.31.80 shipped. (With that release itself the golden scenarios pass too,
but for `MessageSystemAttributeNames`, which it does not know; tried by hand.)
"""

from __future__ import annotations

import copy
from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.loaders import Loader

from tests.conformance.clients import client_of

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_CODES = {
    "BatchEntryIdsNotDistinct": "AWS.SimpleQueueService.BatchEntryIdsNotDistinct",
    "BatchRequestTooLong": "AWS.SimpleQueueService.BatchRequestTooLong",
    "EmptyBatchRequest": "AWS.SimpleQueueService.EmptyBatchRequest",
    "InvalidBatchEntryId": "AWS.SimpleQueueService.InvalidBatchEntryId",
    "MessageNotInflight": "AWS.SimpleQueueService.MessageNotInflight",
    "PurgeQueueInProgress": "AWS.SimpleQueueService.PurgeQueueInProgress",
    "QueueDeletedRecently": "AWS.SimpleQueueService.QueueDeletedRecently",
    "QueueDoesNotExist": "AWS.SimpleQueueService.NonExistentQueue",
    "QueueNameExists": "QueueAlreadyExists",
    "TooManyEntriesInBatchRequest": "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
    "UnsupportedOperation": "AWS.SimpleQueueService.UnsupportedOperation",
}
_ITEMS = {
    "AWSAccountIdList": "AWSAccountId",
    "ActionNameList": "ActionName",
    "AttributeNameList": "AttributeName",
    "BatchResultErrorEntryList": "BatchResultErrorEntry",
    "BinaryList": "BinaryListValue",
    "ChangeMessageVisibilityBatchRequestEntryList": "ChangeMessageVisibilityBatchRequestEntry",
    "ChangeMessageVisibilityBatchResultEntryList": "ChangeMessageVisibilityBatchResultEntry",
    "DeleteMessageBatchRequestEntryList": "DeleteMessageBatchRequestEntry",
    "DeleteMessageBatchResultEntryList": "DeleteMessageBatchResultEntry",
    "ListMessageMoveTasksResultEntryList": "ListMessageMoveTasksResultEntry",
    "MessageAttributeNameList": "MessageAttributeName",
    "MessageList": "Message",
    "MessageSystemAttributeList": "MessageSystemAttributeName",
    "QueueUrlList": "QueueUrl",
    "SendMessageBatchRequestEntryList": "SendMessageBatchRequestEntry",
    "SendMessageBatchResultEntryList": "SendMessageBatchResultEntry",
    "StringList": "StringListValue",
    "TagKeyList": "TagKey",
}
_PAIRS = {
    "MessageBodyAttributeMap": ("MessageAttribute", "Name", "Value"),
    "MessageBodySystemAttributeMap": ("MessageSystemAttribute", "Name", "Value"),
    "MessageSystemAttributeMap": ("Attribute", "Name", "Value"),
    "QueueAttributeMap": ("Attribute", "Name", "Value"),
    "TagMap": ("Tag", "Key", "Value"),
}


class _October2023(Loader):
    """Loads the models that botocore ships, but for that of SQS."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> object:
        model = copy.deepcopy(super().load_service_model(service_name, type_name, api_version))
        if (service_name, type_name) != ("sqs", "service-2"):
            return model
        del model["metadata"]["awsQueryCompatible"]
        model["metadata"].update(protocol="query", protocols=["query"], xmlNamespace=_NAMESPACE)
        for name, operation in model["operations"].items():
            operation.get("output", {})["resultWrapper"] = f"{name}Result"
        shapes = model["shapes"]
        for name, item in _ITEMS.items():
            shapes[name]["member"]["locationName"] = item
        for name, (_, key, value) in _PAIRS.items():
            shapes[name]["key"]["locationName"], shapes[name]["value"]["locationName"] = key, value
        for shape in shapes.values():
            for member in shape.get("members", {}).values():
                if member["shape"] in _PAIRS:
                    member["locationName"] = _PAIRS[member["shape"]][0]
        for name, code in _CODES.items():
            shapes[name]["error"] = {"code": code, "httpStatusCode": 400, "senderFault": True}
        return model


@cache
def _session() -> boto3.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _October2023())
    return boto3.Session(botocore_session=session)


def query_client() -> SQSClient:
    return client_of(_session())
