"""More handlers with schedule bugs: right first-in first-out, wrong where one invocation has to wait."""

from __future__ import annotations

import time

from tests.quality.racers import LostUpdate, Overtaken, shared


def ring_of_eight(_event: object, _context: object) -> None:
    """Write to a ring of eight slots, work for 15 ms, and expect what was written: seven others may go first."""
    table = shared()
    table.orders = mine = table.orders + 1
    table.slots[mine % 8] = mine
    for _ in range(3):
        time.sleep(0.005)
    if table.slots[mine % 8] != mine:
        raise Overtaken


def stale_write(_event: object, _context: object) -> None:
    """Take a number, work, and write it: wrong where a later number has been written meanwhile."""
    table = shared()
    table.orders = mine = table.orders + 1
    time.sleep(0.02)
    if table.version > mine:
        raise LostUpdate
    table.version = mine


def repeatable_read(_event: object, _context: object) -> None:
    """Count up, and read what was counted twice, 10 ms apart: both must say the same."""
    table = shared()
    table.orders += 1
    seen = table.orders
    time.sleep(0.01)
    if table.orders != seen:
        raise Overtaken
    time.sleep(0.01)


def retries_once(_event: object, _context: object) -> None:
    """Read, work, write; start anew after one conflict, and give up at the second: it takes two that go first."""
    table = shared()
    for _ in range(2):
        seen = table.version
        time.sleep(0.05)
        if table.version == seen:
            table.version = seen + 1
            return
    raise LostUpdate
