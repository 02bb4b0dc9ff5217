"""A second process that simulates scenarios ahead of this one, so that a search of real handlers uses two cores.

It is a fork of this process and takes fixed tasks from the end of a list, while this process takes them from the front.
A history does not depend on the process that made it, so what a search finds is the same without the second process.
Only workers fork (`project.supervisor`): they have one thread, and they end when their session does.
"""

import mmap
import os
import pickle
import signal
import struct
import tempfile
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic, sleep
from typing import IO, TypeAlias

import attrs

from chaosqs.lambda_.handler_runtime import WATCHERS
from chaosqs.model.history import History

Task: TypeAlias = Callable[[], History | None]
"""Simulates a scenario; returns None if there is none."""

FORKS = [False]
"""True if this process may fork."""
_LONGEST_WAIT = 5.0
"""Seconds of real time to wait for a history that the other process has begun to simulate."""
_FREE, _OURS, _THEIRS = range(3)
_HEAD = struct.Struct("<II")
"""Index and size of a history in the file of results."""


@attrs.define(eq=False)
class Ahead:
    """The histories of fixed tasks, some of them made by the second process."""

    tasks: Sequence[Task]
    _pid: int
    """The second process; 0: there is none, or no more."""
    _taken: mmap.mmap
    """The process that takes each task; memory that both share."""
    _results: IO[bytes]
    _read: int = 0
    """Bytes of results that are read."""
    _found: dict[int, bytes] = attrs.field(factory=dict[int, bytes])
    """Pickled histories by index."""

    @property
    def shared(self) -> bool:
        """True if the second process is there."""
        return self._pid > 0

    def history(self, index: int) -> History | None:
        """Return the history of a task, or None if there is none. Raises as the task does."""
        if self._pid and self._taken[index] == _THEIRS:
            found = self._awaited(index)
            if found:
                history: History | None = pickle.loads(found)  # noqa: S301 - pickled by a fork of this process
                return history
        self._taken[index] = _OURS
        return self.tasks[index]()

    def _awaited(self, index: int) -> bytes:
        """Wait for a pickled history; it is empty if the other process could not make it, or is too slow."""
        until = monotonic() + _LONGEST_WAIT
        self._receive()
        while index not in self._found and self.shared and monotonic() < until:
            sleep(0.001)
            if os.waitpid(self._pid, os.WNOHANG)[0]:
                self._pid = 0  # a handler has ended it
            self._receive()
        if index not in self._found:
            self.close()
        return self._found.pop(index, b"")

    def _receive(self) -> None:
        """Read the results that are there."""
        file = self._results.fileno()
        size = os.fstat(file).st_size
        while self._read + _HEAD.size <= size:
            index, length = _HEAD.unpack(os.pread(file, _HEAD.size, self._read))
            if self._read + _HEAD.size + length > size:
                return
            self._found[index] = os.pread(file, length, self._read + _HEAD.size)
            self._read += _HEAD.size + length

    def work(self) -> None:
        """Do the tasks that are left, as the second process, the last first."""
        parent = os.getppid()
        for index in reversed(range(len(self.tasks))):
            if os.getppid() != parent:
                return
            if self._taken[index] == _FREE:
                self._taken[index] = _THEIRS
                history = b""
                with suppress(Exception):  # the first process does the task again, and has the same error
                    history = pickle.dumps(self.tasks[index](), pickle.HIGHEST_PROTOCOL)
                os.write(self._results.fileno(), _HEAD.pack(index, len(history)) + history)

    def close(self) -> None:
        """End the second process."""
        pid, self._pid = self._pid, 0
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


@contextmanager
def ahead(tasks: Sequence[Task]) -> Generator[Ahead]:
    """Let a second process do tasks in a `with` block, if this process may fork."""
    with tempfile.TemporaryFile() as results, mmap.mmap(-1, len(tasks) or 1) as taken:
        work = Ahead(tasks, 0, taken, results)
        if FORKS[0] and tasks and threading.active_count() == 1:
            parent = os.getpid()
            try:
                pid = os.fork()
                if not pid:
                    WATCHERS.clear()  # it is not the process that is watched for signs of life
                    work.work()
            finally:
                if os.getpid() != parent:
                    os.kill(os.getpid(), signal.SIGKILL)  # it ends without a word, whatever happened
            work = attrs.evolve(work, pid=pid)
        try:
            yield work
        finally:
            work.close()
