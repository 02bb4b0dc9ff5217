"""What the pollers ask of Lambda, and what one invocation is between its start and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from chaosqs.machine.environments import Environment
from chaosqs.machine.message import Receipt
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import InvocationEnded
from chaosqs.simulator.nemesis import Strike


@attrs.frozen
class Request:
    """One synchronous invocation of a function with a batch."""

    mapping: EventSourceMapping
    poller: int
    received: int | None
    """Place of the event by which the batch was received: the cause of all that follows; None: somebody invokes."""
    messages: tuple[int, ...]
    """Their numbers."""
    batch: tuple[tuple[int, int], ...]
    """(message, receive count) of each."""
    receipts: Sequence[Receipt] = ()


Answer: TypeAlias = Callable[[InvocationEnded, int], None]
"""Called with the end of an invocation, and its place in the history, when the poller learns of it."""


@attrs.frozen
class Course:
    """How an invocation goes, or went."""

    outcome: str
    duration: int
    """Milliseconds."""
    failed: tuple[int, ...] = ()
    fault: str = ""
    rule: str = ""
    error: str = ""


@attrs.define(eq=False)
class Invocation:
    """One invocation that has an execution."""

    request: Request
    number: int
    place: int
    """Place of its start in the history."""
    environment: Environment
    begins: int
    """When its handler gets the batch: after an initialisation that does not count (LX-12)."""
    initialises: int
    """Milliseconds that an initialisation takes which counts (LX-14)."""
    limit: int
    """Milliseconds after `begins` at which the function timeout ends it (LX-1)."""
    strike: Strike | None
    """What the fault plan has for its handler."""
    answer: Answer

    @property
    def task(self) -> str:
        """Its name where its handler is real code: what a pause of the fault plan names."""
        return f"{self.request.mapping.function}#{self.number}"
