"""Functions that handlers may call for their simulations: fault points, marks, and a record of effects.

Production code imports this module, so it imports next to nothing. Outside a simulation its functions do nothing: they
do not even look at their arguments.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol, TypeAlias

Value: TypeAlias = str | int | float | bool | None
"""The values that an effect may have."""

_POINT_NAME = re.compile(r"[\w.-]{1,80}")


class Simulation(Protocol):
    """A simulation, as the code of one of its invocations sees it. A `message_id` of None means the batch."""

    def fails_at(self, name: str, message_id: str | None) -> bool:
        """Return True if a fault is injected at a fault point."""
        ...

    def reached(self, name: str) -> None:
        """Record that the code has reached a mark."""
        ...

    def had_effect(self, name: str, values: tuple[tuple[str, Value], ...], message_id: str | None) -> None:
        """Record an effect."""
        ...


_simulation: ContextVar[Simulation | None] = ContextVar("chaosqs_simulation", default=None)


def enter(simulation: Simulation) -> None:
    """Treat the code that runs in this context as that of an invocation in a simulation."""
    _simulation.set(simulation)


def fault_point(name: str, record: Mapping[str, object] | None = None) -> bool:
    """Return True if a fault is injected here; the calling code decides what then goes wrong.

        if chaosqs.fault_point("charge-card"):
            raise TimeoutError

    The fault plan injects `fault_point:charge-card`, for a message of the batch or for a window of time. With `record`,
    one of the event's `Records`, faults of the batch's other messages do not count. Outside a simulation: False. In a
    simulation, raise ValueError if the name is anything but 1 to 80 letters, digits, `_`, `-` or `.`, or if the record
    is of no message of the batch.
    """
    simulation = _simulation.get()
    if simulation is None:
        return False
    if not _POINT_NAME.fullmatch(name):
        raise ValueError(f"fault_point({name!r}): a name must be 1 to 80 letters, digits, '_', '-' or '.'")
    return simulation.fails_at(name, _message_id(record))


def sometimes(mark: str) -> None:
    """Record that the code reaches this mark, once an invocation. Outside a simulation, do nothing."""
    simulation = _simulation.get()
    if simulation is not None:
        simulation.reached(mark)


def record(name: str, record: Mapping[str, object] | None = None, /, **values: Value) -> None:
    """Record an effect of the code on the outside world: `chaosqs.record("charged", order=7, cents=1250)`.

    With one of the event's `Records` the effect belongs to its message. `History.effects` has all effects, in order.
    Outside a simulation, do nothing. In a simulation, raise TypeError for a value that is not str, int, float, bool or
    None, and ValueError if the record is of no message of the batch.
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
