"""What a function prints: one text a function, as CloudWatch Logs would have it, and the tail of one invocation."""

from __future__ import annotations

import io

import attrs


@attrs.define(eq=False)
class Output:
    """What one invocation prints, as a file to write to."""

    lines: list[str]
    """All that the function has printed, by anyone."""
    own: list[str] = attrs.field(factory=list[str])
    _started: str = ""

    def write(self, text: str) -> None:
        """Take what the handler prints; a line counts when it ends."""
        *whole, self._started = (self._started + text).split("\n")
        for line in whole:
            self.line(line)

    def line(self, text: str) -> None:
        """Add a line."""
        self.lines.append(text)
        self.own.append(text)

    def flush(self) -> None:
        """End a line that was begun."""
        if self._started:
            self.write("\n")

    def text(self) -> str:
        """Return what this invocation has printed."""
        return "".join(f"{line}\n" for line in self.own)


class Pipe(io.TextIOBase):
    """Stands for `sys.stdout` and `sys.stderr` while a handler runs."""

    def __init__(self, output: Output) -> None:
        """Take where it goes."""
        super().__init__()
        self._output = output

    def writable(self) -> bool:
        """It takes text."""
        return True

    def write(self, text: str) -> int:
        """Pass text on."""
        self._output.write(text)
        return len(text)
