"""HTTP connections of handlers and tests end in this process, where stubs of users answer.

Clients that are built on `http.client` come here (`urllib.request`, `urllib3`, `requests` and more), and synchronous
clients of `httpx`. A handler has no other connections. Those of a test inside `aws()` are real, unless a stub answers
at the server. Other clients open sockets of their own, which `guards` refuses.
"""

from __future__ import annotations

import inspect
import socket
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTP_PORT, HTTPS_PORT, HTTPConnection
from urllib.parse import urlsplit
from weakref import ref

from chaosqs.lambda_.clocks import in_test
from chaosqs.lambda_.guards import Original, Patch, current, importer
from chaosqs.wire import stubs
from chaosqs.wire.http import HttpSocket


def http_patches() -> Iterator[Patch]:
    """Yield the replacements by which connections that handlers and tests make are not real."""
    yield HTTPConnection, "__init__", _made(vars(HTTPConnection)["__init__"])
    yield socket, "create_connection", _create_connection(vars(socket)["create_connection"])
    yield ssl, "_create_default_https_context", _create_context(vars(ssl)["_create_default_https_context"])
    yield ssl.SSLContext, "wrap_socket", _wrap_socket(vars(ssl.SSLContext)["wrap_socket"])


def _made(original: Original) -> object:
    def make(self: HTTPConnection, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)
        if current() or importer() or in_test():
            vars(self)["connect"] = _connect(ref(self))  # subclasses have a method of their own, so not in the class

    return make


def _create_context(original: Original) -> object:
    """Read no certificates for the connections of handlers, before a real one is made: that takes 60 ms each time."""

    def create(*arguments: object, **options: object) -> object:
        if not current() or arguments or options:
            return original(*arguments, **options)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

        def wrap(sock: socket.socket, *, server_hostname: str | None = None) -> ssl.SSLSocket:
            del vars(context)["wrap_socket"]
            context.load_default_certs()
            return context.wrap_socket(sock, server_hostname=server_hostname)

        vars(context)["wrap_socket"] = wrap
        return context

    return create


def _connect(reference: ref[HTTPConnection]) -> Callable[[], None]:
    def connect() -> None:
        connection = reference()
        assert connection is not None
        made = _socket(_origin(connection))
        if made is None:
            type(connection).connect(connection)
            return
        known = vars(connection)
        made.settimeout(known["timeout"] if isinstance(known["timeout"], int | float) else None)
        known |= {"sock": made, "is_verified": True}  # so that urllib3 does not warn of a missing certificate

    return connect


def _socket(*origins: str) -> HttpSocket | None:
    """Return a socket for a connection to a server; None: it is to be a real one."""
    own = stubs.current()
    if own is None or not (current() or importer() or any(map(own.answers_at, origins))):
        return None
    return HttpSocket(origins[0], own.expect, own.respond)


def _origin(connection: HTTPConnection) -> str:
    """Return scheme, host and port of the server behind a connection, and behind its proxy if that tunnels."""
    known: dict[str, object] = vars(connection)
    host, port = connection.host, connection.port
    if known.get("_tunnel_host"):
        host, port = str(known["_tunnel_host"]), int(str(known["_tunnel_port"]))
    return _address(host, port, secure=connection.default_port == HTTPS_PORT)


def _address(host: str, port: int, *, secure: bool) -> str:
    name = f"[{host}]" if ":" in host else host.lower()
    usual = HTTPS_PORT if secure else HTTP_PORT
    return f"http{'s' if secure else ''}://{name}{'' if port == usual else f':{port}'}"


# Clients of httpx: httpcore opens a socket, and wraps it for TLS before its request ----------------------------------


def _create_connection(original: Original) -> object:
    def create_connection(address: tuple[str, int], *arguments: object, **options: object) -> object:
        frame = inspect.currentframe()
        caller = None if frame is None else frame.f_back
        if caller is not None and str(caller.f_globals.get("__name__")).startswith("httpcore."):
            made = _socket(_address(*address, secure=False), _address(*address, secure=True))
            if made is not None:
                return made
        return original(address, *arguments, **options)

    return create_connection


def _wrap_socket(original: Original) -> object:
    def wrap_socket(self: ssl.SSLContext, sock: object, *arguments: object, **options: object) -> object:
        if not isinstance(sock, HttpSocket):
            return original(self, sock, *arguments, **options)
        parts = urlsplit(sock.origin)
        sock.origin = _address(parts.hostname or "", parts.port or HTTP_PORT, secure=True)
        return sock

    return wrap_socket
