"""What comes out of a handler: a payload, or an error in the form of Lambda's Python runtime (LX-7 … LX-10)."""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Mapping
from decimal import Decimal

import attrs

from chaosqs.model.event import Outcome

# What a function prints: one text a function, as CloudWatch Logs would have it, and the tail of one invocation. ------


@attrs.define(eq=False)
class Output:
    """What one invocation prints, as a file to write to."""

    states: list[str]
    """All that the function has printed, by anyone."""
    own: list[str] = attrs.field(factory=list[str])
    _started: str = ""

    def write(self, text: str) -> None:
        """Take what the handler prints; a line counts when it ends."""
        *whole, self._started = (self._started + text).split("\n")
        for line in whole:
            self.line(line)

    def line(self, text: str) -> None:
        """Add a line."""
        self.states.append(text)
        self.own.append(text)

    def flush(self) -> None:
        """End a line that was begun."""
        if self._started:
            self.write("\n")

    def text(self) -> str:
        """Return what this invocation has printed."""
        return "".join(f"{line}\n" for line in self.own)


class Pipe(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr` while a handler runs."""

    def __init__(self, output: Output) -> None:
        """Take where it goes."""
        super().__init__()
        self._output = output

    def writable(self) -> bool:
        """It takes text."""
        return True

    def write(self, text: str) -> int:
        """Pass text on."""
        self._output.write(text)
        return len(text)


# ---------------------------------------------------------------------------------------------------------------------

RESPONSE_LIMIT = 6_291_556
"""Bytes that a function may return (LX-5)."""


@attrs.frozen
class Result:
    """How an invocation ended."""

    outcome: Outcome
    payload: bytes
    error: str = ""
    """Type and message of the error, or empty."""
    rule: str = ""

    @property
    def failed(self) -> bool:
        """Whether it is a function error."""
        return self.outcome != "succeeded"


def returned(value: object, request_id: str) -> Result:
    """Return the result for a handler's return value: it has to be JSON, and not too much of it."""
    if isinstance(value, bytes):
        payload = value
    else:
        try:
            payload = json.dumps(value, default=_decimal).encode()
        except (TypeError, ValueError, RecursionError) as error:
            message = f"Unable to marshal response: {error}"
            return _failure("raised", "Runtime.MarshalError", message, {"requestId": request_id, "stackTrace": []})
    if len(payload) > RESPONSE_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        return _failure("raised", "Function.ResponseSizeTooLarge", message, {}, "LX-5")
    return Result("succeeded", payload)


def raised(error: BaseException, request_id: str, root: str) -> Result:
    """Return the result for an exception; paths below `root` are shown as Lambda has them."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != _HERE]
    states = [line.removesuffix("\n").replace(root, "/var/task") for line in traceback.format_list(frames)]
    fields = {"requestId": request_id, "stackTrace": states}
    return _failure("raised", type(error).__name__, str(error), fields, "LX-7")


def not_loaded(kind: str, message: str, request_id: str) -> Result:
    """Return the result for code that cannot be loaded."""
    return _failure("raised", kind, message, {"requestId": request_id, "stackTrace": []})


def exited(request_id: str) -> Result:
    """Return the result for a handler that ends its process (LX-14)."""
    message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
    return _failure("crashed", "Runtime.ExitError", message, {}, "LX-14")


def timed_out(request_id: str, seconds: int) -> Result:
    """Return the result for a handler that the function timeout ended (LX-9)."""
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return _failure("timed_out", "Sandbox.Timedout", message, {}, "LX-9")


def _failure(outcome: Outcome, kind: str, message: str, fields: Mapping[str, object], rule: str = "") -> Result:
    body = {"errorMessage": message, "errorType": kind, **fields}
    first = message.partition("\n")[0]
    shown = kind if kind.startswith(("Sandbox.", "Runtime.", "Function.")) else f"{kind}: {first}".removesuffix(": ")
    return Result(outcome, json.dumps(body).encode(), shown, rule)


def _decimal(value: object) -> float:
    """Write a decimal as a number, as the Python runtime does; nothing else is known to it."""
    if isinstance(value, Decimal):
        return float(value)
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)


_HERE = __file__.replace("result.py", "performance.py")
