"""`chaosqs exhaust`: what is proven, what is broken, what was not tried to the end, and what is refused."""

import json
from pathlib import Path

import pytest

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.cli.running import Run

TIGHT = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=30)],
    [EventSourceMapping("orders", "worker")],
)
"""One slow invocation outlives the visibility of its messages."""


@pytest.fixture
def tight(run: Run) -> str:
    """Return the file of a scenario of that design."""
    assert run("invariants").exit_code == 0
    Path("tight.json").write_text(to_json(Scenario(TIGHT, [Burst("orders", 1)])), encoding="utf-8")
    return "tight.json"


def test_a_proof_exits_with_0(run: Run) -> None:
    """It says within which bound; no report is written."""
    result = run("exhaust", "sound.yaml", "--faults", "1", "--messages", "1")
    assert result.exit_code == 0, result.output
    assert "sound.yaml: orders → worker\n" in result.output
    said = " ".join(result.output.split())
    assert "none of 31 schedules up to depth 1 violates any of " in said
    assert "(up to 1 message, up to 1 fault of 33 kinds; " in said
    assert not Path("reports").exists()


def test_a_counterexample_exits_with_1(run: Run, tight: str) -> None:
    """Story, table, the fault that it took, and a report that replays."""
    result = run("exhaust", tight, "--invariant", "no-concurrent-processing")
    assert result.exit_code == 1
    assert "Message 1 " in result.output
    said = "no concurrent processing is violated by 1 disturbance: slow at receive 1 of message 1\n"
    assert said in result.output
    (file,) = Path("reports").glob("*-no-concurrent-processing/scenario.json")
    assert run("replay", str(file)).exit_code == 1


def test_spent_runs_exit_with_2(run: Run) -> None:
    """What was not tried to the end is not proven, and no script shall take it for that."""
    result = run("exhaust", "sound.yaml", "--max-runs", "5", "--invariant", "at-least-once-delivery")
    assert result.exit_code == 2
    assert "INCONCLUSIVE" in result.output
    assert "stopped after 5 schedules at depth 1 (all up to depth 0)" in result.output


def test_pauses_of_one_mapping(run: Run) -> None:
    """`--pauses` holds tasks back, `--mapping` asks for one, whose arrow may be typed as two characters."""
    asked = ("--mapping", "orders->worker", "--faults", "0", "--pauses", "1", "--messages", "1")
    result = run("exhaust", "sound.yaml", *asked)
    assert result.exit_code == 0
    assert "(up to 1 message, no faults, up to 1 pause of up to 10 steps; " in " ".join(result.output.split())


def test_json(run: Run, tight: str) -> None:
    """All figures, and an answer for each invariant."""
    result = run("exhaust", tight, "--invariant", "no-concurrent-processing", "--faults", "1", "--json")
    (done,) = json.loads(result.output)["exhaustions"]
    assert done["bound"] == {"messages": 1, "faults": 1, "pauses": 0, "max_runs": 20000, "depth": 1}
    assert (done["complete"], done["proven"], done["answers"][0]["status"]) == (0, False, "violated")
    assert done["runs"] == done["histories"] + done["equivalent"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("sound.yaml", "--mapping", "orders→nobody"),
            "sound.yaml has no mapping 'orders→nobody'; there are orders→worker",
        ),
        (("unmapped.json",), "unmapped.json: the design has no mapping"),
        (("sound.yaml", "--invariant", "world-peace"), "world-peace"),
        (("sound.yaml", "--faults", "-1"), "--faults"),
        (("sound.yaml", "--messages", "0"), "--messages"),
        (("sound.yaml", "--max-runs", "0"), "--max-runs"),
        (("tight.json", "--messages", "3"), "messages = 3: a scenario has a workload of its own"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_wrong_input_exits_with_2(run: Run, tight: str, arguments: tuple[str, ...], said: str) -> None:
    """In a few words, before anything was tried."""
    assert Path(tight).exists()
    Path("unmapped.json").write_text(to_json(Design([Queue("orders")])), encoding="utf-8")
    result = run("exhaust", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
