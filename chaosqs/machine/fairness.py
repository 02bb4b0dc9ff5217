"""Fair queues: tenants of a standard queue, told by their message group ids, and which of them are noisy.

It begins when a message carries a group id (FQ-1). A message without one is a tenant of its own: never noisy (FQ-4).
Messages of a noisy tenant wait aside while quiet ones are visible (FQ-6). Each message goes aside once each time that
its tenant turns noisy, so a receive costs the same whatever the backlog. Not modelled: the second test of FQ-5, the
recent share of processing time, for which no window is documented.
"""

from __future__ import annotations

from heapq import heappop, heappush

import attrs

from chaosqs.machine.message import Message
from chaosqs.model.time import MINUTE

_NOISY_SHARE = 10
"""A tenant is noisy with more than one n-th of the messages in flight (FQ-5)."""
_NOISY_AMOUNT = 30
_CALM_DOWN = 5 * MINUTE
"""A noisy tenant is quiet again after so long with nothing in flight (FQ-7)."""


@attrs.define(eq=False)
class Tenant:
    """One message group of a standard queue."""

    stored: int = 0
    in_flight: int = 0
    idle_since: int = 0
    aside: list[tuple[int, Message]] = attrs.field(factory=list[tuple[int, Message]])
    """Its messages that wait until no quiet ones are visible, by place."""


@attrs.define(eq=False)
class Fairness:
    """The tenants of one queue."""

    tenants: dict[str, Tenant] = attrs.field(factory=dict[str, Tenant])
    noisy: dict[str, Tenant] = attrs.field(factory=dict[str, Tenant])
    """Those of them that are noisy; few, whatever the number of tenants."""

    def came(self, group: str) -> None:
        """Count a message in."""
        self.tenants.setdefault(group, Tenant()).stored += 1

    def took(self, group: str) -> None:
        """Count a message into flight."""
        self.tenants[group].in_flight += 1

    def returned(self, group: str, now: int) -> None:
        """Count a message out of flight; it stays in the queue."""
        tenant = self.tenants[group]
        tenant.in_flight -= 1
        tenant.idle_since = now

    def left(self, message: Message, now: int) -> None:
        """Count a message out; a tenant whose backlog is consumed is forgotten, and so quiet again (FQ-7)."""
        tenant = self.tenants[message.group]
        tenant.stored -= 1
        if not message.visible and message.receipt:
            tenant.in_flight -= 1
            tenant.idle_since = now
        if not tenant.stored:
            del self.tenants[message.group]
            self.noisy.pop(message.group, None)

    def put_aside(self, message: Message, in_flight: int) -> bool:
        """Put the next message in line aside where its tenant is noisy; tell whether it was (FQ-5, FQ-6)."""
        tenant = self.tenants[message.group]
        if tenant.in_flight >= _NOISY_AMOUNT and tenant.in_flight * _NOISY_SHARE > in_flight:
            self.noisy[message.group] = tenant
        if message.group not in self.noisy:
            return False
        message.queued = True
        heappush(tenant.aside, (message.place, message))
        return True

    def calmed(self, now: int) -> list[Message]:
        """Return the messages aside of tenants that are quiet again (FQ-7)."""
        back: list[Message] = []
        for group, tenant in list(self.noisy.items()):
            if not tenant.in_flight and now - tenant.idle_since >= _CALM_DOWN:
                del self.noisy[group]
                back += [message for _, message in tenant.aside]
                tenant.aside.clear()
        return back

    def noisy_message(self) -> Message | None:
        """Return the next message of the noisy tenant with the fewest in flight, or None (FQ-6)."""
        for tenant in sorted(self.noisy.values(), key=lambda tenant: tenant.in_flight):
            while tenant.aside:
                message = heappop(tenant.aside)[1]
                message.queued = False
                if message.stored and message.visible:
                    return message
        return None
