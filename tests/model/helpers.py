"""Helpers of the model's tests: values with one field changed, and the reasons for which a design is refused."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidDesign, InvalidInput
from chaosqs.model.design import DEFAULT_ERA, Account, Design, Era, EventSourceMapping, Function, Queue

Value = TypeVar("Value", bound=attrs.AttrsInstance)

NOT_WHOLE: tuple[object, ...] = (1.5, "3", True, None)
"""What is no whole number, whatever the range."""


def changed(value: Value, **fields: object) -> Value:
    """Return a copy with some fields set to anything, also to what their types forbid."""
    other = copy(value)
    for name, new in fields.items():
        object.__setattr__(other, name, new)
    return other


def refusals(
    queues: Sequence[Queue] = (),
    functions: Sequence[Function] = (),
    mappings: Sequence[EventSourceMapping] = (),
    *,
    account: Account | None = None,
    era: Era = DEFAULT_ERA,
) -> list[tuple[str, str]]:
    """Return path and rule of each problem of a design; empty: it is accepted."""
    try:
        Design(queues, functions, mappings, account or Account(), era)
    except InvalidDesign as error:
        return pairs(error)
    return []


def pairs(error: InvalidInput) -> list[tuple[str, str]]:
    """Return path and rule of each problem."""
    return [(problem.path, problem.rule) for problem in error.problems]
