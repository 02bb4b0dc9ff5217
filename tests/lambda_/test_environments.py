"""Execution environments: each imports the project's modules for itself, as its initialisation, in virtual time."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import attrs
import pytest

import chaosqs
from chaosqs.errors import EscapedSimulation, InvalidScenario
from chaosqs.lambda_.handler_loading import probe
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Effect, InvocationEnded, InvocationStarted
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.conformance.lambda_under_test import functions

COUNTS = """
    import chaosqs
    SEEN = []
    chaosqs.record("imported")

    def handler(event, context):
        SEEN.append(1)
        chaosqs.record("seen", count=len(SEEN))
"""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a project, and return their directory."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return folder


def scenario(
    root: Path,
    handler: str = "app:handler",
    count: int = 1,
    *,
    over: float = 10,
    function: Function | None = None,
    faults: FaultPlan | None = None,
    until: float | None = 60,
) -> Scenario:
    """Return a run of the code below a directory, with batches of one."""
    function = function or Function("worker", timeout=5, reserved_concurrency=1)
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [function],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    behaviours = {"worker": Behaviour(handler=handler, code=str(root))}
    workload = [Burst("orders", count, over=over)]
    return Scenario(design, workload, behaviours, faults or FaultPlan(), until=until)


def ends(history: History) -> list[InvocationEnded]:
    return [event for event in history.events if isinstance(event, InvocationEnded)]


def errors(history: History) -> list[str]:
    return [end.error for end in ends(history)]


def effects(history: History, name: str) -> list[Effect]:
    return [event for event in history.events if isinstance(event, Effect) and event.name == name]


def counts(history: History) -> list[object]:
    return [dict(effect.values)["count"] for effect in effects(history, "seen")]


# One import for each environment --------------------------------------------------------------------------------------


def test_globals_persist_while_an_environment_is_warm(tmp_path: Path) -> None:
    """One import, three invocations."""
    history = simulate(scenario(write(tmp_path, {"app.py": COUNTS}), count=3), verify=True)
    assert counts(history) == [1, 2, 3]
    assert len(effects(history, "imported")) == 1


def test_environments_share_no_globals(tmp_path: Path) -> None:
    """Three invocations at once have three environments, and three imports."""
    code = COUNTS + "        __import__('time').sleep(1)\n"
    function = Function("worker", timeout=5)
    history = simulate(scenario(write(tmp_path, {"app.py": code}), count=3, over=0, function=function))
    assert counts(history) == [1, 1, 1]
    assert len(effects(history, "imported")) == 3


@pytest.mark.parametrize("kind", ["crash", "timeout", "cold_start"])
def test_LX_13_LX_14_globals_are_gone_with_their_environment(tmp_path: Path, kind: str) -> None:
    """After a crash, a timeout, or a recycling."""
    root = write(tmp_path, {"app.py": COUNTS})
    faults = FaultPlan([("ok",), (kind,)])
    history = simulate(scenario(root, count=2, faults=faults))
    assert counts(history)[-1] == 1
    assert len(effects(history, "imported")) >= 2


def test_two_code_roots_do_not_mix(tmp_path: Path) -> None:
    """Two functions whose modules have the same names."""
    for name in ("one", "two"):
        files = {
            "app.py": "import chaosqs, shared\ndef handler(event, context): chaosqs.record(shared.NAME)",
            "shared/__init__.py": f"NAME = '{name}'",
        }
        write(tmp_path / name, files)
    design = Design(
        [Queue("first"), Queue("second")],
        [Function("one"), Function("two")],
        [EventSourceMapping("first", "one"), EventSourceMapping("second", "two")],
    )
    behaviours = {name: Behaviour(handler="app:handler", code=str(tmp_path / name)) for name in ("one", "two")}
    history = simulate(Scenario(design, [Burst("first", 1), Burst("second", 1)], behaviours))
    assert {(event.function, event.name) for event in history.events if isinstance(event, Effect)} == {
        ("one", "one"),
        ("two", "two"),
    }


def test_the_callers_copy_is_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that the project's unit tests have imported stays theirs; no module of a run stays in `sys.modules`."""
    root = write(tmp_path, {"chaosqs_app/__init__.py": "", "chaosqs_app/main.py": COUNTS, "chaosqs_app/lazy.py": ""})
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    main = __import__("chaosqs_app.main").main
    main.SEEN.append("mine")
    modules, path, finders = dict(sys.modules), list(sys.path), list(sys.meta_path)
    assert counts(simulate(scenario(root, "chaosqs_app.main:handler", 2))) == [1, 2]
    assert main.SEEN == ["mine"]
    assert (dict(sys.modules), sys.path, sys.meta_path) == (modules, path, finders)
    for name in ("chaosqs_app", "chaosqs_app.main"):
        del sys.modules[name]


# The import is the initialisation -------------------------------------------------------------------------------------


def test_LX_12_an_import_takes_virtual_time_before_the_duration(tmp_path: Path) -> None:
    """A sleep at import delays the first invocation, and is no part of its duration."""
    root = write(tmp_path, {"app.py": "import time\ntime.sleep(2)\ndef handler(event, context): time.sleep(1)"})
    history = simulate(scenario(root, count=2), verify=True)
    starts = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert [end.duration for end in ends(history)] == [1000, 1000]
    assert ends(history)[0].at - starts[0].at > 3000
    assert ends(history)[1].at - starts[1].at == 1000


def test_LX_12_an_import_that_takes_too_long_is_repeated_within_the_invocation(tmp_path: Path) -> None:
    """After 10 s; then it counts, and the function timeout ends it."""
    source = "import time, chaosqs\nchaosqs.record('imported')\ntime.sleep(11)\ndef handler(event, context): ..."
    root = write(tmp_path, {"app.py": source})
    history = simulate(scenario(root, until=25), verify=True)
    first = ends(history)[0]
    assert (first.outcome, first.duration) == ("timed_out", 5000)
    assert len(effects(history, "imported")) == 2
    slow = simulate(scenario(root, function=Function("worker", timeout=20), until=29))
    assert [end.outcome for end in ends(slow)] == ["succeeded"]
    assert 11_000 < ends(slow)[0].duration < 13_000


def test_LX_9_provisioned_environments_were_initialised_before(tmp_path: Path) -> None:
    """So an import takes no time; it is the environment's all the same."""
    code = "import time\ntime.sleep(20)\n" + dedent(COUNTS)
    function = Function("worker", timeout=5, provisioned_concurrency=1, reserved_concurrency=1)
    history = simulate(scenario(write(tmp_path, {"app.py": code}), count=2, function=function))
    assert [end.duration for end in ends(history)] == [0, 0]
    assert counts(history) == [1, 2]


def test_an_import_that_fails_in_a_run_fails_each_invocation(tmp_path: Path) -> None:
    """Lambda tries it again for each; the history has its error."""
    root = write(tmp_path, {"app.py": "import time\ntime.sleep(0.1)\nimport nowhere"})
    history = simulate(scenario(root, count=2, until=25))
    assert {end.outcome for end in ends(history)} == {"crashed"}
    assert set(errors(history)) == {
        "Runtime.ImportModuleError: Unable to import module 'app': No module named 'nowhere'"
    }


def test_an_import_may_succeed_at_the_next_attempt(tmp_path: Path) -> None:
    """A process that failed leaves nothing to the next one."""
    source = """
        import os, time
        time.sleep(0.1)
        if time.time() < 1764547203:
            raise ConnectionError("not yet")
        def handler(event, context): ...
    """
    history = simulate(scenario(write(tmp_path, {"app.py": source}), until=60))
    assert errors(history) == ["ConnectionError: not yet", ""]


def test_nothing_of_an_import_leaves_the_simulation(tmp_path: Path) -> None:
    """A call that would reach the network ends the run, with its file and line."""
    source = """
        import time, socket
        time.sleep(0.1)
        socket.create_connection(("192.0.2.1", 80))
        def handler(event, context): ...
    """
    with pytest.raises(EscapedSimulation, match=r"worker asks for an address .* at .*app.py:4"):
        simulate(scenario(write(tmp_path, {"app.py": source})))


def test_calls_of_an_import_are_served(tmp_path: Path) -> None:
    """By the queues of the run, in virtual time, with the variables of the environment."""
    source = """
        import boto3, chaosqs, os
        URL = boto3.client("sqs").get_queue_url(QueueName=os.environ["QUEUE"])["QueueUrl"]
        chaosqs.record(URL.rpartition("/")[2])
        def handler(event, context): ...
    """
    one = scenario(write(tmp_path, {"app.py": source}))
    behaviours = {"worker": attrs.evolve(one.behaviours["worker"], environment={"QUEUE": "orders"})}
    history = simulate(attrs.evolve(one, behaviours=behaviours), verify=True)
    assert len(effects(history, "orders")) == 1


def test_names_imported_from_time_and_random_are_virtual(tmp_path: Path) -> None:
    """However the project's modules call them."""
    source = """
        from datetime import datetime as now
        from random import random as chance
        from time import sleep as pause, time as moment
        import chaosqs
        START = moment()
        def handler(event, context):
            pause(3)
            chaosqs.record("took", seconds=moment() - START, year=now.now().year, chance=chance())
    """
    root = write(tmp_path, {"app.py": "from helper import handler", "helper.py": source})
    history = simulate(scenario(root), verify=True)
    values = dict(effects(history, "took")[0].values)
    assert (values["seconds"], values["year"]) == (3, 2025)


# The same through `aws()` ---------------------------------------------------------------------------------------------


def test_in_aws_a_callable_is_shared_with_the_test() -> None:
    """`world.function` takes a closure of the test's own process, whose variables all environments share."""
    seen: list[int] = []
    with chaosqs.aws() as world:
        world.function("worker", lambda _, __: seen.append(1))
        for _ in range(2):
            functions("us-east-1").invoke(name="worker")
    assert seen == [1, 1]


# What can never be loaded ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        (
            "\nimport stripe",
            "module 'app' cannot be imported: ModuleNotFoundError: No module named 'stripe'",
            r":2: .*install",
        ),
        ("\n\nimport os\nNAME = os.environ['TABLE']", "KeyError: 'TABLE'", r":4: set the variable TABLE"),
        ("def handler(:", "SyntaxError: invalid syntax", r":1: "),
        ("x = 1", "module 'app' has no function 'handler'", r"app.py:1"),
        ("handler = 5", "'handler' of module 'app' must be a function of event and context", r"app.py:1"),
        ("x = 1\nraise ValueError('no')", "ValueError: no", r":2: raise ValueError"),
        ("import sys\nsys.exit(3)", "SystemExit: 3", r":2: "),
        ("import subprocess\nsubprocess.run(['true'])", "starts a process", r":2: do that in the handler"),
    ],
)
def test_a_handler_that_can_never_be_loaded_is_named(tmp_path: Path, source: str, first: str, second: str) -> None:
    """In two lines: what is missing, then file and line; nothing is simulated."""
    root = write(tmp_path, {"app.py": source})
    one = scenario(root)
    said = probe(Function("worker"), one.behaviours["worker"])
    lines = said.splitlines()
    assert len(lines) == 2, said
    assert first in lines[0]
    assert re.search(second, lines[1]), said
    with pytest.raises(InvalidScenario) as caught:
        simulate(one)
    assert str(caught.value).count("\n") == 1
    assert first in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(5)\nimport nowhere",
        "import boto3\nboto3.client('sqs').list_queues()\nraise ValueError",
        "import boto3\nboto3.client('s3', region_name='us-east-1').list_buckets()\nraise ValueError",
        "def handler(event, context): ...",
    ],
)
def test_a_probe_follows_an_import_to_its_first_wait_or_call(tmp_path: Path, source: str) -> None:
    """Nothing real happens, and what comes after depends on the run."""
    assert probe(Function("worker"), scenario(write(tmp_path, {"app.py": source})).behaviours["worker"]) == ""


WRITES = """
import os, pathlib, tempfile

HERE = pathlib.Path(__file__).parent
ATTEMPTS = (
    lambda: (HERE / "new.txt").write_text("x"),
    lambda: open(__file__, "r+"),
    lambda: os.open(HERE / "new.txt", os.O_CREAT | os.O_WRONLY),
    lambda: (HERE / "new").mkdir(),
    lambda: os.remove(__file__),
    lambda: os.rename(__file__, HERE.parent / "elsewhere.py"),
    lambda: os.symlink(HERE.parent, HERE / "link"),
    lambda: os.utime(__file__),
)

def handler(event, context):
    refused = 0
    for attempt in ATTEMPTS:
        try:
            attempt()
        except OSError as error:
            refused += error.strerror == "Read-only file system"
    assert refused == len(ATTEMPTS), refused
    assert "handler" in pathlib.Path(__file__).read_text()
    with tempfile.TemporaryDirectory() as folder:
        link = pathlib.Path(folder, "link")
        link.symlink_to(__file__)
        link.unlink()
        link.write_text("x")
"""


def test_LX_25_the_directory_of_the_code_is_read_only(tmp_path: Path) -> None:
    """Nothing that a handler writes stays in the user's project; elsewhere it may write, and change links."""
    root = write(tmp_path / "src", {"writes.py": WRITES})
    history = simulate(scenario(root, "writes:handler"))
    assert [(end.outcome, end.error) for end in ends(history)] == [("succeeded", "")]
    assert [path.name for path in root.iterdir()] == ["writes.py"]
