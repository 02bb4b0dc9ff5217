"""The message groups of a FIFO queue: which can be served, in which order.

A group yields messages from its first remaining one up to the first that is hidden (FF-13 … FF-18; a delayed one
hides what follows: Assumed, FF-24). Groups that can be served wait by the place of their first remaining message; one
whose message came back by visibility waits behind all that were sent before (FF-25). Only groups whose first
message is among the first 120,000 of the queue are looked at (IF-5).

So no group is in two batches (EQ-1), one batch may have several (EQ-2), and all of a failed one wait (EQ-3).
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import attrs

from chaosqs.machine.message import Message

WINDOW = 120_000
"""Messages from the head of the queue among which a receive looks for groups (IF-5)."""


@attrs.define(eq=False)
class Group:
    """One message group with messages in the queue."""

    name: str
    messages: deque[Message] = attrs.field(factory=deque[Message])
    """In order of sending; those that are gone are dropped when they reach the head."""
    returned_at: int = 0
    """The place behind which it waits since a message of it came back; 0: none did (FF-25)."""
    waits_at: int | None = None
    """Its place among the groups that can be served, or None: it cannot."""
    in_flight: int = 0

    def first(self) -> Message | None:
        """Return its first remaining message, or None."""
        messages = self.messages
        while messages and not messages[0].stored:
            messages.popleft()
        return messages[0] if messages else None


@attrs.define(eq=False)
class Groups:
    """All groups with messages in the queue."""

    window: int = WINDOW
    groups: dict[str, Group] = attrs.field(factory=dict[str, Group])
    ready: int = 0
    """How many can be served."""
    _waiting: list[tuple[int, Group]] = attrs.field(factory=list[tuple[int, Group]])
    _places: int = 0
    _seen_up_to: int = 0
    """Place of the last message within the window."""
    _seen: int = 0
    """How many messages are within the window."""
    _beyond: deque[Message] = attrs.field(factory=deque[Message])

    def add(self, message: Message) -> None:
        """Put a message at the end of its group; call `refresh` when it is known whether it is visible."""
        self._places += 1
        message.place = self._places
        self.groups.setdefault(message.group, Group(message.group)).messages.append(message)
        if self._seen < self.window and not self._beyond:
            self._seen += 1
            self._seen_up_to = message.place
        else:
            self._beyond.append(message)

    def left(self, message: Message) -> None:
        """Take note that a message is not in the queue any more."""
        if message.place <= self._seen_up_to:
            self._seen -= 1
            self._look_further()
        group = self.groups.get(message.group)
        if group is None:
            return  # its last messages left together, and one before it has closed the group
        if not message.visible and message.receipt:
            group.in_flight -= 1
        if group.first() is None:
            self._set_waiting(group, None)
            del self.groups[group.name]
        else:
            self.refresh(group)

    def came_back(self, message: Message) -> None:
        """Take note that a message became visible again: its group goes behind those that wait now (FF-23, FF-25)."""
        group = self.groups[message.group]
        group.in_flight -= 1
        self._places += 1
        group.returned_at = self._places
        self.refresh(group)

    def refresh(self, group: Group) -> None:
        """Find out whether a group can be served, and where it waits."""
        first = group.first()
        if first is None or not first.visible or first.place > self._seen_up_to:
            self._set_waiting(group, None)
        else:
            self._set_waiting(group, max(first.place, group.returned_at))

    def next(self) -> Group | None:
        """Take the first group that can be served; call `refresh` when it has been."""
        while self._waiting:
            place, group = heappop(self._waiting)
            if group.waits_at == place:
                group.waits_at = None
                self.ready -= 1
                return group
        return None

    def takeable(self, group: Group, maximum: int) -> list[Message]:
        """Return the messages that a group yields now, in order, at most `maximum` (FF-13)."""
        found: list[Message] = []
        for message in group.messages:
            if not message.stored:
                continue
            if not message.visible or len(found) == maximum or message.place > self._seen_up_to:
                break
            found.append(message)
        return found

    def _look_further(self) -> None:
        while self._beyond and self._seen < self.window:
            message = self._beyond.popleft()
            if message.stored:
                self._seen += 1
                self._seen_up_to = message.place
                self.refresh(self.groups[message.group])

    def _set_waiting(self, group: Group, place: int | None) -> None:
        if group.waits_at == place:
            return
        self.ready += (place is not None) - (group.waits_at is not None)
        group.waits_at = place
        if place is not None:
            heappush(self._waiting, (place, group))
