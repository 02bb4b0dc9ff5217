"""The command as a shell sees it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import chaosqs

SCRIPT = Path(sys.executable).with_name("chaosqs")


def shell(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, encoding="utf-8", check=False
    )


@pytest.mark.parametrize("command", [(str(SCRIPT),), (sys.executable, "-m", "chaosqs")], ids=["script", "module"])
def test_both_ways_to_start_it(command: tuple[str, ...]) -> None:
    """The script that pip installs, and `python -m chaosqs`."""
    done = shell(*command, "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"chaosqs, version {chaosqs.__version__}\n"


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_the_verbs(flag: str) -> None:
    """And nothing that does not exist yet."""
    done = shell(sys.executable, "-m", "chaosqs", flag)
    verbs = [line.split()[0] for line in done.stdout.split("Commands:")[1].splitlines() if line.strip()]
    known = "compare exhaust explain explore faults import invariants replay report run"
    assert verbs == known.split()


def test_help_is_fast() -> None:
    """Nothing heavy is loaded before a verb needs it."""
    script = "import sys, chaosqs.cli; print([name for name in ('trio', 'hypothesis', 'yaml') if name in sys.modules])"
    assert shell(sys.executable, "-c", script).stdout == "[]\n"


def test_a_terminal_without_arrows_gets_the_text_all_the_same() -> None:
    """What a stream cannot encode is escaped, not an error."""
    done = shell(sys.executable, "-m", "chaosqs", "--help", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    assert "SQS \\u2192 Lambda" in done.stdout
