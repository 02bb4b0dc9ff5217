"""What goes wrong from outside: a plan that is data, keyed by message and by window, so that it shrinks.

At each boundary the simulator asks the plan once. A missing entry means that nothing goes wrong, so a plan may be
longer than the run, and removing an entry never shifts the meaning of another.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.values import Checks, concise_repr, strings

OK = "ok"
"""The outcome of a receive in which nothing goes wrong."""


@attrs.frozen
class FaultKind:
    """One thing that can go wrong, and where."""

    name: str
    boundary: str
    """Which call it strikes: receive, invoke, handler, response or delete."""
    effect: str
    """What happens, in a sentence."""
    rule: str
    """The rule of the ledger that makes it legal behaviour of AWS."""


KINDS: tuple[FaultKind, ...] = (
    FaultKind(
        "throttled", "invoke", "Lambda answers 429 although the design has room: others took the capacity.", "LC-11"
    ),
    FaultKind(
        "service_error",
        "invoke",
        "Lambda answers 500; the poller gives the batch up until its visibility ends.",
        "LX-11",
    ),
    FaultKind("error", "handler", "The handler raises; nothing of the batch is deleted.", "LX-7"),
    FaultKind("slow", "handler", "The handler takes until 1 ms before the function timeout, then succeeds.", "LX-1"),
    FaultKind("timeout", "handler", "The handler hangs; the function timeout ends it.", "LX-9"),
    FaultKind("crash", "handler", "The execution environment dies half-way.", "LX-14"),
    FaultKind(
        "lost_receive", "receive", "SQS counts the receive and hides the messages; the poller never sees them.", "RX-8"
    ),
    FaultKind(
        "lost_response",
        "response",
        "The function succeeds, but the poller never learns it and deletes nothing.",
        "EP-13",
    ),
    FaultKind("lost_delete", "delete", "The delete after a success gets lost; the messages come back.", "EF-5"),
)
"""Every kind of fault, in the order in which reports list them; `ok` is none of them."""

KIND_NAMES = tuple(kind.name for kind in KINDS)
_BOUNDARY = {kind.name: kind.boundary for kind in KINDS}


@attrs.frozen(repr=False)
class Window:
    """A fault that strikes every call of its boundary for a while."""

    kind: str
    scope: str
    """Name of the function or queue that it strikes; empty: all."""
    start: float
    """Seconds after the start of the run."""
    seconds: float
    """How long it lasts."""

    __repr__ = concise_repr


def _outcomes(messages: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(receives) for receives in messages)


def _windows(items: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(items)


@attrs.frozen(repr=False)
class FaultPlan:
    """All faults of one run."""

    messages: tuple[tuple[str, ...], ...] = attrs.field(default=(), converter=_outcomes)
    """For each message, by number, the outcomes of its receives in order: `ok` or the name of a fault kind. The first
    message of a batch that has an outcome for a boundary decides it for the batch."""
    windows: tuple[Window, ...] = attrs.field(default=(), converter=_windows)
    banned: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """Kinds that are ignored when the plan is read."""
    heal_at: float | None = None
    """Seconds after which nothing goes wrong any more; None: the plan's own entries are the end of it."""

    __repr__ = concise_repr

    def outcome(self, boundary: str, message: int, receive: int) -> str:
        """Return the fault kind of a message's n-th receive (from 1) at a boundary, or `ok`."""
        receives = self.messages[message] if message < len(self.messages) else ()
        kind = receives[receive - 1] if receive <= len(receives) else OK
        return kind if _BOUNDARY.get(kind) == boundary and kind not in self.banned else OK

    def strikes(self, boundary: str, scopes: tuple[str, ...], now: int) -> tuple[int, Window] | None:
        """Return the first window, with its place, that strikes a call of one of the scopes now (milliseconds)."""
        for place, window in enumerate(self.windows):
            if (
                _BOUNDARY[window.kind] == boundary
                and window.start * 1000 <= now < (window.start + window.seconds) * 1000
                and (not window.scope or window.scope in scopes)
                and window.kind not in self.banned
            ):
                return place, window
        return None


def check_plan(checks: Checks, plan: FaultPlan, scopes: Iterable[str]) -> None:
    """Note what is wrong with a fault plan for a design with these queues and functions."""
    known = tuple(scopes)
    for message, receives in enumerate(plan.messages):
        for place, kind in enumerate(receives):
            checks.one_of(f"messages[{message}][{place}]", kind, (OK, *KIND_NAMES))
    for place, window in enumerate(plan.windows):
        path = f"windows[{place}]"
        checks.one_of(f"{path}.kind", window.kind, KIND_NAMES)
        if window.scope:
            checks.one_of(f"{path}.scope", window.scope, known)
        checks.number(f"{path}.start", window.start, 0, unit="seconds")
        checks.number(f"{path}.seconds", window.seconds, 0, unit="seconds")
    for place, kind in enumerate(plan.banned):
        checks.one_of(f"banned[{place}]", kind, KIND_NAMES)
    if plan.heal_at is not None:
        checks.number("heal_at", plan.heal_at, 0, unit="seconds")
