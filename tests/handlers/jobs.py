"""The job of a child process: simulate one handler, and return the verdict on it and what reached the network.

Each of some 150 processes imports this module, so it imports no more than they need: neither pytest nor boto3.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from chaosqs.lambda_.guards import Original
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate

DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 1)), Queue("dead"), Queue("done")],
    [Function("worker", timeout=2)],
    [EventSourceMapping("orders", "worker", batch_size=1, report_batch_item_failures=True)],
)

SENT: list[str] = []
"""Calls that reached the network."""
_EVENTS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
_METHODS = ("connect", "connect_ex", "sendto", "sendmsg")  # `send` needs `connect`, and trio wakes itself up by it


def starts(text: str) -> str:
    return text


def verdict_on(history: History) -> str:
    (end,) = [event for event in history.events if isinstance(event, InvocationEnded)]
    if end.outcome == "timed_out":
        assert end.error == "Sandbox.Timedout"
        return "timed out"
    if end.outcome != "succeeded":
        return f"{end.outcome} {end.error.partition(':')[0]}"
    return f"reported {end.rule}" if end.failed else "processed"


def judge(path: str) -> str:
    """Simulate the handler of a module twice."""
    behaviour = Behaviour(handler=f"{Path(path).stem}:handler", code=str(Path(path).parent))
    history = simulate(Scenario(DESIGN, [Burst("orders", 1)], {"worker": behaviour}), verify=True)
    return verdict_on(history)


def guard(_: str) -> str:
    """Count from now on, beyond chaosqs's own guards, what would go out of this process."""
    simulate(
        Scenario(DESIGN, [Burst("orders", 1)], {"worker": Behaviour(handler="tests.handlers.odd_handlers:prints")})
    )

    def heard(event: str, _: tuple[object, ...]) -> None:  # after the guards, which raise where they refuse
        if event in _EVENTS:
            SENT.append(event)

    def counted(name: str, original: Original) -> Original:
        def call(*arguments: object, **options: object) -> object:
            try:
                result = original(*arguments, **options)
            except OSError:  # the system's answer; the guards raise something else
                SENT.append(name)
                raise
            SENT.append(name)
            return result

        return call

    sys.addaudithook(heard)
    for name in _METHODS:
        setattr(socket.socket, name, counted(name, getattr(socket.socket, name)))
    return ""


def judge_guarded(path: str) -> str:
    """Simulate the handler of a module, and return what has gone out of this process so far."""
    try:
        judge(path)
    except Exception:  # noqa: BLE001 - the verdict has a test of its own
        return " ".join(SENT)
    return " ".join(SENT)


def sends(_: str) -> str:
    """Send something, within this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.sendto(b"", ("127.0.0.1", 9))
    return " ".join(SENT)
