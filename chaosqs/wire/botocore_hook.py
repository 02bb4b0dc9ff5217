"""Replacements in botocore while a transport is open; the originals are restored when the last one closes.

* `Endpoint._send` is where requests leave for the network. All clients use it, even those made before the transport
  was opened. (A `before-send` handler would reach only clients made later, and its answers would override those of
  the handlers with which a test injects failures.)
* Requests are not signed, as no server checks them. So clients work without credentials, and do not search the network
  for any. A session that has no Region gets one while a transport is open.
* Sessions share the service models that they have read.
* botocore's sleeps between attempts pass in virtual time, with a jitter that the simulation decides.
* Shortcuts give botocore's own results at less cost.

If no transport is open, as in a thread after the last one closed, each replacement calls its original.
"""

from __future__ import annotations

import copy
import inspect
import os
import re
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Protocol, TypedDict
from unittest.mock import patch

import attrs
import boto3
import botocore.awsrequest
import botocore.endpoint
import botocore.hooks
import botocore.httpsession
import botocore.retryhandler
import botocore.session
import botocore.useragent
import botocore.waiter
from botocore.awsrequest import AWSPreparedRequest, AWSRequest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.endpoint import Endpoint, EndpointCreator
from botocore.exceptions import EndpointConnectionError
from botocore.hooks import EventAliaser
from botocore.httpsession import URLLib3Session
from botocore.retries.bucket import TokenBucket
from botocore.retries.standard import ExponentialBackoff, RetryHandler
from botocore.session import Session
from botocore.signers import RequestSigner

from chaosqs.kernel.context import Opened, turns
from chaosqs.sqs.api.region import REGION
from chaosqs.wire.stubs import ClientCall, read_timeout
from chaosqs.wire.transport import Transport, scope

# The transport of a request -------------------------------------------------------------------------------------------

_transports: Opened[Transport] = Opened("chaosqs_transports")


def current() -> Transport | None:
    """Return the transport that answers requests of this context, or None if none is open."""
    return _transports.current()


def leave(transport: Transport) -> bool:
    """Close a transport, current or not; return True if no other one is open."""
    transport.is_open = False
    return _transports.leave(transport)


# A `mock_aws` of the user's own: moto answers before a request reaches the transport ----------------------------------


@contextmanager
def _ahead_of_moto(transport: Transport) -> Generator[None]:
    """Keep moto, if it is loaded, from answering what the transport answers: SQS and Lambda, or all services."""
    models, config = sys.modules.get("moto.core.models"), sys.modules.get("moto.core.config")
    if models is None or config is None:
        yield
    elif transport.others is not None:
        with patch.object(vars(models)["botocore_stubber"], "enabled", new=False):
            yield
    else:
        settings: dict[str, dict[str, dict[str, list[str]]]] = vars(config)["default_user_config"]
        passed_on = settings.setdefault("core", {}).setdefault("passthrough", {}).setdefault("services", [])
        passed_on.extend(_OURS)
        try:
            yield
        finally:
            for service in _OURS:
                passed_on.remove(service)


_OURS = ("awslambda", "lambda", "sqs")  # moto has called Lambda by both names


# Opening and closing --------------------------------------------------------------------------------------------------


class Function(Protocol):
    """A function or method that is replaced."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Be called as the original is."""
        ...


@contextmanager
def opened(transport: Transport) -> Generator[Transport]:
    """Let a transport answer clients' requests for the time of a `with` block."""
    with _LOCK:
        if _transports.enter(transport):
            _install()
    try:
        with _ahead_of_moto(transport):
            yield transport
    finally:
        with _LOCK:
            if leave(transport):
                _restore()


_LOCK = turns()
_originals: list[tuple[object, str, object]] = []


def _install() -> None:
    for owner, name, replacement in (*METHODS, *_MODULES, *FUNCTIONS):
        original = vars(owner).get(name)
        if original is not None:  # some releases of botocore lack some of them
            _originals.append((owner, name, original))
            setattr(owner, name, replacement(original))


def _restore() -> None:
    while _originals:
        setattr(*_originals.pop())


def default_region() -> str:
    """Return the Region of a client that names none, from the default session or the configuration."""
    if boto3.DEFAULT_SESSION is not None:
        return boto3.DEFAULT_SESSION.region_name or REGION
    return Session(include_builtin_handlers=False).get_config_variable("region") or REGION


_handlers_session: list[boto3.Session | None] = [None]
"""The default session of handlers in simulations: making one takes longer than most of their runs."""


@contextmanager
def session_of_handlers() -> Generator[None]:
    """Give handlers a default session of their own for a `with` block, and the caller's back to it."""
    callers, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, _handlers_session[0]
    try:
        yield
    finally:
        _handlers_session[0], boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, callers


# Requests -------------------------------------------------------------------------------------------------------------


def _send(original: Function) -> object:
    def send(self: Endpoint, request: AWSPreparedRequest) -> object:
        transport = current()
        if transport is None:
            return original(self, request)
        service: str = vars(self)["_endpoint_prefix"]
        return transport.send(service, request, _call.get())

    return send


_call: ContextVar[ClientCall | None] = ContextVar("chaosqs_client_call", default=None)


def _sign(original: Function) -> object:
    """Write only the signing name and the Region, in the header that would have the signature."""

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
    """Return True if the answering service looks at what is signed: moto's S3 at headers about the body."""
    return transport.others is not None and vars(signer)["_service_id"] == "S3"


def _off_the_network(original: Function) -> object:
    """Refuse requests that do not pass an endpoint, such as the search for credentials or a Region."""

    def send(self: object, request: AWSPreparedRequest) -> object:
        if current() is None:
            return original(self, request)
        raise EndpointConnectionError(endpoint_url=request.url)

    return send


def _make_api_call(original: Function) -> object:
    """Answer a stubbed operation; for others, note the call: not every protocol names its operation in the request."""

    def make_api_call(self: BaseClient, operation_name: str, api_params: Mapping[str, object]) -> object:
        transport, model, seconds = current(), self.meta.service_model, _read_timeout(self)
        protocol: str = getattr(model, "resolved_protocol", "") or model.protocol
        waits = read_timeout.set(seconds)
        before = _call.set(ClientCall(model.service_name, operation_name, protocol, api_params, seconds=seconds))
        try:
            answer = None if transport is None else transport.answers.get(f"{model.service_name}:{operation_name}")
            return original(self, operation_name, api_params) if answer is None else answer(api_params)
        finally:
            _call.reset(before)
            read_timeout.reset(waits)

    return make_api_call


def _read_timeout(client: BaseClient) -> float | None:
    seconds: object = getattr(client.meta.config, "read_timeout", None)
    return seconds if isinstance(seconds, int | float) else None


# Sessions -------------------------------------------------------------------------------------------------------------


def _get_credentials(original: Function) -> object:
    def get_credentials(self: Session) -> object:
        if current() is None or vars(self)["_credentials"] is not None:
            return original(self)
        return Credentials("chaosqs", "chaosqs", method="chaosqs")

    return get_credentials


def _resolve_region_name(original: Function) -> object:
    def resolve_region_name(self: Session, region_name: str | None, config: Config | None) -> object:
        if current() is not None and not (region_name or getattr(config, "region_name", None)):
            region_name = self.get_config_variable("region") or REGION
        return original(self, region_name, config)

    return resolve_region_name


def _get_scoped_config(original: Function) -> object:
    """Give sessions without a profile no configuration files where there are none, whoever runs the simulation."""

    def get_scoped_config(self: Session) -> object:
        transport = current()
        if transport is None or transport.has_configuration or vars(self)["_profile_map"] is not None:
            return original(self)
        profile = vars(self)["_session_instance_vars"].get("profile") or any(map(os.environ.get, _PROFILES))
        return original(self) if profile else {}

    return get_scoped_config


_PROFILES = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")


def _create_loader(original: Function) -> object:
    """Let sessions share the models of services that they have read: each execution environment may make a session."""

    def create_loader(search_path: str | None = None) -> object:
        loader = original(search_path)
        if current() is not None:
            vars(loader)["_cache"] = _models.setdefault(search_path, {})
        return loader

    return create_loader


_models: dict[str | None, dict[object, object]] = {}
"""Service models that the loaders of sessions have read, by their search path."""


# Sleeps ---------------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Time:
    """Replaces the module `time` in modules of botocore that sleep."""

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
    """Replaces the module `random` where botocore chooses the jitter of a sleep (retry mode `legacy`)."""

    original: ModuleType

    def random(self) -> float:
        transport = current()
        return self.original.random() if transport is None else transport.waiter.jitter()

    def __getattr__(self, name: str) -> object:
        return getattr(self.original, name)


def _delay_amount(original: Function) -> object:
    """Replace the jitter in the retry modes `standard` and `adaptive`, where each client has its own source."""

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


def _is_long_polling_operation(original: Function) -> object:
    """Sleep in virtual time where botocore sleeps without a replaceable module `time`.

    It sleeps there for a long poll whose client has used up its quota of retries. To deny that this is a long poll
    skips that sleep and nothing else.
    """

    def is_long_polling_operation(self: RetryHandler, context: object) -> object:
        transport, polls = current(), original(self, context)
        if transport is None or not polls:
            return polls
        policy: _RetryPolicy = vars(self)["_retry_policy"]
        transport.waiter.sleep(policy.compute_retry_delay(context))
        return False

    return is_long_polling_operation


def _acquire(original: Function) -> object:
    """Never hold a request back: the retry mode `adaptive` counts real time, which does not pass here."""

    def acquire(self: object, *arguments: object, **options: object) -> object:
        return original(self, *arguments, **options) if current() is None else True

    return acquire


# Shortcuts: botocore's own results at less cost, and nothing that only a network needs --------------------------------
#
# An execution environment makes its clients anew, so a search makes thousands. botocore spends most of that time on
# copies, signatures of functions, names and settings for connections.


def _alias_event_name(original: Function) -> object:
    """Share the names of events between clients: each looks through all aliases for each of its events."""

    def alias_event_name(self: EventAliaser, event_name: str) -> object:
        if vars(self)["_event_aliases"] != vars(botocore.hooks)["EVENT_ALIASES"]:
            return original(self, event_name)
        if event_name not in _NAMES:
            _NAMES[event_name] = original(self, event_name)
        return _NAMES[event_name]

    return alias_event_name


_NAMES: dict[str, object] = {}
"""The names that botocore uses for events, by those that were given; there are some hundreds."""


class _Lists(Protocol):
    def __call__(self, first: list[object], middle: list[object], last: list[object]) -> tuple[list[object], ...]: ...


_lists: _Lists = vars(botocore.hooks)["NodeList"]


class _Node(TypedDict):
    """A node of botocore's tree of handlers of events."""

    chunk: str | None
    children: dict[str, _Node]
    values: tuple[list[object], ...] | None


def _recursive_copy(original: Function) -> object:
    """Copy a tree of handlers of events without a look at each value of each node."""

    def recursive_copy(self: object, attributes: Mapping[str, _Node]) -> object:
        if list(attributes) != ["_root"]:
            return original(self, attributes)
        return {"_root": _copied(attributes["_root"])}

    return recursive_copy


def _copied(node: _Node) -> _Node:
    values, children = node["values"], {name: _copied(child) for name, child in node["children"].items()}
    lists = None if values is None else _lists(values[0].copy(), values[1].copy(), values[2].copy())
    return {"chunk": node["chunk"], "children": children, "values": lists}


def _accepts_kwargs(original: Function) -> object:
    """Look at a function's flags in place of its whole signature."""

    def accepts_kwargs(function: object) -> object:
        code: object = getattr(getattr(function, "__func__", function), "__code__", None)
        return bool(code.co_flags & inspect.CO_VARKEYWORDS) if isinstance(code, CodeType) else original(function)

    return accepts_kwargs


def _get_proxies(_: Function) -> object:
    """Return no proxies: no request leaves the process."""

    def get_proxies(_self: EndpointCreator, _url: str) -> dict[str, str]:
        return {}

    return get_proxies


def _cached(original: Function) -> object:
    """Keep the results of a function, also when it is replaced again: TLS contexts, and parts of a client's name."""
    if original not in _CACHED:
        _CACHED[original] = lru_cache(maxsize=1000)(original)
    return _CACHED[original]


_CACHED: dict[Function, Function] = {}


def _urlencode(original: Function) -> object:
    """Encode a form at once: the original does it byte by byte, and a message may have a million of them."""

    def urlencode(query: object, doseq: object = False) -> object:  # noqa: FBT002 - as the original
        return original(query, doseq, quote_via=_quoted)

    return urlencode


_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~-]")


def _quoted(text: str | bytes, *_: object) -> str:
    return (_quoted_once if len(text) > _LARGE else _percent_encoded)(text)


_LARGE = 10_000
"""Characters of a value that is encoded once, as a handler that fails sends it again with each retry."""


def _percent_encoded(text: str | bytes) -> str:
    data = text.encode() if isinstance(text, str) else text
    return _UNSAFE.sub(lambda found: b"+" if found[0] == b" " else b"%%%02X" % found[0][0], data).decode("ascii")


_quoted_once = lru_cache(maxsize=4)(_percent_encoded)


# All replacements -----------------------------------------------------------------------------------------------------

METHODS: tuple[tuple[type, str, Callable[[Function], object]], ...] = (
    (BaseClient, "_make_api_call", _make_api_call),
    (Endpoint, "_send", _send),
    (RequestSigner, "sign", _sign),
    (URLLib3Session, "send", _off_the_network),
    (Session, "get_credentials", _get_credentials),
    (Session, "_resolve_region_name", _resolve_region_name),
    (Session, "get_scoped_config", _get_scoped_config),
    (ExponentialBackoff, "delay_amount", _delay_amount),
    (RetryHandler, "_is_long_polling_operation", _is_long_polling_operation),
    (TokenBucket, "acquire", _acquire),
    (EventAliaser, "_alias_event_name", _alias_event_name),
    (vars(botocore.hooks)["_PrefixTrie"], "_recursive_copy", _recursive_copy),
    (EndpointCreator, "_get_proxies", _get_proxies),
    (botocore.useragent.UserAgentComponent, "to_string", _cached),
)
FUNCTIONS: tuple[tuple[ModuleType, str, Callable[[Function], object]], ...] = (
    (botocore.session, "create_loader", _create_loader),
    (botocore.hooks, "accepts_kwargs", _accepts_kwargs),
    (botocore.awsrequest, "urlencode", _urlencode),
    (botocore.httpsession, "create_urllib3_context", _cached),
    (botocore.useragent, "sanitize_user_agent_string_component", _cached),
)
_MODULES: tuple[tuple[ModuleType, str, Callable[[ModuleType], object]], ...] = (
    (botocore.endpoint, "time", _Time),
    (botocore.waiter, "time", _Time),
    (botocore.retryhandler, "random", _Random),
)
