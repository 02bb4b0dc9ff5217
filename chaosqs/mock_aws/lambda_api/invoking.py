"""Invoke: synchronous, asynchronous, or as a dry run; settings, dead letters and destinations of asynchronous ones."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial

import attrs

from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.lambda_.output import Output
from chaosqs.lambda_.results import Result
from chaosqs.mock_aws.lambda_api.errors import LambdaError, invalid, not_found, not_served, throttled, too_large
from chaosqs.mock_aws.lambda_api.region import Direct, LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import LATEST, Deployed, EventSettings, Named, Version, named, page
from chaosqs.model.design import PAYLOAD_LIMIT, EventSourceMapping
from chaosqs.model.events import InvocationEnded, Throttled
from chaosqs.sqs.api.parameters import ApiError, Parameters, from_arn, integer, structure, text
from chaosqs.sqs.api.region import EPOCH
from chaosqs.sqs.api.sending import send_message
from chaosqs.sqs.machines.message import uuid

# Invoke: synchronous, asynchronous, or as a dry run (ledger 7, 8) -----------------------------------------------------

SYNC_LIMIT = PAYLOAD_LIMIT  # bytes of a synchronous event (LX-5)
ASYNC_LIMIT = 1024 * 1024  # bytes of an asynchronous event (LX-6)
_TAIL = 4096  # bytes of the output that `LogType` Tail returns
_RETRIES = (60_000, 120_000)
"""Milliseconds before the second and the third attempt of an asynchronous invocation that fails (LX-18)."""
_THROTTLE_PAUSE = 1000  # milliseconds after the first throttled attempt; doubles with each one
_LONGEST_PAUSE = 300_000  # milliseconds
_OLDEST = 21_600_000  # milliseconds after which an event is given up, unless a setting says otherwise

Done = Callable[[Result, Output, str], None]
"""Called with the end of an invocation and its request id."""


@attrs.frozen(eq=False)
class _Event:
    """The event of one invocation, and the version that it invokes."""

    region: LambdaRegion
    function: Deployed
    version: Version
    qualifier: str
    payload: str

    @property
    def arn(self) -> str:
        """The ARN by which the function was called."""
        return self.region.arn(self.function.name, self.qualifier)


def invoke(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Invoke a function and wait for it, queue an asynchronous event, or do nothing (dry run)."""
    wanted = named(text(parameters, "FunctionName") or "", text(parameters, "Qualifier"))
    function, version = region.find(wanted)
    for name in ("DurableExecutionName", "TenantId"):
        if text(parameters, name):
            raise not_served(f"Invoke with {name}")
    kind = text(parameters, "InvocationType") or "RequestResponse"
    event = _Event(region, function, version, wanted.qualifier, _payload(parameters, kind))
    if kind == "DryRun":
        return {"StatusCode": 204, "Payload": b""}
    if kind == "Event":
        region.waiting += 1
        region.context.event_queue.after(0, partial(_attempt, event, region.now, 0, _THROTTLE_PAUSE))
        return {"StatusCode": 202, "Payload": b""}
    result, output = region.waits.response(partial(_begin, event))
    shown: dict[str, object] = {"StatusCode": 200, "ExecutedVersion": version.number, "Payload": result.payload}
    if result.failed:
        shown["FunctionError"] = "Unhandled"  # LX-7, LX-8
    if text(parameters, "LogType") == "Tail":
        shown["LogResult"] = b64encode(output.text().encode()[-_TAIL:]).decode()
    return shown


def _payload(parameters: Parameters, kind: str) -> str:
    """Return the event; raise `LambdaError` if it is too large or not JSON."""
    given = parameters.get("Payload")
    content = given if isinstance(given, bytes) else b""
    limit = ASYNC_LIMIT if kind == "Event" else SYNC_LIMIT
    if len(content) > limit:
        raise too_large(
            f"{len(content)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        )
    try:
        return json.dumps(json.loads(content or b"{}"))
    except (ValueError, RecursionError) as error:
        message = f"Could not parse request body into json: {error}"
        raise LambdaError("InvalidRequestContentException", 400, message) from None


def _begin(event: _Event, callback: Callable[[tuple[Result, Output]], None]) -> None:
    """Start a synchronous invocation; raise `LambdaError` if no execution is free (LC-11 … LC-13, LC-15)."""
    refused = _start(event, lambda result, output, _: callback((result, output)))
    if refused is not None:
        raise throttled(refused.reason)


def _start(event: _Event, done: Done) -> Refused | None:
    region, name = event.region, event.function.name
    settings = EventSourceMapping("", name)
    request = Request(settings, 0, None, (), ())

    def ended(end: InvocationEnded, index: int) -> None:
        del index
        done(*region.handlers.ended.pop(end.invocation), uuid(b"invocation", end.invocation))

    region.calls[id(settings)] = Direct(settings, event.function, event.version, event.arn, event.payload)
    refused = region.engine.invoke(request, ended)
    if refused is not None:
        del region.calls[id(settings)]
        region.context.record(
            Throttled(
                region.now, None, name, settings.name, 0, (), 1, refused.reason, refused.running, refused.limit, ""
            )
        )
    return refused


def _attempt(event: _Event, since: int, failures: int, pause: int) -> None:
    """Invoke asynchronously; retry after an error, and while throttled, until the event is too old (LX-18, LX-21).

    A function that is off, with a reservation of zero, gets no further attempt (LX-24).
    """
    region, settings = event.region, event.function.event_settings.get(event.qualifier or LATEST) or EventSettings()
    retries = _RETRIES if settings.retries is None else _RETRIES[: settings.retries]
    oldest = since + (_OLDEST if settings.age is None else settings.age * 1000)

    def done(result: Result, output: Output, request_id: str) -> None:
        del output
        attempt = _Attempt(failures + 1, request_id, result)
        if not result.failed:
            _finish(event, settings, "Success", attempt)
        elif failures >= len(retries):
            _finish(event, settings, "RetriesExhausted", attempt)
        elif region.now + retries[failures] > oldest:
            _finish(event, settings, "EventAgeExceeded", attempt)
        else:
            again = partial(_attempt, event, since, failures + 1, _THROTTLE_PAUSE)
            region.context.event_queue.after(retries[failures], again)

    refused = _start(event, done)
    if refused is None:
        return
    if refused.limit == 0:
        _finish(event, settings, "ZeroReservedConcurrency", _Attempt(failures, region.new_id(b"event")))
    elif region.now + pause > oldest:
        _finish(event, settings, "EventAgeExceeded", _Attempt(failures, region.new_id(b"event")))
    else:
        again = partial(_attempt, event, since, failures, min(2 * pause, _LONGEST_PAUSE))
        region.context.event_queue.after(pause, again)


# The end of an asynchronous invocation: dead-letter queue and destinations (LX-22, LX-23) -----------------------------

_LONGEST_MESSAGE = 1024  # bytes of the error message that a dead letter carries
_THROTTLED = 429


@attrs.frozen
class _Attempt:
    """The last attempt of an asynchronous invocation."""

    number: int
    request_id: str
    result: Result | None = None
    """None if it was throttled."""


def _finish(event: _Event, settings: EventSettings, condition: str, attempt: _Attempt) -> None:
    """Send the event to the function's dead-letter queue and to its destination, where it has one."""
    event.region.waiting -= 1
    failed = condition != "Success"
    target = settings.on_failure if failed else settings.on_success
    if target:
        _send(event, target, json.dumps(_record(event, condition, attempt)), {})
    dead_letters = text(structure(event.version.configuration.shown.get("DeadLetterConfig")), "TargetArn")
    if failed and dead_letters:
        result = attempt.result
        message = "Rate Exceeded." if result is None else result.message
        attributes = {
            "RequestID": _attribute("String", attempt.request_id),
            "ErrorCode": _attribute("Number", str(_THROTTLED if result is None else 200)),
            "ErrorMessage": _attribute("String", message.encode()[:_LONGEST_MESSAGE].decode(errors="ignore")),
        }
        _send(event, dead_letters, event.payload, {name: each for name, each in attributes.items() if each})


def _attribute(data_type: str, value: str) -> dict[str, object]:
    return {"DataType": data_type, "StringValue": value} if value else {}


def _record(event: _Event, condition: str, attempt: _Attempt) -> dict[str, object]:
    """Return the record of an invocation that a destination gets."""
    result = attempt.result
    record: dict[str, object] = {
        "version": "1.0",
        "timestamp": event.region.stamp(),
        "requestContext": {
            "requestId": attempt.request_id,
            "functionArn": event.region.arn(event.function.name, event.qualifier or LATEST),
            "condition": condition,
            "approximateInvokeCount": attempt.number,
        },
        "requestPayload": json.loads(event.payload),
    }
    if result is not None:
        context: dict[str, object] = {"statusCode": 200, "executedVersion": event.version.number}
        record["responseContext"] = {**context, **({"functionError": "Unhandled"} if result.failed else {})}
        record["responsePayload"] = json.loads(result.payload or b"null")
    return record


def _send(event: _Event, arn: str, body: str, attributes: Mapping[str, object]) -> None:
    """Send a message to a queue. Assumed: one that cannot be sent is dropped."""
    address = from_arn(arn)
    assert address is not None, arn
    try:
        send_message(event.region.sqs, {"QueueUrl": address.url, "MessageBody": body, "MessageAttributes": attributes})
    except ApiError:
        return


# Settings of asynchronous invocations: of a function, a version or an alias (LX-21) -----------------------------------


def put_function_event_invoke_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Set retries, maximum age and destinations; what the request leaves out is as by default."""
    function, qualifier = _configured(region, parameters)
    return _configure(region, function, qualifier, parameters, EventSettings())


def update_function_event_invoke_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Change settings; what the request leaves out stays."""
    function, qualifier = _configured(region, parameters)
    return _configure(region, function, qualifier, parameters, _settings(region, function, qualifier))


def get_function_event_invoke_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return the settings of a function, a version or an alias."""
    function, qualifier = _configured(region, parameters)
    return _present(region, function, qualifier, _settings(region, function, qualifier))


def delete_function_event_invoke_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Remove the settings."""
    function, qualifier = _configured(region, parameters)
    _settings(region, function, qualifier)
    del function.event_settings[qualifier]
    return {}


def list_function_event_invoke_configs(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List the settings of a function, its versions and aliases."""
    function, _ = _configured(region, parameters)
    shown = [_present(region, function, *each) for each in sorted(function.event_settings.items())]
    return page(shown, parameters, "FunctionEventInvokeConfigs")


def _configured(region: LambdaRegion, parameters: Parameters) -> tuple[Deployed, str]:
    wanted = named(text(parameters, "FunctionName") or "", text(parameters, "Qualifier"))
    try:
        function, _ = region.find(Named(wanted.name, wanted.qualifier))
    except LambdaError:
        raise not_found("The function doesn't exist.") from None
    return function, wanted.qualifier or LATEST


def _settings(region: LambdaRegion, function: Deployed, qualifier: str) -> EventSettings:
    found = function.event_settings.get(qualifier)
    if found is None:
        arn = region.arn(function.name, qualifier)
        raise not_found(f"The function {arn} doesn't have an EventInvokeConfig")
    return found


def _configure(
    region: LambdaRegion, function: Deployed, qualifier: str, parameters: Parameters, before: EventSettings
) -> dict[str, object]:
    retries, age = integer(parameters, "MaximumRetryAttempts"), integer(parameters, "MaximumEventAgeInSeconds")
    given = parameters.get("DestinationConfig")
    if retries is None and age is None and given is None:
        raise invalid("You must specify at least one of error handling or destination setting.")
    targets = {"OnSuccess": before.on_success, "OnFailure": before.on_failure}
    if given is not None:
        for name in targets:
            targets[name] = _target(region, function, structure(structure(given).get(name)))
    after = EventSettings(
        before.retries if retries is None else retries,
        before.age if age is None else age,
        targets["OnSuccess"],
        targets["OnFailure"],
        region.now,
    )
    function.event_settings[qualifier] = after
    return _present(region, function, qualifier, after)


def _target(region: LambdaRegion, function: Deployed, given: Parameters) -> str:
    """Return the ARN of a destination, or an empty string. Only queues are served."""
    arn = text(given, "Destination") or ""
    if f"{arn}:".startswith(f"{region.arn(function.name)}:"):
        raise invalid("You can't specify the function as a destination for itself.")
    if arn and from_arn(arn) is None:
        raise not_served(f"the destination {arn}, which is no queue,")
    return arn


def _present(region: LambdaRegion, function: Deployed, qualifier: str, settings: EventSettings) -> dict[str, object]:
    ends = {"OnSuccess": settings.on_success, "OnFailure": settings.on_failure}
    shown: dict[str, object] = {
        "LastModified": (EPOCH + settings.modified_at) / 1000,
        "FunctionArn": region.arn(function.name, qualifier),
        "DestinationConfig": {name: {"Destination": arn} if arn else {} for name, arn in ends.items()},
    }
    if settings.retries is not None:
        shown["MaximumRetryAttempts"] = settings.retries
    if settings.age is not None:
        shown["MaximumEventAgeInSeconds"] = settings.age
    return shown
