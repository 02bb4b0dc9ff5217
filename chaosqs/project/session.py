"""Shared by the checks of one session: its time, its progress, and the signals that end it.

Only time that checks take counts, so a session of pytest may run other tests in between.
"""

import re
import shutil
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from math import ceil, isfinite
from time import monotonic
from types import FrameType
from typing import Generic, TypeAlias, TypeVar

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.report.explanation import PARTS
from chaosqs.report.text import mapping_text, shortened, shown, title_of
from chaosqs.search.meter import Meter, Progress

Group: TypeAlias = tuple[str, str]
"""Design and mapping: the checks of one group share their search."""

# Durations that users write -------------------------------------------------------------------------------------------

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(|s|m|min|h)")


def seconds_of(text: str) -> float:
    """Return the seconds that `30s`, `2m`, `1.5h` or `90` mean. Raises `InvalidInput` for anything else and for 0."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if seconds <= 0 or not isfinite(seconds):
        raise InvalidInput(f"must be a time above 0, such as 30s, 2m or 1h, not {shown(text, 40)!r}")
    return seconds


# Time -----------------------------------------------------------------------------------------------------------------


_LEAST_SHARE = 0.5
"""Part of an equal share that a group has even if the groups before it took more than theirs."""


@attrs.define(eq=False)
class Allowance:
    """The time of a session, shared fairly among the groups that are still to come.

    A lane is one of the places at which groups run side by side. Each lane may take all the time, as they run at once.
    """

    seconds: float | None = None
    """Wall time of the session; None: there is no limit."""
    groups: int = 1
    """Groups that have not begun."""
    lanes: int = 1
    clock: Callable[[], float] = monotonic
    stopped: list[str] = attrs.field(factory=list[str])
    """Names of the signals that ended the session; empty: none has."""
    _used: dict[int, float] = attrs.field(factory=dict[int, float])
    """Seconds that each lane has used."""
    _meters: dict[Group, Meter] = attrs.field(factory=dict[Group, Meter])
    _left: dict[Group, float] = attrs.field(factory=dict[Group, float])
    """Seconds that are left to a group that has begun."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    @contextmanager
    def counted(self, group: Group, tell: Callable[[Progress], None], lane: int = 0) -> Generator[Meter]:
        """Give a group its meter, and count the time of the `with` block."""
        with self._lock:
            if group not in self._meters:
                self._meters[group] = Meter(None, self.clock, tell, self.stopped)
                self._left[group] = self._share(lane)
                self.groups = max(0, self.groups - 1)
        meter, begun = self._meters[group], self.clock()
        meter.until = None if self.seconds is None else begun + self._left[group]
        try:
            yield meter
        finally:
            spent = self.clock() - begun
            self._used[lane] = self._used.get(lane, 0.0) + spent
            self._left[group] = max(0.0, self._left[group] - spent)

    def has_begun(self, group: Group) -> bool:
        """Return True if a group was given time."""
        return group in self._meters

    def _share(self, lane: int) -> float:
        """Return the seconds of a group that begins: its part of those that its lane has left."""
        seconds, begun = self.seconds or 0.0, len(self._left)
        left = max(0.0, seconds - self._used.get(lane, 0.0))
        least = _LEAST_SHARE * seconds / max(1, ceil((begun + self.groups) / self.lanes))
        return max(least, left / max(1, ceil(self.groups / self.lanes)))


# Groups side by side --------------------------------------------------------------------------------------------------

_Result = TypeVar("_Result")
_TICK = 0.1
"""Seconds between two looks at what helpers do."""


@attrs.define(eq=False)
class Helpers(Generic[_Result]):
    """Threads that run groups of tasks beside the main thread.

    It begins with the first groups, and they with the last. A task is work for another process, for which its thread
    waits.
    """

    waiting: dict[Group, list[str]]
    """The names of the tasks of each group that nobody has begun."""
    run: Callable[[int, str], _Result]
    """Runs a task, by the number of the thread's lane and its name."""
    stopped: Sequence[str] = ()
    """Not empty: a signal has ended the session, and no group begins any more."""
    _changed: threading.Condition = attrs.field(factory=threading.Condition)
    _taken: set[Group] = attrs.field(factory=set[Group])
    """Groups that helpers have begun."""
    _done: dict[str, _Result | BaseException] = attrs.field(factory=dict[str, _Result | BaseException])
    _threads: list[threading.Thread] = attrs.field(factory=list[threading.Thread])

    def start(self, number: int) -> None:
        """Start a number of helpers, on the lanes from 1 on."""
        self._threads = [
            threading.Thread(target=self._work, args=(lane,), daemon=True) for lane in range(1, number + 1)
        ]
        for thread in self._threads:
            thread.start()

    def have(self, group: Group) -> bool:
        """Return True if a helper runs a group; if not, none will."""
        with self._changed:
            self.waiting.pop(group, None)
            return group in self._taken

    def result(self, name: str, tick: Callable[[], None]) -> _Result:
        """Wait for the result of a task; `tick` is called in between. Raises as the task does."""
        while True:
            with self._changed:
                if name not in self._done:
                    self._changed.wait(_TICK)
                found = self._done.get(name)
            tick()
            if isinstance(found, BaseException):
                raise found.with_traceback(None)
            if found is not None:
                return found

    @property
    def busy(self) -> bool:
        """True if a helper runs a task; none begins another group any more."""
        with self._changed:
            self.waiting.clear()
        for thread in self._threads:
            thread.join(_TICK)
        return any(thread.is_alive() for thread in self._threads)

    def close(self) -> None:
        """Wait for the helpers, whose processes were ended."""
        for thread in self._threads:
            thread.join(1.0)

    def _work(self, lane: int) -> None:
        while True:
            with self._changed:
                if self.stopped or not self.waiting:
                    return
                group, names = self.waiting.popitem()
                self._taken.add(group)
            for name in names:
                found = self._run(lane, name)
                with self._changed:
                    self._done[name] = found
                    self._changed.notify_all()

    def _run(self, lane: int, name: str) -> _Result | BaseException:
        try:
            return self.run(lane, name)
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            return error


# Signals --------------------------------------------------------------------------------------------------------------


@contextmanager
def interruptible(stopped: list[str]) -> Generator[None]:
    """Let the first SIGINT or SIGTERM end the simulations of a `with` block, and the second one the block itself.

    After the first, what was found is told without the rest of its explanation. Only the main thread can do this.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: FrameType | None) -> None:
        if stopped:
            raise KeyboardInterrupt
        stopped.append(signal.Signals(number).name)

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


# Progress -------------------------------------------------------------------------------------------------------------

PLAIN_EVERY = 10.0
"""Seconds between two lines of progress where lines stay, as in the log of a CI."""
_LIVE_EVERY = 0.1
_ERASE = "\r\x1b[2K"


@attrs.define(eq=False)
class Display:
    """Shows the progress: one line that changes on a terminal, else a line now and then. Violations have lines.

    Only one thread may use it.
    """

    write: Callable[[str], None]
    """Writes a text, which has line ends where there are any."""
    live: bool = False
    """True if it is a terminal, on which a line can be replaced."""
    clock: Callable[[], float] = monotonic
    _begun: float = attrs.field(init=False)
    _shown: float = attrs.field(init=False)
    """Moment of the last line of progress."""
    _running: dict[Group, Progress] = attrs.field(factory=dict[Group, Progress])
    _open: bool = False
    """True if the terminal shows a line that will be replaced."""

    def __attrs_post_init__(self) -> None:
        """Begin to count the time."""
        self._begun = self._shown = self.clock()

    def tell(self, group: Group, progress: Progress) -> None:
        """Take a step of a group's progress."""
        self._running[group] = attrs.evolve(progress, found=None)
        if progress.found is not None:
            title = f"{title_of(progress.found.invariant)} (case {progress.cases:,})"
            self.line(f"VIOLATED {_name(group)}: {title}: {shown(progress.found.text, 200)}")
        self.tick()

    def tick(self) -> None:
        """Show what is going on, if it is time for that."""
        now = self.clock()
        if not self._running or now - self._shown < (_LIVE_EVERY if self.live else PLAIN_EVERY):
            return
        self._shown = now
        groups = list(self._running.items())
        for index, (group, progress) in enumerate(groups[:1] if self.live else groups):
            more = f" (and {len(groups) - 1} more)" if self.live and len(groups) > 1 and not index else ""
            text = f"chaosqs: {now - self._begun:.0f} s: {_name(group)}: {_stage(progress)}{more}"
            if self.live:
                width = shutil.get_terminal_size().columns - 1
                self.write(f"{_ERASE if self._open else ''}{shortened(text, width)}")
                self._open = True
            else:
                self.write(f"{text}\n")

    def line(self, text: str) -> None:
        """Write a line that stays."""
        self.clear()
        self.write(f"{text}\n")

    def done(self, group: Group) -> None:
        """Forget a group that is over."""
        self._running.pop(group, None)
        if not self._running:
            self.clear()

    def clear(self) -> None:
        """Remove the line that would be replaced."""
        if self._open:
            self.write(_ERASE)
            self._open = False


def _name(group: Group) -> str:
    design, mapping = group
    return f"{shown(design, 50)}: {mapping_text(mapping)}" if mapping else shown(design, 50)


def _stage(progress: Progress) -> str:
    if progress.stage == "searching":
        return f"{progress.cases:,} of {progress.most:,} cases, {progress.violated} violated"
    which = "" if progress.part is None else f": {PARTS[progress.part]}"
    return f"{progress.stage} {title_of(progress.about)}{which}" if progress.about else progress.stage
