"""What is replaced in botocore while a world is open, and put back when the last one closes.

* `Endpoint._send` is where requests leave for the network. All clients pass it, those made before the world too. (A
  `before-send` handler of ours would reach only clients made inside, and its answers would override those of the
  handlers with which a test injects failures.)
* Requests are not signed, as nobody checks: so a client works without credentials, and none are looked for in the
  network. A session that has no Region gets one for the time of the world.
* What botocore sleeps between attempts passes in virtual time, with a jitter that the world decides.

Where no world is open, in another thread or after the last one closed, each replacement does what it replaces.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

import attrs
import boto3
import botocore.endpoint
import botocore.retryhandler
import botocore.waiter
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.endpoint import Endpoint
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import URLLib3Session
from botocore.retries.bucket import TokenBucket
from botocore.retries.standard import ExponentialBackoff, RetryHandler
from botocore.session import Session
from botocore.signers import RequestSigner

from chaosqs.sqs.api.region import REGION
from chaosqs.wire.http import scope, turns
from chaosqs.wire.transport import Transport

# Which world a request belongs to: the innermost that its own context opened, else the one opened last. --------------
#
# Threads begin with an empty context, so those that a test starts find the test's world as the one opened last; tests
# that run in threads of their own, each with its own world, do not mix.

_open: list[Transport] = []
_here: ContextVar[tuple[Transport, ...]] = ContextVar("chaosqs_doors", default=())


def current() -> Transport | None:
    """Return the door that answers here, or None: no world is open."""
    for transport in reversed(_here.get()):
        if transport.is_open:
            return transport
    return next(reversed(_open), None)


def enter(transport: Transport) -> bool:
    """Make a door the current one; tell whether it is the first."""
    _open.append(transport)
    _here.set((*_here.get(), transport))
    return len(_open) == 1


def leave(transport: Transport) -> bool:
    """Close a door, whether or not it is the current one; tell whether it was the last."""
    transport.is_open = False
    _open.remove(transport)
    _here.set(tuple(other for other in _here.get() if other.is_open))
    return not _open


# Other services, answered by moto where the user asks for it; and moto kept away from ours while a world is open. ----
#
# moto is not a dependency: it is imported when a world asks for it, and minded when somebody else has imported it.

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse


@contextmanager
def moto() -> Generator[Callable[[AWSPreparedRequest], AWSResponse | None]]:
    """Start moto for the time of a `with` block; yield what answers a request of another service."""
    from moto import mock_aws  # noqa: PLC0415 - where it is not asked for, it need not be installed
    from moto.core.models import botocore_stubber  # noqa: PLC0415

    def answer(request: AWSPreparedRequest) -> AWSResponse | None:
        return botocore_stubber("before-send", request)

    with mock_aws():
        yield answer


@contextmanager
def moto_leaves_ours_alone() -> Generator[None]:
    """Take SQS and Lambda out of moto's hands where it is loaded: it would answer before a request gets to the door."""
    if "moto.core.config" not in sys.modules:
        yield
        return
    from moto.core.config import default_user_config  # noqa: PLC0415 - only where somebody else has imported it

    passed_on = default_user_config.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
    passed_on.extend(_OURS)
    try:
        yield
    finally:
        for service in _OURS:
            passed_on.remove(service)


_OURS = ("awslambda", "lambda", "sqs")  # moto has called Lambda by both names


# ---------------------------------------------------------------------------------------------------------------------


class _Function(Protocol):
    def __call__(self, *arguments: object, **options: object) -> object: ...


@contextmanager
def opened(transport: Transport) -> Generator[Transport]:
    """Let a door answer what clients send, for the time of a `with` block."""
    with _TURN:
        if enter(transport):
            _install()
    try:
        yield transport
    finally:
        with _TURN:
            if leave(transport):
                _restore()


_TURN = turns()
_originals: list[tuple[object, str, object]] = []


def _install() -> None:
    for owner, name, replacement in (*_METHODS, *_MODULES):
        original = vars(owner).get(name)
        if original is not None:  # some releases of botocore lack some of them
            _originals.append((owner, name, original))
            setattr(owner, name, replacement(original))


def _restore() -> None:
    while _originals:
        setattr(*_originals.pop())


def default_region() -> str:
    """Return the Region of a client that names none: what the default session or the configuration says."""
    if boto3.DEFAULT_SESSION is not None:
        return boto3.DEFAULT_SESSION.region_name or REGION
    return Session(include_builtin_handlers=False).get_config_variable("region") or REGION


# Requests ---------------------------------------------------------------------------------------------------------


def _send(original: _Function) -> object:
    def send(self: Endpoint, request: AWSPreparedRequest) -> object:
        transport = current()
        if transport is None:
            return original(self, request)
        service: str = vars(self)["_endpoint_prefix"]
        return transport.send(service, request)

    return send


def _sign(original: _Function) -> object:
    """Write who signs for which Region where a signature would say so, and no more."""

    def sign(
        self: RequestSigner,
        operation: str,
        request: AWSRequest,
        region_name: str | None = None,
        signing_type: str = "standard",
        *rest: object,
        **options: object,
    ) -> object:
        transport = current()
        if transport is None or signing_type != "standard" or _needs_signature(self, transport):
            return original(self, operation, request, region_name, signing_type, *rest, **options)
        request.headers["Authorization"] = scope(self.signing_name, self.region_name)
        return None

    return sign


def _needs_signature(signer: RequestSigner, transport: Transport) -> bool:
    """Tell whether whoever answers looks at it: moto tells anonymous clients from others."""
    service: str = vars(signer)["_service_id"]
    return (
        transport.others is not None and service not in ("Lambda", "SQS") and vars(signer)["_credentials"] is not None
    )


def _off_the_network(original: _Function) -> object:
    """Keep what does not pass an endpoint off the network too: the search for credentials, for a Region."""

    def send(self: object, request: AWSPreparedRequest) -> object:
        if current() is None:
            return original(self, request)
        raise EndpointConnectionError(endpoint_url=request.url)

    return send


# Sessions ---------------------------------------------------------------------------------------------------------


def _get_credentials(original: _Function) -> object:
    def get_credentials(self: Session) -> object:
        if current() is None or vars(self)["_credentials"] is not None:
            return original(self)
        return Credentials("chaosqs", "chaosqs", method="chaosqs")

    return get_credentials


def _resolve_region_name(original: _Function) -> object:
    def resolve_region_name(self: Session, region_name: str | None, config: Config | None) -> object:
        if current() is not None and not (region_name or getattr(config, "region_name", None)):
            region_name = self.get_config_variable("region") or REGION
        return original(self, region_name, config)

    return resolve_region_name


# Sleeps -----------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Time:
    """Stands for the module `time` in modules of botocore that sleep."""

    original: ModuleType

    def sleep(self, seconds: float) -> None:
        transport = current()
        if transport is None:
            self.original.sleep(seconds)
        else:
            transport.waiter.sleep(seconds)

    def __getattr__(self, name: str) -> object:
        return getattr(self.original, name)


@attrs.frozen
class _Random:
    """Stands for the module `random` where botocore chooses the jitter of a sleep (retry mode `legacy`)."""

    original: ModuleType

    def random(self) -> float:
        transport = current()
        return self.original.random() if transport is None else transport.waiter.jitter()

    def __getattr__(self, name: str) -> object:
        return getattr(self.original, name)


def _delay_amount(original: _Function) -> object:
    """Choose the jitter of a sleep in the retry modes `standard` and `adaptive`: each client has its own source."""

    def delay_amount(self: ExponentialBackoff, context: object) -> object:
        transport = current()
        if transport is None:
            return original(self, context)
        ours = copy.copy(self)
        vars(ours)["_random"] = transport.waiter.jitter
        return original(ours, context)

    return delay_amount


class _RetryPolicy(Protocol):
    def compute_retry_delay(self, context: object) -> float: ...


def _is_long_polling_operation(original: _Function) -> object:
    """Sleep in virtual time where botocore would sleep itself, without asking for its module `time`.

    It does so for a long poll whose client has used up its quota of retries; to say that this is no long poll spares
    it the sleep and nothing else.
    """

    def is_long_polling_operation(self: RetryHandler, context: object) -> object:
        transport, polls = current(), original(self, context)
        if transport is None or not polls:
            return polls
        policy: _RetryPolicy = vars(self)["_retry_policy"]
        transport.waiter.sleep(policy.compute_retry_delay(context))
        return False

    return is_long_polling_operation


def _acquire(original: _Function) -> object:
    """Never hold a request back: the retry mode `adaptive` counts in real time, which does not pass here."""

    def acquire(self: object, *arguments: object, **options: object) -> object:
        return original(self, *arguments, **options) if current() is None else True

    return acquire


_METHODS: tuple[tuple[type, str, Callable[[_Function], object]], ...] = (
    (Endpoint, "_send", _send),
    (RequestSigner, "sign", _sign),
    (URLLib3Session, "send", _off_the_network),
    (Session, "get_credentials", _get_credentials),
    (Session, "_resolve_region_name", _resolve_region_name),
    (ExponentialBackoff, "delay_amount", _delay_amount),
    (RetryHandler, "_is_long_polling_operation", _is_long_polling_operation),
    (TokenBucket, "acquire", _acquire),
)
_MODULES: tuple[tuple[ModuleType, str, Callable[[ModuleType], object]], ...] = (
    (botocore.endpoint, "time", _Time),
    (botocore.waiter, "time", _Time),
    (botocore.retryhandler, "random", _Random),
)
