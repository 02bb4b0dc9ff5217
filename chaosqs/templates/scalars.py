"""What a YAML or JSON scalar means, and how numbers and truth values that were written as text are understood.

Of YAML 1.1 as CloudFormation reads it, only what a template needs: decimal numbers, truth values, null. Dates, octal
and base-60 numbers stay text, so that an account id with a leading zero keeps it.
"""

from __future__ import annotations

import re

from chaosqs.templates.tree import Leaf, Node, Scalar

_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?[0-9]{1,18}(?:\.[0-9]{0,18})?(?:[eE][-+]?[0-9]{1,2})?")
_TRUE = frozenset({"true", "yes", "on"})
_FALSE = frozenset({"false", "no", "off"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


def scalar(text: str, line: int, *, plain: bool) -> Leaf:
    """Return the leaf for a scalar; a plain one (without quotes) may be a number, a truth value or null."""
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
    """Return the whole number that a node is, also where it is written as text; None where it is none."""
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
    """Return the truth value that a node is, also where it is written as text; None where it is none."""
    match node:
        case Leaf(value=bool(value)):
            return value
        case Leaf(value=str(text)) if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        case _:
            return None


def text_of(node: Node) -> str | None:
    """Return the text that a node is (numbers read as written); None where it is a list, a mapping or null."""
    return node.text if isinstance(node, Leaf) and node.value is not None else None
