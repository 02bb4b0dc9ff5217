"""Text that nothing can break: names of users made visible and bounded, lines wrapped by the columns they take."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

ELLIPSIS = "…"
_SEPARATOR = " · "
_RANGE = 3
_LISTED = 6
_FIGURE = 6


def shown(text: str, limit: int = 80) -> str:
    """Return a user's text on one line: what does not print becomes its escape, what is too long ends in `…`."""
    return shortened("".join(map(_visible, text)), limit)


def _visible(character: str) -> str:
    if character.isprintable() and unicodedata.category(character) not in {"Mn", "Me"}:
        return character
    return character.encode("unicode_escape").decode()


def columns(text: str) -> int:
    """Return how many columns a terminal gives to a text: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def shortened(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns, its end replaced by `…` where it was longer."""
    if columns(text) <= limit:
        return text
    return _head(text, limit - 1) + ELLIPSIS


def _head(text: str, limit: int) -> str:
    used = 0
    for place, character in enumerate(text):
        used += columns(character)
        if used > limit:
            return text[:place]
    return text


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """Return a text as at most so many lines of so many columns, broken at spaces; what is cut off is marked `…`."""
    broken = list(_broken(text, width))
    if len(broken) <= lines:
        return broken
    last = shortened(" ".join(broken[lines - 1 : lines + 1]), width - 1)
    return [*broken[: lines - 1], last if last.endswith(ELLIPSIS) else last + ELLIPSIS]


def _broken(text: str, width: int) -> Iterator[str]:
    line = ""
    for word in _words(text):
        rest = word
        if line and columns(line) + 1 + columns(rest) > width:
            yield line
            line = ""
        elif line:
            line, rest = f"{line} {rest}", ""
        while columns(rest) > width:
            head = _head(rest, width)
            yield head
            rest = rest[len(head) :]
        line = line or rest
    if line:
        yield line


def _words(text: str) -> Iterator[str]:
    """Yield the words of a text; a figure stays with the word before it (`reserved concurrency 2`)."""
    held = ""
    for word in text.split(" "):
        if held and word[:1].isdigit() and len(word) <= _FIGURE:
            held = f"{held} {word}"
        else:
            if held:
                yield held
            held = word
    if held:
        yield held


def flowing(items: Iterable[str], width: int, lines: int) -> list[str]:
    """Return items on as few lines as wrapping at separators allows; an item is broken only where it fits no line."""
    found: list[str] = []
    for item in items:
        if found and columns(found[-1] + _SEPARATOR + item) <= width:
            found[-1] += _SEPARATOR + item
        else:
            found += ([found.pop() + _SEPARATOR.rstrip()] if found else []) + [item]
    return (
        wrapped(" ".join(found), width, lines) if any(columns(line) > width for line in found) else _first(found, lines)
    )


def _first(found: list[str], lines: int) -> list[str]:
    if len(found) <= lines:
        return found
    return [*found[: lines - 1], found[lines - 1].rstrip(" ·") + f" {ELLIPSIS}"]


def padded(text: str, width: int) -> str:
    """Return a text with spaces up to a width in columns."""
    return text + " " * (width - columns(text))


def listed(words: Sequence[str]) -> str:
    """Return words as a list: `a`, `a and b`, `a, b and c`; empty for none."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def counted(count: int, thing: str) -> str:
    """Return so many things: `1 message`, `2,000 messages`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


_ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def ordinal(number: int) -> str:
    """Return which of several: `first`, `tenth`, `11th`, `22nd`."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    teen = number % 100 in {11, 12, 13}
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def numbers(messages: Iterable[int], noun: str = "message") -> str:
    """Return messages as stories number them, from 1: `4`, `1 and 2`, `1–5 and 7`; many of them only as a count."""
    unique = sorted(dict.fromkeys(messages))
    parts = [part for run in _runs(unique) for part in _run_text(run)]
    return listed(parts) if len(parts) <= _LISTED else counted(len(unique), noun)


def named(messages: Iterable[int]) -> str:
    """Return messages with their noun: `message 4`, `messages 1–5 and 7`, `23 messages`."""
    unique = list(dict.fromkeys(messages))
    text = numbers(unique)
    return text if text.endswith("messages") else f"message{'' if len(unique) == 1 else 's'} {text}"


def _runs(ordered: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in ordered:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _run_text(run: list[int]) -> list[str]:
    if len(run) >= _RANGE:
        return [f"{run[0] + 1:,}–{run[-1] + 1:,}"]
    return [f"{number + 1:,}" for number in run]


def percent(share: float) -> str:
    """Return a share in per cent without its sign: `38`, `0.4`, `<0.1`, `99.6`; 0 and 100 only where they are exact."""
    value = share * 100
    if value in {0.0, 100.0}:
        return f"{value:.0f}"
    if value < 0.1:  # noqa: PLR2004 - the smallest figure with one decimal
        return "<0.1"
    if 1 <= value <= 99:  # noqa: PLR2004 - within these, whole figures say enough
        return f"{value:.0f}"
    return f"{min(value, 99.9):.1f}"
