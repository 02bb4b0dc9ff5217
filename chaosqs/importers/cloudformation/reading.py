"""Reads properties as typed values of a design, and notes their origins, assumptions and problems.

A missing property has AWS's default. An unknown one gets the default too, with a sentence that says so. One of a wrong
kind is a problem, and reading goes on, so that an error lists all problems.
"""

from collections.abc import Callable
from typing import TypeVar

import attrs

from chaosqs.errors import Problem
from chaosqs.importers.cloudformation.intrinsics import resolve, resolved_parts
from chaosqs.importers.cloudformation.markup import (
    Entry,
    Items,
    Leaf,
    Node,
    Table,
    described,
    shortened,
    text_of,
    truth,
    whole_number,
)
from chaosqs.importers.cloudformation.scope import EMPTY, Absent, Scope, Unknown
from chaosqs.model.explanation import Origin
from chaosqs.model.values import one_of

_Value = TypeVar("_Value")
_Default = TypeVar("_Default")
_Word = TypeVar("_Word", bound=str)


@attrs.frozen
class Part:
    """A part of the design and the properties that it is read from."""

    path: str
    """Path of the part in the design: `queues.orders`."""
    name: str
    """Name of the part in sentences: `orders`."""
    properties: Table
    line: int
    keys: tuple[str, ...] = ()
    """Keys from the root of the document to the properties: `Resources`, `Orders`, `Properties`."""


@attrs.define
class Reading:
    """The notes taken while a template is read."""

    file: str
    scope: Scope
    place: Callable[[int], tuple[str, int]] | None = None
    """Returns the file and its line of a line, where several files are read as one; None if there is only `file`."""
    origins: dict[str, Origin] = attrs.field(factory=dict[str, Origin])
    locations: dict[str, str] = attrs.field(factory=dict[str, str])
    """File and line of parts and fields, by path."""
    keys: dict[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    """Keys that lead to the properties of each part, by its path."""
    assumptions: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences, in order, each once."""
    left_out: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on what the template has and the design leaves out, in order, each once."""
    assumed: set[str] = attrs.field(factory=set[str])
    """Paths of fields whose value is assumed."""
    problems: list[Problem] = attrs.field(factory=list[Problem])

    def begin(self, part: Part) -> Part:
        """Note the location of a part, and return it."""
        self.locations[part.path] = self.where(part.line)
        self.keys[part.path] = part.keys
        return part

    def where(self, line: int) -> str:
        """Return file and line as reports show them."""
        file, own = self.place(line) if self.place is not None else (self.file, line)
        return f"{file}:{own}"

    def assume(self, sentence: str) -> None:
        """Note an assumption."""
        self.assumptions[sentence] = None

    def refuse(self, path: str, value: str, must: str, line: int, rule: str = "") -> None:
        """Note a problem of a value."""
        self.problems.append(Problem(path, value, must, rule, self.where(line)))

    def came(self, part: Part, field: str, key: str, shown: str, line: int) -> None:
        """Note the origin of a field of the design."""
        self.locations[f"{part.path}.{field}"] = self.where(line)
        file, own = self.place(line) if self.place is not None else (self.file, line)
        self.origins[f"{part.path}.{field}"] = Origin(file, own, f"{key}: {shortened(shown)}")

    def whole(self, part: Part, key: str, field: str, default: _Default) -> int | _Default:
        """Read a whole number."""
        return self._read(part, key, field, default, (whole_number, "must be a whole number"))

    def flag(self, part: Part, key: str, field: str, default: _Default) -> bool | _Default:
        """Read a truth value."""
        return self._read(part, key, field, default, (truth, "must be true or false"))

    def text(self, part: Part, key: str, field: str, default: _Default) -> str | _Default:
        """Read a text."""
        return self._read(part, key, field, default, (text_of, "must be a text"))

    def word(self, part: Part, key: str, field: str, words: tuple[_Word, ...], rule: str) -> _Word:
        """Read one of the allowed words; the first is the default."""
        text = self.text(part, key, field, words[0])
        word = one_of(words, text)
        if word is None:
            must = f"must be {' or '.join(map(repr, words))}"
            self.refuse(f"{part.path}.{field}", repr(text), must, self.line(part, key), rule)
        return word or words[0]

    def _read(
        self, part: Part, key: str, field: str, default: _Default, kind: tuple[Callable[[Node], _Value | None], str]
    ) -> _Value | _Default:
        understood, must = kind
        node = self.node(part, key, field, default)
        if node is None:
            return default
        line = self.line(part, key)
        value = understood(node)
        if value is None:
            self.refuse(f"{part.path}.{field}", described(node), f"{must} ({key})", line)
            return default
        self.came(part, field, key, node.text if isinstance(node, Leaf) else "", line)
        return value

    def node(self, part: Part, key: str, field: str, default: object) -> Node | None:
        """Return the value of a property; None if it is missing or unknown. An unknown value is noted as assumed."""
        entry = part.properties.get(key)
        value = Absent() if entry is None else resolve(entry.node, self.scope)
        if isinstance(value, Unknown):
            shown = f"AWS's default {default}" if default is not None else f"no {field.replace('_', ' ')}"
            self.assume(f"{part.name}: {key} {value.reason}; assumed {shown}")
            self.assumed.add(f"{part.path}.{field}")
        return None if isinstance(value, Absent | Unknown) else value

    def table(self, part: Part, key: str, field: str) -> Part | None:
        """Return a mapping among the properties as a part of its own; None if there is none."""
        node = self.node(part, key, field, None)
        if node is None:
            return None
        if not isinstance(node, Table):
            self.refuse(f"{part.path}.{field}", described(node), f"must be a mapping ({key})", self.line(part, key))
            return None
        return attrs.evolve(part, properties=node, line=self.line(part, key))

    def items(self, part: Part, key: str, field: str) -> tuple[Leaf | Items | Table | Unknown, ...]:
        """Return the resolved parts of a list; none if there is no list."""
        node = self.node(part, key, field, None)
        if node is None:
            return ()
        if not isinstance(node, Items):
            self.refuse(f"{part.path}.{field}", described(node), f"must be a list ({key})", self.line(part, key))
            return ()
        return resolved_parts(node, self.scope)

    def line(self, part: Part, key: str) -> int:
        """Return the line of a property; if it is missing, that of the part."""
        return part.properties.entries.get(key, Entry(EMPTY, part.line)).line
