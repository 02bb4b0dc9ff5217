"""What a queue answers to a change of a message's visibility or to its deletion."""

from __future__ import annotations

from enum import Enum, auto


class Outcome(Enum):
    """What became of it."""

    DONE = auto()
    STAYED = auto()
    """The receipt is not the latest one of the message: the answer is a success, and nothing changed (RH-4)."""
    GONE = auto()
    """The message is not in the queue any more (RH-7, VT-13)."""
    EXPIRED = auto()
    """FIFO: the receipt's visibility is over (RH-5)."""
    BEYOND = auto()
    """More than twelve hours since the receive (VT-9)."""
