"""What goes wrong from outside: a plan that is data, keyed by message and by window, so that it shrinks.

At each boundary the simulator asks the plan once. A missing entry means that nothing goes wrong, so a plan may be
longer than the run, and removing an entry never shifts the meaning of another.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.fault_kinds import FAULT_POINT, KIND_NAMES, KINDS, OK, FaultKind, kind_of
from chaosqs.model.values import concise_repr, strings

__all__ = ["FAULT_POINT", "KINDS", "KIND_NAMES", "OK", "Action", "FaultKind", "FaultPlan", "Pause", "Window", "kind_of"]

ACTIONS = ("redeploy", "purge", "redrive", "change")
"""What an operator can do: deploy a function anew, purge a queue, move a dead-letter queue back, change a setting."""


@attrs.frozen(repr=False)
class Window:
    """A fault that strikes every call of its boundary for a while."""

    kind: str
    scope: str
    """Name of the queue, function or mapping (`orders→worker`) that it strikes; empty: all."""
    start: float
    """Seconds after the start of the run."""
    seconds: float
    """How long it lasts."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Action:
    """Something that an operator does at a moment of the run."""

    kind: str
    """One of `ACTIONS`."""
    target: str
    """`redeploy`: a function; `purge`: a queue; `redrive`: a dead-letter queue; `change`: any of them, or a mapping."""
    at: float
    """Seconds after the start of the run."""
    setting: str = ""
    """For `change`: the name of the field: `visibility_timeout`, `reserved_concurrency`, `batch_size`, `enabled` …"""
    value: int | bool | None = None
    """For `change`: what it becomes."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Pause:
    """A hold in the order of things: one task waits while others take so many steps."""

    task: str
    """Who waits: a poller (`orders→worker/3`), or an invocation of real code by its number (`worker#12`)."""
    step: int
    """From which of its steps on, counted from 1."""
    steps: int
    """How many steps of others go first, 1 or more; a hold ends after `Assumptions.longest_pause` at the latest."""

    __repr__ = concise_repr


def _outcomes(messages: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(receives) for receives in messages)


def _windows(items: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(items)


def _actions(items: Iterable[Action]) -> tuple[Action, ...]:
    return tuple(items)


def _pauses(items: Iterable[Pause]) -> tuple[Pause, ...]:
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
    sends: tuple[str, ...] = attrs.field(default=(), converter=strings)
    """For each message, by number, the outcome of its send."""
    actions: tuple[Action, ...] = attrs.field(default=(), converter=_actions)
    """What an operator does. Those from `heal_at` on are not carried out; those of one moment are, in this order."""
    pauses: tuple[Pause, ...] = attrs.field(default=(), converter=_pauses)

    __repr__ = concise_repr

    def outcome(self, message: int, receive: int) -> str:
        """Return the fault of a message's n-th receive (from 1), or `ok`."""
        receives = self.messages[message] if message < len(self.messages) else ()
        kind = receives[receive - 1] if 0 < receive <= len(receives) else OK
        return OK if kind in self.banned else kind

    def send_outcome(self, message: int) -> str:
        """Return the fault of a message's send, or `ok`."""
        kind = self.sends[message] if message < len(self.sends) else OK
        return OK if kind in self.banned else kind

    @property
    def ends_at(self) -> float:
        """When the last window, action or the healing is over, in seconds; faults of single messages apart."""
        ends = [window.start + window.seconds for window in self.windows if window.kind not in self.banned]
        last = max([*ends, *(action.at for action in self.actions)], default=0.0)
        return last if self.heal_at is None else min(last, self.heal_at)
