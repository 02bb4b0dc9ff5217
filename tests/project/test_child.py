"""The child process: what the code of a job does to its process stays there, and is told in two lines."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaosqs.errors import EscapedSimulation, InvalidScenario, ProcessEnded, SimulationError
from chaosqs.project.child import Child, end_unused, start_early
from chaosqs.project.supervisor import Pulse, frames_in
from tests.project import jobs
from tests.project.processes import gone

ROOT = Path(__file__).parents[2]
FILE = "tests/project/jobs.py"


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Return a child that takes half a second for never."""
    child = Child(ROOT, 0.5)
    yield child
    child.close()


def test_a_job_returns_text(child: Child) -> None:
    """Any text."""
    assert child.run(jobs.echoes, "→ \0 " * 100_000, group="a") == "→ \0 " * 100_000


def test_a_job_may_ask(child: Child) -> None:
    """The answers come from the parent."""
    assert child.run(jobs.asks_twice, "2", group="a", answer=lambda question: question * 2) == "2222"


def test_jobs_of_a_group_share_a_process(child: Child) -> None:
    """So a search is found again; other groups know nothing of it."""
    first = child.run(jobs.keeps, "1", group="a")
    second = child.run(jobs.keeps, "2", group="a")
    other = child.run(jobs.keeps, "3", group="b")
    assert second == f"{first} 2"
    assert other.split()[1:] == ["3"]
    assert other.split()[0] != first.split()[0]


def test_a_job_without_a_group_leaves_what_it_loads_to_all_workers(child: Child) -> None:
    """It runs no code of the user, so the process that forks them does it."""
    first = child.run(jobs.keeps, "1", group="")
    assert child.run(jobs.keeps, "2", group="new").split()[1:] == ["1", "2"]
    assert not gone(int(first.split()[0]))
    with pytest.raises(InvalidScenario, match=r"^wrong"):
        child.run(jobs.is_wrong, "wrong", group="")


def test_libraries_that_a_job_imports_are_imported_for_later_workers(child: Child) -> None:
    """When there is nothing else to do; modules of anybody else are not."""
    for name in ("boto3.ec2.createtags", "tests.kernel"):
        child.run(jobs.imports, name, group="a")
    assert any(child.run(jobs.imports, "boto3.ec2.createtags", group=f"{n}") == "True" for n in range(200))
    assert child.run(jobs.imports, "tests.kernel", group="b") == "False"


def test_a_few_processes_are_kept(child: Child) -> None:
    """The one that was used least recently ends first."""
    old = child.run(jobs.keeps, "1", group="old")
    for name in "abcd":
        child.run(jobs.echoes, "", group=name)
    assert gone(int(old.split()[0]))
    assert child.run(jobs.keeps, "2", group="old").endswith(" 2")


def test_errors_of_chaosqs_come_as_they_are(child: Child) -> None:
    """With their notes."""
    with pytest.raises(InvalidScenario, match=r"^wrong"):
        child.run(jobs.is_wrong, "wrong", group="a")
    with pytest.raises(EscapedSimulation, match=r"^out") as caught:
        child.run(jobs.escapes, "out", group="a")
    assert caught.value.__notes__ == ["while simulating"]


@pytest.mark.parametrize(("job", "message"), [(jobs.raises, r"KeyError: \'x\'"), (jobs.raises_without_words, "Silent")])
def test_any_other_exception_is_told_in_two_lines(child: Child, job: Callable[[str], str], message: str) -> None:
    """Even one that ends processes, or has no words."""
    with pytest.raises(SimulationError, match=f"^{message}") as caught:
        child.run(job, "x", group="a")
    assert len(caught.value.__notes__) == 1
    assert f"{FILE}:" in caught.value.__notes__[0]


STUCK = [jobs.loops, jobs.waits_for_a_lock, jobs.holds_the_interpreter]
DEADLY = {jobs.reads_nothing: "SIGSEGV", jobs.exits: "exit status 3"}


@pytest.mark.parametrize("job", STUCK)
def test_code_that_never_gives_way_is_ended(child: Child, job: Callable[[str], str]) -> None:
    """The message names function, file and line."""
    with pytest.raises(ProcessEnded) as caught:
        child.run(job, "", group="stuck")
    first, second = str(caught.value).splitlines()
    code = job.__code__
    assert first.startswith(f"the handler of worker never gave way for 0.5 s: {FILE}:")
    assert first.endswith(f", in {job.__name__}")
    assert code.co_firstlineno < int(first.split(":")[2].partition(",")[0]) <= code.co_firstlineno + 4
    assert "handler_seconds" in second
    assert child.run(jobs.keeps, "1", group="stuck").endswith(" 1"), "a new process"


@pytest.mark.parametrize(("job", "cause"), DEADLY.items())
def test_a_process_that_ends_by_itself_is_told(child: Child, job: Callable[[str], str], cause: str) -> None:
    """With function, file and line."""
    with pytest.raises(ProcessEnded) as caught:
        child.run(job, "", group="deadly")
    first, _ = str(caught.value).splitlines()
    assert first.startswith(f"the handler of worker ended its process ({cause}): {FILE}:")
    assert first.endswith(f", in {job.__name__}")


def test_a_process_that_is_killed_is_told(child: Child) -> None:
    """As by the system when memory is short: nobody knows the line."""
    with pytest.raises(ProcessEnded, match=r"^the handler of worker ended its process \(SIGKILL\)\n") as caught:
        child.run(jobs.kills_itself, "", group="deadly")
    assert len(str(caught.value).splitlines()) == 2


def test_a_process_that_closes_its_files_is_told(child: Child) -> None:
    """It cannot answer any more."""
    with pytest.raises(ProcessEnded, match=r"the handler of worker ended its process"):
        child.run(jobs.closes_everything, "", group="deadly")


def test_memory_has_a_limit(child: Child) -> None:
    """The handler gets a MemoryError before the machine runs out."""
    with pytest.raises(SimulationError, match="MemoryError"):
        child.run(jobs.allocates, "", group="memory")


def test_endless_recursion_ends(child: Child) -> None:
    """Whatever the limit."""
    with pytest.raises(SimulationError, match=r"worker never gave way|SIGSEGV|MemoryError"):
        child.run(jobs.recurses, "", group="deadly")


def test_only_handlers_have_to_give_way() -> None:
    """Whatever else takes long, such as a user's invariant, is no handler."""
    child = Child(ROOT, 0.001)
    assert child.run(jobs.loops_outside, "", group="a")
    child.kill()


def test_output_goes_nowhere(child: Child, capfd: pytest.CaptureFixture[str]) -> None:
    """However much it is."""
    assert child.run(jobs.prints, "all", group="a") == "all printed"
    assert capfd.readouterr() == ("", "")


def test_the_process_is_a_plain_one(child: Child) -> None:
    """No arguments, an empty standard input."""
    assert child.run(jobs.knows, "", group="a") == "['chaosqs'] '' True"


def test_closing_ends_what_a_handler_has_started() -> None:
    """Processes, too; the next job starts anew."""
    child = Child(ROOT)
    pid = int(child.run(jobs.forks, "", group="a"))
    child.close()
    assert gone(pid)
    assert child.run(jobs.echoes, "again", group="a") == "again"
    child.kill()


def test_an_answer_that_fails_ends_the_child() -> None:
    """So the next job does not get the answer to an old one."""
    child = Child(ROOT)

    def fail(_: str) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        child.run(jobs.asks_twice, "", group="a", answer=fail)
    assert child.run(jobs.echoes, "again", group="a") == "again"
    child.kill()


PARENT = f"""
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in the background
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from chaosqs.project.child import Child, end_unused, start_early
from tests.project import jobs
from tests.project.processes import gone
child = Child(Path("."), 1000)
print(child.run(jobs.keeps, "1", group="a"), flush=True)
child.run(jobs.loops, "", group="a")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_its_parent(number: int) -> None:
    """However the parent ends, and whatever the handler is doing."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline().split()[0])
        parent.send_signal(number)
        parent.wait(30)
    assert gone(worker)


def test_dumps_are_read() -> None:
    """The current thread's frames, or the last thread's; names that are not ASCII as they are."""
    dump = (
        'Fatal Python error: Aborted\n\nThread 0x01 (most recent call first):\n  File "a.py", line 1 in one\n\n'
        'Current thread 0x02 (most recent call first):\n  File "\\xe4\\u2192.py", line 2 in <module>\n'
    )
    (frame,) = frames_in(dump)
    assert (frame.file, frame.line, frame.function) == ("ä→.py", 2, "<module>")
    assert frames_in(dump.partition("Current")[0])[0].file == "a.py"
    assert frames_in("") == ()


def test_a_pulse_counts_and_names() -> None:
    """And tells whether a handler runs, and whose ran last."""
    pulse = Pulse()
    assert (pulse.count, pulse.running, pulse.last) == (0, False, "")
    pulse.switch("first")
    pulse.switch("second→")
    assert (pulse.count, pulse.running, pulse.last) == (2, True, "second→")
    pulse.switch("")
    assert (pulse.count, pulse.running, pulse.last) == (3, False, "second→")


def test_processes_that_start_early_are_used_by_the_first_session(tmp_path: Path) -> None:
    """Those that no session uses end."""
    (tmp_path / "template.yaml").touch()
    start_early(tmp_path, ())
    child = Child(ROOT)
    try:
        child.run(jobs.echoes, "", group="a")
        start_early(tmp_path, ())
        end_unused()
        assert child.run(jobs.keeps, "1", group="a").endswith(" 1")
    finally:
        child.close()


def test_processes_start_early_where_handlers_are_likely(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory with a template, or for designs that are given; once."""
    started: list[object] = []

    class Started:
        returncode = 0

        def __init__(self, command: list[str], **_: object) -> None:
            started.append(command[0])

    monkeypatch.setattr(subprocess, "Popen", Started)
    start_early(tmp_path, ())
    assert not started
    start_early(tmp_path, ("design.py:orders",))
    start_early(tmp_path, ("design.py:orders",))
    assert started == [sys.executable]
    end_unused()
