"""The JSON protocol of SQS, which AWS's SDKs speak since November 2023: `X-Amz-Target: AmazonSQS.SendMessage`.

Errors carry the code of the older query protocol in a header; clients show that one as `Error.Code` (ledger 3.1).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping

from botocore.awsrequest import AWSPreparedRequest

from chaosqs.simulator.door.json_reader import Json, malformed, parameters_reader
from chaosqs.simulator.door.shapes import modelled_errors, output_shape
from chaosqs.simulator.door.wire import Reply, body_text, header
from chaosqs.simulator.operations.errors import ApiError

_CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "AmazonSQS."


def operation_of(request: AWSPreparedRequest) -> str:
    """Return what follows `AmazonSQS.` in the target; empty where the request has none."""
    return header(request, "X-Amz-Target").removeprefix(_TARGET)


def parameters_of(operation: str, request: AWSPreparedRequest) -> dict[str, object]:
    """Read the body by botocore's model; raises `ApiError` where types are wrong."""
    try:
        given: Json = json.loads(body_text(request) or "{}")
    except ValueError:
        raise malformed("The request is not valid JSON") from None
    return parameters_reader(operation)(given)


def answer(operation: str, result: Mapping[str, object]) -> Reply:
    """Write a result; an operation that has none answers with an empty body."""
    body = b"" if output_shape(operation) is None else json.dumps(result, default=_base64).encode()
    return Reply(200, {"Content-Type": _CONTENT_TYPE}, body)


def refuse(error: ApiError) -> Reply:
    """Write an error: its shape in the body, its older code and whose fault it is in a header."""
    namespace = "com.amazonaws.sqs" if error.shape in modelled_errors() else "com.amazon.coral.service"
    body = {"__type": f"{namespace}#{error.shape}", "message": error.message}
    fault = "Sender" if error.sender_fault else "Receiver"
    headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-query-error": f"{error.code};{fault}"}
    return Reply(error.status, headers, json.dumps(body).encode())


def _base64(value: object) -> str:
    assert isinstance(value, bytes), value
    return b64encode(value).decode()
