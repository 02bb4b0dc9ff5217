"""SQS's errors, and readers of parameters in botocore's shapes; like AWS's parser they refuse wrong types and URLs."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard
from urllib.parse import urlsplit

import attrs

# Errors: the code that clients see, the shape in the JSON protocol, the HTTP status -----------------------------------
#
# Shapes, codes and statuses are those of AWS's own model and recordings (ledger 3.1).

_LEGACY = "AWS.SimpleQueueService."
_SERVER_ERROR = 500


class ApiError(Exception):
    """SQS's answer to a request that it refuses."""

    def __init__(self, code: str, shape: str, status: int, message: str) -> None:
        """Take the `Error.Code` that clients see, the shape's name in the JSON protocol, HTTP status and message."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.shape = shape
        self.status = status
        self.message = message

    @property
    def sender_fault(self) -> bool:
        """True if the request is at fault, not the service."""
        return self.status < _SERVER_ERROR


SHAPES: Mapping[str, tuple[str, int]] = {
    "BatchEntryIdsNotDistinct": (_LEGACY + "BatchEntryIdsNotDistinct", 400),
    "BatchRequestTooLong": (_LEGACY + "BatchRequestTooLong", 400),
    "EmptyBatchRequest": (_LEGACY + "EmptyBatchRequest", 400),
    "InvalidAddress": ("InvalidAddress", 404),
    "InvalidAttributeName": ("InvalidAttributeName", 400),
    "InvalidAttributeValue": ("InvalidAttributeValue", 400),
    "InvalidBatchEntryId": (_LEGACY + "InvalidBatchEntryId", 400),
    "InvalidIdFormat": ("InvalidIdFormat", 400),
    "InvalidMessageContents": ("InvalidMessageContents", 400),
    "InvalidParameterValueException": ("InvalidParameterValue", 400),
    "InvalidSecurity": ("InvalidSecurity", 403),
    "KmsAccessDenied": ("KMS.AccessDeniedException", 400),
    "KmsDisabled": ("KMS.DisabledException", 400),
    "KmsInvalidKeyUsage": ("KMS.InvalidKeyUsageException", 400),
    "KmsInvalidState": ("KMS.InvalidStateException", 400),
    "KmsNotFound": ("KMS.NotFoundException", 400),
    "KmsOptInRequired": ("KMS.OptInRequired", 403),
    "KmsThrottled": ("KMS.ThrottlingException", 400),
    "MessageNotInflight": (_LEGACY + "MessageNotInflight", 400),
    "MissingRequiredParameterException": ("MissingParameter", 400),
    "OverLimit": ("OverLimit", 403),
    "PurgeQueueInProgress": (_LEGACY + "PurgeQueueInProgress", 403),
    "QueueDeletedRecently": (_LEGACY + "QueueDeletedRecently", 400),
    "QueueDoesNotExist": (_LEGACY + "NonExistentQueue", 400),
    "QueueNameExists": ("QueueAlreadyExists", 400),
    "ReceiptHandleIsInvalid": ("ReceiptHandleIsInvalid", 404),
    "RequestThrottled": ("RequestThrottled", 403),
    "ResourceNotFoundException": ("ResourceNotFoundException", 404),
    "SerializationException": ("SerializationException", 400),
    "TooManyEntriesInBatchRequest": (_LEGACY + "TooManyEntriesInBatchRequest", 400),
    "UnknownOperationException": ("InvalidAction", 400),
    "UnsupportedOperation": (_LEGACY + "UnsupportedOperation", 400),
}
"""The code that clients see and the HTTP status, by shape of the JSON protocol."""


def error(shape: str, message: str) -> ApiError:
    """Return the error of a shape; KeyError for a shape that SQS does not have."""
    code, status = SHAPES[shape]
    return ApiError(code, shape, status, message)


def invalid(message: str) -> ApiError:
    """Return InvalidParameterValue."""
    return error("InvalidParameterValueException", message)


def invalid_value(value: object, parameter: str, reason: str) -> ApiError:
    """Return InvalidParameterValue for one value of one parameter."""
    return invalid(f"Value {value} for parameter {parameter} is invalid. Reason: {reason}")


def missing(parameter: str) -> ApiError:
    """Return MissingParameter."""
    return error("MissingRequiredParameterException", f"The request must contain the parameter {parameter}.")


def no_such_queue() -> ApiError:
    """Return the error for a queue that does not exist."""
    return error("QueueDoesNotExist", "The specified queue does not exist.")


# Readers; each raises SerializationException for a wrong type ---------------------------------------------------------

Parameters: TypeAlias = Mapping[str, object]
"""The contents of a request or of a batch entry. None counts as absent."""


def is_map(value: object) -> TypeGuard[Mapping[object, object]]:
    """Return True for a map or structure."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Return True for a list."""
    return isinstance(value, list | tuple)


def text(parameters: Parameters, name: str) -> str | None:
    """Return a string, or None if it is absent."""
    value = parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong_type(value)


def required_text(parameters: Parameters, name: str) -> str:
    """Return a string; raise MissingParameter if it is absent or empty."""
    value = text(parameters, name)
    if not value:
        raise missing(name)
    return value


def integer(parameters: Parameters, name: str) -> int | None:
    """Return a whole number, or None if it is absent."""
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong_type(value)


def texts(parameters: Parameters, *names: str) -> list[str]:
    """Return the strings of one or several lists."""
    found: list[str] = []
    for name in names:
        for value in sequence(parameters, name):
            if not isinstance(value, str):
                raise _wrong_type(value)
            found.append(value)
    return found


def sequence(parameters: Parameters, name: str) -> Sequence[object]:
    """Return a list; empty if it is absent."""
    value = parameters.get(name)
    if value is None:
        return ()
    if is_list(value):
        return value
    raise _wrong_type(value)


def structure(value: object) -> Parameters:
    """Return a map or structure; empty if it is absent."""
    if value is None:
        return {}
    if is_map(value):
        return {str(key): item for key, item in value.items()}
    raise _wrong_type(value)


def text_map(parameters: Parameters, name: str) -> dict[str, str]:
    """Return a map of strings; empty if it is absent. Null values count as absent."""
    found: dict[str, str] = {}
    for key, value in structure(parameters.get(name)).items():
        if isinstance(value, str):
            found[key] = value
        elif value is not None:
            raise _wrong_type(value)
    return found


def _wrong_type(value: object) -> ApiError:
    match value:
        case Mapping():
            message = "Start of structure or map found where not expected."
        case list() | tuple():
            message = "Start of list found where not expected"
        case str():
            message = "STRING_VALUE can not be converted to an Integer"
        case bool():
            message = f"{str(value).upper()}_VALUE can not be converted to a String"
        case _:
            message = "NUMBER_VALUE can not be converted to a String"
    return error("SerializationException", message)


def traced(operation: str, parameters: Parameters, trace: str) -> Parameters:
    """Return the parameters of a call with a trace header for each message; a sender's own header stays (LX-16).

    botocore adds the header if it runs in Lambda. A run of `simulate` takes it from the invocation that sends.
    """
    own = {"MessageSystemAttributes": {"AWSTraceHeader": {"StringValue": trace, "DataType": "String"}}}
    if trace and operation == "SendMessage":
        return {**own, **parameters}
    if trace and operation == "SendMessageBatch" and "Entries" in parameters:
        return {**parameters, "Entries": [{**own, **structure(entry)} for entry in sequence(parameters, "Entries")]}
    return parameters


# Names, URLs and ARNs of queues ---------------------------------------------------------------------------------------

_AWS_HOST = re.compile(r"(?:sqs\.(?P<region>[a-z0-9-]+)|(?P<legacy>[a-z0-9-]+)\.queue|queue)\.amazonaws\.com(?:\.cn)?")
_ARN = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)")


@attrs.frozen
class Address:
    """Region, account and name of a queue."""

    region: str
    account: str
    name: str

    @property
    def url(self) -> str:
        """The queue URL as AWS gives it."""
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name}"

    @property
    def arn(self) -> str:
        """The Amazon resource name."""
        return f"arn:aws:sqs:{self.region}:{self.account}:{self.name}"


def from_url(url: str, *, region: str, account: str) -> Address:
    """Return the queue that a QueueUrl means to a client of a Region and account.

    Any host is accepted, as users may have endpoints of their own, but AWS's host of another Region is an invalid
    address. A bare name means a queue of the caller's account.
    """
    if "/" not in url:
        return Address(region, account, url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _invalid(url) from None
    host = _AWS_HOST.fullmatch(parts.hostname or "")
    path = [part for part in parts.path.split("/") if part]
    if not path or (host is not None and (host["region"] or host["legacy"] or region) != region):
        raise _invalid(url)
    owner = path[-2] if len(path) > 1 and path[-2].isdigit() else account
    return Address(region, owner, path[-1])


def _invalid(url: str) -> ApiError:
    return error("InvalidAddress", f"The address {url} is not valid for this endpoint.")


def from_arn(arn: str) -> Address | None:
    """Return the queue that an ARN means, or None if it is not the ARN of a queue."""
    match = _ARN.fullmatch(arn)
    return None if match is None else Address(match[1], match[2], match[3])
