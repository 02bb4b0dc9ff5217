"""Waits in virtual time of a world of `aws()`: of its handlers, of the test, and of threads that the test starts.

Handlers and threads of the test are greenlets that steps of the event queue resume. The test itself takes the steps
until its wait is over, so all others act while it waits. Calls of SQS are waits, too.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from math import ceil
from threading import Thread
from typing import NoReturn, TypeVar

import attrs
import greenlet

from chaosqs.errors import Deadlock, SimulationError
from chaosqs.kernel.context import Turn, turns
from chaosqs.kernel.event_queue import EventQueue, Step
from chaosqs.lambda_.event_loop import running_loop, step_out
from chaosqs.lambda_.guards import call_site, current, unanswered
from chaosqs.lambda_.handler_runtime import DIGITS, READS_A_MILLISECOND, HandlerTask, leave
from chaosqs.lambda_.threads import Ended, TaskThread, Threads, Wake
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.sqs import Sqs

Response = TypeVar("Response")
_LONGEST = 1_209_600_000
"""Milliseconds after which a wait of the test counts as one for ever: 14 days, as long as SQS keeps a message."""


@attrs.define(eq=False)
class Waits:
    """The waits of one world; the `Participant` of its test, and the `Waiter` of its transport."""

    sqs: Sqs
    latency: int = 0
    """Milliseconds that each call takes."""
    event_queue: EventQueue = attrs.field(init=False)
    threads: Threads = attrs.field(factory=Threads)
    """Threads of the test."""
    _turn: Turn = attrs.field(factory=turns)
    _reads: int = 0

    def __attrs_post_init__(self) -> None:
        """Let threads of the test go on whenever they are due."""
        self.event_queue = self.sqs.accounts.context.event_queue
        self.threads.thaw(self._go_on, self._soon)

    @property
    def task(self) -> HandlerTask | None:
        """Task of the handler that calls; None for the test itself and for other threads."""
        task = current()
        return task if isinstance(task, HandlerTask) and task.event_queue is self.event_queue else None

    def turn(self) -> AbstractContextManager[object]:
        """Return the lock of the test and of real threads; it is held for code that a step resumes."""
        return nullcontext() if self.task is not None or self._thread() is not None else self._turn

    def response(
        self, ask: Callable[[Callable[[Response], None]], None], cancel: Callable[[], None] | None = None
    ) -> Response:
        """Wait for a response and return it. `ask` and `cancel` as for `HandlerTask.response`."""
        task = self.task
        if task is not None:
            return task.response(ask, cancel)
        responses: list[Response] = []

        def arrange(wake: Wake) -> None:
            def receive(response: Response) -> None:
                responses.append(response)
                wake()

            ask(receive)

        try:
            self.suspend(arrange, None)
        except Ended:
            if cancel is not None:
                cancel()
            raise
        return responses[0]

    def sleep(self, seconds: float) -> None:
        """Let time pass for the caller; a fraction of a millisecond counts as a whole one."""
        __tracebackhide__ = True
        task = self.task
        if task is not None:
            task.sleep(seconds)
        elif self._thread() is not None:
            self.suspend(lambda _: None, seconds)
        else:
            self._sleep(ceil(round(seconds * 1000, DIGITS)))

    def pass_latency(self) -> None:
        """Let the latency of a call pass for the caller."""
        if self.latency:
            self.sleep(self.latency / 1000)

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of SQS after the latency of a call; a long poll takes its time."""
        with self.turn():
            self.pass_latency()
            result = self.sqs.call(operation, parameters, region=region)
            return self.response(result.then, result.cancel) if isinstance(result, Wait) else result

    def jitter(self) -> float:
        """Return the middle, as all chance is calm here."""
        return 0.5

    def epoch(self) -> float:
        """Return the time as AWS's clocks have it, in seconds since 1970."""
        return (self.sqs.epoch + self.sqs.now) / 1000

    def refuse(self, call: str, why: str) -> NoReturn:
        """End the test, as a call is made that nothing answers."""
        unanswered(call, why)

    def read_clock(self, readings: int = 1) -> int:
        """Return the milliseconds since the start, for a test that reads the clock; as `HandlerTask.read_clock`."""
        self._reads += readings
        if self._reads >= READS_A_MILLISECOND:
            self.sleep(0.001)
        return self.event_queue.now

    def suspend(self, arrange: Callable[[Wake], object], seconds: float | None) -> None:
        """Suspend the test, or a thread of it, until the function that `arrange` gets is called or a time is over.

        Raises `Deadlock` if the test would wait for ever.
        """
        self._reads = 0
        due = None if seconds is None else self.event_queue.now + ceil(round(seconds * 1000, DIGITS))
        own = self._thread()
        if own is None:
            self._take_steps(arrange, due)
        else:
            self._give_way(own, arrange, due)

    def spawn(self, body: Callable[[], object], thread: Thread | None) -> TaskThread:
        """Start a thread of the test in a later step; `thread`: its object, if it has one."""
        own = TaskThread(body, self.threads, thread)
        self._soon(partial(self.threads.resume, own))
        return own

    def _soon(self, step: Step) -> None:
        self.event_queue.at(self.event_queue.now, step)

    # Threads of the test

    def _thread(self) -> TaskThread | None:
        """Return the thread of the test that calls; None for the test itself and for real threads."""
        own = greenlet.getcurrent()
        return own if isinstance(own, TaskThread) and own in self.threads.alive else None

    def _go_on(self, own: TaskThread) -> None:
        try:
            own.parent = greenlet.getcurrent()
            own.switch()
        except (greenlet.error, ValueError) as error:
            message = f"a thread of the test that waits must go on in the thread in which it began: {error}"
            raise SimulationError(message) from None

    def _give_way(self, own: TaskThread, arrange: Callable[[Wake], object], due: int | None) -> None:
        waiting = True

        def wake() -> None:
            if waiting:
                self.threads.resume(own)

        arrange(partial(self._soon, wake))
        if due is not None:
            self.event_queue.at(due, wake)
        assert own.parent is not None
        try:
            leave(own.parent)
        finally:
            waiting = False

    # The test itself

    def _sleep(self, milliseconds: int) -> None:
        __tracebackhide__ = True
        with self.turn():
            self._reads = 0
            until = self.event_queue.now + milliseconds
            with _outside_of_loop():
                while self.event_queue.next_due() <= until:
                    self.event_queue.take()()
            self.event_queue.now = until

    def _take_steps(self, arrange: Callable[[Wake], object], due: int | None) -> None:
        woken: list[None] = []

        def wake() -> None:
            woken.append(None)

        with self.turn():
            arrange(wake)
            if due is not None:
                self.event_queue.at(due, wake)
            limit = self.event_queue.now + _LONGEST
            with _outside_of_loop():
                while not woken:
                    if self.event_queue.next_due() > limit:
                        raise Deadlock(_for_ever())
                    self.event_queue.take()()


def _outside_of_loop() -> AbstractContextManager[object]:
    """Leave the event loop that the test runs, if any: code of other tasks may run one of its own."""
    return nullcontext() if running_loop() is None else _stepped_out()


@contextmanager
def _stepped_out() -> Generator[None]:
    step_in = step_out()
    try:
        yield
    finally:
        step_in()


def _for_ever() -> str:
    return (
        f"the test waits at {call_site()}, and nothing in its world ends this wait: no function, no timer, no thread\n"
        "Threads that began outside of the block of chaosqs.aws() run in real time: wait for them outside of it, too"
    )
