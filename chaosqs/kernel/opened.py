"""Values that `with` blocks open, each for the code of its own context."""

from contextvars import ContextVar
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Opened(Generic[Value]):
    """The open values of one kind. Those of tests that run in threads of their own do not mix."""

    def __init__(self, name: str) -> None:
        """Begin with none; `name`: that of the context variable."""
        self._open: list[Value] = []
        self._entered: ContextVar[tuple[Value, ...]] = ContextVar(name, default=())

    def current(self) -> Value | None:
        """Return the innermost value that the caller's context opened, else the one opened last, or None.

        Threads begin with an empty context, so those that a test starts get the value opened last.
        """
        for value in reversed(self._entered.get()):
            if value in self._open:
                return value
        return next(reversed(self._open), None)

    def enter(self, value: Value) -> bool:
        """Make a value the current one; return True if it is the only open one."""
        self._open.append(value)
        self._entered.set((*self._entered.get(), value))
        return len(self._open) == 1

    def leave(self, value: Value) -> bool:
        """Close a value, current or not; return True if no other one is open."""
        self._open.remove(value)
        self._entered.set(tuple(other for other in self._entered.get() if other in self._open))
        return not self._open
