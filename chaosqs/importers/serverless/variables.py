"""Variables of Serverless Framework files: `${self:custom.limit}` → the value that it stands for.

Files alone are read: no environment, no stack, no code. What they do not tell is a leaf with the reason as `unknown`.
Lines of further files are counted on from multiples of `LINES`, so that a line tells its file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.markup import (
    MAXIMUM_NODES,
    Entry,
    Items,
    Leaf,
    Node,
    Table,
    parse,
    scalar,
    shortened,
    text_of,
    text_of_file,
)
from chaosqs.model.design import ACCOUNT_ID, REGION_NAME

LINES = 10_000_000
"""More lines than the largest file can have."""
DEFAULT_STAGE = "dev"
_MAXIMUM_NESTING = 40
"""Maximum variables that refer to one another."""
_MAXIMUM_TEXT = 20_000
"""Maximum characters of a text with variables."""
_CALL = re.compile(r"([A-Za-z][\w.-]*)\s*(?:\((.*?)\))?(?::(.*))?", re.DOTALL)
_IS_VARIABLE = re.compile(r"\s*(?:[A-Za-z][\w.-]*(?:\(.*\)|:(?!:))|['\"]|\$\{)", re.DOTALL)
"""The start of a variable. `${AWS::Region}` and `${Orders}` belong to CloudFormation."""
_UNCERTAIN = ("is ", "comes from ")
"""Starts of reasons that hold for these files, and perhaps not for a deployment."""
_MARKUP = (".yml", ".yaml", ".json")
_CODE = (".js", ".cjs", ".mjs", ".ts")


def unknown(reason: str, line: int, hint: str = "") -> Leaf:
    """Return a leaf for a value that the files do not tell; a queue can be named after `hint`."""
    return Leaf(hint, hint, line, reason)


@attrs.define(eq=False)
class Variables:
    """The values of variables in one file and the files that it includes."""

    path: Path
    root: Table
    options: Mapping[str, str]
    """Options of the command line: `stage`."""
    files: list[Path] = attrs.field(factory=list[Path])
    """Included files, in the order of their line numbers."""
    notes: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on what was assumed, in order."""
    constructs: dict[str, Node] = attrs.field(factory=dict[str, Node])
    """Values of `${construct:…}`, by address."""
    _included: dict[Path, Node] = attrs.field(factory=dict[Path, Node])
    _values: dict[str, Node] = attrs.field(factory=dict[str, Node])
    _open: list[str] = attrs.field(factory=list[str])
    """Variables that are being resolved."""
    _expanded: dict[int, tuple[Node, Node | None, int]] = attrs.field(factory=dict[int, tuple[Node, Node | None, int]])
    """Lists and tables by identity, each with its expansion (None while it is being expanded) and the nodes in that."""

    def where(self, line: int) -> str:
        """Return the file and the line of a line number."""
        number, own = divmod(line, LINES)
        return f"{self.files[number - 1] if number else self.path}:{own}"

    # Values -----------------------------------------------------------------------------------------------------------

    def resolve(self, node: Node) -> Node:
        """Return a node, with its variables replaced if it is text; parts of a list or table stay as written."""
        if not isinstance(node, Leaf) or "${" not in node.text or node.unknown:
            return node
        pieces = list(_pieces(node.text))
        match pieces:
            case [(expression, True)]:
                return self._value(expression, node.line)
            case _:
                return self._text(pieces, node.line)

    def expanded(self, node: Node) -> Node:
        """Return a node with all its variables replaced, at any depth."""
        return self._expand(node)[0]

    def at(self, node: Node | None, *keys: str) -> Node | None:
        """Return the node under a path of keys, resolved; None if there is none."""
        for key in keys:
            found = self.resolve(node) if node is not None else None
            match found:
                case Table():
                    entry = found.get(key)
                    node = entry.node if entry else None
                case Items(nodes=nodes) if key.isdecimal() and int(key) < len(nodes):
                    node = nodes[int(key)]
                case Leaf() if found.unknown:
                    return found
                case _:
                    return None
        found = self.resolve(node) if node is not None else None
        return None if isinstance(found, Leaf) and found.value is None else found

    def _expand(self, node: Node) -> tuple[Node, int]:
        found = self.resolve(node)
        if isinstance(found, Leaf):
            return found, 1
        key = id(found)
        if key in self._expanded:
            _, known, size = self._expanded[key]
            return (unknown("contains itself", found.line), 1) if known is None else (known, size)
        self._expanded[key] = found, None, 0
        if isinstance(found, Items):
            parts = [self._expand(part) for part in found.nodes]
            done: Node = Items(tuple(part for part, _ in parts), found.line)
        else:
            parts = [self._expand(entry.node) for entry in found.entries.values()]
            entries = zip(found.entries.items(), parts, strict=True)
            done = Table({name: Entry(part, entry.line) for (name, entry), (part, _) in entries}, found.line)
        size = 1 + sum(size for _, size in parts)
        if size > MAXIMUM_NODES:
            raise InvalidDesign(
                f"{self.where(found.line)}: holds more than {MAXIMUM_NODES:,} values with its variables replaced."
                " Write it with fewer variables."
            )
        self._expanded[key] = found, done, size
        return done, size

    def _text(self, pieces: Iterable[tuple[str, bool]], line: int) -> Leaf:
        texts: list[str] = []
        reason = ""
        for piece, is_variable in pieces:
            value = self._value(piece, line) if is_variable else Leaf(piece, piece, line)
            if isinstance(value, Leaf):
                reason = reason or value.unknown
                texts.append(value.text)
            else:
                reason = reason or f"has ${{{shortened(piece, 60)}}}, which is not text, in a text"
        text = "".join(texts)
        if len(text) > _MAXIMUM_TEXT:
            return unknown(f"is a text of more than {_MAXIMUM_TEXT:,} characters", line)
        return Leaf(text, text, line, reason)

    def _value(self, expression: str, line: int) -> Node:
        """Return the value of a variable: that of its first source that has one."""
        if expression in self._values:
            return self._values[expression]
        shown = f"${{{shortened(expression, 60)}}}"
        if expression in self._open:
            cycle = " → ".join(f"${{{shortened(each, 60)}}}" for each in self._open[self._open.index(expression) :])
            self.notes[f"{self.where(line)}: {cycle} → {shown} is a cycle: its value is unknown"] = None
            return unknown(f"is {shown}, which refers to itself", line)
        if len(self._open) >= _MAXIMUM_NESTING:
            raise InvalidDesign(
                f"{self.where(line)}: more than {_MAXIMUM_NESTING} variables refer to one another. Use fewer."
            )
        self._open.append(expression)
        try:
            found = self._first(_sources(expression), shown, line)
        finally:
            self._open.pop()
        self._values[expression] = found
        return found

    def _first(self, sources: list[str], shown: str, line: int) -> Node:
        failed: list[Leaf] = []
        for source in sources:
            found = self._source(source.strip(), line)
            if isinstance(found, Leaf) and (found.unknown or found.value is None):
                failed.append(found)
                continue
            reasons = [each.unknown for each in failed if each.unknown.startswith(_UNCERTAIN)]
            if reasons:
                self.notes[f"{self.where(line)}: {shown} {reasons[0]}; its fallback is used"] = None
            return found
        if any(source.strip() == "opt:stage" for source in sources):
            return self._default_stage(line)
        return failed[0] if failed else unknown(f"is {shown}, which has no source", line)

    def _source(self, text: str, line: int) -> Node:
        """Return the value of one source: a literal, another variable, or an address."""
        if text[:1] in {"'", '"'} and text[-1:] == text[:1]:
            return self.resolve(Leaf(text[1:-1], text[1:-1], line))
        pieces = list(_pieces(text))
        if len(pieces) == 1 and pieces[0][1]:
            return self._value(pieces[0][0], line)
        address = self._text(pieces, line)
        if address.unknown:
            return address
        found = _CALL.fullmatch(address.text)
        if found is None or (found[2] is None and found[3] is None):
            return scalar(address.text, line, plain=True)
        kind, argument, rest = found[1], (found[2] or "").strip(), (found[3] or "").strip()
        read = _KINDS.get(kind)
        if read is not None:
            return read(self, argument, rest, line)
        shown = f"${{{shortened(address.text, 60)}}}"
        why = _ELSEWHERE.get(kind.partition(".")[0], "which this reader does not know")
        return unknown(f"is {shown}, {why}", line, rest or argument)

    # Sources ----------------------------------------------------------------------------------------------------------

    def stage(self) -> str:
        """Return the stage: the option, or that of the provider, or the framework's default."""
        given = self.options.get("stage")
        found = None if given else self.at(self.root, "provider", "stage")
        is_known = isinstance(found, Leaf) and not found.unknown
        return given or (found.text if isinstance(found, Leaf) and is_known else DEFAULT_STAGE)

    def _default_stage(self, line: int) -> Leaf:
        self.notes[f"no stage is given: assumed {DEFAULT_STAGE}, the framework's default"] = None
        return Leaf(DEFAULT_STAGE, DEFAULT_STAGE, line)

    def own(self, argument: str, address: str, line: int) -> Node:  # noqa: ARG002 - the signature of all kinds
        """Return a value of the file itself."""
        keys = address.split(".") if address else []
        found = self.at(self.root, *keys)
        if keys == ["service"] and isinstance(found, Table):
            found = self.at(found, "name")
        if found is None and keys == ["provider", "stage"]:
            return Leaf(self.stage(), self.stage(), line)
        if found is None and keys == ["provider", "region"]:
            return Leaf(REGION_NAME, REGION_NAME, line)
        missing = f"refers to {address}, which the file does not have"
        return unknown(missing, line, keys[-1] if keys else "") if found is None else found

    def option(self, argument: str, name: str, line: int) -> Node:  # noqa: ARG002
        """Return an option of the command line."""
        if name in self.options:
            return Leaf(self.options[name], self.options[name], line)
        return unknown(f"refers to option --{name}, which is not given", line, name)

    def parameter(self, argument: str, name: str, line: int) -> Node:  # noqa: ARG002
        """Return a parameter: that of the stage, or the default one. It is under `params` or `stages`."""
        for stage in (self.stage(), "default"):
            for keys in (("params", stage), ("stages", stage, "params")):
                found = self.at(self.root, *keys, name)
                if found is not None:
                    return found
        return unknown(f"refers to parameter {name}, which has no default", line, name)

    def framework(self, argument: str, name: str, line: int) -> Node:  # noqa: ARG002
        """Return a value of the framework itself."""
        if name == "stage":
            if "stage" not in self.options and self.at(self.root, "provider", "stage") is None:
                return self._default_stage(line)
            return Leaf(self.stage(), self.stage(), line)
        return unknown(f"is ${{sls:{name}}}, which only a deployment knows", line, name)

    def account(self, argument: str, name: str, line: int) -> Node:  # noqa: ARG002
        """Return the assumed account or Region."""
        value = {"accountId": ACCOUNT_ID, "region": REGION_NAME, "partition": "aws"}.get(name)
        if value is None:
            return unknown(f"is ${{aws:{name}}}, which only a deployment knows", line, name)
        self.notes[f"${{aws:{name}}} is assumed to be {value}"] = None
        return Leaf(value, value, line)

    def construct(self, argument: str, address: str, line: int) -> Node:  # noqa: ARG002
        """Return a value of a construct of Lift."""
        missing = unknown(f"is ${{construct:{address}}}, which only a deployment knows", line, address)
        return self.constructs.get(address, missing)

    def boolean(self, argument: str, address: str, line: int) -> Node:  # noqa: ARG002
        """Return a text as a truth value."""
        return scalar({"1": "true", "0": "false"}.get(argument, argument), line, plain=True)

    def file(self, argument: str, address: str, line: int) -> Node:
        """Return a value of another file. Code is not executed."""
        shown = f"${{file({shortened(argument, 60)}){f':{address}' if address else ''}}}"
        path = Path(argument)
        if path.suffix in _CODE:
            return unknown(f"is {shown}, which is code, and is not executed", line, address)
        if path.suffix not in _MARKUP:
            return unknown(f"is {shown}, which is neither YAML nor JSON", line, address)
        found = self._include(self.path.parent / path)
        if found is None:
            return unknown(f"comes from {shown}, and there is no such file", line, address)
        value = self.at(found, *(address.split(".") if address else ()))
        return unknown(f"is {shown}, which the file does not have", line, address) if value is None else value

    def _include(self, path: Path) -> Node | None:
        if path in self._included:
            return self._included[path]
        try:
            is_there = path.is_file()
        except (OSError, ValueError):  # a name that no file can have
            is_there = False
        if not is_there:
            return None
        node = parse(text_of_file(path), str(path))
        self.files.append(path)
        self._included[path] = _moved(node, LINES * len(self.files), {})
        return self._included[path]


_KINDS: Mapping[str, Callable[[Variables, str, str, int], Node]] = {
    "self": Variables.own,
    "opt": Variables.option,
    "param": Variables.parameter,
    "sls": Variables.framework,
    "aws": Variables.account,
    "file": Variables.file,
    "construct": Variables.construct,
    "strToBool": Variables.boolean,
}
_ELSEWHERE = {
    "env": "which is not read from the environment",
    "cf": "an output of another stack",
    "ssm": "which is in the Parameter Store",
    "s3": "which is in S3",
    "git": "which is the state of a repository",
    "output": "an output of another service",
    "state": "the state of another service",
    "vault": "which is a secret",
    "doppler": "which is a secret",
}
"""Places of values that are not in files, as clauses, by the kind of a variable."""


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text: literals, and the insides of variables (True)."""
    start = position = 0
    while (opening := text.find("${", position)) >= 0:
        end = _closing(text, opening + 2)
        if end is None:
            break
        inside = text[opening + 2 : end]
        position = end + 1
        if not _IS_VARIABLE.match(inside):  # CloudFormation's own
            continue
        if opening > start:
            yield text[start:opening], False
        yield inside, True
        start = position
    if start < len(text):
        yield text[start:], False


def _closing(text: str, position: int) -> int | None:
    """Return the position of the brace that closes a variable; None if there is none."""
    depth = 1
    for found in re.compile(r"\$\{|\}").finditer(text, position):
        depth += 1 if found[0] == "${" else -1
        if not depth:
            return found.start()
    return None


def _sources(expression: str) -> list[str]:
    """Return a variable's sources, which commas separate outside quotes, braces and brackets."""
    sources, start, depth, quote = list[str](), 0, 0, ""
    for position, character in enumerate(expression):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "({":
            depth += 1
        elif character in ")}":
            depth -= 1
        elif character == "," and not depth:
            sources.append(expression[start:position])
            start = position + 1
    return [*sources, expression[start:]]


def _moved(node: Node, by: int, done: dict[int, Node]) -> Node:
    """Return a tree with other lines; shared nodes stay shared."""
    if id(node) not in done:
        match node:
            case Leaf():
                done[id(node)] = attrs.evolve(node, line=node.line + by)
            case Items(nodes=nodes, line=line):
                done[id(node)] = Items(tuple(_moved(part, by, done) for part in nodes), line + by)
            case Table(entries=entries, line=line):
                moved = {name: Entry(_moved(entry.node, by, done), entry.line + by) for name, entry in entries.items()}
                done[id(node)] = Table(moved, line + by)
    return done[id(node)]


def text_at(variables: Variables, node: Node | None, *keys: str) -> str:
    """Return the text under a path of keys; empty if there is none, or it is unknown."""
    found = variables.at(node, *keys)
    return (text_of(found) or "") if isinstance(found, Leaf) and not found.unknown else ""
