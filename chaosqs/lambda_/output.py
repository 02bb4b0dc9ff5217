"""Output of an invocation: the places of its error, and the last of its printed text and log records.

While a handler runs, `sys.stdout` and `sys.stderr` are streams that write to its invocation, and so does a handler of
the root logger, as Lambda's Python runtime has one. Which invocation that is depends on the context, so streams and
loggers that a module keeps from its import write to the invocation that uses them.
"""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TextIO

import attrs

from chaosqs.lambda_.guards import is_theirs, shown

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

LONGEST = 4_096
"""Characters of the output of an invocation that are kept: the last ones."""
_MOST_LINES = 20
"""Lines of it that a history keeps."""
_LOG_LIMIT = 4_000_000
"""Characters of the log of a function that are kept."""
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")


_MOST_FRAMES = 5
"""Places that are told of an error."""
_MOST_SEARCHED = 20_000
"""Characters of an error's message that are searched for places."""
_ERROR = re.compile(r"^(?:[\w.]+\.)?(\w+(?:: .{0,200})?)", re.MULTILINE)
"""The line of a traceback that names the error: the first one that is not indented."""
_NEXT_FIELD = re.compile(r'", ?"')
_PLACE = re.compile(r'File "([^"\n]+)", line (\d{1,9}), in (\S+)')


def frames_of(error: BaseException, code: str = "") -> tuple[str, ...]:
    """Return the places in the user's code from which an error came, the innermost last.

    An error that tells of others, as the one of a batch of which every record failed, names the places of these, too.
    """
    found = [(frame.filename, frame.lineno or 0, frame.name) for frame in traceback.extract_tb(error.__traceback__)]
    others = _PLACE.findall(text_of(error)[:_MOST_SEARCHED])
    found += [(file, int(line), name) for file, line, name in others]
    places = list(dict.fromkeys(_shown(*place, code) for place in found if is_theirs(place[0])))[-_MOST_FRAMES:]
    what, where = first_error(text_of(error), code)
    return tuple(f"{place} ({what})" if place == where else place for place in places)


def text_of(error: BaseException) -> str:
    """Return the message of an error; empty if it cannot be read."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - whatever a handler's own class does
        return ""


def first_error(text: str, code: str = "") -> tuple[str, str]:
    """Return the first error whose traceback is in a text, and its place in the user's code; empty without one.

    The text may be an error's message, or log lines, of which some may be JSON.
    """
    text = text[:_MOST_SEARCHED].replace("\\n", "\n").replace('\\"', '"')
    _, begin, rest = text.partition("Traceback (most recent call last):\n")
    error = _ERROR.search(rest) if begin else None
    if error is None:
        return "", ""
    found = _PLACE.findall(rest[: error.start()])
    places = [_shown(file, int(line), name, code) for file, line, name in found if is_theirs(file)]
    return _NEXT_FIELD.split(error[1])[0], places[-1] if places else ""


def _shown(file: str, line: int, name: str, code: str) -> str:
    return f"{relative(shown(file, line, code))} in {name}"


def relative(place: str) -> str:
    """Return a place without the directories of a machine: a file that is not in the project has its name only."""
    return place.rsplit("/", 1)[-1] if place.startswith("/") else place


@attrs.define(eq=False)
class Lines:
    """The last lines of a text that may be endless."""

    limit: int = _LOG_LIMIT
    """Characters that are kept."""
    _lines: deque[str] = attrs.field(factory=deque[str])
    _size: int = 0

    def add(self, line: str) -> None:
        """Add a line; the first ones go where there is no room."""
        line = line[: self.limit]
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > self.limit and len(self._lines) > 1:
            self._size -= len(self._lines.popleft()) + 1

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        return iter(self._lines)


@attrs.define(eq=False)
class Output:
    """The output of one invocation."""

    head: Callable[[str], str] = "[{}] ".format
    """Returns the beginning of the line of a log record, given its level."""
    log: Lines | None = None
    """Lines of all invocations of the function, if they are kept."""
    own: Lines = attrs.field(factory=lambda: Lines(LONGEST))
    """Lines of this invocation."""
    _started: str = ""

    def write(self, text: str) -> None:
        """Add printed text; an unfinished line is kept back until it ends."""
        limit = LONGEST if self.log is None else self.log.limit
        *whole, self._started = (self._started + text[-limit:])[-limit:].split("\n")
        for entry in whole:
            self.add(entry)

    def add(self, entry: str) -> None:
        """Add a line."""
        self.own.add(entry)
        if self.log is not None:
            self.log.add(entry)

    def finish(self) -> None:
        """End an unfinished line."""
        if self._started:
            self.write("\n")

    def text(self) -> str:
        """Return the output of this invocation."""
        return "".join(f"{entry}\n" for entry in self.own)

    def last(self, root: str = "") -> tuple[str, ...]:
        """Return the last lines, without what differs from run to run or from machine to machine.

        These are addresses in memory and the directory `root`, which is shown as /var/task.
        """
        self.finish()
        kept = [_ADDRESS.sub("0x…", line).replace(root or "\0", "/var/task") for line in self.own if line.strip()]
        return tuple(kept[-_MOST_LINES:])

    @contextmanager
    def captured(self) -> Generator[None]:
        """Capture printed and logged text within a `with` block."""
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = (_Stream(stream) for stream in streams)
        logging.root.addHandler(_LOG)
        try:
            yield
        finally:
            logging.root.removeHandler(_LOG)
            sys.stdout, sys.stderr = streams

    def here(self) -> None:
        """Let the output of the present context come here."""
        _output.set(self)


_output: ContextVar[Output | None] = ContextVar("chaosqs_output", default=None)


class _Log(logging.Handler):
    """Writes log records as Lambda's Python runtime does, to the output of the invocation that logs."""

    def emit(self, record: logging.LogRecord) -> None:
        output = _output.get()
        if output is None:
            return
        try:
            text = output.head(record.levelname) + record.getMessage()
            if record.exc_info:
                text += "\n" + _TRACEBACKS.formatException(record.exc_info)
        except Exception:  # noqa: BLE001 - arguments that do not fit, or a `__str__` that raises: as logging does
            self.handleError(record)
        else:
            output.write(f"{text}\n")


_LOG, _TRACEBACKS = _Log(), logging.Formatter()


class _Stream(io.TextIOBase):
    """Replaces `sys.stdout` and `sys.stderr`; outside of an invocation it writes to the one that it replaces."""

    def __init__(self, real: TextIO) -> None:
        super().__init__()
        self._real = real

    @property
    def buffer(self) -> _Bytes:
        """The stream for bytes."""
        return _Bytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        output = _output.get()
        if output is None:
            return self._real.write(text)
        output.write(text)
        return len(text)


class _Bytes(io.RawIOBase):
    """The bytes below a stream."""

    def __init__(self, stream: _Stream) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        given = bytes(data)
        self._stream.write(given.decode(errors="replace"))
        return len(given)
