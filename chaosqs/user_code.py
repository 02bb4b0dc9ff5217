"""What a handler may call for the sake of its simulations: fault points, marks, and a record of its effects.

Production code imports this module, so it imports next to nothing, and outside of a simulation its functions do nothing
at all: they do not even look at what they are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool | None
"""What an effect may be made of."""

_POINT_NAME = re.compile(r"[\w.-]{1,80}")


class Simulation(Protocol):
    """A simulation, as the code of one of its invocations sees it. A message is named by its id, or None: the batch."""

    def fails_at(self, name: str, message_id: str | None) -> bool:
        """Tell whether a fault strikes at a site."""
        ...

    def reached(self, mark: str) -> None:
        """Take note of a mark."""
        ...

    def had_effect(self, name: str, values: tuple[tuple[str, Value], ...], message_id: str | None) -> None:
        """Take note of an effect."""
        ...


_simulation: ContextVar[Simulation | None] = ContextVar("chaosqs_simulation", default=None)


def enter(simulation: Simulation) -> None:
    """Take what runs in this context for the code of an invocation in a simulation."""
    _simulation.set(simulation)


def fault_point(name: str, record: Mapping[str, object] | None = None) -> bool:
    """Tell whether a fault strikes here; what goes wrong then is up to the code that asks.

        if chaosqs.fault_point("charge-card"):
            raise TimeoutError

    The fault plan's `fault_point:charge-card` strikes it: for a message of the batch, or for a time. With `record`, one
    of the event's `Records`, only what the plan has for that message counts. Outside of a simulation: False. In one,
    ValueError where the name is anything but 1 to 80 letters, digits, `_`, `-` or `.`, or the record is of no message
    of the batch.
    """
    simulation = _simulation.get()
    if simulation is None:
        return False
    if not _POINT_NAME.fullmatch(name):
        raise ValueError(f"fault_point({name!r}): a name must be 1 to 80 letters, digits, '_', '-' or '.'")
    return simulation.fails_at(name, _message_id(record))


def sometimes(mark: str) -> None:
    """Note that the code comes by here: histories have it once an invocation. Outside of a simulation: nothing."""
    simulation = _simulation.get()
    if simulation is not None:
        simulation.reached(mark)


def record(name: str, record: Mapping[str, object] | None = None, /, **values: Value) -> None:
    """Note an effect of the code on the world: `chaosqs.record("charged", order=7, cents=1250)`.

    With one of the event's `Records` the effect is that of its message. `History.effects` has all effects, in order.
    Outside of a simulation: nothing. In one, TypeError for a value that is no str, int, float, bool or None, and
    ValueError where the record is of no message of the batch.
    """
    simulation = _simulation.get()
    if simulation is None:
        return
    for key, value in values.items():
        _check(name, key, value)
    simulation.had_effect(name, tuple(sorted(values.items())), _message_id(record))


def _check(name: str, key: str, value: object) -> None:
    if not isinstance(value, str | int | float | None):
        given = type(value).__name__
        raise TypeError(f"record({name!r}): {key} must be str, int, float, bool or None, not {given}")


def _message_id(record: Mapping[str, object] | None) -> str | None:
    if record is None:
        return None
    found = record.get("messageId")
    if isinstance(found, str):
        return found
    raise ValueError("a record must be one of the event's Records, with the messageId that it has there")
