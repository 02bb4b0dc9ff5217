"""One fault more in a plan: by which message and receive it strikes a call, and what a plan says there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

import attrs

from chaosqs.model.fault import OK, FaultPlan

Cell: TypeAlias = tuple[int, int]
"""A message by its number, and which of its receives, from 1; 0: its send."""

_Item = TypeVar("_Item")


@attrs.frozen
class Call:
    """One call of a run that a fault can strike."""

    kinds: tuple[str, ...]
    """The outcomes that can strike it: those of its boundary."""
    cells: tuple[Cell, ...]
    """With any of these for its key, an outcome strikes this very call, and does the same there."""
    since: int
    until: int
    """The plan is asked around the event at one of these places of the history, or at one between them."""

    def free(self, plan: FaultPlan) -> list[Cell]:
        """Return the cells by which one fault more can strike; none where one of these kinds is meant to already.

        Of two outcomes for one call the first message's decides, and the other does nothing.
        """
        taken = [outcome_at(plan, cell) for cell in self.cells]
        if any(outcome in self.kinds for outcome in taken):
            return []
        return [cell for cell, outcome in zip(self.cells, taken, strict=True) if outcome == OK]


def outcome_at(plan: FaultPlan, cell: Cell) -> str:
    """Return the outcome that a plan has for a cell, or `ok`."""
    message, receive = cell
    outcomes = _at(plan.messages, message, ()) if receive else plan.sends
    return _at(outcomes, receive - 1 if receive else message, OK)


def with_fault(plan: FaultPlan, cell: Cell, kind: str) -> FaultPlan:
    """Return a plan with one outcome more."""
    message, receive = cell
    if not receive:
        return attrs.evolve(plan, sends=_with(plan.sends, message, kind, OK))
    receives = _with(_at(plan.messages, message, ()), receive - 1, kind, OK)
    return attrs.evolve(plan, messages=_with(plan.messages, message, receives, ()))


def _at(items: Sequence[_Item], place: int, missing: _Item) -> _Item:
    return items[place] if place < len(items) else missing


def _with(items: Sequence[_Item], place: int, item: _Item, missing: _Item) -> tuple[_Item, ...]:
    longer = (*items, *[missing] * (place + 1 - len(items)))
    return (*longer[:place], item, *longer[place + 1 :])
