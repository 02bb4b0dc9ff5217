"""One invocation of real code while it runs: a task of trio that waits in virtual time, and ends when Lambda says so.

Whatever the code waits for, the agenda wakes it, one task a step. `async def` handlers wait natively, plain ones
through a portal of greenback's: their `time.sleep` suspends them and nobody else. A timeout or a crash is decided by
a step, at its moment; the code learns of it as a cancellation at its next wait, and what it then calls has no effect.
Code that never waits cannot be ended, nor can code that catches `BaseException` around each wait and goes on.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from math import ceil

import attrs
import greenback
import trio
from trio.lowlevel import Abort

from chaosqs import user_code
from chaosqs.errors import EscapedSimulation, SimulationError
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.call_site import call_site
from chaosqs.simulator.course import TIMED_OUT, killed
from chaosqs.simulator.disguise import Source, enter
from chaosqs.simulator.handler import Handler, raised, returned
from chaosqs.simulator.operations import Wait
from chaosqs.simulator.request import Course, Invocation

_READS_A_MILLISECOND = 1000
"""Assumed: so many looks at the clock take a millisecond; so a loop that looks until it is time comes to an end."""
_DIGITS = 6
"""Of a millisecond: 0.07 s is 70 ms, not the 70.00000000000001 that floating point makes of it."""


@attrs.define(eq=False)
class Execution:
    """The code of one invocation, and what it does with its time."""

    invocation: Invocation
    agenda: Agenda
    wake_others: Callable[[], None]
    """Tells the clock that a task is runnable."""
    chance: Source
    done: Callable[[Course], None]
    """Called in a step of the agenda when the code has come to an end."""
    latency: Callable[[int], int]
    """Returns how long the n-th wait takes where that is a call, in milliseconds."""
    dies_at: int = 0
    """At which of its waits its environment dies; 0: at none."""
    pace: int = 1
    """How many times as long its sleeps and calls take as they would."""
    over: bool = False
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _waits: int = 0
    _reads: int = 0

    @property
    def remaining(self) -> int:
        """Milliseconds until the function timeout."""
        return self.invocation.begins + self.invocation.limit - self.agenda.now

    @property
    def duration(self) -> int:
        """Milliseconds that count as the invocation's duration by now."""
        return self.agenda.now - self.invocation.begins

    # The course of it

    async def run(
        self, handler: Handler, event: object, context: object, messages: Mapping[str, int], code: user_code.Simulation
    ) -> None:
        """Run the handler to its end, whatever that is; `code`: what it reports to."""
        enter(self)
        user_code.enter(code)
        reporting = self.invocation.request.mapping.report_batch_item_failures
        with self._scope:
            try:
                value = await self._call(handler, event, context)
            except (SimulationError, KeyboardInterrupt) as error:
                self._fail(error)
            except trio.Cancelled:
                raise
            except BaseException as error:  # noqa: BLE001 - that of the handler's process is all that it ends
                self._end(raised(error, self.duration, reporting=reporting))
            else:
                self._end(returned(value, self.duration, messages, reporting=reporting))

    async def _call(self, handler: Handler, event: object, context: object) -> object:
        if self.invocation.initialises:
            await self._pause(self.invocation.initialises)  # LX-14

        async def perform() -> object:
            value = handler.call(event, context)
            return await value if inspect.isawaitable(value) else value

        if handler.awaits:
            return await greenback.with_portal_run_tree(perform)
        return await greenback.with_portal_run(perform)

    def time_out(self) -> None:
        """End the invocation by the function timeout (LX-9): a step of the agenda."""
        if not self.over:
            limit = self.invocation.limit
            self._finish(Course("timed_out", limit, error=TIMED_OUT))
            self._cut()

    def _end(self, course: Course) -> None:
        """Take the end that the code came to by itself, if it was in time."""
        if not self.over:
            late = self.remaining <= 0
            self._finish(Course("timed_out", self.invocation.limit, error=TIMED_OUT) if late else course)

    def _finish(self, course: Course) -> None:
        self.over = True
        self.agenda.at(self.agenda.now, lambda: self.done(course))

    def _cut(self) -> None:
        self._scope.cancel()
        self.wake_others()

    def _fail(self, error: BaseException) -> None:
        """End the run with an error."""

        def fail() -> None:
            raise error

        self.over = True
        self.agenda.at(self.agenda.now, fail)

    # What it calls

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation; a part of a millisecond counts as a whole one."""
        self._await(ceil(round(seconds * 1000 * self.pace, _DIGITS)))

    def read_clock(self) -> int:
        """Return the milliseconds since the start of the run."""
        self._reads += 1
        if self._reads >= _READS_A_MILLISECOND:
            self._await(1)
        return self.agenda.now

    def call(self) -> None:
        """Let the time pass that a call takes."""
        self._await(self.latency(self._waits + 1) * self.pace)

    def answer(self, wait: Wait) -> Mapping[str, object]:
        """Wait for the answer to a long poll."""
        answers: list[Mapping[str, object]] = []

        def arrange(wake: Callable[[], None]) -> None:
            def tell(answer: dict[str, object]) -> None:
                answers.append(answer)
                self.agenda.at(self.agenda.now, wake, self.invocation.task)

            wait.then(tell)

        self._through_portal()
        greenback.await_(self._wait(arrange, wait.cancel))
        return answers[0]

    def refuse(self, what: str) -> None:
        """End the run, as the handler does what cannot be simulated."""
        name = self.invocation.request.mapping.function
        where = f"at {call_site()}: that would run in real time, outside of the simulation"
        error = EscapedSimulation(f"the handler of {name} {what} {where}")
        self._fail(error)
        raise error

    def _await(self, milliseconds: int) -> None:
        self._through_portal()
        greenback.await_(self._pause(milliseconds))

    def _through_portal(self) -> None:
        if not greenback.has_portal():
            self.refuse("waits in a thread or a loop of its own")

    async def _pause(self, milliseconds: int) -> None:
        due = self.agenda.now + milliseconds
        await self._wait(lambda wake: self.agenda.at(due, wake, self.invocation.task))

    async def _wait(
        self, arrange: Callable[[Callable[[], None]], None], gone: Callable[[], None] | None = None
    ) -> None:
        """Suspend the task that asks until a step calls what `arrange` was given."""
        self._reads = 0
        self._waits += 1
        if self._waits == self.dies_at and not self.over:
            assert self.invocation.strike is not None
            self._finish(killed(self.invocation.strike, self.duration))
            self._cut()
        task, waiting = trio.lowlevel.current_task(), True

        def wake() -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                trio.lowlevel.reschedule(task)
                self.wake_others()

        def abort(_: object) -> Abort:
            nonlocal waiting
            waiting = False
            if gone is not None:
                gone()
            return Abort.SUCCEEDED

        arrange(wake)
        await trio.lowlevel.wait_task_rescheduled(abort)
