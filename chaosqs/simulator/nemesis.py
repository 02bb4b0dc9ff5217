"""The fault plan, asked once at each boundary: what goes wrong with this call, if anything."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.fault import OK, FaultPlan
from chaosqs.model.time import milliseconds


@attrs.frozen
class Strike:
    """A fault that strikes one call."""

    kind: str
    name: str
    """As histories and reports name it: `throttled at receive 2 of message 4`."""


@attrs.frozen
class Nemesis:
    """Reads a fault plan."""

    plan: FaultPlan

    def strike(
        self, boundary: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> Strike | None:
        """Return what strikes a call about a batch of (message, receive count), or None.

        The first message of the batch that has an outcome for this boundary decides, then the first window.
        """
        plan = self.plan
        if not (plan.messages or plan.windows) or (plan.heal_at is not None and now >= milliseconds(plan.heal_at)):
            return None
        for message, receive in batch if plan.messages else ():
            kind = plan.outcome(boundary, message, receive)
            if kind != OK:
                return Strike(kind, f"{kind} at receive {receive} of message {message + 1}")
        found = plan.strikes(boundary, scopes, now)
        if found is None:
            return None
        _, window = found
        scope = f" on {window.scope}" if window.scope else ""
        return Strike(window.kind, f"{window.kind}{scope} from {window.start:g} s for {window.seconds:g} s")
