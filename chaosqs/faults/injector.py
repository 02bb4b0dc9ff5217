"""The fault plan, asked once at each boundary: what goes wrong with this call, if anything."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.faults import FAULT_POINT, OK, FaultPlan, Window, kind_of
from chaosqs.model.time import milliseconds


@attrs.frozen
class Strike:
    """A fault that strikes one call."""

    kind: str
    name: str
    """As histories and reports name it: `throttled at receive 2 of message 4`."""
    until: int | None = None
    """When the window ends that brings it, in milliseconds; None for the fault of one message."""


@attrs.define
class Nemesis:
    """Reads a fault plan."""

    plan: FaultPlan
    calm: bool = True
    """Whether nothing of the plan can ever strike."""
    _boundaries: frozenset[str] = frozenset()
    """Where anything of the plan can strike: all others need not ask."""
    _windows: dict[str, tuple[Window, ...]] = attrs.field(factory=dict[str, tuple[Window, ...]])
    """The windows of each boundary that are not banned."""
    _healed: int | None = None
    _passed: set[tuple[int, int]] = attrs.field(factory=set[tuple[int, int]])
    """The (message, receive count)s whose outcome for a poll has struck."""

    def __attrs_post_init__(self) -> None:
        """Sort the plan by boundary."""
        plan = self.plan
        outcomes = {kind for receives in plan.messages for kind in receives} | set(plan.sends)
        keyed = [known.boundary for kind in outcomes - {*plan.banned} if (known := kind_of(kind)) is not None]
        for window in plan.windows:
            known = kind_of(window.kind)
            if known is not None and not {window.kind, known.name} & {*plan.banned}:
                self._windows[known.boundary] = (*self._windows.get(known.boundary, ()), window)
        self._boundaries = frozenset([*keyed, *self._windows])
        self.calm = not self._boundaries
        self._healed = None if plan.heal_at is None else milliseconds(plan.heal_at)

    def asks(self, boundary: str) -> bool:
        """Tell whether anything of the plan can ever strike at a boundary."""
        return boundary in self._boundaries

    def strike(
        self, boundary: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> Strike | None:
        """Return what strikes a call about a batch of (message, receive count), or None.

        The first message of the batch that has an outcome for this boundary decides, then the first window. `scopes`:
        the names of the queue, function and mapping that the call is about.
        """
        if boundary not in self._boundaries or self._is_healed(now):
            return None
        for message, receive in batch if self.plan.messages else ():
            outcome = self.plan.outcome(message, receive)
            if outcome != OK and _strikes_at(outcome, boundary):
                return Strike(outcome, f"{outcome} at receive {receive} of message {message + 1}")
        return self.window(boundary, scopes, now)

    def poll(self, scopes: tuple[str, ...], message: int, receive: int, now: int) -> Strike | None:
        """Return what strikes a receive that would find a message first, and count as its n-th receive.

        The outcome of one message strikes once: a receive that fails does not count, so the next would meet it again.
        """
        if (message, receive) in self._passed:
            return self.window("poll", scopes, now)
        strike = self.strike("poll", scopes, ((message, receive),), now)
        if strike is not None and strike.until is None:
            self._passed.add((message, receive))
        return strike

    def send(self, queue: str, message: int, now: int, *, again: bool = False) -> Strike | None:
        """Return what strikes the send of a message; sent `again` only a window does."""
        if "send" not in self._boundaries or self._is_healed(now):
            return None
        outcome = OK if again else self.plan.send_outcome(message)
        if outcome != OK:
            return Strike(outcome, f"{outcome} of message {message + 1}")
        return self.window("send", (queue,), now)

    def point(self, site: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int) -> Strike | None:
        """Return what strikes a site in the user's code that works on a batch of (message, receive count)."""
        if "point" not in self._boundaries or self._is_healed(now):
            return None
        wanted = f"{FAULT_POINT}:{site}"
        for message, receive in batch:
            if self.plan.outcome(message, receive) == wanted:
                return Strike(wanted, f"{wanted} at receive {receive} of message {message + 1}")
        return self.window("point", scopes, now, wanted)

    def window(self, boundary: str, scopes: tuple[str, ...], now: int, kind: str = "") -> Strike | None:
        """Return the strike of the first window that is open now for one of the scopes; `kind`: only of this kind."""
        for window in self._windows.get(boundary, ()) if not self._is_healed(now) else ():
            if (
                window.start * 1000 <= now < (window.start + window.seconds) * 1000
                and (not window.scope or window.scope in scopes)
                and kind in {"", window.kind}
            ):
                return self.of_window(window)
        return None

    def windows(self, boundary: str) -> tuple[Window, ...]:
        """Return the windows of a boundary that begin before the plan is healed, for who must act at the start."""
        return tuple(
            window for window in self._windows.get(boundary, ()) if not self._is_healed(milliseconds(window.start))
        )

    def of_window(self, window: Window) -> Strike:
        """Return the strike of a window."""
        scope = f" on {window.scope}" if window.scope else ""
        end = milliseconds(window.start + window.seconds)
        until = end if self._healed is None else min(end, self._healed)
        return Strike(window.kind, f"{window.kind}{scope} from {window.start:g} s for {window.seconds:g} s", until)

    def _is_healed(self, now: int) -> bool:
        return self._healed is not None and now >= self._healed


def _strikes_at(outcome: str, boundary: str) -> bool:
    known = kind_of(outcome)
    return known is not None and known.boundary == boundary
