"""Parser of template files: YAML or JSON text → a tree of nodes with lines. It never creates objects from tags.

The text is not trusted. Depth and the number of nodes (aliases expanded) are limited, tags are CloudFormation's short
forms or an error, and a duplicate key is an error. The parser's events are processed one by one, so that a limit stops
the parser early: libyaml needs minutes for 200,000 opening brackets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

import attrs
import yaml

from chaosqs.errors import InvalidDesign
from chaosqs.importers.protocol import NoDesign

# Nodes ----------------------------------------------------------------------------------------------------------------
#
# Nodes may be shared (YAML's aliases), so a tree can be far larger than its text; the parser limits its size.

Scalar = str | int | float | bool | None


@attrs.frozen
class Leaf:
    """One scalar."""

    text: str
    """Its text: as written, but `true` and `false` for all spellings of these."""
    value: Scalar
    """Its value where a number, a truth value or null is expected."""
    line: int
    unknown: str = ""
    """Reason why the value cannot be known, as a clause: `is ${env:LIMIT}`. Names can be made from its text then."""


@attrs.frozen
class Items:
    """A list."""

    nodes: tuple[Node, ...]
    line: int


@attrs.frozen
class Entry:
    """The node under one key of a table."""

    node: Node
    line: int
    """Line of the key."""


@attrs.frozen
class Table:
    """A mapping from names to nodes."""

    entries: Mapping[str, Entry]
    line: int

    def get(self, name: str) -> Entry | None:
        """Return the entry of a key, or None."""
        return self.entries.get(name)


Node = Leaf | Items | Table


def described(node: Node) -> str:
    """Return a short description of a node for error messages."""
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
    """Return a text on one line, cut to a length."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


def call_of(node: Node) -> tuple[str, Node] | None:
    """Return the name and argument of a call of an intrinsic function (`Ref`, `Fn::…`, `Condition`), or None."""
    if not isinstance(node, Table) or len(node.entries) != 1:
        return None
    ((name, entry),) = node.entries.items()
    return (name, entry.node) if name in {"Ref", "Condition"} or name.startswith("Fn::") else None


def merged(general: Table, special: Table) -> Table:
    """Return two tables merged, as SAM merges a function with `Globals`.

    Tables merge deeply, lists are concatenated with the general one first, and other values of the special one win.
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


# Scalars --------------------------------------------------------------------------------------------------------------
#
# Of YAML 1.1, only decimal numbers, truth values and null are read, which is what a template needs. Dates, octal and
# base-60 numbers stay text, so that an account id keeps its leading zero.

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{0,18})?(?:[eE][-+]?[0-9]{1,2})?")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


def scalar(text: str, line: int, *, plain: bool) -> Leaf:
    """Return the leaf for a scalar; a `plain` one (without quotes) may be a number, a truth value or null."""
    value = _meaning(text) if plain else text
    shown = str(value).lower() if isinstance(value, bool) else text
    return Leaf(shown, value, line)


def _meaning(text: str) -> Scalar:
    if _WHOLE.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text):
        return float(text)
    if text in _NULL:
        return None
    if text in {text.lower(), text.capitalize(), text.upper()}:
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else text
    return text


def whole_number(node: Node) -> int | None:
    """Return the whole number in a node, which may be written as text; None for any other node."""
    match node:
        case Leaf(value=bool()):
            return None
        case Leaf(value=int(number)):
            return number
        case Leaf(value=float(number)) if number.is_integer():
            return int(number)
        case Leaf(value=str(text)) if _WHOLE.fullmatch(text.strip()):
            return int(text)
        case _:
            return None


def truth(node: Node) -> bool | None:
    """Return the truth value in a node, which may be written as text; None for any other node."""
    match node:
        case Leaf(value=bool(value)):
            return value
        case Leaf(value=str(text)) if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        case _:
            return None


def text_of(node: Node) -> str | None:
    """Return the text of a scalar (numbers as written); None for a list, a mapping or null."""
    return node.text if isinstance(node, Leaf) and node.value is not None else None


# Parsing --------------------------------------------------------------------------------------------------------------

MAXIMUM_NODES = 500_000
_MAXIMUM_DEPTH = 100
_STANDARD = "tag:yaml.org,2002:"
_STANDARD_TAGS = frozenset(_STANDARD + name for name in ("str", "int", "float", "bool", "null", "map", "seq"))
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})")
_LONE = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][\da-fA-F]{2}")


def parse(text: str, file: str, *, line: int | None = None) -> Node:
    """Return the only document of a text. `line`: the line for all nodes, if the text is part of another document.

    Raises `InvalidDesign` with file and line for a text that is malformed, hostile or empty.
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
    """Return JSON without the two things that YAML parsers refuse: tabs between tokens, and surrogate escapes."""
    if not text.lstrip().startswith("{"):
        return text
    text = _PAIR.sub(_one_escape, text.replace("\t", " "))
    return _LONE.sub(r"\1\\ufffd", text)


def _one_escape(found: re.Match[str]) -> str:
    high, low = int(found[2], 16), int(found[3], 16)
    return f"{found[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"


def _complaint(error: yaml.YAMLError) -> tuple[int | None, str]:
    if not isinstance(error, yaml.MarkedYAMLError):
        return None, f"is neither YAML nor JSON: {' '.join(str(error).split())}"
    line = error.problem_mark.line + 1 if error.problem_mark else None
    context = f"{error.context}: " if error.context else ""
    return line, f"is neither YAML nor JSON: {context}{error.problem}"


@attrs.define
class _Open:
    """A list or mapping that has not ended yet; of a mapping, keys and values alternate in `nodes`."""

    table: bool
    tag: str | None
    anchor: str | None
    line: int
    nodes: list[Node] = attrs.field(factory=list[Node])
    size: int = 1


@attrs.define
class _Tree:
    """The tree, built event by event."""

    file: str
    fixed_line: int | None
    root: Node | None = None
    documents: int = 0
    stack: list[_Open] = attrs.field(factory=list[_Open])
    anchors: dict[str, tuple[Node, int]] = attrs.field(factory=dict[str, tuple[Node, int]])

    def refuse(self, line: int | None, what: str) -> NoReturn:
        """Raise `InvalidDesign` for a problem in a line."""
        number = self.fixed_line or line
        raise InvalidDesign(f"{self.file}{f':{number}' if number else ''}: {what}")

    def take(self, event: yaml.Event) -> None:
        """Add the next event."""
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
        if self.stack[-1].size > MAXIMUM_NODES:
            self.refuse(
                line,
                f"holds more than {MAXIMUM_NODES:,} values with its aliases expanded. Write it with fewer aliases.",
            )

    def _tagged(self, node: Node, tag: str | None, line: int) -> Node:
        """Return a node with a short tag in its long form: `!Ref a` is `{Ref: a}`, `!Sub a` is `{"Fn::Sub": a}`."""
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
        """Return the entries that `<<` merges in; of several mappings the earlier one wins."""
        entries: dict[str, Entry] = {}
        for part in reversed(node.nodes) if isinstance(node, Items) else (node,):
            if not isinstance(part, Table):
                self.refuse(line, "<< must merge a mapping, or a list of mappings.")
            entries.update(part.entries)
        return entries


# Template files -------------------------------------------------------------------------------------------------------

_MAXIMUM_BYTES = 10_000_000  # CloudFormation accepts a tenth of this
_GIVE = "Give a CloudFormation or SAM template (YAML or JSON; for CDK, a *.template.json of cdk.out)."
_GIVE_HCL = "Give the directory of the .tf files."


def read_document(path: Path) -> Table:
    """Return the table in a template file. Raises `InvalidDesign` for any other file."""
    if path.suffix in {".tf", ".hcl", ".tfvars", ".tfstate"} or path.name.endswith(".tf.json"):
        raise InvalidDesign(f"{path}: is Terraform, and this reader takes CloudFormation. {_GIVE_HCL}")
    return document_in(text_of_file(path), path)


def document_in(text: str, path: Path) -> Table:
    """Return the table in a template's text; raises as `read_document`."""
    root = parse(text, str(path))
    if not isinstance(root, Table):
        raise InvalidDesign(f"{path}: holds no mapping with Resources. {_GIVE}")
    if root.get("Resources") is None:
        other = _other_format(root)
        if other:
            raise InvalidDesign(f"{path}: {other}")
        raise NoDesign(f"{path}: has no Resources section, so it is not a CloudFormation template. {_GIVE}")
    return root


def text_of_file(path: Path) -> str:
    """Return the text of a file, its line ends as they are. Raises `InvalidDesign` if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise InvalidDesign(f"{path}: there is no such file. {_GIVE}") from None
    except IsADirectoryError:
        raise InvalidDesign(f"{path}: is a directory. {_GIVE}{_suggestion(path)}") from None
    except (OSError, ValueError) as error:  # a ValueError: the path has a null character
        reason = error.strerror if isinstance(error, OSError) else error
        shown = str(path).replace("\0", "\\0")
        raise InvalidDesign(f"{shown}: cannot be read ({reason}). {_GIVE}") from None
    if len(data) > _MAXIMUM_BYTES:
        raise InvalidDesign(
            f"{path}: is larger than {_MAXIMUM_BYTES:,} bytes; CloudFormation takes a tenth of that. {_GIVE}"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidDesign(f"{path}:{line}: is not UTF-8 text. Save the template as UTF-8.") from None


def _suggestion(path: Path) -> str:
    found = sorted(path.glob("*.template.json")) + sorted(path.glob("template.y*ml"))
    return f"\nIt contains {found[0]}." if found else ""


def _other_format(root: Table) -> str:
    """Return a message on the format of a file without Resources; empty if that is unknown."""
    if root.get("service") and (root.get("provider") or root.get("functions")):
        return (
            "is a Serverless Framework file, and this reader takes CloudFormation.\n"
            "Run `sls package` and give .serverless/cloudformation-template-update-stack.json."
        )
    if any(root.get(key) for key in ("terraform_version", "planned_values", "terraform")):
        return f"is Terraform's output, which is not read. {_GIVE_HCL}"
    if root.get("Fn::Transform"):
        return f"is put together by a transform when it is deployed. {_GIVE}"
    return ""
