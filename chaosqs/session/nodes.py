"""Questions as pytest's nodes: `chaosqs::template.yaml::orders→worker::at-least-once-delivery`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import attrs
import pytest

from chaosqs.errors import InvariantViolated
from chaosqs.session.outcome import Told

ROOT = "chaosqs"
"""The name of the node above all of ours; it stands where others have a file."""

_Node = TypeVar("_Node", "Group", "Question")


@attrs.frozen
class Leaf:
    """One item to be: its name in parts, the file that it is about, and what to do."""

    parts: tuple[str, ...]
    path: Path
    run: Callable[[], Told]

    @property
    def node_id(self) -> str:
        """The id of the item."""
        return "::".join((ROOT, *self.parts))


class Group(pytest.Collector):
    """All items whose names begin with the same parts."""

    leaves: Sequence[Leaf] = ()
    depth = 0

    @classmethod
    def over(cls, session: pytest.Session, leaves: Sequence[Leaf]) -> Group:
        """Return the node above all."""
        root = _node(cls, session, ROOT, session.config.rootpath, nodeid=ROOT)
        root.leaves = leaves
        return root

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each name that ends here, and a group for each part with which others go on."""
        for part, group in groupby(self.leaves, key=lambda leaf: leaf.parts[self.depth]):
            leaves = tuple(group)
            if len(leaves[0].parts) == self.depth + 1:
                yield Question.about(self, leaves[0])
            else:
                yield self._below(part, leaves)

    def _below(self, part: str, leaves: Sequence[Leaf]) -> Group:
        group = _node(Group, self, part, leaves[0].path)
        group.leaves, group.depth = leaves, self.depth + 1
        group.add_marker(pytest.mark.chaosqs)
        return group


class Question(pytest.Item):
    """One question; it passes when the answer is the one hoped for."""

    leaf: Leaf
    told: Told | None = None

    @classmethod
    def about(cls, parent: pytest.Collector, leaf: Leaf) -> Question:
        """Return the item of a leaf."""
        item = _node(cls, parent, leaf.parts[-1], leaf.path)
        item.leaf = leaf
        item.add_marker(pytest.mark.chaosqs)
        return item

    def runtest(self) -> None:
        """Ask the question."""
        told = self.told = self.leaf.run()
        self.user_properties += told.properties
        if told.skipped:
            pytest.skip(told.skipped)
        if told.failure is not None:
            raise InvariantViolated(told.failure)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file, no line, and how the report calls the item."""
        return self.path, None, " ".join(self.leaf.parts)


def _node(kind: type[_Node], parent: pytest.Collector, name: str, path: Path, nodeid: str | None = None) -> _Node:
    """Return a node below another; without an id of its own it gets its parent's and its name."""
    return kind.from_parent(parent, name=name, path=path, nodeid=nodeid)  # pyright: ignore[reportUnknownMemberType] - pytest's
