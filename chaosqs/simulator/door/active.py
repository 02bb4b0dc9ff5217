"""Which world a request belongs to: the innermost that its own context opened, else the one opened last.

Threads begin with an empty context, so those that a test starts find the test's world as the one opened last; tests
that run in threads of their own, each with its own world, do not mix.
"""

from __future__ import annotations

from contextvars import ContextVar

from chaosqs.simulator.door.door import Door

_open: list[Door] = []
_here: ContextVar[tuple[Door, ...]] = ContextVar("chaosqs_doors", default=())


def current() -> Door | None:
    """Return the door that answers here, or None: no world is open."""
    for door in reversed(_here.get()):
        if door.is_open:
            return door
    return next(reversed(_open), None)


def enter(door: Door) -> bool:
    """Make a door the current one; tell whether it is the first."""
    _open.append(door)
    _here.set((*_here.get(), door))
    return len(_open) == 1


def leave(door: Door) -> bool:
    """Close a door, whether or not it is the current one; tell whether it was the last."""
    door.is_open = False
    _open.remove(door)
    _here.set(tuple(other for other in _here.get() if other.is_open))
    return not _open
