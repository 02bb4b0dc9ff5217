"""What chance may decide about one receive: it is drawn outside and handed in."""

from __future__ import annotations

import attrs


@attrs.frozen
class Chance:
    """The chance of one receive; as made without arguments it is calm: all servers, in order."""

    servers: tuple[bool, ...] = ()
    """Short polling asks a sample of the servers: True for each that is asked; empty: all are (RX-4).

    Assumed: message n lives on server n modulo their number."""
    skip: int = 0
    """How many messages at the head of the line the receive passes over: order is best effort (OR-1)."""

    def asks(self, number: int) -> bool:
        """Tell whether the server of a message is asked."""
        return not self.servers or self.servers[number % len(self.servers)]


CALM = Chance()
MOST_PASSED_OVER = 1000
"""Assumed: messages at the head of the line that a receive looks at, at the most, for one that it may take."""
