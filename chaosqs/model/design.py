"""The design under test: it checks itself and all its parts when it is made, as AWS would when it is deployed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

import attrs

from chaosqs.model.design_rules import Parts, refuse_invalid
from chaosqs.model.resources import (
    DEFAULT_ERA,
    ERAS,
    PAYLOAD_LIMIT,
    Account,
    Era,
    EventSourceMapping,
    Function,
    Queue,
    Redrive,
    RedriveAllow,
)
from chaosqs.model.values import concise_repr

__all__ = [
    "DEFAULT_ERA",
    "ERAS",
    "PAYLOAD_LIMIT",
    "Account",
    "Design",
    "Era",
    "EventSourceMapping",
    "Function",
    "Queue",
    "Redrive",
    "RedriveAllow",
]


def _queues(items: Iterable[Queue]) -> tuple[Queue, ...]:
    return tuple(items)


def _functions(items: Iterable[Function]) -> tuple[Function, ...]:
    return tuple(items)


def _mappings(items: Iterable[EventSourceMapping]) -> tuple[EventSourceMapping, ...]:
    return tuple(items)


@attrs.frozen(repr=False)
class Design:
    """Queues, functions and mappings as one deployment. Raises `InvalidDesign` with all that AWS would refuse."""

    queues: tuple[Queue, ...] = attrs.field(converter=_queues)
    functions: tuple[Function, ...] = attrs.field(default=(), converter=_functions)
    mappings: tuple[EventSourceMapping, ...] = attrs.field(default=(), converter=_mappings)
    account: Account = Account()
    era: Era = DEFAULT_ERA
    """Which law the pollers follow: `2018-06`, `2023-11` or `2025-11` (ES-1 … ES-3, PM-*)."""

    __repr__ = concise_repr

    def __attrs_post_init__(self) -> None:
        """Refuse what AWS would refuse."""
        refuse_invalid(Parts(self.queues, self.functions, self.mappings, self.account, self.era))

    def queue(self, name: str) -> Queue:
        """Return the queue of that name; KeyError where there is none."""
        return _by_name(self.queues)[name]

    def function(self, name: str) -> Function:
        """Return the function of that name; KeyError where there is none."""
        return _by_name(self.functions)[name]

    def mappings_of(self, function: str) -> tuple[EventSourceMapping, ...]:
        """Return the mappings that invoke a function, in the design's order."""
        return tuple(mapping for mapping in self.mappings if mapping.function == function)

    def unreserved_concurrency(self) -> int:
        """Executions that functions without a reservation share with the account's other traffic (LC-3).

        What is provisioned for them is part of it, and other traffic cannot have that (LC-9).
        """
        reserved = sum(function.reserved_concurrency or 0 for function in self.functions)
        unreserved = [function for function in self.functions if function.reserved_concurrency is None]
        provisioned = sum(function.provisioned_concurrency for function in unreserved)
        return max(provisioned, self.account.concurrency - reserved - self.account.other_traffic)

    def concurrency_limit(self, function: str) -> int:
        """Executions that a function can have at the most: its reservation, or what is unreserved (LC-2, LC-3)."""
        reserved = self.function(function).reserved_concurrency
        return self.unreserved_concurrency() if reserved is None else reserved

    def maximum_concurrency_fits(self, function: str) -> bool:
        """Tell whether each mapping of a function has a maximum concurrency and all of them find room at once (MC-3).

        A function without a reservation shares its room with all others that have none, so theirs count too, and what
        is provisioned for one of them is none of the others' (LC-9). Then throttling dead-letters nothing (MC-4).
        """
        sharing = [self.function(function)]
        if sharing[0].reserved_concurrency is None:
            sharing = [other for other in self.functions if other.reserved_concurrency is None]
        needed = 0
        for other in sharing:
            limits = [mapping.maximum_concurrency for mapping in self.mappings_of(other.name) if mapping.enabled]
            if None in limits:
                return False
            needed += max(other.provisioned_concurrency, sum(limit or 0 for limit in limits))
        return needed <= self.concurrency_limit(function)


_Part = TypeVar("_Part", Queue, Function)


def _by_name(parts: tuple[_Part, ...]) -> Mapping[str, _Part]:
    return {part.name: part for part in parts}
