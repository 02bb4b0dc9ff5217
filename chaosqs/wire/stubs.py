"""Calls of clients, and stubs: answers that a user gives in the place of a service of AWS or of an HTTP server."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from http.client import HTTPException
from pathlib import Path
from types import CodeType, CoroutineType
from typing import NoReturn, Protocol, TypeAlias, TypeGuard
from urllib.parse import urlsplit

import attrs

from chaosqs.errors import InvalidInput, Problem, SimulationError
from chaosqs.kernel.context import Opened
from chaosqs.wire.http import HttpRequest, Reply, reply_of

# Calls ----------------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class ClientCall:
    """One call of an operation by a client, with all its attempts."""

    service: str
    """Name of the service, as `boto3.client` takes it: `dynamodb`; for HTTP the host: `api.example.com`."""
    operation: str
    """Name of the operation: `PutItem`; for HTTP the method: `GET`."""
    protocol: str = ""
    """Name of the service's protocol in botocore's model: `json`, `query`, `rest-xml` …"""
    parameters: Mapping[str, object] = attrs.field(factory=dict[str, object])
    """Parameters as the client's caller gave them."""
    attempts: int = 0
    """Requests that were sent for it so far."""
    seconds: float | None = None
    """Seconds that the client waits for a response; None: without end."""

    @property
    def name(self) -> str:
        """The name in fault plans and histories: `dynamodb:PutItem`."""
        return f"{self.service}:{self.operation}"


read_timeout: ContextVar[float | None] = ContextVar("chaosqs_read_timeout", default=None)
"""Seconds that the client of the present call waits for a response."""


class Carrier(Protocol):
    """Carries out calls that stubs answer: in virtual time, with faults, and recorded."""

    def stubbed(self, call: ClientCall, answer: Callable[[], object]) -> object:
        """Carry out a call of AWS; return what `answer` returns."""
        ...

    def requested(self, request: HttpRequest, answer: Callable[[], Reply], seconds: float | None) -> Reply:
        """Carry out an HTTP request whose client waits for some seconds."""
        ...


class Refusal(Protocol):
    """Raises `SimulationError` for a call, with the reason; in a handler it ends the run."""

    def __call__(self, call: str, why: str) -> NoReturn:
        """Raise the error."""
        ...


# Stubs ----------------------------------------------------------------------------------------------------------------

Answer: TypeAlias = Callable[[Mapping[str, object]], object]
"""A function from the parameters of a call to its result."""


@attrs.frozen
class _HttpStub:
    """The answer for the URLs of a pattern."""

    method: str
    url: re.Pattern[str]
    origin: re.Pattern[str]
    answer: Callable[[HttpRequest], object]

    def answers(self, request: HttpRequest) -> bool:
        """Return whether it answers a request, whatever its query."""
        return self.method in ("*", request.method) and self.url.fullmatch(request.address) is not None


@attrs.define(eq=False)
class Stubs:
    """The stubs of one world."""

    carrier: Carrier
    refuse: Refusal
    answers: dict[str, Answer] = attrs.field(factory=dict[str, Answer])
    """The functions that carry out stubbed operations, by the names of their calls: `dynamodb:PutItem`."""
    _http: dict[str, _HttpStub] = attrs.field(factory=dict[str, _HttpStub])

    def add(self, target: str, response: object) -> None:
        """Answer an operation (`bedrock-runtime:InvokeModel`) or requests (`GET https://api.example.com/rates`).

        Raises `InvalidInput` for other targets, and for a value that is not a response.
        """
        http = _HTTP.fullmatch(target)
        service, _, operation = target.partition(":")
        if http is None and (not operation.isalnum() or service in {"sqs", "lambda", "http", "https"}):
            raise InvalidInput([Problem("stub", repr(target), _TARGETS)])
        if http is None:
            if not callable(response) and not _is_mapping(response):
                must = f"must be a dict, as boto3 returns it, or a function that returns one, not {_kind(response)}"
                raise InvalidInput([Problem("stub", repr(target), must)])
            answer: Answer = response if callable(response) else lambda _: response
            self.answers[target] = partial(self._call, service, operation, answer)
            return
        self._http.pop(target, None)  # the latest comes last
        self._http[target] = _http_stub(http[1], http[2].lower(), http[3] or "/", _http_answer(target, response))

    def _call(self, service: str, operation: str, answer: Answer, parameters: Mapping[str, object]) -> object:
        def answered() -> object:
            result = answer(parameters)
            if _is_mapping(result):
                return result
            raise ValueError(f"must be a dict, as boto3 returns it, not {_kind(result)}")

        with self._errors_named(f"{service} {operation}", answer):
            call = ClientCall(service, operation, parameters=parameters, attempts=1, seconds=read_timeout.get())
            return self.carrier.stubbed(call, answered)

    # HTTP

    def answers_at(self, origin: str) -> bool:
        """Return whether some stub answers requests to a server: `https://api.example.com`."""
        return any(stub.origin.fullmatch(origin) for stub in self._http.values())

    def expect(self, request: HttpRequest) -> _HttpStub:
        """Return the stub that answers a request: the one that was added last. Raises `SimulationError` without one."""
        found = next((stub for stub in reversed(self._http.values()) if stub.answers(request)), None)
        if found is None:
            call = f"{request.method} {request.address}"
            self.refuse(
                call, f'nothing answers it\nanswer it in the setup function or in aws(): chaosqs.stub("{call}", …)'
            )
        return found

    def respond(self, request: HttpRequest, seconds: float | None) -> Reply:
        """Answer a request of a client that waits for some seconds."""
        stub = self.expect(request)

        def answer() -> Reply:
            given = stub.answer(request)
            try:
                return reply_of(given)
            except ValueError as error:
                raise ValueError(f"{error}, not {_kind(given)}") from None

        with self._errors_named(f"{request.method} {request.address}", stub.answer):
            return self.carrier.requested(request, answer, seconds)

    @contextmanager
    def _errors_named(self, call: str, function: object) -> Generator[None]:
        """Name the stub if its function raises what no service and no connection could."""
        try:
            yield
        except SimulationError:
            raise
        except (Exception, SystemExit) as error:
            if _is_clients(error):
                raise
            where = traceback.extract_tb(error.__traceback__)[-1]
            within = where.filename.startswith(_OWN)
            code: object = getattr(function, "__code__", None)
            file, line = where.filename, where.lineno
            if within and isinstance(code, CodeType):  # it was called wrongly, or its answer is none
                file, line = code.co_filename, code.co_firstlineno
            place = f"{file.removeprefix(str(Path.cwd()) + os.sep)}:{line}"
            what = f"answer {error}" if within and isinstance(error, ValueError) else f"stub raises {_text(error)}"
            self.refuse(call, f"its {what}\n{place}")


_OWN = str(Path(__file__).parents[1]) + os.sep
"""Directory of chaosqs."""


def _text(error: BaseException) -> str:
    """Return an exception in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _kind(value: object) -> str:
    """Return the type of a value that is not an answer, in words."""
    name = type(value).__name__
    if isinstance(value, CoroutineType):
        value.close()  # nobody awaits it
    return "None" if value is None else f"of type {name}"


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)


def _is_clients(error: BaseException) -> bool:
    """Return whether a client would get an error from AWS or from its connection. One about a file is neither."""
    with suppress(ModuleNotFoundError):  # boto3 is an extra
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        if isinstance(error, (BotoCoreError, ClientError)):
            return True
    return isinstance(error, HTTPException) or (isinstance(error, OSError) and error.filename is None)


_HTTP = re.compile(r"([A-Z]+|\*) (https?://[^/\s?#]+)(/[^\s?#]*)?")
_TARGETS = (
    "must be service:Operation, as dynamodb:PutItem, of a service other than sqs and lambda, "
    "or METHOD URL, as GET https://api.example.com/rates, without a query"
)


def _http_stub(method: str, origin: str, path: str, answer: Callable[[HttpRequest], object]) -> _HttpStub:
    parts = urlsplit(origin)
    origin = origin.removesuffix(":443" if parts.scheme == "https" else ":80")
    return _HttpStub(method, _pattern(origin + path), _pattern(origin), answer)


def _pattern(text: str) -> re.Pattern[str]:
    """Return a pattern in which `*` stands for any characters."""
    return re.compile(".*".join(map(re.escape, text.split("*"))))


def _http_answer(target: str, response: object) -> Callable[[HttpRequest], object]:
    if callable(response):
        function: Callable[[HttpRequest], object] = response
        return function
    try:
        reply_of(response)
    except ValueError as error:
        raise InvalidInput([Problem(f"stub {target}", repr(response), str(error))]) from None
    return lambda _: response


# The stubs of a call --------------------------------------------------------------------------------------------------

_stubs: Opened[Stubs] = Opened("chaosqs_stubs")


def current() -> Stubs | None:
    """Return the stubs for calls of this context, or None outside of every world."""
    return _stubs.current()


@contextmanager
def opened(stubs: Stubs) -> Generator[None]:
    """Let stubs answer calls for the time of a `with` block."""
    _stubs.enter(stubs)
    try:
        yield
    finally:
        _stubs.leave(stubs)
