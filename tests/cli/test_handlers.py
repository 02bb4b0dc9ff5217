"""Real handlers that a scenario's file names: found beside it; who leaves the simulation is told in few words."""

import sys
from pathlib import Path

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.cli.running import Run

DESIGN = Design([Queue("orders")], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")])
FILE = "scenario.json"
VERBS = {
    "run": ("run", FILE),
    "compare": ("compare", FILE),
    "explore": ("explore", FILE, "--max-examples", "2"),
    "exhaust": ("exhaust", FILE, "--faults", "0"),
}
FINE = "def handle(event, context):\n    pass\n"
ASKS = "import socket\n\ndef handle(event, context):\n    socket.getaddrinfo('localhost', 80)\n"
STARTS = "import threading\n\ndef handle(event, context):\n    threading.Thread(target=print).start()\n"
MOODY = """import itertools, time

calls = itertools.count()

def handle(event, context):
    time.sleep(next(calls) % 3)
"""


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards where handlers are found."""
    monkeypatch.setattr(sys, "path", list(sys.path))


def write(module: str, code: str) -> None:
    """Write a handler, in a module that no other test has imported, and a scenario of it beside."""
    Path(f"{module}.py").write_text(code, encoding="utf-8")
    behaviours = {"worker": Behaviour(handler=f"{module}:handle")}
    Path(FILE).write_text(to_json(Scenario(DESIGN, [Burst("orders", 1)], behaviours)), encoding="utf-8")


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("verb", VERBS)
def test_handlers_are_found_in_the_projects_directory(run: Run, verb: str) -> None:
    """Python does not look there for the installed command."""
    write(f"fine_for_{verb}", FINE)
    result = run(*VERBS[verb])
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("name", "code", "does"),
    [("asks", ASKS, "asks for an address"), ("starts", STARTS, "starts a thread")],
    ids=("asks", "starts"),
)
def test_who_leaves_the_simulation_is_told_so(run: Run, verb: str, name: str, code: str, does: str) -> None:
    """By call and line, without a traceback, and with the exit status that replay has."""
    write(f"{name}_for_{verb}", code)
    result = run(*VERBS[verb])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: no verdict: EscapedSimulation: the handler of worker ")
    assert f" {does}" in result.stderr
    assert f" at {name}_for_{verb}.py:4: " in result.stderr
    assert len(result.stderr.splitlines()) <= 3


@pytest.mark.usefixtures("path")
def test_who_runs_in_two_ways_proves_nothing(run: Run) -> None:
    """The first events that differ are shown."""
    write("moody_for_exhaust", MOODY)
    result = run(*VERBS["exhaust"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: no verdict: NotDeterministic: two runs of one scenario differ at event ")
