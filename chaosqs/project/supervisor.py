"""The supervisor of the processes that run users' code, and what such a process does.

The supervisor imports chaosqs and forks a worker for each group of jobs, so that a worker starts in milliseconds. It
has one thread and runs no code of the user. Jobs without a group it does itself, so that all workers have what these
load. It passes messages between the parent and its workers, ends a worker whose handler never gives way, and tells how
a worker ended by itself. When the parent is gone, it ends the whole group.

A worker writes its pulse into memory that it shares with the supervisor: a count of the moments at which a handler's
code goes on or gives way, and the function whose handler is running. Where it runs is in a dump of `faulthandler`,
which needs neither the interpreter's lock nor a thread of Python.
"""

import atexit
import faulthandler
import gc
import mmap
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import IO, NoReturn, TypeGuard

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.lambda_ import handler_runtime
from chaosqs.lambda_.guards import is_theirs
from chaosqs.model.json import from_json, to_json
from chaosqs.project.child import (
    ENDED,
    ERROR,
    IMPORTED,
    JOB,
    QUESTION,
    RESULT,
    TO_PARENT,
    End,
    Failure,
    Frame,
    Job,
    Link,
    cores,
    pair,
    receive,
    send,
)
from chaosqs.search.ahead import FORKS
from chaosqs.simulation.run import collect_rarely

# The pulse of a worker ------------------------------------------------------------------------------------------------

_LONGEST_NAME = 200


@attrs.define(eq=False)
class Pulse:
    """Memory that a worker and its supervisor share."""

    _memory: mmap.mmap = attrs.field(factory=lambda: mmap.mmap(-1, mmap.PAGESIZE))
    _numbers: memoryview = attrs.field(init=False)
    """Count of switches; 1 while a handler is running, else 0; length of the name."""
    _name: str = ""

    def __attrs_post_init__(self) -> None:
        """Show the memory as numbers."""
        self._numbers = memoryview(self._memory).cast("Q")

    def switch(self, name: str) -> None:
        """Note that a handler's code goes on, or, with an empty name, that it gives way."""
        numbers = self._numbers
        numbers[0] += 1
        numbers[1] = 1 if name else 0
        if name and name != self._name:
            self._name = name
            text = name.encode(errors="replace")[:_LONGEST_NAME]
            numbers[2] = len(text)
            self._memory[24 : 24 + len(text)] = text

    @property
    def count(self) -> int:
        """The number of switches so far."""
        return int(self._numbers[0])

    @property
    def running(self) -> bool:
        """True while a handler is running."""
        return bool(self._numbers[1])

    @property
    def last(self) -> str:
        """Name of the function whose handler was running last; empty: none was."""
        return self._memory[24 : 24 + int(self._numbers[2])].decode(errors="replace")


# The supervisor -------------------------------------------------------------------------------------------------------

_TICK = 0.1
"""Seconds between two looks at a worker's pulse."""
_LAST_WORDS = 1.0
"""Seconds that an ending worker has for its dump or exit."""
_MOST_WORKERS = 4
"""Workers kept for further jobs of their groups; those that were used last stay."""
_PRELOADED = ("chaosqs.lambda_.handlers", "chaosqs.wire.botocore_hook", "chaosqs.wire.other_services")
"""Modules that most jobs need; those that are not installed are left out."""
_WHEN_IDLE = ("hypothesis", "chaosqs.search.search", "chaosqs.project.planning")
"""Modules that the workers of searches need, each the work of some tenths of a second."""
_LIBRARIES = frozenset({"boto3", "botocore", "moto"})
"""Packages that may be imported before a worker is forked: they start no threads, and no code has a copy of its own."""
_DUMP: int = vars(signal).get("SIGRTMAX", signal.SIGXFSZ)
"""Signal on which a worker dumps its stack: one that no handler uses."""


@attrs.define(eq=False)
class _Worker:
    """A worker, as its supervisor sees it."""

    pid: int
    link: Link
    dump: IO[bytes]
    """The file for dumps of its stack."""
    pulse: Pulse
    seconds: float = 0.0
    """Limit of its present job; 0: it has none."""
    seen: int = 0
    """Count of its pulse at the last look."""
    silent: float = 0.0
    """Seconds for which a handler has been running since the last switch."""

    def silence(self, elapsed: float) -> float:
        """Look at the pulse and return the seconds of silence; `elapsed`: seconds since the last look."""
        count = self.pulse.count
        quiet = count == self.seen and self.pulse.running
        self.silent = self.silent + elapsed if quiet else 0.0
        self.seen = count
        return self.silent

    def stopped(self, seconds: float) -> int | None:
        """Return the wait status of the process once it has ended; None if it has not within some seconds."""
        until = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return status
            if time.monotonic() >= until:
                return None
            time.sleep(0.002)

    def kill(self) -> None:
        """End the process."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def frames(self) -> tuple[Frame, ...]:
        """Return the code that was running when the stack was dumped, the innermost first."""
        size = os.fstat(self.dump.fileno()).st_size
        return frames_in(os.pread(self.dump.fileno(), size, 0).decode("ascii", "replace"))

    def close(self) -> None:
        """Close what belongs to the process."""
        self.link.close()
        self.dump.close()


_FRAME = re.compile(r'^  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.*)$')
_ESCAPED = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def frames_in(dump: str) -> tuple[Frame, ...]:
    """Return the frames of the current thread in a dump of `faulthandler`; of the last thread if none is current."""
    blocks = re.split(r"^(?=(?:Current thread|Thread) )", dump, flags=re.MULTILINE)
    current = [block for block in blocks if block.startswith("Current thread")]
    found = [_FRAME.match(line) for line in (current or blocks)[-1].splitlines()]
    return tuple(Frame(_plain(one["file"]), int(one["line"]), _plain(one["function"])) for one in found if one)


def _plain(text: str) -> str:
    """Put characters in the place of their escapes."""
    return _ESCAPED.sub(lambda match: chr(int.from_bytes(bytes.fromhex(match[0][2:]))), text)


@attrs.define(eq=False)
class Supervisor:
    """Passes jobs to workers, and their answers back."""

    parent: Link
    _parent_id: int = attrs.field(factory=os.getppid)
    _workers: dict[str, _Worker] = attrs.field(factory=dict[str, _Worker])
    """The workers by group; the one that was used last stands last."""
    _busy: str = ""
    """Group whose worker has a job."""
    _to_import: list[str] = attrs.field(factory=lambda: list(_WHEN_IDLE))
    """Modules to import while there is nothing else to do, so that later workers have them."""

    def serve(self) -> None:
        """Pass messages on until the parent closes its connection or is gone."""
        last = time.monotonic()
        while os.getppid() == self._parent_id:
            worker = self._workers.get(self._busy)
            links = [self.parent] if worker is None else [self.parent, worker.link]
            ready = wait(links, 0 if self._to_import else _TICK)
            if not ready and self._to_import:
                _import_library(self._to_import.pop(0))
            if self.parent in ready and not self._from_parent():
                return
            if worker is not None and worker.link in ready:
                self._from_worker(worker)
            now = time.monotonic()
            if worker is not None and worker.silence(min(now - last, 2 * _TICK)) >= worker.seconds > 0:
                self._end_stuck(worker)
            last = now

    def _from_parent(self) -> bool:
        """Take a message of the parent; return False if there will be no more."""
        try:
            kind, text = receive(self.parent)
        except (EOFError, OSError):
            return False
        if kind == JOB:
            job = from_json(Job, text)
            if not job.group:
                send(self.parent, *_done(text, Pulse()))
                return True
            self._busy = job.group
            worker = self._workers.pop(job.group) if job.group in self._workers else self._forked(job)
            self._workers[job.group] = worker
            worker.seconds, worker.silent = job.seconds, 0.0
        else:
            worker = self._workers[self._busy]
        with suppress(OSError):  # if it has ended, its connection says so
            send(worker.link, kind, text)
        return True

    def _from_worker(self, worker: _Worker) -> None:
        """Pass a worker's message on; say how it ended if there is none."""
        try:
            kind, text = receive(worker.link)
        except (EOFError, OSError):
            status = worker.stopped(_LAST_WORDS)
            if status is None:
                worker.kill()
            self._forget(worker, "closed connection" if status is None else _cause(status))
            return
        if kind == IMPORTED:
            self._to_import += text.split()
            return
        if kind != QUESTION:
            self._busy = ""
        send(self.parent, kind, text)

    def _end_stuck(self, worker: _Worker) -> None:
        """End a worker whose handler does not give way, after it has dumped its stack."""
        name = worker.pulse.last  # the signal may end a wait of a C library, and the code go on
        os.kill(worker.pid, _DUMP)
        until, size = time.monotonic() + _LAST_WORDS, 0
        while time.monotonic() < until and not (size and size == os.fstat(worker.dump.fileno()).st_size):
            size = os.fstat(worker.dump.fileno()).st_size
            time.sleep(0.02)
        worker.kill()
        self._forget(worker, "stuck", name)

    def _forget(self, worker: _Worker, cause: str, name: str = "") -> None:
        del self._workers[self._busy]
        self._busy = ""
        send(self.parent, ENDED, to_json(End(name or worker.pulse.last, cause, worker.frames())))
        worker.close()

    def _forked(self, job: Job) -> _Worker:
        """Return a new worker; the one that was used least recently makes room for it."""
        while len(self._workers) >= _MOST_WORKERS:
            self._dismiss(self._workers.pop(next(iter(self._workers))))
        with suppress(ImportError):  # the worker tells it, with the error
            import_module(job.function.partition(":")[0])
        ours, theirs = pair()
        dump, pulse = tempfile.TemporaryFile(), Pulse()  # noqa: SIM115 - open as long as the worker runs
        pid = os.fork()
        if not pid:
            for link in (self.parent, ours, *(worker.link for worker in self._workers.values())):
                link.close()
            sys.path[:] = job.path
            work(theirs, dump, pulse)
        theirs.close()
        return _Worker(pid, ours, dump, pulse)

    def finish(self) -> None:
        """End all workers: those that have nothing to do by themselves, the others by a signal."""
        for group, worker in self._workers.items():
            if group == self._busy:
                worker.kill()
            else:
                self._dismiss(worker)

    def _dismiss(self, worker: _Worker) -> None:
        worker.close()
        if worker.stopped(_LAST_WORDS) is None:
            worker.kill()


def _cause(status: int) -> str:
    """Return the words on a wait status."""
    if not os.WIFSIGNALED(status):
        code = os.WEXITSTATUS(status)
        return "Python was unusable" if code == _UNUSABLE else f"exit status {code}"
    number = os.WTERMSIG(status)
    names = {each.value: each.name for each in signal.Signals}
    return names.get(number, f"signal {number}")


def _import_library(name: str) -> None:
    with suppress(Exception):  # the worker that needs it has the error, too
        import_module(name)


def _libraries() -> list[str]:
    """Return the modules of `_LIBRARIES` that this process has imported."""
    return [name for name in list(sys.modules) if name.partition(".")[0] in _LIBRARIES]


def main(handle: int, *services: str) -> None:
    """Be the supervisor; `handle`: the file descriptor of the connection to the parent.

    `services`: names of AWS's services that the project seems to use.
    """
    gc.disable()  # what is imported stays
    os.set_inheritable(handle, False)  # noqa: FBT003 - by position only
    sys.argv[:] = ["chaosqs"]
    for module in (*_PRELOADED, *(f"moto.{service}" for service in services)):
        _import_library(module)
    supervisor = Supervisor(Connection(handle))
    supervisor.serve()
    supervisor.finish()
    _run_exit_functions()
    os.killpg(0, signal.SIGKILL)  # this process, and programs that a handler has started


def _run_exit_functions() -> None:
    """Call what is to be called at the end of a process, such as coverage; Python has no public name for this."""
    run: object = vars(atexit)["_run_exitfuncs"]
    if callable(run):
        run()


# The worker -----------------------------------------------------------------------------------------------------------

_MEMORY = 4 << 30
"""Bytes that a worker may allocate: a handler that allocates without end gets a MemoryError."""
_UNUSABLE = 86
"""Exit status of a worker whose code took away what the worker needs to answer."""
_EXIT = os._exit


def work(link: Link, dump: IO[bytes], pulse: Pulse) -> NoReturn:
    """Do jobs until the connection ends, and then end this process."""
    status = 1
    try:
        _prepare(dump, pulse)
        TO_PARENT.append(link)
        known = set(_libraries())
        while True:
            _, text = receive(link)
            done = _done(text, pulse)
            new = [name for name in _libraries() if name not in known]
            if new:
                send(link, IMPORTED, " ".join(new))
                known.update(new)
            send(link, *done)
    except (EOFError, OSError):
        status = 0
    except BaseException:  # noqa: BLE001 - a handler took away what even this needs, such as `len`
        status = _UNUSABLE
    finally:
        with suppress(BaseException):
            _run_exit_functions()
        _EXIT(status)


def _done(text: str, pulse: Pulse) -> tuple[bytes, str]:
    """Do a job and return the kind and text of the answer."""
    try:
        job = from_json(Job, text)
        return RESULT, _function(job.function)(job.argument)
    except BaseException as error:  # noqa: BLE001 - of the user's own code; the parent raises it
        return ERROR, to_json(_failure(error, pulse.last))


def _function(name: str) -> Callable[[str], str]:
    module, _, attribute = name.partition(":")
    found: object = getattr(import_module(module), attribute)
    assert _is_job(found), f"{name} is not a job"
    return found


def _is_job(value: object) -> TypeGuard[Callable[[str], str]]:
    return callable(value)


def _failure(error: BaseException, handler: str) -> Failure:
    """Return what the parent needs to know of an exception.

    An unexpected one has its place as a note, and `handler`, the function whose handler was running last.
    """
    notes: list[str] = list(getattr(error, "__notes__", ()))
    kind = type(error).__name__
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - whatever the user's own class does
        message = ""
    if not isinstance(error, InvalidInput | SimulationError):
        after = f", after the handler of {handler} was running" if handler else ""
        notes = [f"{place}{after}" for place in _place(error)]
    function = error.function if isinstance(error, SimulationError) else ""
    return Failure(kind, _encodable(message), tuple(map(_encodable, notes)), function)


def _place(error: BaseException) -> Iterator[str]:
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if is_theirs(frame.filename)]
    for frame in [*theirs[-1:], *frames[-1:]][:1]:
        yield f"at {frame.filename}:{frame.lineno}, in {frame.name}"


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _prepare(dump: IO[bytes], pulse: Pulse) -> None:
    """Prepare this process for code that may do anything."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    faulthandler.enable(dump)
    faulthandler.register(_DUMP, dump, all_threads=True)
    for limit, wanted in ((resource.RLIMIT_DATA, _MEMORY), (resource.RLIMIT_CORE, 0)):
        _, most = resource.getrlimit(limit)
        resource.setrlimit(limit, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    handler_runtime.WATCHERS.append(pulse.switch)
    FORKS[0] = cores() > 1
    collect_rarely()
    atexit.register = _ignored  # type: ignore[assignment]
    for module in (os, import_module("posix")):
        vars(module)["_exit"] = partial(_exit, dump)


def _exit(dump: IO[bytes], status: int) -> None:
    """End this process as `os._exit` does, and leave word of the place."""
    faulthandler.dump_traceback(dump)
    _EXIT(status)


def _ignored(function: object, *_: object, **__: object) -> object:
    """Register nothing: an execution environment of Lambda is stopped without a word."""
    return function
