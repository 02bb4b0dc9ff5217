"""Handlers that only a process of their own contains: a verdict or two lines, no hang, and nothing is left behind."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaosqs.errors import InvalidInput, NotDeterministic, SimulationError
from chaosqs.project.child import Child
from tests.handlers import jobs
from tests.handlers.contained import DEADLY, NETWORK, STUCK, VERDICTS
from tests.handlers.odd_handlers import ODD
from tests.handlers.test_odd_handlers import process


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Return a child that gives handlers as much time as they need."""
    child = Child(Path("/nowhere"), 60)
    child.run(jobs.starts, "", group="first")
    yield child
    child.close()


@pytest.fixture(scope="module")
def hasty() -> Iterator[Child]:
    """Return a child that takes a third of a second for never."""
    child = Child(Path("/nowhere"), 0.3)
    child.run(jobs.starts, "", group="first")
    yield child
    child.close()


def told(child: Child, folder: Path, name: str, code: str) -> str:
    """Return the verdict on a handler, or the error, with the module's own directory as it was written."""
    path = folder / f"{name}.py"
    path.write_text(code, encoding="utf-8")
    before = here()
    result = run(child, path)
    assert here() == before
    return result.replace(f"{folder}/", "").replace(f"{name}.py", "MODULE.py")


def run(child: Child, path: Path) -> str:
    """Return the verdict, or type and first line of an error, which has two lines."""
    try:
        return child.run(jobs.judge, str(path), group=path.stem)
    except NotDeterministic as error:  # shows two events
        return f"NotDeterministic: {error}"
    except (InvalidInput, SimulationError) as error:
        kind, lines = type(error).__name__, [*str(error).splitlines(), *getattr(error, "__notes__", ())]
    assert len(lines) <= 2, lines
    assert len(lines[0]) < 500, lines[0]
    return f"{kind}: {lines[0]}"


def here() -> tuple[object, ...]:
    """Return what of this process a handler might change."""
    return process(), threading.active_count(), len(list(Path("/proc/self/fd").iterdir())), set(sys.modules)


@pytest.mark.parametrize(("name", "code"), STUCK.items(), ids=STUCK)
def test_code_that_never_gives_way(hasty: Child, tmp_path: Path, name: str, code: str) -> None:
    """Function, file and line are named."""
    result = told(hasty, tmp_path, name, code)
    assert result.startswith("ProcessEnded: the handler of worker never gave way for 0.3 s: MODULE.py:")


@pytest.mark.parametrize(("name", "case"), DEADLY.items(), ids=DEADLY)
def test_code_that_ends_its_process(child: Child, tmp_path: Path, name: str, case: tuple[str, str]) -> None:
    """The function is named, and file and line where there are any."""
    code, expected = case
    assert told(child, tmp_path, name, code) == f"ProcessEnded: the handler of worker ended its process {expected}"


@pytest.mark.parametrize(("name", "case"), VERDICTS.items(), ids=VERDICTS)
def test_code_that_does_anything_else(child: Child, tmp_path: Path, name: str, case: tuple[str, str]) -> None:
    """A verdict, or how the error begins."""
    code, expected = case
    result = told(child, tmp_path, name, code)
    assert result == expected or (expected.endswith(" ") and result.startswith(expected))


def test_nothing_goes_out(tmp_path: Path) -> None:
    """No handler reaches the network, whatever it tries and swallows; a look beyond the guards would notice."""
    child = Child(tmp_path, 60)
    child.run(jobs.guard, "", group="guarded")
    for name in NETWORK:
        path = tmp_path / f"{name}.py"
        path.write_text(VERDICTS[name][0], encoding="utf-8")
        assert child.run(jobs.judge_guarded, str(path), group="guarded") == "", name
    assert child.run(jobs.sends, "", group="guarded") == "socket.sendto sendto"
    child.close()


def test_there_are_99_odd_handlers() -> None:
    """And more."""
    assert len(ODD) + len(STUCK) + len(DEADLY) + len(VERDICTS) >= 99
