"""Failures travel: each has one history, whatever the process, the hash seed and the version of Python.

The failures are those of the gallery, in their normal forms, and in `failures/` as searches have drawn them: with seed
and faults, and nothing shrunk. What they come to is compared among processes, not with what their files say, so that a
change of the model does not matter here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import from_json
from chaosqs.project.replay import Outcome, replay

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("reports/*/scenario.json"), *ROOT.glob("tests/quality/failures/*.json")])
HASH_SEEDS = ("0", "12345")
PYTHONS = "CHAOSQS_PYTHONS"
"""The environment variable with other Pythons that have chaosqs's dependencies, as PATH lists directories."""
REPLAYS, PROCESSES = 100, 10
"""Replays of each failure by each Python, and processes that share them."""


def replays(times: int) -> list[tuple[str, str]]:
    """Replay each failure a number of times; return outcome and digest of each, failure by failure."""
    found: list[tuple[str, str]] = []
    for file in FILES:
        counterexample = from_json(Counterexample, file.read_text(encoding="utf-8"))
        for _ in range(times):
            again = replay(counterexample)
            found.append((str(again.outcome), again.history.digest))
    return found


PROGRAM = """
import json, sys
from tests.quality.test_replays import replays
json.dump([sys.version_info[:2], replays(int(sys.argv[1]))], sys.stdout)
"""


def elsewhere(pythons: Sequence[str], processes: int, times: int) -> Iterator[tuple[tuple[int, int], list[list[str]]]]:
    """Replay in other processes, with each hash seed in turn; yield the version of Python and what it found."""
    for python in pythons:
        started = [_start(python, HASH_SEEDS[number % len(HASH_SEEDS)], times) for number in range(min(2, processes))]
        for number in range(processes):
            output, errors = started[number].communicate(timeout=1_800)
            assert started[number].returncode == 0, errors
            if len(started) < processes:
                started.append(_start(python, HASH_SEEDS[len(started) % len(HASH_SEEDS)], times))
            (major, minor), found = json.loads(output)
            yield (major, minor), found


def _start(python: str, hash_seed: str, times: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [python, "-c", PROGRAM, str(times)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )


def test_they_are_failures() -> None:
    """At least 20 of them still are, so that the tests below are about violations."""
    failing = [outcome for outcome, _ in replays(1) if outcome != Outcome.FIXED]
    assert len(failing) >= 20, f"only {len(failing)} of {len(FILES)} are violated: search for new ones"


def test_other_processes_and_hash_seeds_replay_the_same() -> None:
    """One process with a hash seed; this one, which has replayed others before, has another."""
    here = [list(pair) for pair in replays(1)]
    for _, found in elsewhere([sys.executable], processes=1, times=1):
        assert found == here


@pytest.mark.deep
def test_a_hundred_replays_of_each_are_the_same_on_every_python() -> None:
    """In processes of their own, with two hash seeds; on other versions of Python where the variable names some."""
    here = [list(pair) for pair in replays(1)]
    others = [python for python in os.environ.get(PYTHONS, "").split(os.pathsep) if python]
    times, counted = REPLAYS // PROCESSES, dict[tuple[int, int], int]()
    for version, found in elsewhere([sys.executable, *others], PROCESSES, times):
        assert found == [pair for pair in here for _ in range(times)], f"on Python {version}"
        counted[version] = counted.get(version, 0) + len(found)
    assert len(counted) == 1 + len(others), f"these are not all other versions: {others}"
    assert set(counted.values()) == {REPLAYS * len(FILES)}
