"""Calls of handlers to AWS's other services: they take virtual time, may be struck by faults, and are recorded.

A call first takes its time and then has its effect, as one to SQS does. Without a handler (a test of `aws()`, the
resources of a design) it takes no time. What a service passes on to a queue arrives there a little later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from http import HTTPStatus
from http.client import RemoteDisconnected
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import urlsplit

import attrs

from chaosqs.errors import SimulationError
from chaosqs.kernel.context import InjectedFault, SimulationContext, stream
from chaosqs.lambda_ import guards
from chaosqs.lambda_.guards import SETUP, StartedThread
from chaosqs.lambda_.handler_runtime import WATCHERS, HandlerTask, current_task
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.sandbox import Source, source
from chaosqs.lambda_.threads import Threads
from chaosqs.lambda_.world_setup import prepare
from chaosqs.model.design import Resource
from chaosqs.model.events import ServiceCalled
from chaosqs.sqs.api.parameters import ApiError, Parameters, traced
from chaosqs.sqs.service import Service
from chaosqs.wire.http import HttpRequest, Reply
from chaosqs.wire.stubs import ClientCall

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse

    from chaosqs.wire.other_services import Delivery, OtherServices, Saved


import json
import sys
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeGuard

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
"""The kinds of faults that strike calls."""
_REFUSALS = (THROTTLED, FAILED)
"""Those that strike each attempt of a client; the others strike the first."""
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
    code: Callable[[Answered], str]
    """Returns the code of the error in an answer; empty if there is none."""
    claims: bool = False
    """True if the call is a conditional write by which code claims its work."""


def _refused(kind: str) -> tuple[str, Reply]:
    status = HTTPStatus.TOO_MANY_REQUESTS if kind == THROTTLED else HTTPStatus.INTERNAL_SERVER_ERROR
    return str(status.value), Reply(status, {}, status.phrase.encode())


_HTTP: _Protocol[Reply] = _Protocol(
    _refused,
    lambda: RemoteDisconnected("Remote end closed connection without response"),
    lambda reply: str(reply.status) if reply.status >= HTTPStatus.BAD_REQUEST else "",
)


@attrs.frozen(eq=False)
class _Service:
    """The code of a service, as the sandbox sees it: at the moment of the call, with a chance of its own."""

    now: int
    chance: Source
    name: str = "a service"
    threads: Threads = attrs.field(factory=Threads)

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

    def make(self, resources: tuple[Resource, ...]) -> None:
        """Make the resources of a design; what happens to queues meanwhile is long past. Raises `InvalidDesign`."""
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
        self._delivers, self._calls = True, 0

    def close(self) -> None:
        """Forget all resources."""
        if self._services is not None:
            self._services.close()

    def __call__(self, request: AWSPreparedRequest, call: ClientCall) -> AWSResponse | None:
        """Answer a request, after its time; return None if nothing does. A fault may strike it."""
        from botocore.exceptions import ConnectionClosedError  # noqa: PLC0415 - boto3 is an extra

        from chaosqs.wire.service_errors import response  # noqa: PLC0415

        protocol: _Protocol[AWSResponse | None] = _Protocol(
            lambda kind: response(request, call, throttled=kind == THROTTLED),
            lambda: ConnectionClosedError(endpoint_url=request.url),
            _error_of,
            is_claim(call.service, request.body, list(request.headers)),
        )
        return self._carry_out(call, lambda: self._of(current_task(), request), protocol)

    def stubbed(self, call: ClientCall, answer: Callable[[], object]) -> object:
        """Carry out a call that a user's stub answers."""
        from botocore.exceptions import ConnectionClosedError  # noqa: PLC0415 - boto3 is an extra

        from chaosqs.wire.service_errors import exception  # noqa: PLC0415

        protocol: _Protocol[object] = _Protocol(
            lambda kind: exception(call, throttled=kind == THROTTLED),
            lambda: ConnectionClosedError(endpoint_url=f"https://{call.service}.amazonaws.com"),
            lambda _: "",
        )
        return self._carry_out(call, answer, protocol)

    def requested(self, request: HttpRequest, answer: Callable[[], Reply], seconds: float | None) -> Reply:
        """Carry out an HTTP request that a user's stub answers; its client waits for some seconds.

        An equal request of the same invocation counts as another attempt of one call.
        """
        task = current_task()
        same = (None if task is None else task.invocation.number), request
        attempts = self._attempts[same] = self._attempts.get(same, 0) + 1
        host = (urlsplit(request.url).hostname or "").replace(":", ".")  # that of IPv6
        call = ClientCall(host, request.method, attempts=attempts)
        return self._carry_out(call, answer, _HTTP, seconds)

    def _carry_out(
        self,
        call: ClientCall,
        answer: Callable[[], Answered],
        protocol: _Protocol[Answered],
        seconds: float | None = None,
    ) -> Answered:
        """Carry out a call after its time, unless a fault strikes it; `seconds`: time until its client gives up."""
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
            task.sleep(_SLOWER if seconds is None else min(_SLOWER, seconds))
        try:
            answered = answer()
        except Exception as raised:
            self._record(task, call, type(raised).__name__, fault)
            raise
        if answered is not None:
            error, did = protocol.code(answered), effects(call.name, call.parameters)
            self._record(task, call, error, fault, () if error else did, claims=protocol.claims and not error)
            if kind == LOST:
                raise protocol.lost()
        if kind == SLOW and seconds is not None and seconds <= _SLOWER:  # Assumed: it has its effect all the same.
            raise TimeoutError("timed out")
        return answered

    def prepare(self, setups: Iterable[str]) -> None:
        """Call the setup functions of a run, before time starts."""
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
        did: tuple[str, ...] = (),
        *,
        claims: bool = False,
    ) -> None:
        if task is None or task.over:
            return
        now, invocation, (service, name) = self.context.now, task.invocation, (call.service, call.operation)
        function, number = invocation.request.mapping.function, invocation.number
        event = ServiceCalled(now, invocation.index, function, number, service, name, error, fault, did, claims)
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
# whose repetition the service recognises (a FIFO topic, an execution that has a name). Updates are left out: a counter
# of attempts should count each one.

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
_NO_CONTENTS = ("Id", "Time")
"""Keys of entries that tell the entries of a call apart, or when it was made."""
_CLAIM = re.compile(rb'"ConditionExpression":\s*"[^"]*(?:attribute_not_exists|<)')
"""A condition under which only the first of several equal writes succeeds, or the first after a time limit."""


def effects(call: str, parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return a digest of each effect of a call (`sns:Publish`): equal effects have equal digests.

    A call that is made while an exception is handled has none: it reports a failure, and each attempt may.
    """
    if call not in _CALLS or sys.exc_info()[0] is not None or _recognised(call, parameters):
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


def is_claim(service: str, body: object, headers: Sequence[str]) -> bool:
    """Return True if a request is a conditional write by which code claims its work, as idempotency needs it."""
    if service == "dynamodb":
        return isinstance(body, bytes) and _CLAIM.search(body) is not None
    return service == "s3" and "If-None-Match" in headers
