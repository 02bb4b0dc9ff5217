"""Handlers that call HTTP servers, and a setup function that answers them."""

from __future__ import annotations

import http.client
import json
import time
import urllib.request
from collections.abc import Callable

import requests
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

import chaosqs
from tests.lambda_.service_handlers import Event, client, timed_client

RATES = "https://api.example.com/rates"


def with_requests(url: str) -> bytes:
    return requests.get(url, timeout=10).content


def with_urllib3(url: str) -> bytes:
    return urllib3.PoolManager(retries=False).request("GET", url).data


def with_urllib(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - its callers write the URL
        read: bytes = answer.read()
        return read


def with_http_client(url: str) -> bytes:
    connection = http.client.HTTPSConnection("api.example.com", timeout=10)
    connection.request("GET", url.removeprefix("https://api.example.com"))
    return connection.getresponse().read()


CLIENTS: dict[str, Callable[[str], bytes]] = {
    "requests": with_requests,
    "urllib3": with_urllib3,
    "urllib": with_urllib,
    "http_client": with_http_client,
}


def client_of(event: Event) -> Callable[[str], bytes]:
    return CLIENTS[str(json.loads(str(event["Records"][0]["body"])))]


def reads(event: Event, _: object) -> None:
    """Read a known page."""
    chaosqs.record("read", text=client_of(event)(f"{RATES}?day=1").decode())


def swallows(event: Event, _: object) -> None:
    """Read an unknown page, and hide what comes of it."""
    try:
        client_of(event)("https://api.example.com/unknown?key=secret")
    except BaseException:  # noqa: BLE001 - as handlers do
        chaosqs.record("swallowed")


def posts(_event: Event, _context: object) -> None:
    """Send an order in pieces, and one as JSON."""
    with requests.Session() as session:
        pieces = session.post("http://api.example.com:8080/orders", data=iter([b"one", b" piece"]), timeout=10)
        whole = session.post("http://api.example.com:8080/orders?dry=1", json={"id": 7}, timeout=10)
    chaosqs.record(
        "answers", pieces=pieces.text, whole=whole.text, status=whole.status_code, header=whole.headers["X-A"]
    )


def told(event: Event, _: object) -> None:
    """Record what becomes of a request that waits for 3 seconds."""
    del event
    try:
        answer = requests.get(RATES, timeout=3)
    except requests.RequestException as error:
        chaosqs.record("failed", error=type(error).__name__)
    else:
        chaosqs.record("answered", status=answer.status_code)


def tries_twice(event: Event, _: object) -> None:
    """Try again what got no response."""
    del event
    pool = urllib3.PoolManager(retries=urllib3.Retry(2, backoff_factor=1))
    chaosqs.record("answered", status=pool.request("GET", RATES).status)


def asks_model(event: Event, _: object) -> None:
    del event
    try:
        client("braket").search_devices(filters=[])
    except (BotoCoreError, ClientError) as error:
        chaosqs.record("failed", error=type(error).__name__)


def orders(request: chaosqs.HttpRequest) -> object:
    body = request.json() if request.headers.get("content-type") == "application/json" else request.body.decode()
    return 201, f"{request.method} {request.url} {body}", {"X-A": "b"}


def prepare() -> None:
    chaosqs.stub(f"GET {RATES}", {"EUR": 1.08})
    chaosqs.stub("POST http://api.example.com:8080/*", orders)
    chaosqs.stub("braket:SearchDevices", {"devices": []})


def asks_impatiently(event: Event, _: object) -> None:
    """Ask with a client that waits for 2 seconds."""
    del event
    began = time.monotonic()
    try:
        timed_client("braket", 2, 0).search_devices(filters=[])
    except BotoCoreError as error:
        chaosqs.record("failed", error=type(error).__name__, after=round(time.monotonic() - began, 1))


def told_twice(event: Event, context: object) -> None:
    told(event, context)
    told(event, context)


def waits() -> None:
    """Answer after a time that clients wait for, and then after one that is too long for them."""
    answers_after(1, 9)


def waits_long() -> None:
    answers_after(9)


def answers_after(*seconds: int) -> None:
    times = iter(seconds)

    def answers(_: object) -> dict[str, object]:
        time.sleep(next(times))
        return {"devices": []}

    chaosqs.stub(f"GET {RATES}", answers)
    chaosqs.stub("braket:SearchDevices", answers)


def refuses() -> None:
    def raises(request: chaosqs.HttpRequest) -> object:
        raise ConnectionRefusedError(request.url)

    chaosqs.stub("* https://*.example.com/*", raises)


def is_broken() -> None:
    def breaks(request: chaosqs.HttpRequest) -> object:
        return request.headers["missing"]

    chaosqs.stub(f"GET {RATES}", breaks)


def returns_nonsense() -> None:
    def returns(_: chaosqs.HttpRequest) -> object:
        return object()

    chaosqs.stub(f"GET {RATES}", returns)
