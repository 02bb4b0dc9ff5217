"""A template as a tree of plain nodes, each with the line that it came from; nothing here knows CloudFormation.

Nodes may be shared (YAML's aliases), so a tree can be far larger than the text: the reader that builds it bounds it.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

Scalar = str | int | float | bool | None


@attrs.frozen
class Leaf:
    """One scalar."""

    text: str
    """What it reads as in a text: as written, but `true` and `false` for the many spellings of the two."""
    value: Scalar
    """What it means where a number, a truth value or nothing is wanted."""
    line: int


@attrs.frozen
class Items:
    """A list."""

    nodes: tuple[Node, ...]
    line: int


@attrs.frozen
class Entry:
    """What stands under one key of a table."""

    node: Node
    line: int
    """The line of the key."""


@attrs.frozen
class Table:
    """A mapping from names to nodes."""

    entries: Mapping[str, Entry]
    line: int

    def get(self, name: str) -> Entry | None:
        """Return what stands under a key, or None."""
        return self.entries.get(name)


Node = Leaf | Items | Table


def described(node: Node) -> str:
    """Show a node to somebody who wrote something else than was wanted."""
    match node:
        case Leaf(value=None):
            return "null"
        case Leaf(value=value):
            return shortened(repr(value))
        case Items():
            return "a list"
        case Table():
            return "a mapping"


def shortened(text: str, length: int = 120) -> str:
    """Put a text on one line of bounded length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


def call_of(node: Node) -> tuple[str, Node] | None:
    """Return name and argument where a node is a call of an intrinsic function: `Ref`, `Fn::…` or `Condition`."""
    if not isinstance(node, Table) or len(node.entries) != 1:
        return None
    ((name, entry),) = node.entries.items()
    return (name, entry.node) if name in {"Ref", "Condition"} or name.startswith("Fn::") else None


def merged(general: Table, special: Table) -> Table:
    """Lay one table over another as SAM lays a function over `Globals`.

    Tables merge deeply, lists are joined with the general one first, and anything else of the special one wins.
    """
    entries = dict(general.entries)
    for name, entry in special.entries.items():
        below = entries.get(name)
        entries[name] = entry if below is None else attrs.evolve(entry, node=_over(below.node, entry.node))
    return Table(entries, special.line)


def _over(general: Node, special: Node) -> Node:
    match general, special:
        case (Table(), Table()) if call_of(general) is None and call_of(special) is None:
            return merged(general, special)
        case Items(nodes=first), Items(nodes=second, line=line):
            return Items((*first, *second), line)
        case _:
            return special
