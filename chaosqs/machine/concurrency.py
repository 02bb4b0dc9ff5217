"""Who may execute: reserved concurrency, the account's unreserved executions, warm environments."""

from __future__ import annotations

import attrs

from chaosqs.model.design import Design

RESERVED = "ReservedFunctionConcurrentInvocationLimitExceeded"
UNRESERVED = "ConcurrentInvocationLimitExceeded"
"""The reasons of a throttle, as Lambda names them (LC-12, LC-13)."""


@attrs.frozen
class Refused:
    """No execution is free (LC-11)."""

    reason: str
    running: int
    """Executions that are busy, of `limit`."""
    limit: int


@attrs.define
class Executions:
    """The executions of all functions of a design, and their environments."""

    design: Design
    running: dict[str, int] = attrs.field(factory=dict[str, int])
    _limits: dict[str, int] = attrs.field(factory=dict[str, int])
    _unreserved: tuple[str, ...] = ()
    _warm: dict[str, int] = attrs.field(factory=dict[str, int])

    def __attrs_post_init__(self) -> None:
        """Start with nothing running and no environment."""
        for function in self.design.functions:
            self.running[function.name] = self._warm[function.name] = 0
            self._limits[function.name] = self.design.concurrency_limit(function.name)
        self._unreserved = tuple(f.name for f in self.design.functions if f.reserved_concurrency is None)

    def refuse(self, function: str) -> Refused | None:
        """Return why a function cannot have one more execution, or None where it can (LC-3, LC-5)."""
        limit = self._limits[function]
        if function in self._unreserved:
            busy, reason = sum(self.running[name] for name in self._unreserved), UNRESERVED
        else:
            busy, reason = self.running[function], RESERVED
        return Refused(reason, busy, limit) if busy >= limit else None

    def start(self, function: str) -> bool:
        """Take one execution; tell whether its environment has to be initialised first (LX-13)."""
        self.running[function] += 1
        cold = self._warm[function] == 0
        if not cold:
            self._warm[function] -= 1
        return cold

    def end(self, function: str, *, reusable: bool) -> None:
        """Give an execution back; after a crash or a timeout its environment starts anew (LX-14)."""
        self.running[function] -= 1
        if reusable:
            self._warm[function] += 1

    def limit(self, function: str) -> int:
        """Return the executions that a function can have at the most."""
        return self._limits[function]
