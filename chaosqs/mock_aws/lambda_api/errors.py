"""Lambda's errors, with the names, statuses and fields of AWS's own model."""

from collections.abc import Mapping

import attrs

_NOTHING: Mapping[str, str] = {}


@attrs.frozen
class LambdaError(Exception):
    """Lambda's answer to a request that it refuses."""

    code: str
    status: int
    message: str
    fields: Mapping[str, str] = _NOTHING
    """Further fields of the body."""
    headers: Mapping[str, str] = _NOTHING


def invalid(message: str) -> LambdaError:
    """Return InvalidParameterValueException."""
    return LambdaError("InvalidParameterValueException", 400, message)


def not_served(operation: str) -> LambdaError:
    """Return the error for an operation of Lambda, or an unknown request, that chaosqs does not serve."""
    return LambdaError("UnknownOperationException", 404, f"chaosqs does not serve {operation} of Lambda.")


def not_valid(message: str) -> LambdaError:
    """Return ValidationException, for values that the service's own model does not allow."""
    return LambdaError("ValidationException", 400, message)


def conflict(message: str) -> LambdaError:
    """Return ResourceConflictException."""
    return LambdaError("ResourceConflictException", 409, message)


def not_found(message: str) -> LambdaError:
    """Return ResourceNotFoundException."""
    return LambdaError("ResourceNotFoundException", 404, message)


def stale(message: str) -> LambdaError:
    """Return PreconditionFailedException."""
    return LambdaError("PreconditionFailedException", 412, message)


def in_use(message: str) -> LambdaError:
    """Return ResourceInUseException."""
    return LambdaError("ResourceInUseException", 400, message)


def throttled(reason: str) -> LambdaError:
    """Return TooManyRequestsException, with its reason and the seconds to wait in a header (LC-11, LC-12)."""
    return LambdaError("TooManyRequestsException", 429, "Rate Exceeded.", {"Reason": reason}, {"Retry-After": "1"})


def too_large(message: str) -> LambdaError:
    """Return RequestTooLargeException (LX-5, LX-6)."""
    return LambdaError("RequestTooLargeException", 413, message)
