"""A standard queue: who can be received, what a receive does to it, what is over. Time is an argument (milliseconds).

Order is best effort on AWS. Here it is by place: a message that comes back takes its place again, ahead of newer ones
(OR-2); what chance changes about that is handed in with each receive (OR-1, RX-4).
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import attrs

from chaosqs.model.design import Queue
from chaosqs.model.time import MINUTE
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.queue_machine import CALM, IN_FLIGHT_QUOTA, MOST_PASSED_OVER, Chance, Outcome, beyond_cap
from chaosqs.sqs.machines.store import Store

# Fair queues: tenants of a standard queue, told by their message group ids, and which of them are noisy. -------------
#
# It begins when a message carries a group id (FQ-1). A message without one is a tenant of its own: never noisy (FQ-4).
# Messages of a noisy tenant wait aside while quiet ones are visible (FQ-6). Each message goes aside once each time that
# its tenant turns noisy, so a receive costs the same whatever the backlog. Not modelled: the second test of FQ-5, the
# recent share of processing time, for which no window is documented.

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
        heappush(tenant.aside, (message.index, message))
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


# ---------------------------------------------------------------------------------------------------------------------


_BACK_AFTER = 3
_DONE = Outcome.DONE  # looking a member up on its class takes longer than a whole delete (Python 3.11)


@attrs.define(eq=False)
class StandardQueue:
    """The messages of one standard queue."""

    queue: Queue
    in_flight_quota: int = IN_FLIGHT_QUOTA
    moves_to_back: bool = False
    """Assumed: whether a message received 3 times or more comes back behind all others (OR-3)."""
    old_receipts_delete: bool = False
    """Assumed: whether a receipt that is not the latest one deletes its message (RH-4)."""
    store: Store = attrs.field(init=False)
    fairness: Fairness | None = None
    """The tenants, once a message has carried a group id (FQ-1)."""
    _line: deque[Message] = attrs.field(factory=deque[Message])
    """Messages as they came, by place."""
    _returned: list[tuple[int, Message]] = attrs.field(factory=list[tuple[int, Message]])
    """Messages that came back, by place."""
    _indexes: int = 0

    def __attrs_post_init__(self) -> None:
        """Start empty."""
        self.store = Store(self.queue.retention_period * 1000)

    @property
    def visible(self) -> int:
        """How many can be received now."""
        return self.store.visible

    @property
    def stored(self) -> int:
        """How many are in the queue, hidden ones included."""
        return self.store.stored

    @property
    def receivable(self) -> bool:
        """Whether a receive would find something: over the quota of messages in flight it does not (IF-3)."""
        store = self.store
        return store.visible > 0 and store.stored - store.visible - store.delayed < self.in_flight_quota

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Take a new or moved message in; a delay in milliseconds hides it at first (DL-1, DL-2)."""
        self.store.put(message, self.queue.delay * 1000 if delay is None else delay, now)
        if message.group:
            if self.fairness is None:
                self.fairness = Fairness()
            self.fairness.came(message.group)
        if message.visible:
            self._join(message)

    def receive(
        self, maximum: int, *, now: int, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those that were found to be over max_receive_count.

        The latter are not returned to the consumer, do not count as received, and leave this queue (DLQ-2 … DLQ-6).
        `visibility_timeout`, in milliseconds, overrides the queue's for this receive (VT-2). Group ids hold nothing up
        here (FQ-3).
        """
        received: list[Receipt] = []
        moved: list[Message] = []
        store, redrive = self.store, self.queue.redrive
        until = now + (self.queue.visibility_timeout * 1000 if visibility_timeout is None else visibility_timeout)
        passed = None if chance is CALM else self._pass_over(chance)
        if self.fairness is not None:
            self._rejoin(self.fairness.calmed(now))
        most = min(maximum, self.in_flight_quota + store.visible + store.delayed - store.stored)
        while len(received) < most:
            message = self._next() if passed is None else self._next_asked(chance, passed)
            if message is None:
                break
            if redrive is not None and message.deliveries >= redrive.max_receive_count:
                self._forget(message, now)
                moved.append(message)
                continue
            if message.group and self.fairness is not None:
                self.fairness.took(message.group)
            received.append(Receipt(message, store.receive(message, until, now)))
        if passed:
            self._rejoin(passed)
        return received, moved

    def delete(self, receipt: Receipt, *, now: int = 0) -> Outcome:
        """Delete by receipt.

        One that is not the latest deletes nothing, and succeeds (RH-2, Assumed for RH-4); one whose visibility is over,
        but which is the latest, deletes (RH-3); twice is as good as once (RH-7).
        """
        message = receipt.message
        if not message.stored:
            return Outcome.GONE
        if message.receipt != receipt.number and not self.old_receipts_delete:
            return Outcome.STAYED
        self._forget(message, now)
        return _DONE

    def change_visibility(self, receipt: Receipt, timeout: int, *, now: int) -> Outcome:
        """Hide a message for so many milliseconds from now on, 0: show it (VT-6, VT-10).

        Old receipts work (VT-14), and so does one whose visibility is over (VT-12). It is for this message (VT-15), and
        until it is visible again (VT-7).
        """
        message = receipt.message
        if not message.stored:
            return Outcome.GONE
        if beyond_cap(message, timeout, now):
            return Outcome.BEYOND
        if timeout:
            self._hide(message, now + timeout)
        elif not message.visible:
            self.store.show(message)
            self._came_back(message, now)
        return Outcome.DONE

    def settle(self, *, now: int) -> list[Message]:
        """Make visible what is due, and return it in the order of its moments (VT-4, DL-1)."""
        shown = self.store.settle(now)
        for message in shown:
            if message.receipt:
                self._came_back(message, now)
            else:
                self._join(message)
        return shown

    def expire(self, *, now: int) -> list[Message]:
        """Remove what is past its retention, in flight or not, and return it (RT-1, RT-2)."""
        gone = self.store.expired(now)
        for message in gone:
            self._left(message, now)
        return gone

    def next_expiry(self) -> int | None:
        """When the next message's retention ends, or None."""
        return self.store.next_expiry()

    def reappear(self, message: Message, *, now: int) -> bool:
        """A replica that did not hear of a receive or of a delete shows the message again (OR-4, RH-10).

        Return False where the message is visible anyhow, or past its retention.
        """
        if message.visible and message.stored:
            return False
        if not message.stored:
            if message.sent_at + self.store.retention <= now:
                return False
            message.stored, message.visible, message.queued = True, False, False
            self.accept(message, now=now, delay=0)
            return True
        self.store.show(message)
        self._came_back(message, now)
        return True

    def take_out(self, message: Message) -> None:
        """Let a message go that moves elsewhere."""
        self._forget(message, 0)

    def head(self) -> Message | None:
        """Return the first visible message, or None."""
        message = self._next()
        if message is not None:
            self._rejoin([message])
        return message

    def purge(self) -> list[Message]:
        """Let everything go, in flight or delayed, and return it (PQ-1)."""
        self._line.clear()
        self._returned.clear()
        self.fairness = None
        return self.store.clear()

    def configure(self, queue: Queue, *, now: int) -> None:  # noqa: ARG002 - FIFO queues need to know when
        """Change the queue's attributes: a delay for new messages only (DL-3), the retention for all (RT-3)."""
        self.queue = queue
        if queue.retention_period * 1000 != self.store.retention:
            self.store.keep_for(queue.retention_period * 1000)

    # The line

    def _join(self, message: Message) -> None:
        self._indexes += 1
        message.index = self._indexes
        message.queued = True
        self._line.append(message)

    def _came_back(self, message: Message, now: int) -> None:
        if message.group and self.fairness is not None:
            self.fairness.returned(message.group, now)
        if message.queued:
            return
        if self.moves_to_back and message.receive_count >= _BACK_AFTER:
            self._join(message)
        else:
            self._rejoin([message])

    def _rejoin(self, messages: list[Message]) -> None:
        for message in messages:
            message.queued = True
            heappush(self._returned, (message.index, message))

    def _next(self) -> Message | None:
        line, returned = self._line, self._returned
        while line or returned:
            if returned and (not line or returned[0][0] < line[0].index):
                message = heappop(returned)[1]
            else:
                message = line.popleft()
            message.queued = False
            if message.stored and message.visible:
                fairness = self.fairness
                if fairness is None or not message.group or not fairness.put_aside(message, self.store.in_flight):
                    return message
        return None if self.fairness is None else self.fairness.noisy_message()

    def _pass_over(self, chance: Chance) -> list[Message]:
        """Take the messages out of the line that this receive does not see (OR-1)."""
        passed: list[Message] = []
        while len(passed) < min(chance.skip, self.store.visible - 1, MOST_PASSED_OVER):
            message = self._next()
            if message is None:
                break
            passed.append(message)
        return passed

    def _next_asked(self, chance: Chance, passed: list[Message]) -> Message | None:
        while len(passed) < MOST_PASSED_OVER:
            message = self._next()
            if message is None or chance.asks(message.number):
                return message
            passed.append(message)
        return None

    def _hide(self, message: Message, until: int) -> None:
        if message.visible and message.group and self.fairness is not None:
            self.fairness.took(message.group)
        self.store.hide(message, until)

    def _forget(self, message: Message, now: int) -> None:
        self.store.forget(message)
        self._left(message, now)

    def _left(self, message: Message, now: int) -> None:
        if message.group and self.fairness is not None:
            self.fairness.left(message, now)
