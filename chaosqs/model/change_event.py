"""What a run records of changes to the design itself: by the mapping's own law, or by an operator."""

from __future__ import annotations

import attrs


@attrs.frozen
class PollersChanged:
    """A mapping has another number of pollers now (ES-1 … ES-8)."""

    at: int
    cause: int | None
    mapping: str
    pollers: int
    why: str
    fault: str = ""


@attrs.frozen
class Operated:
    """An operator, or a fault that stands for one, changed something while the run went on."""

    at: int
    cause: int | None
    kind: str
    """`redeploy`, `purge`, `redrive` or `change`."""
    target: str
    """The queue, function or mapping."""
    setting: str
    """What a `change` changes; empty otherwise."""
    value: str
    """To what, as Python writes it."""
    fault: str = ""
