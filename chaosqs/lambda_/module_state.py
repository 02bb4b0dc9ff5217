"""What a handler's module keeps in its globals, put back: one run of a search must not know of the one before it.

That is what Lambda's environments begin with: a module that has just been imported. Put back are the built-in
containers of the handler's own module, the attributes of objects whose classes it defines, and plain values that were
bound anew. What containers hold besides plain values is shared; `simulate(verify=True)` tells where that matters.
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
    """Put the modules of a scenario's handlers back to what they are now, when the block is over.

    Raises `InvalidScenario` for a handler that cannot be imported.
    """
    real = {name: behaviour.handler for name, behaviour in scenario.behaviours.items() if behaviour.handler}
    from chaosqs.lambda_.handler_loading import load  # noqa: PLC0415 - SQS's operations wait until they are wanted

    functions = {function.name: function for function in scenario.design.functions}
    modules = dict.fromkeys(load(functions[name], handler)[0] for name, handler in real.items())
    steps = [step for module in modules for step in _ways_back(sys.modules[module])]
    try:
        yield
    finally:
        for step in steps:
            step()


def _ways_back(module: ModuleType) -> list[Callable[[], None]]:
    return [way for name, value in list(vars(module).items()) if (way := _way_back(module, name, value)) is not None]


def _way_back(module: ModuleType, name: str, value: object) -> Callable[[], None] | None:
    """Return what gives a global its present value again; None where that is not known, or there is nothing to do."""
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
    """Tell whether a value is made of built-in things only, so that no code of the user's runs when it is copied."""
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
    """Tell whether a value is a list, or a deque, which has what is needed of a list."""
    return isinstance(value, list | deque)


def _is_collection(value: object) -> TypeGuard[Collection[object]]:
    return isinstance(value, list | tuple | set | frozenset | deque)


def _refill(module: ModuleType, name: str, value: object, held: object, before: object) -> None:
    """Bind the same object again, and give it the contents that it had."""
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
