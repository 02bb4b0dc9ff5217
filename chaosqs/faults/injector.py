"""The fault injector: each call asks it once, at its injection point, for the fault of the plan to inject."""

from collections.abc import Iterable

import attrs

from chaosqs.kernel.context import InjectedFault
from chaosqs.model.faults import (
    FAULT_POINT,
    OK,
    FaultPlan,
    Window,
    injection_step,
    is_of_call,
    kind_of,
    outcome_text,
    step_of,
)
from chaosqs.model.time import milliseconds


@attrs.define
class FaultInjector:
    """Looks faults up in a fault plan."""

    plan: FaultPlan
    calm: bool = True
    """True if no fault of the plan can ever be injected."""
    _injection_points: frozenset[str] = frozenset()
    """Injection points at which a fault of the plan can be injected; calls at all others need not ask."""
    _windows: dict[str, tuple[Window, ...]] = attrs.field(factory=dict[str, tuple[Window, ...]])
    """Windows of each injection point whose kind is not banned."""
    _healed: int | None = None
    _passed: set[tuple[int, int]] = attrs.field(factory=set[tuple[int, int]])
    """Pairs of (message, receive count) whose outcome for a poll has been injected."""

    def __attrs_post_init__(self) -> None:
        """Sort the plan by injection point."""
        plan = self.plan
        outcomes = {kind for receives in plan.messages for kind in receives} | set(plan.sends)
        keyed = [known.injection_point for kind in outcomes - {*plan.banned} if (known := kind_of(kind)) is not None]
        for window in plan.windows:
            known = kind_of(window.kind)
            if known is not None and not plan.bans(window.kind):
                self._windows[known.injection_point] = (*self._windows.get(known.injection_point, ()), window)
        self._injection_points = frozenset([*keyed, *self._windows])
        self.calm = not self._injection_points
        self._healed = None if plan.heal_at is None else milliseconds(plan.heal_at)

    def asks(self, injection_point: str) -> bool:
        """Return whether a fault of the plan can ever be injected at an injection point."""
        return injection_point in self._injection_points

    def injected(
        self, injection_point: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a call about a batch of (message, receive count), or None.

        The first message of the batch with an outcome for this injection point decides; if there is none, the first
        open window. `scopes`: the names of the queue, function and mapping that the call is about.
        """
        if injection_point not in self._injection_points or self._is_healed(now):
            return None
        for message, receive in batch if self.plan.messages else ():
            outcome = self.plan.outcome(message, receive)
            if outcome != OK and _is_asked_at(outcome, injection_point):
                return _fault(outcome, f"{outcome_text(outcome)} at receive {receive} of message {message + 1}")
        return self.window(injection_point, scopes, now)

    def poll(self, scopes: tuple[str, ...], message: int, receive: int, now: int) -> InjectedFault | None:
        """Return the fault to inject into a receive; `message` is the first one it would return, `receive` its count.

        The outcome of one message applies once: a failed receive does not count, so the next would meet it again.
        """
        if (message, receive) in self._passed:
            return self.window("poll", scopes, now)
        injected = self.injected("poll", scopes, ((message, receive),), now)
        if injected is not None and injected.until is None:
            self._passed.add((message, receive))
        return injected

    def send(self, queue: str, message: int, now: int, *, again: bool = False) -> InjectedFault | None:
        """Return the fault to inject into the send of a message; only a window's fault applies to one sent `again`."""
        if "send" not in self._injection_points or self._is_healed(now):
            return None
        outcome = OK if again else self.plan.send_outcome(message)
        if outcome != OK:
            return InjectedFault(outcome, f"{outcome} of message {message + 1}")
        return self.window("send", (queue,), now)

    def point(
        self, point: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a named point of user code working on a batch of (message, receive count)."""
        if "point" not in self._injection_points or self._is_healed(now):
            return None
        wanted = f"{FAULT_POINT}:{point}"
        for message, receive in batch:
            if self.plan.outcome(message, receive) == wanted:
                return InjectedFault(wanted, f"{wanted} at receive {receive} of message {message + 1}")
        return self.window("point", scopes, now, wanted)

    def call(
        self, call: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a call (`dynamodb:PutItem`) of user code working on a batch."""
        if "call" not in self._injection_points or self._is_healed(now):
            return None
        for message, receive in batch:
            outcome = self.plan.outcome(message, receive)
            if is_of_call(outcome, call):
                return _fault(outcome, f"{outcome} at receive {receive} of message {message + 1}")
        open_now = (window for window in self._windows.get("call", ()) if is_of_call(window.kind, call))
        return next((found for each in open_now if (found := self.window("call", scopes, now, each.kind))), None)

    def window(self, injection_point: str, scopes: tuple[str, ...], now: int, kind: str = "") -> InjectedFault | None:
        """Return the fault of the first window that is open now for one of the scopes; `kind`: only of this kind."""
        for window in self._windows.get(injection_point, ()) if not self._is_healed(now) else ():
            if (
                window.start * 1000 <= now < (window.start + window.seconds) * 1000
                and (not window.scope or window.scope in scopes)
                and kind in {"", window.kind}
            ):
                return self.of_window(window)
        return None

    def windows(self, injection_point: str) -> tuple[Window, ...]:
        """Return an injection point's windows that begin before the plan heals; callers act at the windows' start."""
        return tuple(
            window
            for window in self._windows.get(injection_point, ())
            if not self._is_healed(milliseconds(window.start))
        )

    def of_window(self, window: Window) -> InjectedFault:
        """Return the fault of a window."""
        scope = f" on {window.scope}" if window.scope else ""
        end = milliseconds(window.start + window.seconds)
        until = end if self._healed is None else min(end, self._healed)
        text = f"{outcome_text(window.kind)}{scope} from {window.start:g} s for {window.seconds:g} s"
        return _fault(window.kind, text, until)

    def _is_healed(self, now: int) -> bool:
        return self._healed is not None and now >= self._healed


def _fault(outcome: str, name: str, until: int | None = None) -> InjectedFault:
    exact = step_of(outcome) > 0
    kind = outcome.partition(":")[0] if exact else outcome
    return InjectedFault(kind, name, until, injection_step(outcome), exact)


def _is_asked_at(outcome: str, injection_point: str) -> bool:
    known = kind_of(outcome)
    return known is not None and known.injection_point == injection_point


NO_FAULTS = FaultInjector(FaultPlan())
"""The injector of an empty plan."""
