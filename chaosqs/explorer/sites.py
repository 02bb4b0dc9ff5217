"""The sites that real handlers name in their source: where a fault may strike, and what should happen sometimes.

They are read, not run, so the list is complete before the first case, and what is never reached is known by its name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import attrs

from chaosqs.model.behaviour import Behaviour


@attrs.frozen
class Sites:
    """What the handlers of a design name, in the order of their source."""

    points: tuple[str, ...] = ()
    """Names given to `chaosqs.fault_point`."""
    marks: tuple[str, ...] = ()
    """Names given to `chaosqs.sometimes`."""


def sites(behaviours: Mapping[str, Behaviour]) -> Sites:
    """Return the sites in the modules of all handlers that are real code."""
    names = [behaviour.handler.partition(":")[0] for behaviour in behaviours.values() if behaviour.handler is not None]
    calls = [call for name in dict.fromkeys(names) for call in _calls(name)]
    return Sites(_named("fault_point", calls), _named("sometimes", calls))


def _named(function: str, calls: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(site for called, site in calls if called == function))


@lru_cache(maxsize=64)
def _calls(module: str) -> tuple[tuple[str, str], ...]:
    """Return (function, first argument) of each call in a module's source whose first argument is a plain string."""
    try:
        spec = find_spec(module)
        source = "" if spec is None or spec.origin is None else Path(spec.origin).read_text(encoding="utf-8")
        tree = ast.parse(source)
    except (ImportError, ValueError, OSError, SyntaxError):
        return ()  # whoever runs the handler says what is wrong with it
    return tuple(_found(tree))


def _found(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(site)), *_]):
                yield name, site
            case _:
                pass
