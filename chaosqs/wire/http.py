"""HTTP in process: the socket of a client's connection takes a request and gives the response, without a network.

A response is the last one of its connection, so a client opens another one for its next request.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.client import HTTPResponse
from io import BufferedReader, BytesIO
from typing import TypeGuard

import attrs

from chaosqs.model.values import Json

# Requests and responses -----------------------------------------------------------------------------------------------


@attrs.frozen
class HttpRequest:
    """A request of a handler, as the function of a stub gets it."""

    method: str
    """`GET`, `POST` …"""
    url: str
    """The whole address, with its query: `https://api.example.com/rates?day=1`."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], eq=False)
    """Headers by their names in lower case."""
    body: bytes = b""
    """The body, empty if there is none."""

    @property
    def address(self) -> str:
        """The URL without its query."""
        return self.url.partition("?")[0]

    def json(self) -> Json:
        """Return the body, read as JSON; raises `ValueError` if it is none."""
        read: Json = json.loads(self.body)
        return read


@attrs.frozen
class Reply:
    """The part of an HTTP response that depends on the service."""

    status: int
    headers: dict[str, str]
    body: bytes


def reply_of(answer: object) -> Reply:
    """Return the response for the answer of a stub; raise `ValueError` that says which answers there are."""
    if not _is_tuple(answer):
        return _reply(HTTPStatus.OK, answer, {})
    parts = (*answer, dict[str, str]()) if len(answer) == 2 else answer  # noqa: PLR2004 - status and body
    if len(parts) != 3:  # noqa: PLR2004 - with headers
        raise ValueError(_ANSWERS)
    status, body, headers = parts
    if not isinstance(status, int) or status not in _STATUSES or not _is_mapping(headers):
        raise ValueError(_ANSWERS)
    return _reply(status, body, {str(name): str(value) for name, value in headers.items()})


_STATUSES = range(200, 600)


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(value, tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _reply(status: int, body: object, headers: dict[str, str]) -> Reply:
    match body:
        case None:
            kind, content = "", b""
        case str():
            kind, content = "text/plain; charset=utf-8", body.encode()
        case bytes():
            kind, content = "application/octet-stream", body
        case bool() | int() | float() | dict() | list():
            try:
                kind, content = "application/json", json.dumps(body).encode()
            except (TypeError, ValueError) as error:
                raise ValueError(f"{_ANSWERS}: {error}") from None
        case _:
            raise ValueError(_ANSWERS)
    return Reply(status, {**({"Content-Type": kind} if kind else {}), **headers}, content)


_ANSWERS = (
    "must be a body (str, bytes, None, or what JSON has), a tuple (status, body), or a tuple (status, body, headers)"
)


# A connection ---------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class HttpSocket:
    """Replaces the socket of one connection."""

    origin: str
    """Scheme, host and port: `https://api.example.com`."""
    expect: Callable[[HttpRequest], object]
    """Called once the head of a request is there; may raise an error if nothing answers the request."""
    respond: Callable[[HttpRequest, float | None], Reply]
    """Answers a request; gets the seconds that the client waits for it, or None."""
    seconds: float | None = None
    _sent: bytearray = attrs.field(factory=bytearray)
    _expected: bool = False
    _response: BufferedReader | None = None

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        """Take a part of a request."""
        self._sent += data
        if not self._expected and _END_OF_HEAD in self._sent:
            self._expected = True
            self.expect(_request(self.origin, bytes(self._sent), head_only=True))

    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Take a part of a request; return its length."""
        self.sendall(data)
        return len(data)

    def recv(self, size: int) -> bytes:
        """Return the next part of the response."""
        if self._response is None:
            self._response = self.makefile()
        return self._response.read(size)

    def makefile(self, *_: object, **__: object) -> BufferedReader:
        """Return the response, as the client begins to read it."""
        request = _request(self.origin, bytes(self._sent))
        return _file(_written(self.respond(request, self.seconds)))

    def settimeout(self, seconds: float | None) -> None:
        """Set the time that the client waits for a response."""
        self.seconds = seconds

    def setsockopt(self, *_: object) -> None:
        """Do nothing: nothing is open."""

    def shutdown(self, how: int) -> None:
        """Do nothing, as above."""

    def close(self) -> None:
        """Do nothing, as above."""

    def fileno(self) -> int:
        """Return that it is not a file: a connection that a client keeps counts as closed."""
        return -1


_END_OF_HEAD = b"\r\n\r\n"


@attrs.frozen
class _Text:
    """A socket from which a message is read."""

    text: bytes

    def makefile(self, *_: object, **__: object) -> BufferedReader:
        return _file(self.text)


def _file(text: bytes) -> BufferedReader:
    return BufferedReader(BytesIO(text))


def _request(origin: str, sent: bytes, *, head_only: bool = False) -> HttpRequest:
    """Read a request. Its headers and body have the form of a response's, which the standard library reads."""
    line, _, rest = sent.partition(b"\r\n")
    method, target, _ = line.decode("latin-1").split(" ", 2)
    read = HTTPResponse(_Text(b"HTTP/1.1 200 OK\r\n" + rest))  # type: ignore[arg-type]
    read.begin()
    url = target if "://" in target else origin + target  # a proxy gets whole addresses
    headers = {name.lower(): value for name, value in read.headers.items()}
    return HttpRequest(method, url, headers, b"" if head_only else read.read())


def _written(reply: Reply) -> bytes:
    phrase = HTTPStatus(reply.status).phrase if reply.status in _KNOWN else ""
    headers: Iterable[tuple[str, object]] = (
        *reply.headers.items(),
        ("Content-Length", len(reply.body)),
        ("Connection", "close"),
    )
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + _END_OF_HEAD + reply.body


_KNOWN = frozenset(status.value for status in HTTPStatus)
