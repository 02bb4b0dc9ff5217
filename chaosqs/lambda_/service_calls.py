"""Calls of handlers to AWS's other services: they take virtual time, may have faults injected, and are recorded.

A call first takes its time and then has its effect, as one to SQS does. Without a handler (a test of `aws()`, the
resources of a design) it takes no time. What a service passes on to a queue arrives there a little later.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import copy_context
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from http import HTTPStatus
from http.client import RemoteDisconnected
from importlib.util import find_spec
from math import inf
from threading import Thread
from typing import TYPE_CHECKING, Generic, NoReturn, TypeGuard, TypeVar
from urllib.parse import urlsplit

import attrs

from chaosqs.errors import SimulationError
from chaosqs.kernel.context import InjectedFault, SimulationContext, stream
from chaosqs.lambda_ import guards
from chaosqs.lambda_.guards import SETUP, StartedThread
from chaosqs.lambda_.handler_runtime import WATCHERS, GaveUp, HandlerTask, current_task, until
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.sandbox import Source, source
from chaosqs.lambda_.threads import Threads
from chaosqs.lambda_.world_setup import prepare
from chaosqs.model.design import Resource
from chaosqs.model.events import ServiceCalled
from chaosqs.model.json import parsed
from chaosqs.sqs.api.parameters import ApiError, Parameters, traced
from chaosqs.sqs.service import Service
from chaosqs.wire.http import HttpRequest, Reply
from chaosqs.wire.stubs import ClientCall

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from chaosqs.wire.other_services import Delivery, OtherServices, Saved

ADVICE = "moto, which answers for other services, does not implement it"
NOT_INSTALLED = "to have other services answered, pip install 'chaosqs[aws]'"
_CHANCE, _DELIVERY = stream("random numbers of other services"), stream("delivery latency")


_SAVED: dict[tuple[Resource, ...], Saved] = {}
"""The resources of designs, as they are when a run begins: made once."""


def moto_is_installed() -> bool:
    """Return True if other services can answer."""
    try:
        return find_spec("moto") is not None
    except ValueError:  # it is kept from being imported
        return False


THROTTLED, FAILED, SLOW, LOST = "throttled_call", "failed_call", "slow_call", "lost_call_response"
"""The kinds of faults of calls."""
_REFUSALS = (THROTTLED, FAILED)
"""Those that affect each attempt of a client; the others affect the first."""
_NOTHING: tuple[tuple[str, ...], tuple[str, ...]] = (), ()
"""The effects and claims of a call that has none."""
_SLOWER = 5
"""Seconds that a call takes longer if a fault makes it slow."""


def _error_of(response: AWSResponse | None) -> str:
    """Return the code of the error in a response; empty if there is none."""
    if response is None or response.status_code < 300:  # noqa: PLR2004 - HTTP's own classes
        return ""
    found = re.search(r"(?:__type\":\s*\"(?:[\w.]+#)?|<Code>)(\w+)", response.text)
    return found[1] if found else str(response.status_code)


Answered = TypeVar("Answered")


@attrs.frozen
class _Protocol(Generic[Answered]):
    """Faults and errors in the form that the clients of one protocol get."""

    refused: Callable[[str], tuple[str, Answered | Exception]]
    """Returns the code of the error by which a fault refuses a call, and the answer or what the client raises."""
    lost: Callable[[], Exception]
    """Returns the error if no response comes."""
    late: Callable[[], Exception]
    """Returns the error if the response comes later than the client waits for it."""
    code: Callable[[Answered], str]
    """Returns the code of the error in an answer; empty if there is none."""
    claims: tuple[str, ...] = ()
    """Digests of what the call claims, if it is a conditional write by which code claims its work."""


def _refused(kind: str) -> tuple[str, Reply]:
    status = HTTPStatus.TOO_MANY_REQUESTS if kind == THROTTLED else HTTPStatus.INTERNAL_SERVER_ERROR
    return str(status.value), Reply(status, {}, status.phrase.encode())


_HTTP: _Protocol[Reply] = _Protocol(
    _refused,
    lambda: RemoteDisconnected("Remote end closed connection without response"),
    lambda: TimeoutError("timed out"),
    lambda reply: str(reply.status) if reply.status >= HTTPStatus.BAD_REQUEST else "",
)


@attrs.frozen(eq=False)
class _Service:
    """The code of a service, as the sandbox sees it: at the moment of the call, with a chance of its own."""

    now: int
    chance: Source
    name: str = "a service"
    threads: Threads = attrs.field(factory=Threads)
    code: str = ""

    def sleep(self, seconds: float) -> None:
        """Take no time."""

    def read_clock(self, readings: int = 1) -> int:  # noqa: ARG002 - it takes no time
        """Return the moment of the call, in milliseconds."""
        return self.now

    def spawn(self, body: Callable[[], object], thread: Thread | None) -> StartedThread:
        """Start no thread."""
        raise SimulationError(f"{self.name} starts a thread: {thread or body}")

    def suspend(self, arrange: Callable[[Callable[[], None]], object], seconds: float | None) -> None:
        """Take no time where there is a limit; otherwise nothing would ever end the wait."""
        if seconds is None:
            raise SimulationError(f"{self.name} waits for {arrange}")

    def refuse(self, what: str, why: str = "") -> None:
        """Refuse what would leave the simulation."""
        raise SimulationError(f"{self.name} {what}: {why}")

    def exit(self, status: object) -> NoReturn:
        """Leave as by `sys.exit`: there is no process of its own."""
        raise SystemExit(status)


@attrs.define(eq=False)
class ServiceCalls:
    """Carries out the calls to the other services of one world."""

    context: SimulationContext
    queues: Service
    send: Callable[[Parameters, str, int | None], object]
    """Sends a message: parameters of SendMessage, Region, index of the event that is its cause."""
    pass_time: Callable[[], None]
    """Lets the time of a call pass for whoever makes it."""
    _services: OtherServices | None = None
    _behind: HandlerTask | None = None
    """The handler whose call is carried out; None: not one's."""
    _calls: int = 0
    _attempts: dict[object, int] = attrs.field(factory=dict[object, int])
    """Number of attempts of each HTTP request."""
    _deliveries: int = 0
    _delivers: bool = False
    _last_of_groups: dict[tuple[str, str, str], int] = attrs.field(factory=dict[tuple[str, str, str], int])
    """Moment of the last arrival of each message group in each queue."""

    def make(self, resources: tuple[Resource, ...], bodies: Iterable[str] = ()) -> None:
        """Make the resources of a design, and the objects of S3 that bodies of messages tell of.

        What happens to queues meanwhile is long past. Raises `InvalidDesign`.
        """
        if resources:
            saved = _SAVED.get(resources)
            if saved is None:
                from chaosqs.wire.resources import make  # noqa: PLC0415 - moto is an extra

                make(resources, self._answer)
                saved = self.services.saved()
                if saved is not None:
                    _SAVED[resources] = saved
            else:
                self.services.restore(saved)
        if told := [body for body in bodies if "bucket" in body and "key" in body]:
            from chaosqs.wire.resources import objects_of, put  # noqa: PLC0415 - moto is an extra

            put(objects_of(told), resources, self._answer)
        self._delivers, self._calls = True, 0

    def close(self) -> None:
        """Forget all resources."""
        if self._services is not None:
            self._services.close()

    def __call__(self, request: AWSPreparedRequest, call: ClientCall) -> AWSResponse | None:
        """Answer a request, after its time; return None if nothing does. A fault may be injected."""
        from botocore.exceptions import ConnectionClosedError, ReadTimeoutError  # noqa: PLC0415 - boto3 is an extra

        from chaosqs.wire.service_errors import response  # noqa: PLC0415

        protocol: _Protocol[AWSResponse | None] = _Protocol(
            lambda kind: response(request, call, throttled=kind == THROTTLED),
            lambda: ConnectionClosedError(endpoint_url=request.url),
            lambda: ReadTimeoutError(endpoint_url=request.url),
            _error_of,
            claims(call.service, request.url, request.body, list(request.headers)),
        )
        return self._carry_out(call, lambda: self._of(current_task(), request), protocol, call.seconds)

    def stubbed(self, call: ClientCall, answer: Callable[[], object]) -> object:
        """Carry out a call that a user's stub answers."""
        from botocore.exceptions import ConnectionClosedError, ReadTimeoutError  # noqa: PLC0415 - boto3 is an extra

        from chaosqs.wire.service_errors import exception  # noqa: PLC0415

        protocol: _Protocol[object] = _Protocol(
            lambda kind: exception(call, throttled=kind == THROTTLED),
            lambda: ConnectionClosedError(endpoint_url=f"https://{call.service}.amazonaws.com"),
            lambda: ReadTimeoutError(endpoint_url=f"https://{call.service}.amazonaws.com"),
            lambda _: "",
        )
        return self._carry_out(call, answer, protocol, call.seconds)

    def requested(self, request: HttpRequest, answer: Callable[[], Reply], seconds: float | None) -> Reply:
        """Carry out an HTTP request that a user's stub answers; its client waits for some seconds.

        An equal request of the same invocation counts as another attempt of one call.
        """
        task = current_task()
        same = (None if task is None else task.invocation.number), request
        attempts = self._attempts[same] = self._attempts.get(same, 0) + 1
        host = (urlsplit(request.url).hostname or "").replace(":", ".")  # that of IPv6
        call = ClientCall(host, request.method, parameters=posted(request), attempts=attempts)
        return self._carry_out(call, answer, _HTTP, seconds)

    def _carry_out(
        self,
        call: ClientCall,
        answer: Callable[[], Answered],
        protocol: _Protocol[Answered],
        seconds: float | None,
    ) -> Answered:
        """Carry out a call after its time, unless a fault is injected; `seconds`: time until its client gives up."""
        gives_up = inf if seconds is None else self.context.now + seconds * 1000
        self.pass_time()
        task = current_task()
        injected = None if task is None else self._injected(task, call)
        kind, fault = ("", "") if injected is None else (injected.kind.partition(":")[0], injected.name)
        if kind in _REFUSALS:
            code, refused = protocol.refused(kind)
            self._record(task, call, code, fault)
            if isinstance(refused, Exception):
                raise refused
            return refused
        if call.attempts > 1:
            kind, fault = "", ""
        if kind == SLOW and task is not None:
            task.sleep(min(_SLOWER, max(0, gives_up - self.context.now) / 1000))
        try:
            answered = until(gives_up, answer)
        except GaveUp:
            self._record(task, call, "", fault)
            raise protocol.late() from None
        except Exception as raised:
            self._record(task, call, type(raised).__name__, fault)
            raise
        if answered is not None:
            error = protocol.code(answered)
            did = _NOTHING if error else (effects(call.name, call.parameters), protocol.claims)
            self._record(task, call, error, fault, did)
            if kind == LOST:
                raise protocol.lost()
        if self.context.now >= gives_up:  # Assumed: it has its effect all the same.
            raise protocol.late()
        return answered

    def prepare(self, setups: Iterable[str]) -> None:
        """Call the setup functions of a run, before time starts."""
        setups = tuple(setups)
        if not setups:
            return
        code = _Service(self.context.now, source(self.context.random.seed << 96), SETUP)

        def call() -> None:
            guards.enter(code)
            for setup in setups:
                prepare(setup)

        for switched in WATCHERS:
            switched(SETUP)
        copy_context().run(call)
        for switched in WATCHERS:
            switched("")

    def _of(self, task: HandlerTask | None, request: AWSPreparedRequest) -> AWSResponse | None:
        self._behind = task
        try:
            return self._answer(request)
        finally:
            self._behind = None

    def _record(
        self,
        task: HandlerTask | None,
        call: ClientCall,
        error: str,
        fault: str,
        did: tuple[tuple[str, ...], tuple[str, ...]] = _NOTHING,
    ) -> None:
        if task is None or task.over:
            return
        now, invocation, (service, name) = self.context.now, task.invocation, (call.service, call.operation)
        function, number = invocation.request.mapping.function, invocation.number
        event = ServiceCalled(now, invocation.index, function, number, service, name, error, fault, *did, task.place)
        self.context.record(event)

    def _injected(self, task: HandlerTask, call: ClientCall) -> InjectedFault | None:
        request = task.invocation.request
        scopes = (request.mapping.queue, request.mapping.function, request.mapping.name)
        return self.context.injector.call(call.name, scopes, request.batch, self.context.now)

    @property
    def services(self) -> OtherServices:
        """The services of this world; moto is imported when the first one is needed."""
        if self._services is None:
            with guards.outside():
                from chaosqs.wire.other_services import OtherServices  # noqa: PLC0415 - moto is an extra

            self._services = OtherServices(self._deliver)
        return self._services

    def _answer(self, request: AWSPreparedRequest) -> AWSResponse | None:
        services, seed = self.services, self.context.random.seed if self._delivers else 0
        self._calls += 1
        code = _Service(self.context.now, source((seed << 96) + (_CHANCE << 64) + self._calls))
        with guards.outside():
            services.load(request)

        def answer() -> AWSResponse | None:
            guards.enter(code)
            return services.answer(request, code.chance.getrandbits(64))

        return copy_context().run(answer)

    def _deliver(self, delivery: Delivery) -> None:
        """Let a message arrive in a queue a little later, with the trace of the handler that is behind it (LX-16)."""
        if not self._delivers:
            return
        task, parameters = self._behind, _send_message(delivery)
        if task is not None:
            receipts = (receipt.message for receipt in task.invocation.request.receipts)
            trace = trace_header(task.request_id, receipts, task.invocation.request.mapping.function)
            parameters = traced("SendMessage", parameters, trace)
        self._deliveries += 1
        random, assumed = self.context.random, self.context.assumptions
        spread = assumed.latency_spread / 100
        latency = round(random.around(assumed.delivery_latency, spread, _DELIVERY, self._deliveries))
        due = self.context.now + max(1, latency)
        if delivery.group:  # FIFO topics keep the order of a group
            group = delivery.region, delivery.queue, delivery.group
            due = self._last_of_groups[group] = max(due, self._last_of_groups.get(group, 0) + 1)
        self.queues.to_come += 1
        cause = None if task is None else task.invocation.index
        self.context.event_queue.at(due, partial(self._arrive, parameters, delivery.region, cause))

    def _arrive(self, parameters: Parameters, region: str, cause: int | None) -> None:
        self.queues.to_come -= 1
        self.context.event_queue.may_be_over = True
        with suppress(ApiError):  # AWS tries again for days, and then drops it, too
            self.send(parameters, region, cause)


def _send_message(delivery: Delivery) -> Parameters:
    """Return the parameters of SendMessage for a delivery."""
    fifo = delivery.queue.endswith(".fifo")  # FF-1
    given = {
        "QueueUrl": delivery.queue,
        "MessageBody": delivery.body,
        "MessageAttributes": delivery.attributes,
        "MessageGroupId": delivery.group,
        "MessageDeduplicationId": delivery.deduplication_id if fifo else "",
    }
    return {name: value for name, value in given.items() if value}


# Effects of calls that recognise no repetition: each repeated call has one more effect --------------------------------
#
# Calls with the same outcome each time (PutItem of an item, PutObject of a key) have no such effect; nor have those
# whose repetition the service recognises (a FIFO topic, an execution that has a name). An update of an item has one for
# each number that it adds and each list that it appends to, but for counters that should count each attempt.

_CALLS: Mapping[str, str] = {
    "events:PutEvents": "Entries",
    "firehose:PutRecord": "",
    "firehose:PutRecordBatch": "Records",
    "kinesis:PutRecord": "",
    "kinesis:PutRecords": "Records",
    "ses:SendEmail": "",
    "ses:SendRawEmail": "",
    "ses:SendTemplatedEmail": "",
    "sesv2:SendEmail": "",
    "sns:Publish": "",
    "sns:PublishBatch": "PublishBatchRequestEntries",
    "stepfunctions:StartExecution": "",
}
"""Calls that have an effect each time, with the parameter that lists the effects of one call; empty: it has one."""
_UPDATES = ("dynamodb:UpdateItem", "dynamodb:TransactWriteItems")
"""Calls that may add to numbers and lists of items."""
_ASKS = frozenset(
    [
        *("auth", "authenticate", "authentication", "login", "oauth", "oidc", "signin", "token", "tokens"),
        *("check", "checks", "valid", "validate", "validation", "verification", "verify"),
        *("graphql", "lookup", "queries", "query", "search", "searches"),
    ]
)
"""Words in URLs to which a POST only asks something."""
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NO_CONTENTS = ("Id", "Time")
"""Keys of entries that tell the entries of a call apart, or when it was made."""
_CLAIM = re.compile(r"attribute_not_exists\s*\(\s*([#\w.]+)|<")
"""A condition under which only the first of several equal writes succeeds, or the first after a time limit."""
_SELF = r"(?P<path>[#\w.\[\]]+)\s*=\s*"
_OLD = r"(?:if_not_exists\s*\(\s*(?P=path)\s*,\s*[:#\w.]+\s*\)|(?P=path)(?![#\w.\[]))"
_ADDITIONS = (
    re.compile(_SELF + _OLD + r"\s*(?P<sign>[+-])\s*(?P<value>:\w+)"),
    re.compile(_SELF + r"(?P<value>:\w+)\s*(?P<sign>\+)\s*" + _OLD),
    re.compile(_SELF + r"(?P<sign>list_append)\s*\(\s*" + _OLD + r"\s*,\s*(?P<value>:\w+)\s*\)"),
    re.compile(_SELF + r"(?P<sign>list_append)\s*\(\s*(?P<value>:\w+)\s*,\s*" + _OLD + r"\s*\)"),
)
"""Clauses of SET that add to what is there."""
_ADD = re.compile(r"\bADD\s+((?:[#\w.\[\]]+\s+:\w+\s*,?\s*)+)", re.IGNORECASE)
_ADDED = re.compile(r"([#\w.\[\]]+)\s+(:\w+)")
_OF_ATTEMPTS = re.compile(r"(?i)attempt|retr(y|ies)|tries$|receive_?count|invocation|fail|error|version|revision")
"""Names of counters that should count each attempt, or each write."""


def effects(call: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return a digest of each effect of a call (`sns:Publish`): equal effects have equal digests.

    A call that is made while an exception is handled has none: it reports a failure, and each attempt may.
    """
    if sys.exc_info()[0] is not None:
        return ()
    if "url" in parameters and call.endswith(":POST"):
        return (_digest([parameters]),)
    if call in _UPDATES:
        return tuple(_digest([addition]) for update in _updates(parameters) for addition in _additions(update))
    if call not in _CALLS or _recognised(call, parameters):
        return ()
    listed = _CALLS[call]
    entries = parameters.get(listed) if listed else [parameters]
    rest = {key: value for key, value in parameters.items() if key != listed} if listed else {}
    return tuple(_digest([rest, entry]) for entry in entries) if _is_list(entries) else ()


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _recognised(call: str, parameters: Mapping[str, object]) -> bool:
    """Return True if the service recognises a repetition: by a deduplication id, or by the execution's name."""
    if call == "stepfunctions:StartExecution":
        return "name" in parameters
    return str(parameters.get("TopicArn", parameters.get("TargetArn", ""))).endswith(".fifo")


def _digest(effect: list[object]) -> str:
    entry = effect[-1]
    if _is_mapping(entry):
        effect = [*effect[:-1], {key: value for key, value in entry.items() if key not in _NO_CONTENTS}]
    return blake2b(json.dumps(effect, sort_keys=True, default=str).encode(), digest_size=8).hexdigest()


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def posted(request: HttpRequest) -> dict[str, object]:
    """Return what a request does once more each time it is made; nothing for one that only asks.

    A server recognises the repetition of a POST by a header for that.
    """
    words = (word.lower() for word in _WORDS.findall(request.url.partition("?")[0]))
    if request.method != "POST" or not _ASKS.isdisjoint(words) or any("idempot" in name for name in request.headers):
        return {}
    return {"url": request.url, "body": request.body}


def _updates(parameters: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield the updates of a call; a token lets DynamoDB recognise the repetition of a transaction."""
    items = parameters.get("TransactItems")
    if not _is_list(items):
        yield parameters
    elif "ClientRequestToken" not in parameters:
        updates = (item.get("Update") for item in items if _is_mapping(item))
        yield from filter(_is_mapping, updates)


def _additions(update: Mapping[str, object]) -> Iterator[list[object]]:
    """Yield what an update adds: table, key, attribute, sign and value."""
    expression = str(update.get("UpdateExpression", ""))
    found = [(one["path"], one["sign"], one["value"]) for clause in _ADDITIONS for one in clause.finditer(expression)]
    for listed in _ADD.findall(expression):
        found += [(path, "+", value) for path, value in _ADDED.findall(listed)]
    names, values = update.get("ExpressionAttributeNames"), update.get("ExpressionAttributeValues")
    for path, sign, name in found:
        attribute = ".".join(str(names.get(part, part)) if _is_mapping(names) else part for part in path.split("."))
        value = values.get(name) if _is_mapping(values) else None
        if sign == "list_append" or (_is_number(value) and not _OF_ATTEMPTS.search(attribute)):
            yield [update.get("TableName"), update.get("Key"), attribute, sign, value]


def _is_number(value: object) -> bool:
    """Return True for a number other than 0, as clients or resources of boto3 take it."""
    if _is_mapping(value):
        return value.get("N") not in {None, "0"}
    return isinstance(value, int | Decimal) and value != 0


def claims(service: str, url: str, body: object, headers: Sequence[str]) -> tuple[str, ...]:
    """Return digests of what a conditional write claims, as idempotency needs it; none: it claims nothing.

    Two writes claim the same if they have a digest in common. For an item of DynamoDB it is that of its key; where the
    condition does not show which attributes are the key, each attribute counts.
    """
    if service == "s3":
        return (_digest([url]),) if "If-None-Match" in headers else ()
    if service != "dynamodb" or not isinstance(body, bytes) or b"ConditionExpression" not in body:
        return ()
    request = parsed(body.decode())
    writes = _writes(request) if isinstance(request, dict) else []
    return tuple(_digest([write.get("TableName"), part]) for write in writes for part in _claimed(write))


def _writes(request: Mapping[str, object]) -> list[Mapping[str, object]]:
    items = request.get("TransactItems")
    if not _is_list(items):
        return [request]
    return [write for item in items if _is_mapping(item) for write in item.values() if _is_mapping(write)]


def _claimed(write: Mapping[str, object]) -> list[object]:
    """Return what identifies the item that a write claims: its key, else attributes with their values."""
    found = [match[1] for match in _CLAIM.finditer(str(write.get("ConditionExpression", "")))]
    key, item, names = write.get("Key"), write.get("Item"), write.get("ExpressionAttributeNames")
    if not found or not _is_mapping(item):
        return [key] if found else []
    named = {str(names.get(name, name)) if _is_mapping(names) else name for name in found if name}
    known = {name: item[name] for name in sorted(named) if name in item}
    return [known] if known else [{name: value} for name, value in item.items()]
