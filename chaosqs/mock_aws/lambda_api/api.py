"""`LambdaApi`: Lambda in process, as operations on functions and event source mappings in virtual time."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import attrs

from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.lambda_.output import Output
from chaosqs.lambda_.results import Result
from chaosqs.lambda_.waits import Waits
from chaosqs.mock_aws.lambda_api import functions, mappings
from chaosqs.mock_aws.lambda_api.errors import LambdaError, not_served, throttled, too_large
from chaosqs.mock_aws.lambda_api.region import Direct, LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version, named
from chaosqs.model.design import PAYLOAD_LIMIT, EventSourceMapping
from chaosqs.model.events import InvocationEnded, Throttled
from chaosqs.sqs.api.parameters import Parameters, text
from chaosqs.sqs.api.region import ACCOUNT
from chaosqs.sqs.api.sqs import Sqs

# Invoke: synchronous, asynchronous, or as a dry run (ledger 7, 8) -----------------------------------------------------

SYNC_LIMIT = PAYLOAD_LIMIT  # bytes of a synchronous event (LX-5)
ASYNC_LIMIT = 1024 * 1024  # bytes of an asynchronous event (LX-6)
_TAIL = 4096  # bytes of the output that `LogType` Tail returns
_RETRIES = (60_000, 120_000)
"""Milliseconds before the second and the third attempt of an asynchronous invocation that fails."""
_THROTTLE_PAUSE = 1000  # milliseconds after the first throttled attempt; doubles with each one
_LONGEST_PAUSE = 300_000  # milliseconds
_GIVES_UP = 21_600_000  # milliseconds after which a throttled event is given up

Done = Callable[["Result", "Output"], None]


@attrs.frozen(eq=False)
class _Event:
    """The event of one invocation, and the version that it invokes."""

    region: LambdaRegion
    function: Deployed
    version: Version
    arn: str
    payload: str


def invoke(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Invoke a function and wait for it, queue an asynchronous event, or do nothing (dry run)."""
    wanted = named(text(parameters, "FunctionName") or "", text(parameters, "Qualifier"))
    function, version = region.find(wanted)
    for name in ("DurableExecutionName", "TenantId"):
        if text(parameters, name):
            raise not_served(f"Invoke with {name}")
    kind = text(parameters, "InvocationType") or "RequestResponse"
    event = _Event(region, function, version, region.arn(function.name, wanted.qualifier), _payload(parameters, kind))
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
    refused = _start(event, lambda result, output: callback((result, output)))
    if refused is not None:
        raise throttled(refused.reason)


def _start(event: _Event, done: Done) -> Refused | None:
    region, name = event.region, event.function.name
    settings = EventSourceMapping("", name)
    request = Request(settings, 0, None, (), ())

    def ended(end: InvocationEnded, index: int) -> None:
        del index
        done(*region.handlers.ended.pop(end.invocation))

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
    """Invoke asynchronously; retry twice after an error, and for six hours while throttled (LX-18)."""
    region = event.region

    def done(result: Result, output: Output) -> None:
        del output
        if result.failed and failures < len(_RETRIES):
            again = partial(_attempt, event, since, failures + 1, _THROTTLE_PAUSE)
            region.context.event_queue.after(_RETRIES[failures], again)
        else:
            region.waiting -= 1

    refused = _start(event, done)
    if refused is None:
        return
    if region.now + pause > since + _GIVES_UP:
        region.waiting -= 1
    else:
        again = partial(_attempt, event, since, failures, min(2 * pause, _LONGEST_PAUSE))
        region.context.event_queue.after(pause, again)


# All operations -------------------------------------------------------------------------------------------------------

Operation: TypeAlias = Callable[[LambdaRegion, Parameters], dict[str, object]]

OPERATIONS: Mapping[str, Operation] = {
    "CreateAlias": functions.create_alias,
    "CreateEventSourceMapping": mappings.create_event_source_mapping,
    "CreateFunction": functions.create_function,
    "DeleteEventSourceMapping": mappings.delete_event_source_mapping,
    "DeleteFunction": functions.delete_function,
    "DeleteFunctionConcurrency": functions.delete_function_concurrency,
    "GetAlias": functions.get_alias,
    "GetEventSourceMapping": mappings.get_event_source_mapping,
    "GetFunction": functions.get_function,
    "GetFunctionConcurrency": functions.get_function_concurrency,
    "GetFunctionConfiguration": functions.get_function_configuration,
    "GetFunctionRecursionConfig": functions.get_function_recursion_config,
    "Invoke": invoke,
    "ListAliases": functions.list_aliases,
    "ListEventSourceMappings": mappings.list_event_source_mappings,
    "ListFunctions": functions.list_functions,
    "ListTags": functions.list_tags,
    "ListVersionsByFunction": functions.list_versions_by_function,
    "PublishVersion": functions.publish_version,
    "PutFunctionConcurrency": functions.put_function_concurrency,
    "PutFunctionRecursionConfig": functions.put_function_recursion_config,
    "TagResource": functions.tag_resource,
    "UntagResource": functions.untag_resource,
    "UpdateAlias": functions.update_alias,
    "UpdateEventSourceMapping": mappings.update_event_source_mapping,
    "UpdateFunctionCode": functions.update_function_code,
    "UpdateFunctionConfiguration": functions.update_function_configuration,
}


@attrs.define(eq=False)
class LambdaApi:
    """Lambda for every Region, with the SQS that it polls."""

    sqs: Sqs
    waits: Waits
    regions: dict[str, LambdaRegion] = attrs.field(factory=dict[str, LambdaRegion])

    def region(self, name: str) -> LambdaRegion:
        """Return one Region; it is created on first use."""
        region = self.regions.get(name)
        if region is None:
            accounts = self.sqs.accounts
            region = LambdaRegion(accounts.context, self.waits, accounts.region(ACCOUNT, name))
            self.regions[name] = region
        return region

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> dict[str, object]:
        """Carry out one operation and return its result, both in botocore's shapes. Raises `LambdaError`."""
        found = OPERATIONS.get(operation)
        if found is None:
            raise not_served(operation)
        return found(self.region(region), parameters)

    def busy(self) -> list[str]:
        """Return reasons why it is busy: mappings that change, carry batches or have messages; running functions."""
        return [reason for region in self.regions.values() for reason in _busy(region)]

    def close(self) -> None:
        """End running handlers, and remove unpacked code."""
        for region in self.regions.values():
            region.handlers.close()
            for package in region.packages:
                package.close()


def _busy(region: LambdaRegion) -> list[str]:
    reasons: list[str] = []
    if region.engine.running:
        reasons.append(f"{region.engine.running} invocations run")
    if region.waiting:
        reasons.append(f"{region.waiting} asynchronous events wait or run")
    for mapped in region.mappings.values():
        name, stored = mapped.settings.name, mapped.resource.state.machine.stored
        if mapped.state not in ("Enabled", "Disabled"):
            reasons.append(f"the mapping {name} is {mapped.state}")
        elif mapped.carried:
            reasons.append(f"the mapping {name} carries {mapped.carried} batches")
        elif stored and mapped.poller is not None:
            reasons.append(f"{mapped.resource.address.name} has {stored} messages")
    return reasons
