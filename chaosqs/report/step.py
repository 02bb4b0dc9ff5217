"""One step of a timeline."""

from __future__ import annotations

import attrs


@attrs.frozen
class Step:
    """What happened at one moment, in English; without a moment, a remark on what is left out."""

    at: int | None
    """Milliseconds since the start of the run."""
    text: str

    @property
    def time(self) -> str:
        """Its moment as stories print it; empty without one."""
        return "" if self.at is None else moment_text(self.at)


def moment_text(at: int) -> str:
    """Return a moment in milliseconds as stories print it, in tenths of a second: `30.0 s`."""
    return f"{at / 1000:,.1f} s"
