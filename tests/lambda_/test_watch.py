"""Code that never waits is ended, and Ctrl-C works, whatever the handler catches."""

from __future__ import annotations

import os
import re
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

import pytest

import chaosqs
from chaosqs.errors import EscapedSimulation, HandlerStuck
from chaosqs.lambda_ import watch
from chaosqs.lambda_.handler_runtime import activity
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.conformance.lambda_under_test import functions

DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let handlers be imported from the test's directory; signals are as before afterwards."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = state()
    yield
    assert state() == before


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after a fraction of a second."""
    monkeypatch.setattr(watch, "LIMIT", 0.2)


def state() -> tuple[object, ...]:
    return signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)


def run(folder: Path, body: str) -> History:
    """Simulate a handler; its statements begin in line 5 of its file."""
    module = f"chaosqs_stuck_{folder.name.replace('-', '_')}_{len(list(folder.iterdir()))}"
    statements = textwrap.indent(textwrap.dedent(body), "    ")
    text = f"import signal, threading, time\n\n\ndef handler(event, context):\n{statements}\n"
    (folder / f"{module}.py").write_text(text, encoding="utf-8")
    return simulate(
        Scenario(DESIGN, [Burst("orders", 1)], {"worker": Behaviour(handler=f"{module}:handler")}, until=20)
    )


STUCK = {
    "computes": "while True: pass",
    "catches everything": "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
    "computes in a thread": (
        "def compute():\n  while True: pass\none = threading.Thread(target=compute)\none.start(); one.join()"
    ),
    "computes when it is ended": "try: time.sleep(60)\nfinally:\n  while True: pass",
    "ignores the alarm": "signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
    "sorts for long": "class K:\n  def __lt__(self, other):\n    while True: pass\nsorted([K(), K()])",
}


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("name", STUCK)
def test_H8_code_that_never_waits_is_ended(name: str, tmp_path: Path) -> None:
    """The error names function, file and line, in one line; no `except` of the handler sees it."""
    with pytest.raises(HandlerStuck) as caught:
        run(tmp_path, STUCK[name])
    said = r"the handler of worker has run for 0\.2 s of real time without a wait, at .*chaosqs_stuck_\w*\.py:\d+: .*"
    assert re.fullmatch(said, str(caught.value))


@pytest.mark.usefixtures("soon")
def test_a_world_does_it_too() -> None:
    """And goes on to be used."""

    def handler(_event: object, _context: object) -> None:
        while True:
            pass

    with chaosqs.aws() as world:
        world.function("worker", handler)
        with pytest.raises(HandlerStuck, match=r"test_watch\.py"):
            functions("us-east-1").invoke(name="worker")


@pytest.mark.parametrize("body", ["while True: pass", *list(STUCK.values())[1:3]])
def test_H8_ctrl_c_works_whatever_a_handler_does(body: str, tmp_path: Path) -> None:
    """While it computes, in its `except`, in its threads."""
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, body)
    timer.join()


@pytest.mark.usefixtures("soon")
def test_a_timer_of_the_test_goes_off_all_the_same(tmp_path: Path) -> None:
    """Such as that of pytest-timeout, while a handler runs."""
    heard = list[int]()
    before = signal.signal(signal.SIGALRM, lambda number, _: heard.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(HandlerStuck):
            run(tmp_path, STUCK["computes"])
        assert heard == [signal.SIGALRM]
        signal.setitimer(signal.ITIMER_REAL, 100)
        with suppress(HandlerStuck):  # where the machine is slow
            run(tmp_path, "pass")
        assert 90 < signal.getitimer(signal.ITIMER_REAL)[0] <= 100
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_in_another_thread_handlers_run_unwatched(tmp_path: Path) -> None:
    """Only the main thread can be interrupted."""
    found = list[History]()
    thread = threading.Thread(target=lambda: found.append(run(tmp_path, "time.sleep(1)")))
    thread.start()
    thread.join()
    assert len(found) == 1


def test_a_loop_until_a_function_timeout_of_3_minutes_ends_within_seconds(tmp_path: Path) -> None:
    """It polls the clock, and each millisecond of it would take a thousand looks."""
    design = Design(
        [Queue("orders", visibility_timeout=180)],
        [Function("worker", timeout=180)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    (tmp_path / "chaosqs_polls.py").write_text(
        "import time\ndef handler(event, context):\n    while time.time(): pass\n", encoding="utf-8"
    )
    behaviours = {"worker": Behaviour(handler="chaosqs_polls:handler")}
    history = simulate(Scenario(design, [Burst("orders", 1)], behaviours, until=181))
    assert history.summary()["functions"]["worker"]["Errors"] == 1


def test_those_who_watch_the_process_learn_where_a_handler_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By function, file and line; switches tell that it goes on."""
    places = list[watch.Place | None]()
    monkeypatch.setattr(
        time, "watch_running", lambda: places.append(watch.running(vars(sys)["_getframe"](1))), raising=False
    )
    before = activity.switches
    run(tmp_path, "time.watch_running()")
    (place,) = places
    assert place is not None
    assert (place.function, place.site.rpartition(":")[2]) == ("worker", "5")
    assert watch.running() is None
    assert activity.switches > before


@pytest.mark.usefixtures("soon")
def test_code_that_is_left_inside_a_trace_function_does_not_keep_python_from_tracing(tmp_path: Path) -> None:
    """The trace function never returns; other code is traced afterwards, as a debugger or coverage needs it."""
    traced: list[str] = []

    def trace(frame: FrameType, _event: str, _argument: object) -> None:
        traced.append(frame.f_code.co_name)
        while "chaosqs_stuck" in frame.f_code.co_filename and frame.f_code.co_name == "handler":
            pass

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(HandlerStuck):
            run(tmp_path, "return None")
        traced.clear()
        state()
    finally:
        sys.settrace(before)
    assert "state" in traced


def test_code_that_swallows_a_refusal_does_not_keep_python_from_tracing(tmp_path: Path) -> None:
    """It is left where Python asks whether it may fork, and Python does not trace what it calls there."""
    traced: list[str] = []
    with pytest.raises(EscapedSimulation):
        run(tmp_path, "import contextlib, os\nwhile True:\n    with contextlib.suppress(BaseException): os.fork()")
    before = sys.gettrace()
    sys.settrace(lambda frame, _event, _argument: traced.append(frame.f_code.co_name))
    try:
        state()
    finally:
        sys.settrace(before)
    assert traced[0] == "state"
