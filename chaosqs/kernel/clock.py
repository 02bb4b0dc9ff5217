"""Virtual time on trio: when no task is runnable, the clock runs steps of the event queue until one is.

trio calls `deadline_to_sleep_time` only when every task waits. The clock then jumps to whatever is due next: a step of
the event queue, which runs on the spot, or a deadline of trio's own (`trio.sleep` in a handler). At most one task
becomes runnable in one pass, so trio's shuffling of runnable tasks has no effect.
"""

import math
from collections.abc import Callable

import attrs
import trio
from trio.lowlevel import Abort, Task

from chaosqs.errors import Deadlock, Livelock
from chaosqs.kernel.event_queue import EventQueue

MOST_STEPS = 20_000_000
"""Steps after which a run is considered endless."""
_TICK = 1e-9
"""Seconds between two readings of the clock within one moment."""
_ROUNDING = 1e-3
"""Milliseconds by which rounding may move a deadline."""


@attrs.define(eq=False)
class VirtualClock(trio.abc.Clock):
    """A clock that moves from event to event, and the main loop of a run."""

    event_queue: EventQueue
    until: int | None
    """Moment at which the run ends, in milliseconds, if `done` does not return True before."""
    done: Callable[[], bool]
    waiting: Callable[[], str]
    """Returns what has not ended yet, for the messages of `Deadlock` and `Livelock`."""
    most_steps: int = MOST_STEPS
    _runner: Task | None = None
    _error: BaseException | None = None
    _awake: bool = False
    _over: bool = False
    _instant: float = 0
    _deadline: float | None = None
    """A deadline of trio's, which the next call of `current_time` returns exactly."""

    def start_clock(self) -> None:
        """Do nothing: virtual time starts at 0."""

    def current_time(self) -> float:
        """Return the seconds since the start of the run, increased by a tick on each call within one moment.

        So no two deadlines are equal: tasks that sleep until the same moment wake one by one, in the order in which
        they went to sleep, instead of together in an order that trio chooses.
        """
        if self._deadline is not None:
            self._instant, self._deadline = self._deadline, None
        else:
            self._instant = max(self._instant + _TICK, self.event_queue.now / 1000)
        return self._instant

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """Advance virtual time until a task is runnable; always return 0, as no real time has to pass."""
        if self._runner is not None:
            try:
                self._move_on(deadline)
            except BaseException as error:  # noqa: BLE001 - it is raised again by the task that runs the simulation
                self._error = error
                self._finish()
        return 0

    async def run(self) -> None:
        """Run steps until the run is over; raise the exception of a step that failed."""
        self._runner = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(_never_abort)
        if self._error is not None:
            raise self._error

    def drive(self) -> None:
        """Do what `run` does without trio, for runs in which nothing awaits: its start takes as long as a small run."""
        while not self._over:
            self._move_on(math.inf)

    def wake_others(self) -> None:
        """Stop running steps after this one, as it has made a task runnable."""
        self._awake = True

    def end_now(self) -> None:
        """End the run after the steps of the present moment."""
        self.until = self.event_queue.now
        self.wake_others()

    def _move_on(self, deadline: float) -> None:
        event_queue, end = self.event_queue, math.inf if self.until is None else self.until
        limit = min(deadline * 1000, end)
        take_by, most_steps = event_queue.take_by, self.most_steps  # looked up once: every run spends its time here
        self._awake = False
        while not self._awake:
            if event_queue.may_be_over:
                event_queue.may_be_over = False
                if self.done():
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
        """Advance to a deadline of trio's own or to the end, as no step is due before; else raise `Deadlock`."""
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
        self._over = True
        runner, self._runner = self._runner, None
        if runner is not None:
            trio.lowlevel.reschedule(runner)


def _never_abort(_: Callable[[], None]) -> Abort:
    return Abort.FAILED
