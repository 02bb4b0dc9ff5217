"""Errors of AWS's other services as their clients read them, in each protocol."""

import json
from collections.abc import Iterator
from io import BytesIO

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from chaosqs.wire.transport import ClientCall

_THROTTLED = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
    "sns": (400, "Throttling"),
}
_FAILED = {"s3": "InternalError", "sns": "InternalFailure"}


def throttling(request: AWSPreparedRequest, call: ClientCall) -> tuple[str, AWSResponse]:
    """Return the code by which a service throttles, and the response."""
    status, code = _THROTTLED.get(call.service, (400, "ThrottlingException"))
    return code, _response(request, call, status, code, "Rate exceeded")


def internal_error(request: AWSPreparedRequest, call: ClientCall) -> tuple[str, AWSResponse]:
    """Return the code of a service's error of its own, and the response."""
    code = _FAILED.get(call.service, "InternalServerError")
    return code, _response(request, call, 500, code, "We encountered an internal error. Please try again.")


def _response(request: AWSPreparedRequest, call: ClientCall, status: int, code: str, message: str) -> AWSResponse:
    headers, body = _written(call.protocol, code, message)
    return AWSResponse(request.url, status, headers, _Raw(body))  # type: ignore[arg-type]


def _written(protocol: str, code: str, message: str) -> tuple[dict[str, str], bytes]:
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    match protocol:
        case "query" | "ec2":
            return {"Content-Type": "text/xml"}, f"<ErrorResponse>{error}</ErrorResponse>".encode()
        case "rest-xml":
            return {"Content-Type": "application/xml"}, error.encode()
        case "smithy-rpc-v2-cbor":
            headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
            return headers, b"\xa2" + b"".join(map(_cbor, ("__type", code, "message", message)))
        case _:
            headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
            return headers, json.dumps({"__type": code, "message": message}).encode()


def _cbor(text: str) -> bytes:
    """Return a text of up to 255 bytes in CBOR."""
    return bytes((0x78, len(text))) + text.encode()


class _Raw(BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()
