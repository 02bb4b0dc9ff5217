"""Restoring the globals of handlers' modules, so that no run of a search depends on the one before.

Each run begins like an environment of Lambda's: with a module that has just been imported. Restored are the built-in
containers of the handler's own module, the attributes of objects whose classes it defines, and rebound plain values.
Other objects inside of containers are shared between runs; `simulate(verify=True)` finds the cases where that matters.
"""

import sys
from collections import deque
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from copy import copy, deepcopy
from types import ModuleType
from typing import TypeGuard

from chaosqs.model.scenario import Scenario

_CONTAINERS = (dict, list, set, deque, bytearray)
_PLAIN = (int, float, complex, str, bytes, bool, tuple, frozenset, type(None))


@contextmanager
def unchanged(scenario: Scenario) -> Generator[None]:
    """Restore the present globals of a scenario's handler modules when the block is over.

    Raises `InvalidScenario` for a handler that cannot be imported.
    """
    real = {name: behaviour.handler for name, behaviour in scenario.behaviours.items() if behaviour.handler}
    from chaosqs.lambda_.handler_loading import load  # noqa: PLC0415 - SQS's operations are imported only where needed

    functions = {function.name: function for function in scenario.design.functions}
    modules = dict.fromkeys(load(functions[name], handler)[0] for name, handler in real.items())
    steps = [step for module in modules for step in _restorers(sys.modules[module])]
    try:
        yield
    finally:
        for step in steps:
            step()


def _restorers(module: ModuleType) -> list[Callable[[], None]]:
    return [step for name, value in list(vars(module).items()) if (step := _restorer(module, name, value)) is not None]


def _restorer(module: ModuleType, name: str, value: object) -> Callable[[], None] | None:
    """Return a function that restores the present value of a global; None for a global that is not restored."""
    if name.startswith("__"):
        return None
    if isinstance(value, _PLAIN):
        return lambda: setattr(module, name, value)
    own = type(value).__module__ == module.__name__ and hasattr(value, "__dict__")
    if not own and type(value) not in _CONTAINERS:
        return None
    held: object = vars(value) if own else value
    before = deepcopy(held) if _is_plain(held) else copy(held)
    return lambda: _refill(module, name, value, held, before)


def _is_plain(value: object) -> bool:
    """Return whether a value consists of built-in types only, so that copying it runs no user code."""
    if _is_dict(value):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if _is_collection(value):
        return all(map(_is_plain, value))
    return isinstance(value, (bytearray, *_PLAIN))


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return isinstance(value, dict)


def _is_set(value: object) -> TypeGuard[set[object]]:
    return isinstance(value, set)


def _is_row(value: object) -> TypeGuard[list[object]]:
    """Return whether a value is a list or a deque, which has the list methods used here."""
    return isinstance(value, list | deque)


def _is_collection(value: object) -> TypeGuard[Collection[object]]:
    return isinstance(value, list | tuple | set | frozenset | deque)


def _refill(module: ModuleType, name: str, value: object, held: object, before: object) -> None:
    """Bind a global to its former object again, and restore the object's contents."""
    setattr(module, name, value)
    if _is_dict(held) and _is_dict(before):  # noqa: SIM114 - two kinds of `update`
        held.clear()
        held.update(before)
    elif _is_set(held) and _is_set(before):
        held.clear()
        held.update(before)
    elif _is_row(held) and _is_row(before):
        held.clear()
        held.extend(before)
    elif isinstance(held, bytearray) and isinstance(before, bytearray):
        held[:] = before
