"""Handlers that wait: each runs as a fiber of its own, so that one can sleep in virtual time while others go on.

A fiber is a greenlet that the event queue resumes. It gives way where its handler waits (`time.sleep`, a long poll, what
botocore sleeps between two attempts) and nowhere else, so what is not waiting is not interrupted, and takes no time.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from typing import TypeVar

import attrs
import greenlet

from chaosqs.errors import SimulationError
from chaosqs.kernel.event_queue import EventQueue

Answer = TypeVar("Answer")


class Ended(BaseException):
    """Raised inside a handler that Lambda ends: its time is over, or the world closes."""


@attrs.define(eq=False)
class Fiber:
    """One handler while it runs."""

    fibers: Fibers
    work: Callable[[], None]
    around: Callable[[], AbstractContextManager[None]]
    """What surrounds each stretch in which it runs."""
    ended: bool = False
    """Whether somebody has ended it: then it may not wait any more."""
    _greenlet: greenlet.greenlet = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Be ready to run, in a context like that of the one who starts it."""
        self._greenlet = greenlet.greenlet(self.work)
        self._greenlet.gr_context = copy_context()

    @property
    def on_stage(self) -> bool:
        """Whether it is this one that asks."""
        return greenlet.getcurrent() is self._greenlet

    def resume(self) -> None:
        """Let it run until it waits or is done."""
        if not self._greenlet.dead:
            self._switch(self._greenlet.switch)

    def end(self) -> None:
        """Have `Ended` raised where it waits."""
        self.ended = True
        if self._greenlet and not self._greenlet.dead:
            self._switch(partial(self._greenlet.throw, Ended))

    def pause(self) -> None:
        """Give way, until somebody resumes it; raises `Ended` where it may not wait any more."""
        if self.ended:
            raise Ended
        parent = self._greenlet.parent
        assert parent is not None
        parent.switch()

    def _switch(self, how: Callable[[], object]) -> None:
        before, self.fibers.running = self.fibers.running, self
        try:
            with self.around():
                self._greenlet.parent = greenlet.getcurrent()
                how()
        except (greenlet.error, ValueError) as error:
            message = f"a handler that waits goes on in the thread in which it began: {error}"
            raise SimulationError(message) from error
        finally:
            self.fibers.running = before


@attrs.define(eq=False)
class Fibers:
    """All handlers of a world that run; and the way to wait, for them and for the test."""

    event_queue: EventQueue
    running: Fiber | None = None
    """The one that is on stage, if any."""

    @property
    def inside(self) -> Fiber | None:
        """The fiber that asks; None: it is the test itself, or another thread."""
        running = self.running
        return running if running is not None and running.on_stage else None

    def wait(self, begin: Callable[[Callable[[Answer], None]], None]) -> Answer:
        """Wait for an answer: `begin` is given what to call with it. The test takes steps meanwhile, a fiber pauses."""
        answers: list[Answer] = []
        fiber = self.inside
        if fiber is None:
            begin(answers.append)
            while not answers:
                self.event_queue.take()()
        else:
            begin(partial(self._answer, fiber, answers))
            fiber.pause()
        return answers[0]

    def sleep(self, milliseconds: int) -> None:
        """Let time pass for the one who asks."""
        if self.inside is None:
            until = self.event_queue.now + milliseconds
            while self.event_queue.next_due() <= until:
                self.event_queue.take()()
            self.event_queue.now = until
        else:
            self.wait(partial(self._later, milliseconds))

    def _later(self, milliseconds: int, answer: Callable[[None], None]) -> None:
        self.event_queue.at(self.event_queue.now + milliseconds, partial(answer, None))

    def _answer(self, fiber: Fiber, answers: list[Answer], answer: Answer) -> None:
        answers.append(answer)
        self.event_queue.at(self.event_queue.now, fiber.resume)
