"""What is replaced around a handler while it runs, and put back whenever it waits or ends.

* Time, chance and threads, as in simulations (`disguise`).
* What it prints or logs goes to the logs of its function, in the format of Lambda's Python runtime.
* The environment variables are those of the function.

One stretch runs at a time, whichever worlds and threads there are.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager

import attrs

from chaosqs.simulator.control.output import Output, Pipe
from chaosqs.simulator.disguise import worn
from chaosqs.simulator.turn import turns

_ONE_AT_A_TIME = turns()


class Formatter(logging.Formatter):
    """Writes log records as Lambda's Python runtime does."""

    def __init__(self, request_id: str, stamp: Callable[[], str]) -> None:
        """Take the id of the invocation, and what says the present moment."""
        super().__init__()
        self._request_id, self._stamp = request_id, stamp

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more with a traceback."""
        text = f"[{record.levelname}]\t{self._stamp()}\t{self._request_id}\t{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


@attrs.frozen(eq=False)
class Surroundings:
    """What one invocation finds around it."""

    epoch: int
    output: Output
    variables: Mapping[str, str]
    module: str
    """The module of the handler, where that is one of this process; or empty."""
    log: logging.Handler

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Put it all up, and take it down."""
        with ExitStack() as stack:
            stack.enter_context(_ONE_AT_A_TIME)
            pipe = Pipe(self.output)
            for name in ("stdout", "stderr"):
                stack.enter_context(_swapped(sys, name, pipe))
            cover = stack.enter_context(worn(self.epoch))
            if self.module in sys.modules:
                cover(self.module)
            stack.enter_context(_environment(self.variables))
            logging.root.addHandler(self.log)
            stack.callback(logging.root.removeHandler, self.log)
            yield


@contextmanager
def _swapped(owner: object, name: str, value: object) -> Generator[None]:
    """Replace an attribute for a while."""
    before: object = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def logging_to(output: Output, request_id: str, stamp: Callable[[], str]) -> logging.Handler:
    """Return the handler of log records of one invocation."""
    handler = logging.StreamHandler(Pipe(output))
    handler.setFormatter(Formatter(request_id, stamp))
    return handler
