"""Same scenario, same bytes: in another process, with another hash seed, on another Python, under Hypothesis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.kernel.clock import VirtualClock
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate
from chaosqs.strategies import designs
from chaosqs.strategies import scenarios as drawn_scenarios
from tests.calibration.designs import one_mapping

ROOT = Path(__file__).parents[1]

PROGRAM = """
from tests.test_determinism import scenarios
from chaosqs.simulation.run import simulate
print(" ".join(simulate(scenario).digest for scenario in scenarios()))
"""


def scenarios() -> list[Scenario]:
    """Return runs that throttle, fail, dead-letter and are struck by faults, under several seeds."""
    design = one_mapping(reserved=2, receives=3, timeout=10)
    faults = FaultPlan(
        [("error", "lost_delete"), ("slow",), ("lost_receive", "crash"), ("lost_response",)],
        [Window("throttled", "worker", 20, 15), Window("service_error", "", 50, 3)],
    )
    load: list[Load] = [Burst("orders", 40), Steady("orders", 3, 20, at=5)]
    behaviour = {"worker": Behaviour(0.3, spread=0.4, error_rate=0.1, poison=(7,))}
    return [Scenario(design, load, behaviour, faults, seed=seed, until=600) for seed in (0, 1, 2, 77)]


def _digests(python: str, hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_another_process_and_hash_seed_give_the_same_digests() -> None:
    """The history does not depend on the process or on Python's hashing."""
    here = " ".join(simulate(scenario).digest for scenario in scenarios())
    assert _digests(sys.executable, "12345") == here


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_another_python_gives_the_same_digests(version: str) -> None:
    """The history does not depend on the Python version, where another one is installed."""
    if sys.version.startswith(version):
        pytest.skip("this Python: see the test above")
    python = shutil.which(f"python{version}") or "python"
    path = os.pathsep.join([str(ROOT), *(entry for entry in sys.path if "site-packages" in entry)])
    environment = {**os.environ, "PYTHONPATH": path}
    asked = subprocess.run(
        [python, "-c", "import sys, attrs, trio; print(sys.version)"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if not asked.stdout.startswith(version):
        pytest.skip(f"no Python {version} here that could run it")
    done = subprocess.run(
        [python, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.strip() == " ".join(simulate(scenario).digest for scenario in scenarios())


def _on_trio(clock: VirtualClock) -> None:
    trio.run(clock.run, clock=clock)


@settings(max_examples=40)
@given(drawn_scenarios(designs()) | st.sampled_from(scenarios()))
def test_a_modelled_run_is_the_same_on_trio(scenario: Scenario) -> None:
    """Runs in which nothing awaits are driven without trio, which real code runs on: both give the same bytes."""
    history = simulate(scenario)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(VirtualClock, "drive", _on_trio)
        again = simulate(scenario)
    assert (again.digest, again.ended_at_ms, again.drained_at_ms) == (
        history.digest,
        history.ended_at_ms,
        history.drained_at_ms,
    )


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(scenarios()), st.integers(0, 255))
def test_inside_given_it_is_the_same_run(scenario: Scenario, seed: int) -> None:
    """Neither Hypothesis's seeding of random generators nor running twice changes a run."""
    again = Scenario(
        scenario.design, scenario.workload, scenario.behaviours, scenario.faults, seed=seed, until=scenario.until
    )
    assert simulate(again, verify=True).digest == simulate(again).digest
