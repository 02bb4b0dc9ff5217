"""Errors of AWS's other services as their clients read them, in each protocol."""

import json
from collections.abc import Iterator
from io import BytesIO

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError

from chaosqs.wire.stubs import ClientCall

_THROTTLED = {
    "dynamodb": (400, "ProvisionedThroughputExceededException"),
    "kinesis": (400, "ProvisionedThroughputExceededException"),
    "s3": (503, "SlowDown"),
    "sns": (400, "Throttling"),
}
_FAILED = {"s3": "InternalError", "sns": "InternalFailure"}


def response(request: AWSPreparedRequest, call: ClientCall, *, throttled: bool) -> tuple[str, AWSResponse]:
    """Return the code of an error, and the response: the service throttles, or fails by itself."""
    status, code, message = _error(call, throttled=throttled)
    return code, _response(request, call, status, code, message)


def exception(call: ClientCall, *, throttled: bool) -> tuple[str, ClientError]:
    """Return the code of such an error, and the exception that botocore raises after its attempts."""
    status, code, message = _error(call, throttled=throttled)
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return code, ClientError(answer, call.operation)  # type: ignore[arg-type]


def _error(call: ClientCall, *, throttled: bool) -> tuple[int, str, str]:
    if throttled:
        return *_THROTTLED.get(call.service, (400, "ThrottlingException")), "Rate exceeded"
    code = _FAILED.get(call.service, "InternalServerError")
    return 500, code, "We encountered an internal error. Please try again."


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
