"""What is still in a queue when a run has ended, and what every receive found there."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.event import DeadLettered, Deleted, Event, Expired, FilteredOut, Received, Returned, Sent


@attrs.define
class Stay:
    """One message in a queue."""

    message: int
    queue: str
    group: str
    came: int
    """Place of the event by which it came."""


@attrs.define
class Remaining:
    """The messages in all queues, event by event."""

    stays: dict[int, Stay] = attrs.field(factory=dict[int, Stay])
    """By number, in the order in which they came."""
    gone: dict[int, Stay] = attrs.field(factory=dict[int, Stay])
    """Those that were deleted: a replica may bring one back (RH-10)."""
    found: dict[int, int] = attrs.field(factory=dict[int, int])
    """For the place of each receive, how many messages there were in all queues."""
    sent: int = 0
    last_sent: int = 0
    """When the last message came from a producer, in milliseconds."""

    @classmethod
    def of(cls, events: Iterable[Event]) -> Remaining:
        """Follow all events of a run."""
        remaining = cls()
        for place, event in enumerate(events):
            remaining._follow(place, event)
        return remaining

    def _follow(self, place: int, event: Event) -> None:
        match event:
            case Sent():
                self.stays[event.message] = Stay(event.message, event.queue, event.group, place)
                self.sent, self.last_sent = self.sent + 1, event.at
            case Received():
                self.found[place] = len(self.stays)
            case Deleted():
                self._leave(event.queue, (message for message in event.messages if message not in event.stayed))
            case FilteredOut():
                self._leave(event.queue, event.messages)
            case Expired():
                self._leave(event.queue, (event.message,))
            case DeadLettered():
                self._move(place, event)
            case Returned() if event.message in self.gone:
                self.stays[event.message] = self.gone.pop(event.message)
            case _:
                pass

    def _leave(self, queue: str, messages: Iterable[int]) -> None:
        for message in messages:
            if message in self.stays and self.stays[message].queue == queue:
                self.gone[message] = self.stays.pop(message)

    def _move(self, place: int, event: DeadLettered) -> None:
        before = self.stays.pop(event.message, None)
        group = "" if before is None else before.group
        self.stays[event.message] = Stay(event.message, event.target, group, place)
