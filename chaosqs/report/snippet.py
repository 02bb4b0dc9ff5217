"""A scenario as a test that pastes into the user's own suite."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from chaosqs.model.scenario import Scenario

_WIDTH = 96
_INDENT = "    "


def source(scenario: Scenario, invariant: str) -> str:
    """Return the source of a test that fails as long as the invariant is violated in the scenario."""
    tree = ast.parse(repr(scenario), mode="eval").body
    names = sorted({*_called(tree), "check", "invariants", "simulate"}, key=lambda name: (name.islower(), name))
    return "\n".join(
        [
            *_imports(names),
            "",
            "",
            f"def test_{_identifier(invariant)}() -> None:",
            f"{_INDENT}scenario = {laid_out(tree, 1)}",
            f"{_INDENT}invariant = invariants.by_name({invariant!r})",
            f"{_INDENT}violations = check(simulate(scenario), [invariant])",
            f'{_INDENT}assert not violations, "\\n".join(map(str, violations))',
        ]
    )


def _called(tree: ast.expr) -> list[str]:
    nodes = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [function.id for function in nodes if isinstance(function, ast.Name)]


def _imports(names: Sequence[str]) -> Iterator[str]:
    line = f"from chaosqs import {', '.join(names)}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from ("from chaosqs import (", *(f"{_INDENT}{name}," for name in names), ")")


def _identifier(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower())[:60].strip("_") or "counterexample"


def laid_out(node: ast.expr, depth: int) -> str:
    """Return an expression on one line where it fits, else with each of its parts on a line of its own."""
    line = ast.unparse(node)
    if len(line) + len(_INDENT) * (depth + 2) <= _WIDTH:
        return line
    match node:
        case ast.Call(func=function, args=positional, keywords=named):
            parts = [laid_out(part, depth + 1) for part in positional]
            parts += [f"{part.arg}={laid_out(part.value, depth + 1)}" for part in named]
            return _block(f"{ast.unparse(function)}(", parts, ")", depth)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            opening, closing = "()" if isinstance(node, ast.Tuple) else "[]"
            return _block(opening, [laid_out(part, depth + 1) for part in parts], closing, depth)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            items = [f"{ast.unparse(key)}: {laid_out(value, depth + 1)}" for key, value in pairs if key is not None]
            return _block("{", items, "}", depth)
        case _:
            return line


def _block(opening: str, parts: Sequence[str], closing: str, depth: int) -> str:
    inner = "".join(f"{_INDENT * (depth + 1)}{part},\n" for part in parts)
    return f"{opening}\n{inner}{_INDENT * depth}{closing}"
