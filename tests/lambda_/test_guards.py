"""A call that would take a handler out of its simulation ends the run; the error names call, function and place."""

from __future__ import annotations

import asyncio
import concurrent.futures
import datetime as dt
import inspect
import itertools
import multiprocessing
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
import trio

from chaosqs.errors import EscapedSimulation, NotDeterministic
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.process_wide import process_wide

NOTES: list[object] = process_wide("notes of guards", list[object])
NOWHERE = ("127.0.0.1", 9)


def run(handler: Callable[[object, object], object], *, verify: bool = True, until: float | None = 20) -> History:
    """Run a handler of this module."""
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=5, provisioned_concurrency=5)],
        [EventSourceMapping("orders", "worker", provisioned_pollers=(2, 2))],
    )
    behaviours = {"worker": Behaviour(handler=f"{handler.__module__}:{handler.__name__}")}
    return simulate(Scenario(design, [Burst("orders", 1)], behaviours, until=until), verify=verify)


# What escapes -----------------------------------------------------------------------------------------------------


def processes(_event: object, _context: object) -> None:
    multiprocessing.get_context("fork").Process(target=print).start()


def spawned_processes(_event: object, _context: object) -> None:
    multiprocessing.get_context("spawn").Process(target=print).start()


def connects(_event: object, _context: object) -> None:
    with socket.socket() as one:
        one.connect(NOWHERE)


def creates_a_connection(_event: object, _context: object) -> None:
    socket.create_connection(NOWHERE, timeout=1).close()


def program(_event: object, _context: object) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True)


def shell(_event: object, _context: object) -> None:
    os.system("true")  # noqa: S605  # pyright: ignore[reportDeprecated] - it is the point


def fork(_event: object, _context: object) -> None:
    os.fork()


def kills(_event: object, _context: object) -> None:
    os.kill(os.getpid(), 0)


def alarm(_event: object, _context: object) -> None:
    signal.alarm(0)


LOOPS: list[asyncio.AbstractEventLoop] = process_wide("loops", list[asyncio.AbstractEventLoop])
"""Made outside of the run."""


def runs_a_loop(_event: object, _context: object) -> None:
    LOOPS[0].run_forever()


def runs_trio(_event: object, _context: object) -> None:
    trio.run(trio.sleep, 0)


LIBRARY: dict[str, Callable[[float], None]] = process_wide("library", lambda: {"sleep": time.sleep})
"""A real function that a library got hold of before: no name of a module."""


def sleeps_in_a_library(_event: object, _context: object) -> None:
    LIBRARY["sleep"](0.01)


ESCAPES: list[tuple[Callable[[object, object], object], str]] = [
    (processes, "starts a process (os.fork)"),
    (spawned_processes, "starts a process (_posixsubprocess.fork_exec)"),
    (connects, "opens a connection (socket.connect: 127.0.0.1:9)"),
    (creates_a_connection, "asks for an address (socket.getaddrinfo: 127.0.0.1)"),
    (program, "starts a process (subprocess.Popen)"),
    (shell, "starts a process (os.system)"),
    (fork, "starts a process (os.fork)"),
    (kills, "sends a signal (os.kill)"),
    (alarm, "uses a signal (signal.alarm)"),
    (runs_a_loop, "runs an event loop with sockets (asyncio.BaseEventLoop.run_forever)"),
    (runs_trio, "starts a run of trio (trio.run)"),
]
if sys.version_info >= (3, 13):  # the first that audits it
    ESCAPES.append((sleeps_in_a_library, "sleeps (time.sleep)"))


@pytest.fixture(autouse=True)
def loop() -> Iterator[None]:
    """Have a loop that was made outside."""
    LOOPS.append(asyncio.new_event_loop())
    yield
    LOOPS.pop().close()


@pytest.mark.filterwarnings("ignore:coroutine")
@pytest.mark.parametrize(("handler", "does"), ESCAPES, ids=[handler.__name__ for handler, _ in ESCAPES])
def test_an_escape_ends_the_run(handler: Callable[[object, object], object], does: str) -> None:
    """The error names the function, the call, and file and line of it in the user's code."""
    states, first = inspect.getsourcelines(handler)
    with pytest.raises(EscapedSimulation) as found:
        run(handler)
    said = re.fullmatch(
        r"the handler of worker (.*) at (.*):(\d+): that would run in real time, outside of the simulation",
        str(found.value),
    )
    assert said is not None, found.value
    assert said[1] == does
    assert Path(said[2]).resolve() == Path(__file__)
    assert first < int(said[3]) < first + len(states)


def swallows(_event: object, _context: object) -> None:
    try:
        os.fork()
    except BaseException:  # noqa: BLE001 - as handlers do
        NOTES.append("swallowed")
        while True:
            time.sleep(1)


def test_a_handler_cannot_swallow_it() -> None:
    """Its code does not go on, but for its `except` and `finally` when the run has ended, without effect."""
    with pytest.raises(EscapedSimulation, match="starts a process"):
        run(swallows, verify=False)
    NOTES.clear()


def naps(_event: object, _context: object) -> None:
    time.sleep(1)


@pytest.mark.parametrize("before", [naps, connects, program, fork])
def test_afterwards_and_outside_all_of_it_works_again(before: Callable[[object, object], object]) -> None:
    """After a run, and after one that has ended by an escape."""
    if before is naps:
        run(before)
    else:
        with pytest.raises(EscapedSimulation):
            run(before)
    one = threading.Thread(target=NOTES.append, args=("thread",))
    one.start()
    one.join()
    assert NOTES.pop() == "thread"
    with concurrent.futures.ThreadPoolExecutor() as executor:
        assert executor.submit(int, "5").result() == 5
    assert subprocess.run([sys.executable, "-c", "print(5)"], capture_output=True, check=True).stdout.split() == [b"5"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert threading.Event().wait(0.001) is False
    LIBRARY["sleep"](0.001)

    async def both() -> int:
        return await trio.to_thread.run_sync(int, "5")

    async def same() -> int:
        return await asyncio.to_thread(int, "5")

    assert trio.run(both) == asyncio.run(same()) == 5


# What has become virtual ------------------------------------------------------------------------------------------


def looks(_event: object, _context: object) -> None:
    time.sleep(1.5)
    NOTES.append(
        [
            time.ctime(),
            time.asctime(),
            time.strftime("%H:%M:%S"),
            time.strftime("%Y", time.gmtime(0)),
            time.localtime(0).tm_hour,
            time.mktime(time.localtime()),
            time.clock_gettime(time.CLOCK_REALTIME),
            time.clock_gettime_ns(time.CLOCK_MONOTONIC),
            time.process_time(),
            time.thread_time_ns(),
            dt.datetime.fromtimestamp(0),  # noqa: DTZ006 - as handlers do
            dt.date.fromtimestamp(0),  # noqa: DTZ012
            time.ctime(0),
        ]
    )


def test_whatever_shows_the_time_shows_virtual_time_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever zone the machine is in."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        run(looks, verify=False)
    finally:
        monkeypatch.undo()
        time.tzset()
    moment = 1_764_547_201.514
    assert NOTES.pop() == [
        "Mon Dec  1 00:00:01 2025",
        "Mon Dec  1 00:00:01 2025",
        "00:00:01",
        "1970",
        0,
        int(moment),
        moment,
        1_514_000_000,
        1.514,
        1_514_000_000,
        dt.datetime(1970, 1, 1),  # noqa: DTZ001
        dt.date(1970, 1, 1),
        "Thu Jan  1 00:00:00 1970",
    ]


DRAWN: list[tuple[float, float, str, uuid.UUID, uuid.UUID]] = process_wide(
    "drawn", list[tuple[float, float, str, uuid.UUID, uuid.UUID]]
)


def draws(_event: object, _context: object) -> None:
    generator = random.Random()
    again = Random(7)
    DRAWN.append((generator.random(), again.random(), secrets.token_hex(4), uuid.uuid1(), uuid.uuid4()))


def test_numbers_that_nobody_seeded_are_those_of_the_invocation() -> None:
    """The same in each run; a seed of the handler's own holds."""
    run(draws)
    second = DRAWN.pop()
    run(draws)
    first = DRAWN.pop()
    assert first == second
    assert first[1] == random.Random(7).random()
    assert (first[3].version, first[4].version) == (1, 4)
    assert random.Random().random() != random.Random().random()
    assert uuid.uuid1() != uuid.uuid1()


def exits(_event: object, _context: object) -> None:
    os._exit(3)


def test_LX_14_a_handler_that_ends_its_process_ends_its_invocation() -> None:
    """As a crash: not the process of the tests."""
    history = run(exits)
    assert [(end.outcome, end.error) for _, end in history.each(InvocationEnded)] == [
        ("crashed", "Runtime.ExitError: SystemExit: 3")
    ]


COUNT = process_wide("count of guards", lambda: itertools.count(1))


def counts(_event: object, _context: object) -> None:
    time.sleep(next(COUNT))


def test_code_that_remembers_the_run_before_is_not_deterministic() -> None:
    """`verify` finds what outlives the run: state in a shared module, which no environment has for itself."""
    with pytest.raises(NotDeterministic, match="differ at event"):
        run(counts)
