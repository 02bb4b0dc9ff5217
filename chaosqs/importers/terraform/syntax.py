"""Parser of HCL: the text of a `.tf` or `.tfvars` file → blocks and expressions with lines. It evaluates nothing.

The text is not trusted: depth and size are limited, and a mistake is an `InvalidDesign` with file and line.
"""

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import Literal, NoReturn, TypeAlias

import attrs

from chaosqs.errors import InvalidDesign

MAXIMUM_SIZE = 1_000_000
"""Maximum characters of a file."""
_MAXIMUM_DEPTH = 60
"""Maximum depth of nested blocks and expressions."""
_MAXIMUM_TEXT = 2_000
"""Characters of an expression's text that are kept."""

Kind: TypeAlias = Literal[
    "absent", "literal", "template", "name", "attribute", "index", "splat", "tuple", "object", "call", "spread",
    "if", "binary", "unary", "for", "grouped", "directive",
]  # fmt: skip


@attrs.frozen
class Expression:
    """An expression, by kind. `parts` are its operands."""

    kind: Kind
    line: int
    text: str
    """As written."""
    name: str = ""
    """Name, attribute, function or operator; for `for`: its one or two variables, with a comma."""
    value: str | int | float | bool | None = None
    """Value of a literal."""
    parts: tuple["Expression", ...] = ()


@attrs.frozen
class Block:
    """A block, or a whole file: then without kind and labels."""

    kind: str
    labels: tuple[str, ...]
    line: int
    attributes: Mapping[str, Expression]
    blocks: tuple["Block", ...]


NOTHING = Expression("absent", 0, "")


def parse_file(text: str, file: str, first: int) -> Block:
    """Parse a file whose first line counts as line `first`. Raises `InvalidDesign` with file and line."""
    if len(text) > MAXIMUM_SIZE:
        raise InvalidDesign(f"{file}: has {len(text):,} characters; at most {MAXIMUM_SIZE:,} are read")
    return _Parser(text, file, first).document()


_SPACE = re.compile(r"(?:[ \t\r\ufeff]|(?:#|//)[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SPACES = re.compile(r"(?:[ \t\r\n\ufeff]|(?:#|//)[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_MAXIMUM_DIGITS = 30
_HEREDOC = re.compile(r"<<(-?)([^\W\d][\w.-]*)[ \t]*\r?\n")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_CODE = {"u": 4, "U": 8}
_OPERATORS = (("||",), ("&&",), ("==", "!="), ("<=", ">=", "<", ">"), ("+", "-"), ("*", "/", "%"))
"""Binary operators, the weakest first."""
_KEYWORDS = {"true": True, "false": False, "null": None}


@attrs.define
class _Parser:
    text: str
    file: str
    first: int
    """The number that the first line counts as."""
    shown: int = 1
    """The number of the first line in the file."""
    position: int = 0
    depth: int = 0
    multiline: bool = False
    """True within brackets, where a newline is white space."""
    starts: list[int] = attrs.field(factory=list[int])

    def __attrs_post_init__(self) -> None:
        """Note where lines start."""
        self.starts = [0, *(found.end() for found in re.finditer("\n", self.text))]

    # Characters

    def line(self, position: int) -> int:
        return self.first + bisect_right(self.starts, position) - 1

    def fail(self, why: str) -> NoReturn:
        line = self.line(self.position) - self.first + self.shown
        raise InvalidDesign(f"{self.file}:{line}: is not valid HCL: {why}")

    def skip(self, *, lines: bool | None = None) -> None:
        pattern = _SPACES if (self.multiline if lines is None else lines) else _SPACE
        found = pattern.match(self.text, self.position)
        self.position = found.end() if found else self.position

    def sees(self, *texts: str) -> str:
        return next((text for text in texts if self.text.startswith(text, self.position)), "")

    def takes(self, *texts: str) -> str:
        self.skip()
        found = self.sees(*texts)
        self.position += len(found)
        return found

    def expect(self, text: str) -> None:
        if not self.takes(text):
            self.fail(f"expected {text!r}")

    def name(self) -> str:
        self.skip()
        found = _NAME.match(self.text, self.position)
        if found is None:
            self.fail("expected a name")
        self.position = found.end()
        return found[0]

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAXIMUM_DEPTH:
            self.fail(f"is nested more than {_MAXIMUM_DEPTH} levels deep")

    def made(self, kind: Kind, start: int, *parts: Expression, name: str = "") -> Expression:
        shown = self.text[start : min(self.position, start + _MAXIMUM_TEXT)]
        return Expression(kind, self.line(start), shown, name, None, parts)

    # Bodies

    def document(self) -> Block:
        body = self.body("", (), self.first)
        if self.position < len(self.text):
            self.fail("there is a '}' too many")
        return body

    def body(self, kind: str, labels: tuple[str, ...], line: int) -> Block:
        self.deeper()
        attributes, blocks = dict[str, Expression](), list[Block]()
        self.skip(lines=True)
        while self.position < len(self.text) and not self.sees("}"):
            start, name = self.position, self.name()
            self.skip()
            if self.sees("=") and not self.sees("=="):
                self.position += 1
                if name in attributes:
                    self.fail(f"{name} is set twice")
                attributes[name] = self.expression()
            else:
                blocks.append(self.block(name, start))
            self.skip(lines=True)
        self.depth -= 1
        return Block(kind, labels, line, attributes, tuple(blocks))

    def block(self, kind: str, start: int) -> Block:
        labels = list[str]()
        while not self.takes("{"):
            if self.takes('"'):
                label = self.template('"')
                labels.append(str(label.value or ""))
            else:
                labels.append(self.name())
        found = self.body(kind, tuple(labels), self.line(start))
        if not self.sees("}"):
            self.fail(f"the block {kind} has no '}}'")
        self.position += 1
        return found

    # Expressions

    def expression(self) -> Expression:
        self.skip()
        start = self.position
        self.deeper()
        found = self.binary(0)
        if self.takes("?"):
            self.skip(lines=True)
            chosen = self.inside(self.expression, ":")
            self.skip(lines=True)
            found = self.made("if", start, found, chosen, self.expression())
        self.depth -= 1
        return found

    def inside(self, parse: Callable[[], Expression], end: str) -> Expression:
        """Parse within brackets, where newlines are white space, up to an end."""
        before, self.multiline = self.multiline, True
        found = parse()
        self.expect(end)
        self.multiline = before
        return found

    def binary(self, weakest: int) -> Expression:
        """Parse operations whose operators bind at least as strongly as those of a level."""
        self.skip()
        start = self.position
        found = self.unary()
        while (level := self.operator()) >= weakest:
            name = self.takes(*_OPERATORS[level])
            found = self.made("binary", start, found, self.binary(level + 1), name=name)
        return found

    def operator(self) -> int:
        """Return the level of the operator that comes next, -1 if there is none."""
        before = self.position
        self.skip()
        level = next((level for level, names in enumerate(_OPERATORS) if self.sees(*names)), -1)
        if level < 0:
            self.position = before
        return level

    def unary(self) -> Expression:
        self.skip()
        start, name = self.position, self.takes("-", "!")
        if not name:
            return self.postfix()
        self.deeper()
        operand = self.unary()
        self.depth -= 1
        return self.made("unary", start, operand, name=name)

    def postfix(self) -> Expression:
        start = self.position
        found = self.primary()
        while (step := self.sees(".", "[")) and not self.sees("..."):
            self.position += 1
            if step == "[" and self.takes("*"):
                self.expect("]")
                return self.splat(found, start)
            if step == ".":
                if self.sees("*"):
                    self.position += 1
                    return self.splat(found, start)
                found = self.dotted(found, start)
            else:
                key = self.inside(self.expression, "]")
                found = self.made("index", start, found, key)
        return found

    def dotted(self, found: Expression, start: int) -> Expression:
        number = re.compile(r"\d+").match(self.text, self.position)
        if number is None:
            return self.made("attribute", start, found, name=self.name())
        self.position = number.end()
        key = Expression("literal", self.line(start), number[0], "", int(number[0][:_MAXIMUM_DIGITS]))
        return self.made("index", start, found, key)

    def splat(self, of: Expression, start: int) -> Expression:
        """Parse what follows a splat: the steps that apply to each element, which has the name `*`."""
        each = self.made("name", self.position, name="*")
        while step := self.sees(".", "["):
            self.position += 1
            if step == ".":
                each = self.dotted(each, self.position)
            else:
                each = self.made("index", self.position, each, self.inside(self.expression, "]"))
        return self.made("splat", start, of, each)

    def primary(self) -> Expression:  # noqa: PLR0911 - one for each kind of value
        start = self.position
        if number := _NUMBER.match(self.text, start):
            self.position = number.end()
            plain = number[0].isdigit() and len(number[0]) <= _MAXIMUM_DIGITS
            value = int(number[0]) if plain else float(number[0])
            return Expression("literal", self.line(start), number[0], "", value)
        if self.sees("<<"):
            return self.heredoc()
        match self.sees('"', "[", "{", "("):
            case '"':
                self.position += 1
                return self.template('"')
            case "[":
                self.position += 1
                return self.items(start)
            case "{":
                self.position += 1
                return self.table(start)
            case "(":
                self.position += 1
                found = self.inside(self.expression, ")")
                return attrs.evolve(found, text=self.text[start : min(self.position, start + _MAXIMUM_TEXT)])
            case _:
                return self.named(start)

    def named(self, start: int) -> Expression:
        name = self.name() if _NAME.match(self.text, start) else self.fail("expected a value")
        while self.sees("::"):
            self.position += 2
            name += f"::{self.name()}"
        if name in _KEYWORDS:
            return Expression("literal", self.line(start), name, "", _KEYWORDS[name])
        if not self.sees("("):
            return self.made("name", start, name=name)
        self.position += 1
        arguments = self.sequence(")")
        return self.made("call", start, *arguments, name=name)

    def sequence(self, end: str) -> list[Expression]:
        before, self.multiline = self.multiline, True
        found = list[Expression]()
        while not self.takes(end):
            start = self.position
            found.append(self.expression())
            if self.takes("..."):
                found[-1] = self.made("spread", start, found[-1])
            if not self.takes(","):
                self.expect(end)
                break
        self.multiline = before
        return found

    def items(self, start: int) -> Expression:
        self.skip(lines=True)
        if self.is_for():
            return self.for_in(start, "]")
        return self.made("tuple", start, *self.sequence("]"))

    def is_for(self) -> bool:
        return re.compile(r"for\s+[^\W\d]").match(self.text, self.position) is not None

    def table(self, start: int) -> Expression:
        """Parse an object: the parts are keys and values in turn."""
        self.skip(lines=True)
        if self.is_for():
            return self.for_in(start, "}")
        before, self.multiline = self.multiline, False
        parts = list[Expression]()
        while not self.sees("}"):
            key = self.expression()
            if not self.takes("=", ":"):
                self.fail("expected '=' or ':'")
            self.skip(lines=True)
            parts += [key, self.expression()]
            self.takes(",")
            self.skip(lines=True)
            if self.position >= len(self.text):
                self.fail("expected '}'")
        self.position += 1
        self.multiline = before
        return self.made("object", start, *parts)

    def for_in(self, start: int, end: str) -> Expression:
        """Parse a `for`: the parts are the collection, the key of results or nothing, the result, the condition."""
        before, self.multiline = self.multiline, True
        self.name()
        names = self.name()
        names += f",{self.name()}" if self.takes(",") else ""
        if self.name() != "in":
            self.fail("expected 'in'")
        of = self.expression()
        self.expect(":")
        key, result = NOTHING, self.expression()
        if end == "}":
            self.expect("=>")
            key, result = result, self.expression()
        if self.takes("..."):
            result = attrs.evolve(result, kind="grouped", parts=(result,))
        self.skip()
        found = _NAME.match(self.text, self.position)
        condition = NOTHING
        if found is not None and self.name() == "if":
            condition = self.expression()
        self.expect(end)
        self.multiline = before
        return self.made("for", start, of, key, result, condition, name=names)

    # Texts

    def template(self, end: str) -> Expression:
        """Parse a text up to its end; an empty `end` means all that is there."""
        start, parts, plain = self.position, list[Expression](), ""
        while not (end and self.sees(end)) and self.position < len(self.text):
            char = self.text[self.position]
            if self.sees("$${", "%%{"):
                plain += char + "{"
                self.position += 3
            elif self.sees("${", "%{"):
                parts += [self.literal(start, plain), self.interpolation()]
                plain = ""
            elif char == "\\" and end:
                plain += self.escaped()
            else:
                plain += char
                self.position += 1
        if end and not self.sees(end):
            self.position = start
            self.fail("a text has no end")
        shown = self.text[start - len(end) : min(self.position + len(end), start + _MAXIMUM_TEXT)]
        self.position += len(end)
        parts = [each for each in (*parts, self.literal(start, plain)) if each.kind != "literal" or each.value]
        if not parts or (len(parts) == 1 and parts[0].kind == "literal"):
            return attrs.evolve(self.literal(start, plain), text=shown)
        if len(parts) == 1 and parts[0].kind != "directive" and end:
            return parts[0]  # "${…}" is the value itself
        return Expression("template", self.line(start), shown, "", None, tuple(parts))

    def literal(self, start: int, text: str) -> Expression:
        return Expression("literal", self.line(start), text[:_MAXIMUM_TEXT], "", text)

    def escaped(self) -> str:
        letter = self.text[self.position + 1 : self.position + 2]
        digits = self.text[self.position + 2 : self.position + 2 + _CODE.get(letter, 0)]
        self.position += 2 + len(digits)
        if letter not in _CODE:
            return _ESCAPES.get(letter) or self.fail(f"unknown escape \\{letter}")
        if not re.fullmatch(r"[0-9a-fA-F]+", digits) or int(digits, 16) > sys.maxunicode:
            self.fail("an escape is not a character")
        return chr(int(digits, 16))

    def interpolation(self) -> Expression:
        start, opened = self.position, self.takes("${~", "${", "%{~", "%{")
        if opened.startswith("%"):
            end = self.text.find("}", self.position)
            self.position = end + 1 if end >= 0 else self.fail("expected '}'")
            return self.made("directive", start)
        self.deeper()
        before, self.multiline = self.multiline, True
        found = self.expression()
        if not self.takes("~}", "}"):
            self.fail("expected '}'")
        self.multiline = before
        self.depth -= 1
        return found

    def heredoc(self) -> Expression:
        start, opened = self.position, _HEREDOC.match(self.text, self.position)
        end = re.compile(rf"^[ \t]*{re.escape(opened[2])}[ \t]*\r?$", re.MULTILINE) if opened else None
        closed = end.search(self.text, opened.end()) if opened and end else None
        if opened is None or closed is None:
            self.fail("a heredoc has no end")
        lines = self.text[opened.end() : closed.start()].replace("\r\n", "\n").splitlines(keepends=True)
        indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
        cut = min(indents, default=0) if opened[1] else 0
        first = self.line(start) + 1
        body = "".join(line[cut:] or "\n" for line in lines)
        inner = _Parser(body, self.file, first, first - self.first + self.shown, depth=self.depth)
        found = inner.template("")
        self.position = closed.end()
        return attrs.evolve(found, line=self.line(start))
