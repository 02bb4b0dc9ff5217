"""A child process for the user's own code: it can be killed, and nothing that the code does to it is left behind.

A job is a function of a module, from text to text. The child is a supervisor (`supervisor`), which imports chaosqs once
and forks a worker for each group of jobs. The supervisor runs no code of the user, so it always answers; it is started
as a new interpreter, because forking a process that has threads is not safe. It ends a worker whose handler never gives
way. This process waits for its answer in a way that Ctrl-C interrupts, and then kills supervisor and workers at once.
"""

import atexit
import os
import signal
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, TypeAlias

import attrs

from chaosqs import errors
from chaosqs.errors import InvalidInput, ProcessEnded, SimulationError
from chaosqs.lambda_.guards import SETUP, is_theirs
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.json import from_json, to_json
from chaosqs.project.wording import last_line, relative_to

# Frames between the processes: one byte for the kind, then text -------------------------------------------------------

JOB, ANSWER = b"J", b"A"
"""From here: a `Job`; the answer to a question."""
RESULT, ERROR, QUESTION, ENDED = b"R", b"E", b"Q", b"D"
"""From the child: a job's result, a `Failure`, a question of the job, and an `End` instead of all of them."""
IMPORTED = b"I"
"""From a worker to its supervisor: names of libraries that the job has imported."""

Link: TypeAlias = "Connection[bytes, bytes]"
"""A connection between two of the processes."""


@attrs.frozen
class Job:
    """A function to call in a worker, and its argument."""

    function: str
    """`package.module:function`."""
    argument: str
    group: str
    """Jobs of one group share a worker; those without a group run no code of the user, and need none."""
    path: tuple[str, ...]
    """The module search path of a new worker."""
    seconds: float
    """Seconds of real time that a handler may run without giving way."""


@attrs.frozen
class Failure:
    """An exception of a job."""

    kind: str
    """Name of the exception's class."""
    message: str
    notes: tuple[str, ...] = ()
    function: str = ""
    """The function whose handler is to blame; empty if that is unknown."""


@attrs.frozen
class Frame:
    """A line of code that was running."""

    file: str
    line: int
    function: str


@attrs.frozen
class End:
    """The end of a worker before its job was done."""

    handler: str
    """Name of the function whose handler was running last; empty: none was."""
    cause: str
    """`stuck`, or how the process ended by itself: `exit status 3`, `SIGSEGV`."""
    frames: tuple[Frame, ...] = ()
    """The running code, the innermost first; empty if it is unknown."""


def pair() -> tuple[Link, Link]:
    """Return the two ends of a new connection."""
    one, other = socket.socketpair()
    return Connection(one.detach()), Connection(other.detach())


def send(link: Link, kind: bytes, text: str) -> None:
    """Send one message."""
    link.send_bytes(kind + text.encode())


def receive(link: Link) -> tuple[bytes, str]:
    """Wait for the next message and return its kind and text. Raises EOFError or OSError if there will be none."""
    message = link.recv_bytes()
    return message[:1], message[1:].decode()


# The processes, as this one sees them ---------------------------------------------------------------------------------

SECONDS = 10.0
"""Default of `handler_seconds` in [tool.chaosqs]."""
_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from chaosqs.project.supervisor import main; main(int(sys.argv[1]))"
_GRACE = 3.0
"""Seconds that the processes have to end by themselves, when nothing is wrong."""
_TICK = 0.2
"""Seconds between two looks at whether a signal has ended the session."""


@attrs.define(eq=False)
class _Processes:
    """A supervisor that runs, with its workers."""

    popen: subprocess.Popen[bytes]
    link: Link
    output: IO[bytes]
    """Standard error of the supervisor until it is ready."""
    owner: int
    """The process that started it; a fork of that process leaves it alone."""

    @classmethod
    def start(cls) -> "_Processes":
        """Start a supervisor in a session of its own, so that Ctrl-C in a terminal does not reach it."""
        ours, theirs = pair()
        output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the supervisor runs
        options = [*["-O"] * sys.flags.optimize, *["-B"] * sys.dont_write_bytecode, "-P"]
        with theirs:
            popen = subprocess.Popen(  # noqa: S603 - this interpreter
                [sys.executable, *options, "-c", _BOOT, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        return cls(popen, ours, output, os.getpid())

    def end(self, grace: float = 0.0) -> None:
        """End the whole process group; before that, it has `grace` seconds to end by itself."""
        if os.getpid() != self.owner or self.output.closed:
            return
        self.link.close()
        with suppress(subprocess.TimeoutExpired):
            if grace:
                self.popen.wait(grace)  # the supervisor ends its group, and itself last
        if self.popen.returncode is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()
        self.output.close()


_READY: list[_Processes] = []
"""Processes that no session uses yet."""
_PROJECTS = ("template.yaml", "template.yml", "template.json", "serverless.yml", "cdk.out")
"""Files and directories of a project that is likely to have handlers."""


def start_early(root: Path, designs: Sequence[str]) -> None:
    """Start processes for a session that is likely to need them: they import modules while this process does."""
    likely = designs or any((root / name).exists() for name in _PROJECTS)
    if likely and not _READY and hasattr(os, "fork") and sys.executable:
        _READY.append(_Processes.start())
        atexit.register(end_unused)


def end_unused() -> None:
    """End the processes that were started early and that no session has used."""
    while _READY:
        _READY.pop().end()


@attrs.define(eq=False)
class Child:
    """The child process of a session; it starts with the first job."""

    root: Path
    """The directory that places in messages are relative to."""
    seconds: float = SECONDS
    """Seconds of real time that a handler may run without giving way; 0: there is no child process."""
    stopped: Sequence[str] = ()
    """Not empty: a signal has ended the session, and jobs have a moment to end by themselves."""
    _processes: _Processes | None = None

    @property
    def separate(self) -> bool:
        """True if jobs run in a process of their own: where this system can fork, and unless it is switched off."""
        return self.seconds > 0 and hasattr(os, "fork") and bool(sys.executable)

    def run(
        self,
        job: Callable[[str], str],
        argument: str,
        *,
        group: str,
        answer: Callable[[str], str] | None = None,
        handlers: Mapping[str, str] | None = None,
    ) -> str:
        """Run a job and return its result. Jobs of one group share a worker, and find what earlier ones left.

        `answer` answers the questions of the job. `handlers`: file and name of each function's handler,
        for messages about places that nobody knows. Raises `ProcessEnded` if the worker had to be ended, or ended by
        itself. Raises the job's `InvalidInput` and `SimulationError`; any other exception of the job is raised as a
        `SimulationError`.
        """
        processes = self._running()
        name = f"{job.__module__}:{job.__qualname__}"
        try:
            send(processes.link, JOB, to_json(Job(name, argument, group, tuple(sys.path), self.seconds)))
            kind, text = self._awaited(processes.link)
            while kind == QUESTION:
                assert answer is not None, f"{name} asks, and nobody answers"
                send(processes.link, ANSWER, answer(text))
                kind, text = self._awaited(processes.link)
        except (EOFError, OSError):
            raise self._lost(processes) from None
        except BaseException:  # Ctrl-C, above all
            self.kill()
            raise
        if kind == RESULT:
            return text
        if kind == ENDED:
            end = from_json(End, text)
            error = ProcessEnded(_described(end, self.seconds, self.root, handlers or {}))
            error.function = "" if end.handler == SETUP else end.handler
            raise error
        raise _raised(from_json(Failure, text))

    def _awaited(self, link: Link) -> tuple[bytes, str]:
        """Wait for the next message. Raises KeyboardInterrupt if none comes after the session was ended."""
        late = 0.0
        while not link.poll(_TICK):
            late += _TICK if self.stopped else 0.0
            if late >= _GRACE:
                raise KeyboardInterrupt
        return receive(link)

    def close(self) -> None:
        """End the processes when they have nothing left to do."""
        self._end(_GRACE)

    def kill(self) -> None:
        """End the processes at once."""
        self._end(0.0)

    def _running(self) -> _Processes:
        if self._processes is None or self._processes.owner != os.getpid():
            self._processes = _READY.pop() if _READY else _Processes.start()
            weakref.finalize(self, self._processes.end)  # also when this process exits
        return self._processes

    def _end(self, grace: float) -> None:
        processes, self._processes = self._processes, None
        if processes is not None:
            processes.end(grace)

    def _lost(self, processes: _Processes) -> ProcessEnded:
        """Return the error for a supervisor that is gone, with the last line that it wrote."""
        processes.output.seek(0)
        said = last_line(processes.output.read().decode(errors="replace")) or "without a word"
        self.kill()
        return ProcessEnded(f"the child process for real handlers ended: {said}")


def _raised(failure: Failure) -> Exception:
    """Return the exception that a failure describes."""
    kind: object = getattr(errors, failure.kind, None)
    if isinstance(kind, type) and issubclass(kind, InvalidInput | SimulationError):
        error: Exception = kind(failure.message)
    else:
        error = SimulationError(f"{failure.kind}: {failure.message}" if failure.message else failure.kind)
    if isinstance(error, SimulationError):
        error.function = failure.function
    for note in failure.notes:
        error.add_note(note)
    return error


# Functions for jobs ---------------------------------------------------------------------------------------------------

TO_PARENT: list[Link] = []
"""The connection of this process to its supervisor, if it is a worker."""


def ask(question: str) -> str:
    """Ask the parent and return its answer."""
    (link,) = TO_PARENT
    send(link, QUESTION, question)
    return receive(link)[1]


# The words on a worker that ended -------------------------------------------------------------------------------------


def _described(end: End, seconds: float, root: Path, handlers: Mapping[str, str]) -> str:
    """Return two lines: which function did what where, and what that means."""
    who = f"the handler of {end.handler}" if end.handler else "the code of a design or invariant"
    who = SETUP if end.handler == SETUP else who
    where = _place(end.frames, root) or (f": {handlers[end.handler]}" if end.handler in handlers else "")
    if end.cause == "stuck":
        return (
            f"{who} never gave way for {seconds:g} s{where}\n"
            "It neither waited nor made a call in that time, so its process was ended; handler_seconds sets the limit."
        )
    return (
        f"{who} ended its process ({end.cause}){where}\n"
        "Nothing can be said about this mapping: the other mappings have processes of their own."
    )


def _place(frames: Sequence[Frame], root: Path) -> str:
    """Return the innermost line of the user's code, else the innermost line of all; empty if none is known."""
    theirs = [frame for frame in frames if is_theirs(frame.file)]
    for frame in [*theirs, *frames][:1]:
        return f": {relative_to(root, Path(frame.file))}:{frame.line}, in {frame.function}"
    return ""


# Cores ----------------------------------------------------------------------------------------------------------------


def cores() -> int:
    """Return the number of cores for this session; pytest-xdist shares them out."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Real handlers in checks ----------------------------------------------------------------------------------------------


def has_handlers(behaviours: Mapping[str, Behaviour]) -> bool:
    """Return whether any of some functions is real code."""
    return any(behaviour.handler is not None for behaviour in behaviours.values())
