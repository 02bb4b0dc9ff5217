"""Real handlers that are right first-in first-out, and wrong where one invocation waits while others go first.

What they share stands for a database: all environments have it, and it starts afresh with each simulation.
"""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

import attrs
import trio

from tests.process_wide import process_wide


class LostUpdate(Exception):
    """Somebody else has written between my read and my write."""


class Overtaken(Exception):
    """My slot was given to somebody else before I was done with it."""


class NotConfigured(Exception):
    """Somebody else was to write the configuration before I read it."""


@attrs.define
class Shared:
    """State that the invocations of one run share."""

    version: int = 0
    orders: int = 0
    slots: dict[int, int] = attrs.field(factory=dict[int, int])
    begun: int = 0
    configured: bool = False


_RUNS = process_wide("runs of racers", WeakKeyDictionary[trio.lowlevel.Task, "Shared"])


def shared() -> Shared:
    run = trio.lowlevel.current_root_task()
    assert run is not None
    return _RUNS.setdefault(run, Shared())


def check_then_act(_event: object, _context: object) -> None:
    """Read, work for 50 ms, write: right as long as nobody else does so meanwhile."""
    table = shared()
    seen = table.version
    time.sleep(0.05)
    if table.version != seen:
        raise LostUpdate
    table.version = seen + 1


def _takes_a_slot(slots: int) -> None:
    """Write to a ring of slots, work for 15 ms in three parts, and expect what was written to be there still."""
    table = shared()
    table.orders = mine = table.orders + 1
    table.slots[mine % slots] = mine
    for _ in range(3):
        time.sleep(0.005)
    if table.slots[mine % slots] != mine:
        raise Overtaken


def ring_of_two(_event: object, _context: object) -> None:
    _takes_a_slot(2)


def ring_of_four(_event: object, _context: object) -> None:
    _takes_a_slot(4)


def first_configures(_event: object, _context: object) -> None:
    """The first to begin writes the configuration when its first wait is over; the others rely on it then."""
    table = shared()
    table.begun += 1
    first = table.begun == 1
    time.sleep(0.01)
    if first:
        table.configured = True
    elif not table.configured:
        raise NotConfigured
