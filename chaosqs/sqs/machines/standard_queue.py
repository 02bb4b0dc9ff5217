"""A standard queue: order, receives, visibility and retention of its messages. Times are in milliseconds.

Order is best effort on AWS. Here it is by index: a message that comes back keeps its index and so is ahead of newer
ones (OR-2). Random deviations from this order are passed in with each receive (OR-1, RX-4).
"""

from collections import deque
from heapq import heappop, heappush

import attrs

from chaosqs.model.design import Queue
from chaosqs.model.time import MINUTE
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.queue_machine import CALM, IN_FLIGHT_QUOTA, MOST_PASSED_OVER, Chance, Outcome, beyond_cap
from chaosqs.sqs.machines.store import Store

# Fair queues: tenants of a standard queue, identified by message group id; some are noisy -----------------------------
#
# A queue is fair once a message carries a group id (FQ-1). A message without one is a tenant of its own, never noisy
# (FQ-4). Messages of a noisy tenant are put aside while those of quiet ones are visible (FQ-6). A message is put aside
# once each time that its tenant turns noisy, so the cost of a receive does not grow with the backlog. Not modelled: the
# second test of FQ-5, the recent share of processing time, for which no window is documented.

_NOISY_ONE_IN = 10  # a noisy tenant has more than one in 10 of the messages in flight (FQ-5)
_NOISY_IN_FLIGHT = 30  # and at least 30 of its own (FQ-5)
_CALM_DOWN = 5 * MINUTE
"""Milliseconds with nothing in flight after which a noisy tenant is quiet again (FQ-7)."""


@attrs.define(eq=False)
class Tenant:
    """One message group of a standard queue."""

    stored: int = 0
    in_flight: int = 0
    idle_since: int = 0
    aside: list[tuple[int, Message]] = attrs.field(factory=list[tuple[int, Message]])
    """Messages that wait until none of a quiet tenant is visible: a heap by index."""


@attrs.define(eq=False)
class Fairness:
    """The tenants of one queue."""

    tenants: dict[str, Tenant] = attrs.field(factory=dict[str, Tenant])
    noisy: dict[str, Tenant] = attrs.field(factory=dict[str, Tenant])
    """The noisy ones of `tenants`; few, even among many tenants."""

    def came(self, group: str) -> None:
        """Count a message that enters the queue."""
        self.tenants.setdefault(group, Tenant()).stored += 1

    def took(self, group: str) -> None:
        """Count a message that goes into flight."""
        self.tenants[group].in_flight += 1

    def returned(self, group: str, now: int) -> None:
        """Count a message that is no longer in flight and stays in the queue."""
        tenant = self.tenants[group]
        tenant.in_flight -= 1
        tenant.idle_since = now

    def left(self, message: Message, now: int) -> None:
        """Count a message that leaves the queue; a tenant without backlog is forgotten, and so quiet again (FQ-7)."""
        tenant = self.tenants[message.group]
        tenant.stored -= 1
        if not message.visible and message.receipt:
            tenant.in_flight -= 1
            tenant.idle_since = now
        if not tenant.stored:
            del self.tenants[message.group]
            self.noisy.pop(message.group, None)

    def put_aside(self, message: Message, in_flight: int) -> bool:
        """Put the next message aside and return True if its tenant is noisy (FQ-5, FQ-6)."""
        tenant = self.tenants[message.group]
        if tenant.in_flight >= _NOISY_IN_FLIGHT and tenant.in_flight * _NOISY_ONE_IN > in_flight:
            self.noisy[message.group] = tenant
        if message.group not in self.noisy:
            return False
        message.queued = True
        heappush(tenant.aside, (message.index, message))
        return True

    def calmed(self, now: int) -> list[Message]:
        """Mark tenants that have calmed down as quiet, and return their messages that were aside (FQ-7)."""
        back: list[Message] = []
        for group, tenant in list(self.noisy.items()):
            if not tenant.in_flight and now - tenant.idle_since >= _CALM_DOWN:
                del self.noisy[group]
                back += [message for _, message in tenant.aside]
                tenant.aside.clear()
        return back

    def noisy_message(self) -> Message | None:
        """Take the next message of the noisy tenant with the fewest in flight, or None (FQ-6)."""
        for tenant in sorted(self.noisy.values(), key=lambda tenant: tenant.in_flight):
            while tenant.aside:
                message = heappop(tenant.aside)[1]
                message.queued = False
                if message.stored and message.visible:
                    return message
        return None


# The queue ------------------------------------------------------------------------------------------------------------

_BACK_AFTER = 3  # receives (OR-3)
_DONE = Outcome.DONE  # looking a member up on its class takes longer than a whole delete (Python 3.11)


@attrs.define(eq=False)
class StandardQueue:
    """The messages of one standard queue."""

    queue: Queue
    in_flight_quota: int = IN_FLIGHT_QUOTA
    moves_to_back: bool = False
    """Assumed: True if a message received 3 times or more comes back behind all others (OR-3)."""
    old_receipts_delete: bool = False
    """Assumed: True if a receipt that is not the latest one deletes its message (RH-4)."""
    store: Store = attrs.field(init=False)
    fairness: Fairness | None = None
    """The tenants; None until a message has carried a group id (FQ-1)."""
    _arrived: deque[Message] = attrs.field(factory=deque[Message])
    """Messages in order of arrival, and so by index."""
    _returned: list[tuple[int, Message]] = attrs.field(factory=list[tuple[int, Message]])
    """Messages that came back: a heap by index."""
    _indexes: int = 0

    def __attrs_post_init__(self) -> None:
        """Start empty."""
        self.store = Store(self.queue.retention_period * 1000)

    @property
    def visible(self) -> int:
        """Number of messages that can be received now."""
        return self.store.visible

    @property
    def stored(self) -> int:
        """Number of messages in the queue, including hidden ones."""
        return self.store.stored

    @property
    def receivable(self) -> bool:
        """True if a receive would return messages: at the quota of messages in flight it does not (IF-3)."""
        store = self.store
        return store.visible > 0 and store.stored - store.visible - store.delayed < self.in_flight_quota

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Add a new or moved message; a delay in milliseconds hides it at first (DL-1, DL-2)."""
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
        `visibility_timeout`, in milliseconds, overrides the queue's for this receive (VT-2). Group ids block nothing
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

        With a receipt that is not the latest it succeeds and deletes nothing (RH-2, Assumed for RH-4). The latest one
        deletes, even if its visibility is over (RH-3). A second delete succeeds (RH-7).
        """
        message = receipt.message
        if not message.stored:
            return Outcome.GONE
        if message.receipt != receipt.number and not self.old_receipts_delete:
            return Outcome.STAYED
        self._forget(message, now)
        return _DONE

    def change_visibility(self, receipt: Receipt, timeout: int, *, now: int) -> Outcome:
        """Hide a message for `timeout` milliseconds from now; 0 shows it (VT-6, VT-10).

        Old receipts work (VT-14), and so do those whose visibility is over (VT-12). The change applies to this message
        only (VT-15), until it is visible again (VT-7).
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
        """Make due messages visible, and return them in the order of their due times (VT-4, DL-1)."""
        shown = self.store.settle(now)
        for message in shown:
            if message.receipt:
                self._came_back(message, now)
            else:
                self._join(message)
        return shown

    def expire(self, *, now: int) -> list[Message]:
        """Remove and return the messages past their retention, in flight or not (RT-1, RT-2)."""
        gone = self.store.expired(now)
        for message in gone:
            self._left(message, now)
        return gone

    def next_expiry(self) -> int | None:
        """Return when the next message's retention ends, or None."""
        return self.store.next_expiry()

    def reappear(self, message: Message, *, now: int) -> bool:
        """Show a message again, as a replica does that has missed a receive or a delete (OR-4, RH-10).

        Return False if the message is visible already, or past its retention.
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
        """Remove a message that moves to another queue."""
        self._forget(message, 0)

    def head(self) -> Message | None:
        """Return the first visible message, or None."""
        message = self._next()
        if message is not None:
            self._rejoin([message])
        return message

    def purge(self) -> list[Message]:
        """Remove and return all messages, in flight or delayed (PQ-1)."""
        self._arrived.clear()
        self._returned.clear()
        self.fairness = None
        return self.store.clear()

    def configure(self, queue: Queue, *, now: int) -> None:  # noqa: ARG002 - FIFO queues need it
        """Change the queue's attributes: delay applies to new messages only (DL-3), retention to all (RT-3)."""
        self.queue = queue
        if queue.retention_period * 1000 != self.store.retention:
            self.store.keep_for(queue.retention_period * 1000)

    # Order

    def _join(self, message: Message) -> None:
        self._indexes += 1
        message.index = self._indexes
        message.queued = True
        self._arrived.append(message)

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
        arrived, returned = self._arrived, self._returned
        while arrived or returned:
            if returned and (not arrived or returned[0][0] < arrived[0].index):
                message = heappop(returned)[1]
            else:
                message = arrived.popleft()
            message.queued = False
            if message.stored and message.visible:
                fairness = self.fairness
                if fairness is None or not message.group or not fairness.put_aside(message, self.store.in_flight):
                    return message
        return None if self.fairness is None else self.fairness.noisy_message()

    def _pass_over(self, chance: Chance) -> list[Message]:
        """Take the messages that this receive passes over (OR-1)."""
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
