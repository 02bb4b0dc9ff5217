"""Virtual time on trio: when nothing is runnable, the clock takes steps from the event queue until something is.

trio asks `deadline_to_sleep_time` only when every task waits. There the time jumps to whatever is next: a step of the
event queue, which runs on the spot, or a deadline of trio's own (`trio.sleep` in a handler). At most one task becomes
runnable in one pass, so trio's shuffling has nothing to shuffle.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import trio
from trio.lowlevel import Abort, Task

from chaosqs.errors import Deadlock, Livelock
from chaosqs.kernel.event_queue import EventQueue

MOST_STEPS = 20_000_000
"""Steps after which a run counts as one that never ends."""

_HAIR = 1e-9
"""Seconds between two answers about one moment."""
_ROUNDING = 1e-3
"""Milliseconds by which a deadline may miss the moment that it means."""


@attrs.define(eq=False)
class VirtualClock(trio.abc.Clock):
    """A clock that moves from event to event, and the main loop of a run."""

    event_queue: EventQueue
    until: int | None
    """The moment at which the run ends, or None: when `done` says so."""
    done: Callable[[], bool]
    waiting: Callable[[], str]
    """Says who waits for what, for the error of a deadlock."""
    most_steps: int = MOST_STEPS
    _runner: Task | None = None
    _error: BaseException | None = None
    _awake: bool = False
    _instant: float = 0
    _deadline: float | None = None
    """The deadline of trio's that the next question about the time will meet exactly."""

    def start_clock(self) -> None:
        """Do nothing: virtual time starts at 0."""

    def current_time(self) -> float:
        """Return the seconds since the start of the run, a hair more each time it is asked within one moment.

        So no two deadlines are equal: tasks that sleep until the same moment wake one by one, in the order in which
        they went to sleep, instead of together in an order that trio chooses.
        """
        if self._deadline is not None:
            self._instant, self._deadline = self._deadline, None
        else:
            self._instant = max(self._instant + _HAIR, self.event_queue.now / 1000)
        return self._instant

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Move on, as nobody is runnable; always return 0, as virtual time costs none."""
        if self._runner is not None:
            try:
                self._move_on(deadline)
            except BaseException as error:  # noqa: BLE001 - it is raised again by the task that runs the simulation
                self._error = error
                self._finish()
        return 0

    async def run(self) -> None:
        """Take steps until the run is over; raise what a step raised."""
        self._runner = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(_never_abort)
        if self._error is not None:
            raise self._error

    def wake_others(self) -> None:
        """Tell the clock that a step has made a task runnable, which now has its turn."""
        self._awake = True

    def _move_on(self, deadline: float) -> None:
        event_queue, end = self.event_queue, math.inf if self.until is None else self.until
        limit = min(deadline * 1000, end)
        take_by, most_steps = event_queue.take_by, self.most_steps  # looked up once: the loop is the heart of every run
        self._awake = False
        while not self._awake:
            if event_queue.may_be_over:
                event_queue.may_be_over = False
                if self.until is None and self.done():
                    return self._finish()
            step = take_by(limit)
            if step is None:
                return self._wait(deadline, end)
            step()
            if event_queue.steps > most_steps:
                message = f"{event_queue.steps} steps by {event_queue.now / 1000:g} s and no end: {self.waiting()}"
                raise Livelock(message)
        return None

    def _wait(self, deadline: float, end: float) -> None:
        """No step comes next: move on to a deadline of trio's own, or to the end."""
        event_queue = self.event_queue
        if self.until is None and self.done():
            self._finish()
        elif deadline * 1000 <= end and deadline != math.inf:
            event_queue.now, self._deadline = max(event_queue.now, int(deadline * 1000 + _ROUNDING)), deadline
        elif end != math.inf:
            event_queue.now = max(event_queue.now, int(end))
            self._finish()
        else:
            message = f"nothing is left that could happen at {event_queue.now / 1000:g} s: {self.waiting()}"
            raise Deadlock(message)

    def _finish(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            trio.lowlevel.reschedule(runner)


def _never_abort(_: Callable[[], None]) -> Abort:
    return Abort.FAILED
