"""HTTP calls of handlers: stubs answer them in virtual time, faults strike them, and none leaves the process."""

from __future__ import annotations

import json
import socket
import ssl
import textwrap
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import requests
from botocore.response import StreamingBody

import chaosqs
from chaosqs.errors import EscapedSimulation, InvalidInput, InvalidScenario, SimulationError
from chaosqs.mock_aws.aws import aws
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded, ServiceCalled
from chaosqs.model.faults import KINDS, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.search import service_calls
from chaosqs.simulation.run import simulate
from tests.lambda_.http_handlers import CLIENTS, RATES
from tests.lambda_.service_handlers import client

HERE = Path(__file__).parent
DESIGN = Design([Queue("orders")], [Function("worker", timeout=20)], [EventSourceMapping("orders", "worker")])


def scenario(handler: str, *outcomes: str, setup: str = "prepare", body: object = None) -> Scenario:
    """Return a scenario of one message; `handler`: a name in `http_handlers`, `setup`: another."""
    behaviour = Behaviour(
        handler=f"tests.lambda_.http_handlers:{handler}", setup=f"{HERE / 'http_handlers.py'}:{setup}"
    )
    load = [Burst("orders", messages=[Message(json.dumps(body))])]
    return Scenario(DESIGN, load, {"worker": behaviour}, FaultPlan([outcomes] if outcomes else []), until=100)


def run(handler: str, *outcomes: str, setup: str = "prepare", body: object = None) -> History:
    return simulate(scenario(handler, *outcomes, setup=setup, body=body))


def values(history: History) -> dict[str, object]:
    return dict(history.effects[0].values)


def calls(history: History) -> list[ServiceCalled]:
    return [event for _, event in history.each(ServiceCalled)]


# Stubs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", CLIENTS)
def test_a_stub_answers_each_client(library: str) -> None:
    """The call takes the latency of a call, and is in the history under its host and method."""
    history = simulate(scenario("reads", body=library), verify=True)
    assert json.loads(str(values(history)["text"])) == {"EUR": 1.08}
    (call,) = calls(history)
    assert (call.service, call.operation, call.error) == ("api.example.com", "GET", "")
    assert call.cause is not None
    assert call.at == history.events[call.cause].at + 250 + 8  # cold start, latency


def test_a_connection_of_a_handler_reads_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes longer than all the rest; a context that serves a real connection later reads them then."""
    read: list[ssl.SSLContext] = []
    made: list[ssl.SSLContext] = []
    request = HTTPSConnection.request

    def observed(connection: HTTPSConnection, method: str, url: str) -> None:
        made.append(vars(connection)["_context"])
        request(connection, method, url)

    def load(context: ssl.SSLContext) -> None:
        read.append(context)

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", load)
    monkeypatch.setattr(HTTPSConnection, "request", observed)
    run("reads", body="http_client")
    assert (len(made), read) == (1, [])
    with socket.socket() as unconnected, pytest.raises(ValueError, match="server_hostname"):
        made[0].wrap_socket(unconnected)
    assert read == made


def test_a_function_gets_the_whole_request() -> None:
    """Method, URL with its query, headers, and the body, in however many pieces it was sent."""
    assert values(run("posts")) == {
        "pieces": "POST http://api.example.com:8080/orders one piece",
        "whole": "POST http://api.example.com:8080/orders?dry=1 {'id': 7}",
        "status": 201,
        "header": "b",
    }


def test_a_function_may_raise_what_a_connection_does() -> None:
    """The client makes its own error of it."""
    history = run("told", setup="refuses")
    assert values(history) == {"error": "ConnectionError"}
    assert calls(history)[0].error == "ConnectionRefusedError"


@pytest.mark.parametrize(
    ("setup", "why"),
    [
        ("is_broken", r"its stub raises KeyError: 'missing'\ntests/lambda_/http_handlers\.py:\d+$"),
        (
            "returns_nonsense",
            r"its answer must be a body \(str.*not of type object\n\S*http_handlers\.py:\d+$",
        ),
    ],
)
def test_a_stub_that_fails_by_itself_ends_the_run_with_file_and_line(setup: str, why: str) -> None:
    with pytest.raises(EscapedSimulation, match=rf"(?s)calls GET {RATES} at .*http_handlers\.py:\d+: {why}"):
        run("told", setup=setup)


@pytest.mark.parametrize(
    ("target", "response", "why"),
    [
        ("https://example.com", "", "METHOD URL"),
        ("get https://example.com", "", "METHOD URL"),
        ("GET https://example.com/a?b=1", "", "without a query"),
        ("GET https://example.com/", (700, ""), "must be a body"),
        ("GET https://example.com/", {"at": object()}, "not JSON serializable"),
    ],
)
def test_a_stub_names_method_and_url_and_has_a_response(target: str, response: object, why: str) -> None:
    with aws(), pytest.raises(InvalidInput, match=why):
        chaosqs.stub(target, response)


# Calls that nothing answers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("library", CLIENTS)
def test_H2_a_request_without_a_stub_ends_the_run_whatever_the_handler_catches(library: str) -> None:
    """Two lines: method, URL without its query, file and line; and how to answer it."""
    with pytest.raises(EscapedSimulation) as found:
        run("swallows", body=library)
    first, second = str(found.value).splitlines()
    call = "GET https://api.example.com/unknown"
    assert first.startswith(f"the handler of worker calls {call} at tests/lambda_/http_handlers.py:")
    assert first.endswith(": nothing answers it")
    assert second == f'answer it in the setup function or in aws(): chaosqs.stub("{call}", …)'


def own(directory: Path, code: str, **modules: str) -> Scenario:
    """Return a scenario of a handler with this code, which has no setup, beside packages of this code."""
    for name, text in {"app": code, **modules}.items():
        (directory / f"{name}.py").write_text(textwrap.dedent(text), encoding="utf-8")
    behaviour = Behaviour(handler="app:handler", code=str(directory))
    return Scenario(DESIGN, [Burst("orders", 1)], {"worker": behaviour}, until=100)


@pytest.mark.parametrize(
    ("client", "code", "call"),
    [
        (
            "httpx",
            """
            import asyncio
            class Request:
                method, url = "GET", "https://api.example.com/rates?day=1"
            async def send(request):
                await asyncio.get_running_loop().getaddrinfo("api.example.com", 443)
            def get():
                asyncio.run(send(Request()))
            """,
            "GET https://api.example.com/rates with httpx",
        ),
        (
            "aiohttp",
            """
            import socket
            def get(host="api.example.com"):
                socket.getaddrinfo(host, 443)
            """,
            "api.example.com with aiohttp",
        ),
    ],
)
def test_a_client_that_stubs_cannot_answer_is_named(tmp_path: Path, client: str, code: str, call: str) -> None:
    """With its request as far as it is known, and what to do."""
    calm = own(tmp_path, f"import {client}\ndef handler(event, context):\n    {client}.get()", **{client: code})
    with pytest.raises(EscapedSimulation, match=rf"calls {call} at .*: chaosqs\.stub does not answer .*\nit answers"):
        simulate(calm)


def test_a_socket_of_the_handler_is_refused_with_its_host(tmp_path: Path) -> None:
    calm = own(
        tmp_path, "import socket\ndef handler(event, context):\n    socket.create_connection(('db.example.com', 1))"
    )
    with pytest.raises(EscapedSimulation, match=r"\(socket\.getaddrinfo: db\.example\.com\) at \S*app\.py:3"):
        simulate(calm)


@pytest.mark.parametrize("stubbed", [True, False])
def test_an_import_may_make_requests(tmp_path: Path, *, stubbed: bool) -> None:
    """It is the initialisation of an environment, in each run: with answers, or it ends the run."""
    code = f"""
        import requests
        RATES = requests.get("{RATES}", timeout=3).json()
        def handler(event, context): ...
    """
    (tmp_path / "world.py").write_text(f"import chaosqs\ndef prepare():\n    chaosqs.stub('GET {RATES}', [1])")
    calm = own(tmp_path, code)
    if stubbed:
        behaviour = Behaviour(handler="app:handler", code=str(tmp_path), setup=f"{tmp_path / 'world.py'}:prepare")
        ended = simulate(Scenario(DESIGN, [Burst("orders", 1)], {"worker": behaviour}, until=100)).each(InvocationEnded)
        assert [event.outcome for _, event in ended] == ["succeeded"]
    else:
        with pytest.raises(EscapedSimulation, match=r"calls GET .* at \S*app\.py:3: nothing answers it"):
            simulate(calm)


def test_a_setup_function_makes_no_requests(tmp_path: Path) -> None:
    (tmp_path / "world.py").write_text(
        f"import requests\ndef prepare():\n    requests.get('{RATES}')", encoding="utf-8"
    )
    behaviour = Behaviour(handler="tests.lambda_.http_handlers:told", setup=f"{tmp_path / 'world.py'}:prepare")
    with pytest.raises(
        InvalidScenario, match=rf"the setup function calls GET {RATES}: nothing answers it\n\S*world\.py:3$"
    ):
        simulate(Scenario(DESIGN, [Burst("orders", 1)], {"worker": behaviour}, until=100))


# Clients of httpx: httpcore opens a socket, wraps it for TLS, sends and receives --------------------------------------

HTTPCORE = """
    import socket, ssl

    def get(url):
        host, _, path = url.removeprefix("https://").partition("/")
        own = socket.create_connection((host, 443), 10, source_address=None)
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own.settimeout(10)
        own = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(own, server_hostname=host)
        head = f"GET /{path} HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n".encode()
        while head:
            head = head[own.send(head):]
        received = b""
        while part := own.recv(10):
            received += part
        own.close()
        return received
"""


def test_a_stub_answers_httpx(tmp_path: Path) -> None:
    (tmp_path / "world.py").write_text(f"import chaosqs\ndef prepare():\n    chaosqs.stub('GET {RATES}', 'known')")
    (tmp_path / "httpcore").mkdir()
    (tmp_path / "httpcore" / "sync.py").write_text(textwrap.dedent(HTTPCORE), encoding="utf-8")
    own(tmp_path, f"from httpcore.sync import get\ndef handler(event, context):\n    print(get('{RATES}').decode())")
    behaviour = Behaviour(handler="app:handler", code=str(tmp_path), setup=f"{tmp_path / 'world.py'}:prepare")
    history = simulate(Scenario(DESIGN, [Burst("orders", 1)], {"worker": behaviour}, until=100))
    assert [(call.service, call.error) for call in calls(history)] == [("api.example.com", "")]


# Faults ---------------------------------------------------------------------------------------------------------------

FAULTS = [kind.name for kind in KINDS if kind.injection_point == "call"]


@pytest.mark.parametrize(
    ("kind", "met", "error"),
    [
        ("throttled_call", {"status": 429}, "429"),
        ("failed_call", {"status": 500}, "500"),
        ("slow_call", {"error": "ReadTimeout"}, ""),
        ("lost_call_response", {"error": "ConnectionError"}, ""),
    ],
)
@pytest.mark.parametrize("named", ["api.example.com:GET", "api.example.com"])
def test_faults_strike_requests_by_host_and_method(kind: str, named: str, met: object, error: str) -> None:
    """LX-1, LX-7, OR-4: a client that waits for 3 seconds gives up on a call that takes 5 seconds longer."""
    history = run("told", f"{kind}:{named}")
    (call,) = calls(history)
    assert values(history) == met
    assert (call.error, call.fault) == (error, f"{kind}:{named} at receive 1 of message 1")
    assert history.effects[0].at - call.at < 10
    assert (call.at > 3_000) == (kind == "slow_call")


def test_a_client_gives_up_on_a_stub_that_takes_too_long() -> None:
    """After the time that it waits, in virtual time; the stub's function goes no further."""
    history = run("told_twice", setup="waits")
    assert [dict(effect.values) for effect in history.effects] == [{"status": 200}, {"error": "ReadTimeout"}]
    first, second = calls(history)
    assert (first.error, second.error) == ("", "")
    assert second.at - first.at == 3_000


def test_a_client_of_boto3_gives_up_on_a_stub_that_takes_too_long() -> None:
    """`read_timeout` of its configuration; what is left of the function's sleep does not pass."""
    history = run("asks_impatiently", "ok", setup="waits_long")
    assert values(history) == {"error": "ReadTimeoutError", "after": 2.0}


def test_a_request_that_is_sent_again_counts_as_another_attempt() -> None:
    """OR-4: it has its effect twice; the pause between the attempts is virtual."""
    history = run("tries_twice", "lost_call_response:api.example.com")
    assert [bool(call.fault) for call in calls(history)] == [True, False]
    assert values(history) == {"status": 200}


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttled_call", "ClientError"),
        ("failed_call", "InternalServiceException"),
        ("lost_call_response", "ConnectionClosedError"),
    ],
)
def test_faults_strike_stubs_of_operations_too(kind: str, error: str) -> None:
    assert values(run("asks_model", f"{kind}:braket:SearchDevices"))["error"] in {error, "ClientError"}


def test_searches_draw_faults_for_the_requests_of_handlers() -> None:
    calm = scenario("told")
    assert service_calls(ScenarioGrid(DESIGN, "orders", calm.behaviours)) == ("api.example.com:GET",)


# aws() ----------------------------------------------------------------------------------------------------------------


def test_stubs_answer_handlers_and_the_test_in_aws() -> None:
    """Each call takes its time."""
    with aws(call_latency=0.5) as world:
        chaosqs.stub(f"GET {RATES}", [1])
        assert requests.get(RATES, timeout=3).json() == [1]
        assert world.now == 0.5
        with pytest.raises(SimulationError, match=r"GET https://api\.example\.com/unknown: nothing answers it"):
            requests.get("https://api.example.com/unknown", timeout=3)

        def handler(_event: object, _context: object) -> object:
            return requests.get(RATES, timeout=3).json()

        world.function("worker", handler)
        answer = client("lambda").invoke(FunctionName="worker")["Payload"]
        assert isinstance(answer, StreamingBody)
        assert answer.read() == b"[1]"


def test_other_connections_of_the_test_are_real() -> None:
    with aws(), socket.socket() as closed:
        chaosqs.stub(f"GET {RATES}", [1])
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(requests.ConnectionError, match="refused"):
            requests.get(f"http://127.0.0.1:{closed.getsockname()[1]}/", timeout=3)
