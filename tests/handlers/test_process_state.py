"""Changes of the process by handlers and their modules stay in their execution environments."""

from __future__ import annotations

import cProfile
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

import chaosqs
from chaosqs.errors import EscapedSimulation, InvalidScenario
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.conformance.lambda_under_test import functions

COUNTS = """
import os

def handler(event, context):
    seen = int(os.environ.get("CHAOSQS_SEEN", "0"))
    os.environ["CHAOSQS_SEEN"] = str(seen + 1)
    if seen or "CHAOSQS_FAIL" in os.environ:
        raise ValueError(f"seen {seen}")
"""
CONFIGURES = """
import logging
import os
import random

os.environ["CHAOSQS_TABLE"] = "orders in " + os.environ["AWS_REGION"]
os.environ.pop("CHAOSQS_UNWANTED", None)
os.chdir("/")
logging.getLogger().setLevel(logging.DEBUG)
random.seed(7)

def handler(event, context):
    assert os.environ["CHAOSQS_TABLE"] == "orders in us-east-1"
    assert "CHAOSQS_UNWANTED" not in os.environ
    assert os.getcwd() == "/"
    assert logging.getLogger().level == logging.DEBUG
"""


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let handlers be imported from the test's directory."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])


def scenario(folder: Path, module: str, source: str, count: int = 1, *, at_once: bool = False) -> Scenario:
    (folder / f"{module}.py").write_text(source, encoding="utf-8")
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=5, reserved_concurrency=10 if at_once else 1)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    behaviours = {"worker": Behaviour(handler=f"{module}:handler")}
    return Scenario(design, [Burst("orders", count, over=0 if at_once else 10)], behaviours, until=20)


def errors(history: History) -> list[str]:
    return [event.error for event in history.events if isinstance(event, InvocationEnded)]


def test_a_warm_environment_keeps_what_its_handler_has_set(tmp_path: Path) -> None:
    """And nobody else: neither the test nor the next run."""
    one = scenario(tmp_path, "chaosqs_counts", COUNTS, 3)
    for _ in range(2):
        assert errors(simulate(one)) == ["", "ValueError: seen 1", "ValueError: seen 2"]
    assert "CHAOSQS_SEEN" not in os.environ


def test_a_profiler_goes_on_after_a_handler_that_sets_another(tmp_path: Path) -> None:
    """Under `python -m cProfile`, too, whose profiler is no function."""
    source = "import sys\ndef handler(event, context): sys.setprofile(lambda *_: None)\n"
    with cProfile.Profile() as profiler:
        before = sys.getprofile()
        assert errors(simulate(scenario(tmp_path, "chaosqs_profiles", source))) == [""]
        assert sys.getprofile() is before
    assert profiler.getstats()


def test_environments_do_not_share_what_they_set(tmp_path: Path) -> None:
    """Each begins with what Lambda sets."""
    one = scenario(
        tmp_path,
        "chaosqs_counts_at_once",
        COUNTS.replace("    if seen", "    import time; time.sleep(1)\n    if seen"),
        3,
        at_once=True,
    )
    assert errors(simulate(one)) == ["", "", ""]


def test_an_environment_that_a_fault_has_killed_keeps_nothing(tmp_path: Path) -> None:
    """The one after it begins with what Lambda sets, whether the handler had come to its end or not."""
    one = scenario(tmp_path, "chaosqs_counts_crashes", COUNTS, 3)
    for kind in ("timeout", "crash"):
        history = simulate(attrs.evolve(one, faults=FaultPlan([(kind,)]), until=25))
        assert errors(history)[1:] == ["", "ValueError: seen 1"], kind


def test_a_handler_sees_the_variables_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside those that Lambda sets, and as they are at the time."""
    one = scenario(tmp_path, "chaosqs_counts_for_tests", COUNTS)
    monkeypatch.setenv("CHAOSQS_FAIL", "yes")
    assert errors(simulate(one)) == ["ValueError: seen 0"]
    monkeypatch.delenv("CHAOSQS_FAIL")
    assert errors(simulate(one)) == [""]


def test_what_a_module_does_when_it_is_imported_is_part_of_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is imported by each environment; the test sees nothing of it."""
    monkeypatch.setenv("CHAOSQS_UNWANTED", "yes")
    one, index, level = scenario(tmp_path, "chaosqs_configures", CONFIGURES, 2), Path.cwd(), logging.root.level
    for _ in range(3):
        assert errors(simulate(one)) == ["", ""]
    assert (Path.cwd(), logging.root.level, os.environ["CHAOSQS_UNWANTED"]) == (index, level, "yes")
    assert "CHAOSQS_TABLE" not in os.environ


def test_in_a_world_a_warm_environment_keeps_what_its_handler_has_set() -> None:
    """As in simulations."""
    seen: list[str | None] = []

    def handler(_event: object, _context: object) -> None:
        seen.append(os.environ.get("CHAOSQS_SEEN"))
        os.environ["CHAOSQS_SEEN"] = "yes"

    with chaosqs.aws() as world:
        world.function("worker", handler)
        world.function("other", handler)
        for name in ("worker", "worker", "other"):
            functions("us-east-1").invoke(name=name)
    assert seen == [None, "yes", None]
    assert "CHAOSQS_SEEN" not in os.environ


# Errors of a run ------------------------------------------------------------------------------------------------------


def test_an_escape_leaves_simulate_without_the_parts_of_its_world(tmp_path: Path) -> None:
    """No group of exceptions, no chain, and no frames of ours but the last ones, whose values pytest would print."""
    source = "import os\ndef handler(event, context):\n    os.fork()\n"
    with pytest.raises(EscapedSimulation) as caught:
        simulate(scenario(tmp_path, "chaosqs_escapes", source))
    error = caught.value
    assert error.__cause__ is None
    assert error.__suppress_context__
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)][1:]
    assert names == ["simulate", "run", "_run"]
    hidden = [entry.frame.f_locals.get("__tracebackhide__") for entry in caught.traceback[1:]]
    assert hidden == [True, True, True]


DOORS: dict[str, Callable[[Scenario], object]] = {
    "explore": lambda given: chaosqs.explore(given.design, behaviours=given.behaviours),
    "exhaust": chaosqs.exhaust,
    "compare": chaosqs.compare,
}


@pytest.mark.parametrize("source", ["import os\ndef handler(*_): os.fork()\n", "import no_such_module\n"])
@pytest.mark.parametrize("door", DOORS.values(), ids=list(DOORS))
def test_an_error_leaves_the_public_functions_alone(
    tmp_path: Path, door: Callable[[Scenario], object], source: str
) -> None:
    """Without its causes, and without the frames of the search: pytest would print both at length."""
    module = f"chaosqs_alone_{'fork' in source}"
    with pytest.raises((EscapedSimulation, InvalidScenario)) as caught:
        door(scenario(tmp_path, module, source))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    ours = [entry for entry in caught.traceback if "/chaosqs/" in str(entry.path)]
    assert len(ours) == 1
    assert ours[0].frame.f_locals["__tracebackhide__"]


@pytest.mark.parametrize(
    "source", ["import sys; sys.exit(3)", "raise KeyError('TABLE_NAME')", "raise BaseException", "def"]
)
def test_a_module_that_cannot_be_imported_is_an_invalid_scenario(tmp_path: Path, source: str) -> None:
    """However its import ends."""
    module = f"chaosqs_broken_{abs(sum(map(ord, source)))}"
    with pytest.raises(InvalidScenario, match=f"module '{module}' cannot be imported: "):
        simulate(scenario(tmp_path, module, source))
