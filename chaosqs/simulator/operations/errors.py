"""The errors of SQS as they are on the wire: the code that clients see, the shape of the JSON protocol, the status.

Shapes, codes and statuses are those of AWS's own model and recordings (ledger 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping

_LEGACY = "AWS.SimpleQueueService."
_SERVER_ERROR = 500


class ApiError(Exception):
    """What SQS answers where it refuses a request."""

    def __init__(self, code: str, shape: str, status: int, message: str) -> None:
        """Take the `Error.Code` that clients see, the shape's name in the JSON protocol, HTTP status and message."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.shape = shape
        self.status = status
        self.message = message

    @property
    def sender_fault(self) -> bool:
        """Tell whether the request is at fault, and not the service."""
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
"""For each shape of the JSON protocol, the code that clients see, and the HTTP status."""


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
