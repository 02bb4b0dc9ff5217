"""YAML or JSON text → a tree of nodes with lines, built from the parser's events without making any object.

The text is not trusted: depth and the number of nodes (aliases expanded) are bounded, tags mean CloudFormation's
short forms or nothing, and a key that stands twice is an error. Events are taken one by one, so that a bound is felt
before the parser has read on: libyaml needs minutes for 200,000 opening brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

import attrs
import yaml

from chaosqs.errors import InvalidDesign
from chaosqs.templates.scalars import scalar
from chaosqs.templates.tree import Entry, Items, Leaf, Node, Table

_MAXIMUM_NODES = 500_000
_MAXIMUM_DEPTH = 100
_STANDARD = "tag:yaml.org,2002:"
_STANDARD_TAGS = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})")
_LONE = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][\da-fA-F]{2}")


def parse(text: str, file: str, *, line: int | None = None) -> Node:
    """Return the one document in a text; every node gets the given line, where the text stands inside another one.

    Raises `InvalidDesign` with file and line where the text is malformed, hostile or empty.
    """
    tree = _Tree(file, line)
    try:
        for event in _events(as_yaml(text)):
            tree.take(event)
    except yaml.YAMLError as error:
        tree.refuse(*_complaint(error))
    if tree.root is None:
        raise InvalidDesign(f"{file}: is empty. Give a CloudFormation or SAM template.")
    return tree.root


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)


def as_yaml(text: str) -> str:
    """Rewrite the two things in JSON that YAML's readers refuse: tabs between tokens, and surrogate escapes."""
    if not text.lstrip().startswith("{"):
        return text
    text = _PAIR.sub(_one_escape, text.replace("\t", " "))
    return _LONE.sub(r"\1\\ufffd", text)


def _one_escape(found: re.Match[str]) -> str:
    high, low = int(found[2], 16), int(found[3], 16)
    return f"{found[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _complaint(error: yaml.YAMLError) -> tuple[int | None, str]:
    if not isinstance(error, yaml.MarkedYAMLError):
        return None, f"is no YAML or JSON: {' '.join(str(error).split())}"
    line = error.problem_mark.line + 1 if error.problem_mark else None
    context = f"{error.context}: " if error.context else ""
    return line, f"is no YAML or JSON: {context}{error.problem}"


@attrs.define
class _Open:
    """A list or mapping whose end has not come yet; a mapping's keys and values stand in turn."""

    table: bool
    tag: str | None
    anchor: str | None
    line: int
    nodes: list[Node] = attrs.field(factory=list[Node])
    size: int = 1


@attrs.define
class _Tree:
    """Builds the tree as events come."""

    file: str
    fixed_line: int | None
    root: Node | None = None
    documents: int = 0
    stack: list[_Open] = attrs.field(factory=list[_Open])
    anchors: dict[str, tuple[Node, int]] = attrs.field(factory=dict[str, tuple[Node, int]])

    def refuse(self, line: int | None, what: str) -> NoReturn:
        """Raise the error for what stands in that line."""
        number = self.fixed_line or line
        raise InvalidDesign(f"{self.file}{f':{number}' if number else ''}: {what}")

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        line = self.fixed_line or (event.start_mark.line + 1 if event.start_mark else 0)
        match event:
            case yaml.ScalarEvent():
                leaf = scalar(event.value, line, plain=not event.style and event.tag in {None, *_STANDARD_TAGS})
                text = event.tag == _STANDARD + "str"
                self._finish(Leaf(leaf.text, leaf.text, line) if text else leaf, event.tag, event.anchor, 1, line)
            case yaml.CollectionStartEvent():
                if len(self.stack) >= _MAXIMUM_DEPTH:
                    self.refuse(
                        line,
                        f"nests more than {_MAXIMUM_DEPTH} levels deep. No template does; mend the file.",
                    )
                table = isinstance(event, yaml.MappingStartEvent)
                self.stack.append(_Open(table, event.tag, event.anchor, line))
            case yaml.CollectionEndEvent():
                done = self.stack.pop()
                node = self._table(done) if done.table else Items(tuple(done.nodes), done.line)
                self._finish(node, done.tag, done.anchor, done.size, done.line)
            case yaml.AliasEvent():
                self._alias(event.anchor or "", line)
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self.refuse(line, "a second YAML document begins here. Give one template in one file.")
            case _:
                pass

    def _alias(self, anchor: str, line: int) -> None:
        if anchor not in self.anchors:
            self.refuse(
                line,
                f"*{anchor} names nothing that is complete above it. Put &{anchor} on what it should repeat.",
            )
        node, size = self.anchors[anchor]
        self._add(node, size, line)

    def _finish(self, node: Node, tag: str | None, anchor: str | None, size: int, line: int) -> None:
        node = self._tagged(node, tag, line)
        if anchor:
            self.anchors[anchor] = (node, size)
        self._add(node, size, line)

    def _add(self, node: Node, size: int, line: int) -> None:
        if not self.stack:
            self.root = node
            return
        self.stack[-1].nodes.append(node)
        self.stack[-1].size += size
        if self.stack[-1].size > _MAXIMUM_NODES:
            self.refuse(
                line,
                f"holds more than {_MAXIMUM_NODES:,} values with its aliases expanded. Write it with fewer aliases.",
            )

    def _tagged(self, node: Node, tag: str | None, line: int) -> Node:
        """Turn a short tag into the long form: `!Ref a` is `{Ref: a}`, `!Sub a` is `{"Fn::Sub": a}`."""
        if tag is None or tag == "!" or tag in _STANDARD_TAGS:
            return node
        if not re.fullmatch(r"![A-Za-z0-9:]+", tag):
            self.refuse(line, f"the tag {tag!r} means nothing in a CloudFormation template. Remove it.")
        name = tag[1:] if tag in {"!Ref", "!Condition"} else f"Fn::{tag[1:]}"
        return Table({name: Entry(node, line)}, line)

    def _table(self, done: _Open) -> Table:
        entries: dict[str, Entry] = {}
        below: dict[str, Entry] = {}
        for key, node in zip(done.nodes[::2], done.nodes[1::2], strict=True):
            if not isinstance(key, Leaf):
                self.refuse(key.line, "the key of a mapping must be a name, not a list or mapping.")
            if key.text == "<<":
                below = self._merge(node, key.line) | below
            elif key.text in entries:
                first = entries[key.text].line
                self.refuse(
                    key.line,
                    f"{key.text} stands twice in one mapping, first in line {first}. Remove one of them.",
                )
            else:
                entries[key.text] = Entry(node, key.line)
        return Table(below | entries if below else entries, done.line)

    def _merge(self, node: Node, line: int) -> dict[str, Entry]:
        """Return what `<<` brings in; of several mappings the earlier one wins."""
        entries: dict[str, Entry] = {}
        for part in reversed(node.nodes) if isinstance(node, Items) else (node,):
            if not isinstance(part, Table):
                self.refuse(line, "<< must merge a mapping, or a list of mappings.")
            entries.update(part.entries)
        return entries
