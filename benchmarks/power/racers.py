"""More handlers with schedule bugs: correct in first-in first-out order, wrong if one invocation has to wait."""

from __future__ import annotations

import time

from tests.quality.racers import LostUpdate, Overtaken, shared


def ring_of_eight(_event: object, _context: object) -> None:
    """Write to a ring of eight slots, work for 15 ms, and expect the slot unchanged: only eight others change it."""
    table = shared()
    table.orders = mine = table.orders + 1
    table.slots[mine % 8] = mine
    for _ in range(3):
        time.sleep(0.005)
    if table.slots[mine % 8] != mine:
        raise Overtaken


def stale_write(_event: object, _context: object) -> None:
    """Take a number, work, and write it: wrong if a later number has been written meanwhile."""
    table = shared()
    table.orders = mine = table.orders + 1
    time.sleep(0.02)
    if table.version > mine:
        raise LostUpdate
    table.version = mine


def repeatable_read(_event: object, _context: object) -> None:
    """Increment a count, then expect it unchanged after 10 ms."""
    table = shared()
    table.orders += 1
    seen = table.orders
    time.sleep(0.01)
    if table.orders != seen:
        raise Overtaken
    time.sleep(0.01)


def retries_once(_event: object, _context: object) -> None:
    """Read, work, write; retry after one conflict, and raise at the second: two others must go first."""
    table = shared()
    for _ in range(2):
        seen = table.version
        time.sleep(0.05)
        if table.version == seen:
            table.version = seen + 1
            return
    raise LostUpdate
