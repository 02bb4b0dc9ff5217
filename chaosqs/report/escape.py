"""Texts of users as parts of Markdown and Mermaid: shown as they are, never read as markup.

On GitHub that includes mentions, links that link themselves, formulas and emoji.
"""

from __future__ import annotations

import re

from chaosqs.report.text import shown

_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BREAK = "<!-- -->"
_LINKS = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|:(?=[\w+-]+:)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
_MERMAID_SAFE = re.compile(r"[A-Za-z0-9 .,()/=+_'–→…≥×-]")
_END = re.compile(r"\bend\b", re.IGNORECASE)
_EMPTY = "–"
_LABEL = 120
"""The most characters of a label of a diagram."""


def prose(text: str, limit: int = 1000) -> str:
    """Return a text as Markdown that shows it literally, on one line; it may stand in a table, not begin a line."""
    clean = shown(text, limit)
    broken = _LINKS.split(clean)
    marks = [*_LINKS.findall(clean), ""]
    parts = (_literal(part) + mark + (_BREAK if last else "") for part, mark, last in _zipped(broken, marks))
    return "".join(parts)


def _zipped(parts: list[str], marks: list[str]) -> list[tuple[str, str, bool]]:
    return [(part, mark, place < len(parts) - 1) for place, (part, mark) in enumerate(zip(parts, marks, strict=True))]


def _literal(text: str) -> str:
    html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "<span>$</span>")
    return _MARKUP.sub(lambda found: "\\" + found[0], html)


def code(text: str, limit: int = 200) -> str:
    """Return a text as Markdown that shows it as code; it may stand in a table."""
    clean = shown(text, limit)
    if not clean.strip():
        return _EMPTY
    if "|" in clean or "\\" in clean:  # what these mean within backticks depends on whether they stand in a table
        return f"<code>{''.join(map(_reference, clean))}</code>"
    fence = "`" * (_longest_run(clean) + 1)
    pad = " " if clean[0] in "` " or clean[-1] in "` " else ""
    return f"{fence}{pad}{clean}{pad}{fence}"


def _reference(character: str) -> str:
    return character if character.isalnum() or character == " " else f"&#{ord(character)};"


def fenced(text: str, language: str) -> str:
    """Return a text as a Markdown code block; its fence is longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_run(text) + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def mermaid(text: str) -> str:
    """Return a text as a label of a Mermaid diagram, on one line: what might be syntax as its character code."""
    encoded = "".join(_entity(character) for character in shown(text, _LABEL))
    return _END.sub(lambda found: f"#{ord(found[0][0])};{found[0][1:]}", encoded).strip() or _EMPTY


def _entity(character: str) -> str:
    plain = _MERMAID_SAFE.fullmatch(character) or (character.isalpha() and not character.isascii())
    return character if plain else f"#{ord(character)};"
