"""What a handler's module keeps in its globals, put back: one run of a search must not know of the one before it.

That is what Lambda's environments begin with: a module that has just been imported. Put back are the built-in
containers of the handler's own module, the objects of classes that it defines, and plain values that were bound anew;
whatever cannot be copied stays as it is, and `simulate(verify=True)` tells where that matters.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from copy import deepcopy
from types import ModuleType

from chaosqs.model.scenario import Scenario
from chaosqs.simulator.handler import load

_PLAIN = (int, float, complex, str, bytes, bool, tuple, frozenset, type(None))


@contextmanager
def unchanged(scenario: Scenario) -> Generator[None]:
    """Put the modules of a scenario's handlers back to what they are now, when the block is over.

    Raises `InvalidScenario` for a handler that cannot be imported.
    """
    real = {name: behaviour.handler for name, behaviour in scenario.behaviours.items() if behaviour.handler}
    modules = dict.fromkeys(load(function, handler).module for function, handler in real.items())
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
    if not own and not isinstance(value, dict | list | set | deque | bytearray):
        return None
    held: object = vars(value) if own else value
    try:
        before: object = deepcopy(held)
    except Exception:  # noqa: BLE001 - what user code keeps may refuse to be copied in any way
        return None
    return lambda: _refill(module, name, value, held, before)


def _refill(module: ModuleType, name: str, value: object, held: object, before: object) -> None:
    """Bind the same object again, and give it the contents that it had."""
    setattr(module, name, value)
    match held, before:
        case dict(), dict():
            held.clear()
            held.update(before)
        case set(), set():
            held.clear()
            held.update(before)
        case list() | deque(), list() | deque():
            held.clear()
            held.extend(before)
        case bytearray(), bytearray():
            held[:] = before
        case _:
            pass
