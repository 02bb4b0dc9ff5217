"""Text for reports: escaped and shortened texts of users, wrapping by columns, Markdown and Mermaid, common words."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

import attrs

from chaosqs.model.events import Throttled
from chaosqs.model.scenario import Scenario

ELLIPSIS = "…"
_SEPARATOR = " · "
_MIN_RANGE = 3  # consecutive numbers that are shown as a range
_MAX_LISTED = 6  # numbers and ranges that are listed; more are only counted
_MAX_FIGURE = 6  # characters of a figure that stays with the word before it


def shown(text: str, limit: int = 80) -> str:
    """Return a user's text on one line: unprintable characters are escaped, and a text over the limit ends in `…`."""
    return shortened("".join(map(_visible, text)), limit)


def _visible(character: str) -> str:
    if character.isprintable() and unicodedata.category(character) not in {"Mn", "Me"}:
        return character
    return character.encode("unicode_escape").decode()


def columns(text: str) -> int:
    """Return the width of a text in terminal columns; East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def shortened(text: str, limit: int) -> str:
    """Return a text of at most `limit` columns; the end of a longer one is replaced by `…`."""
    if columns(text) <= limit:
        return text
    return _head(text, limit - 1) + ELLIPSIS


def _head(text: str, limit: int) -> str:
    used = 0
    for index, character in enumerate(text):
        used += columns(character)
        if used > limit:
            return text[:index]
    return text


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """Return a text as at most `lines` lines of `width` columns, broken at spaces; `…` marks omitted text."""
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
        if held and word[:1].isdigit() and len(word) <= _MAX_FIGURE:
            held = f"{held} {word}"
        else:
            if held:
                yield held
            held = word
    if held:
        yield held


def flowing(items: Iterable[str], width: int, lines: int) -> list[str]:
    """Return items on as few lines as possible, wrapped at separators; an item is broken only if it fits no line."""
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
    """Return a count with its noun: `1 message`, `2,000 messages`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


_ORDINALS = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def ordinal(number: int) -> str:
    """Return an ordinal number: `first`, `tenth`, `11th`, `22nd`."""
    if number < len(_ORDINALS):
        return _ORDINALS[number]
    teen = number % 100 in {11, 12, 13}
    return f"{number:,}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def numbers(messages: Iterable[int], noun: str = "message") -> str:
    """Return the numbers of messages, from 1: `4`, `1 and 2`, `1–5 and 7`; if there are many, only their count."""
    unique = sorted(dict.fromkeys(messages))
    parts = [part for run in _runs(unique) for part in _run_text(run)]
    return listed(parts) if len(parts) <= _MAX_LISTED else counted(len(unique), noun)


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
    if len(run) >= _MIN_RANGE:
        return [f"{run[0] + 1:,}–{run[-1] + 1:,}"]
    return [f"{number + 1:,}" for number in run]


def percent(share: float) -> str:
    """Return a share in per cent without its sign: `38`, `0.4`, `<0.1`, `99.6`; 0 and 100 only if they are exact."""
    value = share * 100
    if value in {0.0, 100.0}:
        return f"{value:.0f}"
    if value < 0.1:  # noqa: PLR2004 - the smallest figure with one decimal
        return "<0.1"
    if 1 <= value <= 99:  # noqa: PLR2004 - within these, whole figures say enough
        return f"{value:.0f}"
    return f"{min(value, 99.9):.1f}"


# Texts of users in Markdown and Mermaid ------------------------------------------------------------------------------
#
# They are shown literally, never read as markup. On GitHub, markup includes mentions, automatic links, formulas, emoji.

_MARKUP = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BREAK = "<!-- -->"
_LINKS = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|:(?=[\w+-]+:)|(?<=\bwww)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE)
_MERMAID_SAFE = re.compile(r"[A-Za-z0-9 .,()/=+_'–→…≥×-]")
_END = re.compile(r"\bend\b", re.IGNORECASE)
_EMPTY = "–"
_MAX_LABEL = 120
"""Maximum columns of a label of a diagram."""


def plain_text(text: str, limit: int = 1000) -> str:
    """Return a text as one line of Markdown that shows it literally; valid in a table, not at the start of a line."""
    clean = shown(text, limit)
    broken = _LINKS.split(clean)
    marks = [*_LINKS.findall(clean), ""]
    parts = (_literal(part) + mark + (_BREAK if last else "") for part, mark, last in _zipped(broken, marks))
    return "".join(parts)


def _zipped(parts: list[str], marks: list[str]) -> list[tuple[str, str, bool]]:
    return [(part, mark, index < len(parts) - 1) for index, (part, mark) in enumerate(zip(parts, marks, strict=True))]


def _literal(text: str) -> str:
    html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "<span>$</span>")
    return _MARKUP.sub(lambda found: "\\" + found[0], html)


def code(text: str, limit: int = 200) -> str:
    """Return a text as Markdown that shows it as code; valid in a table."""
    clean = shown(text, limit)
    if not clean.strip():
        return _EMPTY
    if "|" in clean or "\\" in clean:  # within backticks, these have another meaning in a table than outside
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
    """Return a text as a label of a Mermaid diagram, on one line, with possible syntax as character codes."""
    encoded = "".join(_entity(character) for character in shown(text, _MAX_LABEL))
    return _END.sub(lambda found: f"#{ord(found[0][0])};{found[0][1:]}", encoded).strip() or _EMPTY


def _entity(character: str) -> str:
    plain = _MERMAID_SAFE.fullmatch(character) or (character.isalpha() and not character.isascii())
    return character if plain else f"#{ord(character)};"


# Words for messages, functions, queues and limits --------------------------------------------------------------------

_REASONS = {
    "ReservedFunctionConcurrentInvocationLimitExceeded": "reserved concurrency",
    "ConcurrentInvocationLimitExceeded": "unreserved concurrency of the account",
}
"""Meanings of Lambda's throttle reasons that have a limit (LC-12)."""
_ENVIRONMENTS_PER_10_S = 1000
"""Maximum new environments of a function in 10 s (LC-6); a function with no more executions cannot exceed it."""


@attrs.define
class Wording:
    """The words for messages within one step: first with their noun, then as numbers, and `it` if that is clear."""

    scenario: Scenario
    _last: tuple[int, ...] = ()

    def of(self, messages: Sequence[int]) -> str:
        """Return the words for messages: first `messages 1–5`, later `1–5`, or `it` for the one just mentioned."""
        before, self._last = self._last, tuple(messages)
        if not before:
            return named(messages)
        return "it" if len(messages) == 1 and before == self._last else numbers(messages)

    def noun(self, messages: Sequence[int]) -> str:
        """Return the words for messages with their noun, or `it`."""
        words = self.of(messages)
        return words if words == "it" else named(messages)

    def function(self, name: str) -> str:
        """Return the name of a function if there are several, else `the function`."""
        return name_text(name) if len(self.scenario.design.functions) > 1 else "the function"

    def count(self, queue: str, receives: int) -> str:
        """Return a receive count with its limit: `receive count 1 of 2`."""
        limit = self.maximum(queue)
        return f"receive count {receives:,} of {limit:,}" if limit else f"receive count {receives:,}"

    def maximum(self, queue: str) -> int | None:
        """Return the max_receive_count of a queue, or None."""
        redrives = [known.redrive for known in self.scenario.design.queues if known.name == queue]
        return redrives[0].max_receive_count if redrives and redrives[0] else None


def time_text(at: int) -> str:
    """Return a moment in milliseconds as stories print it, in tenths of a second: `30.0 s`."""
    return f"{at / 1000:,.1f} s"


def name_text(name: str) -> str:
    """Return a user's name as stories print it."""
    return shown(name, 40)


def mapping_text(mapping: str) -> str:
    """Return the name of a mapping as stories print it: `orders → worker`."""
    return " → ".join(name_text(part.strip()) for part in mapping.split("→", 1))


def advice(mapping: str, failing: str = "") -> str:
    """Return what to do about real code that never succeeds; `failing`: how it fails."""
    if any(error in failing for error in _OF_ANSWERS):
        return 'It must return None or JSON of at most 6 MB: pollers read "batchItemFailures" of it, and nothing else.'
    table = f"[tool.chaosqs.functions.{name_text(mapping.rpartition('→')[2])}]"
    return f"Give it messages that it accepts (events/*.json, or bodies of {table}) and its variables (environment)."


_OF_ANSWERS = ("ResponseSizeTooLarge", "Runtime.MarshalError")
"""Errors of answers, which no message and no variable changes."""


def title_of(invariant: str) -> str:
    """Return the name of an invariant as stories print it: dashes become spaces, except in hyphenated words."""
    spaced = shown(invariant, 60).replace("-", " ")
    for word in ("dead letter", "at least once", "exactly once"):
        spaced = spaced.replace(word, word.replace(" ", "-"))
    return spaced


def limit_text(throttled: Throttled) -> str:
    """Return the reason of a throttle: `429, reserved concurrency 2`."""
    if throttled.fault:
        return f"429, fault: {name_text(throttled.fault)}"
    known = _REASONS.get(throttled.reason)
    return f"429, {known} {throttled.limit:,}" if known else f"429, {_rate_text(throttled)}"


def _rate_text(throttled: Throttled) -> str:
    """Return the rate that was exceeded below the concurrency limit (LC-6, LC-8); both rates may have one reason."""
    match throttled.reason:
        case "ReservedFunctionInvocationRateLimitExceeded" if throttled.limit == 1:
            return "over 10 requests a second for its only execution"
        case "ReservedFunctionInvocationRateLimitExceeded":
            return f"over 10 requests a second for each of its {throttled.limit:,} executions"
        case "FunctionInvocationRateLimitExceeded":
            new = _ENVIRONMENTS_PER_10_S
            growth = f", or over {new:,} new ones in 10 s" if throttled.limit > new else ""
            return f"over 10 requests a second for each execution of the account{growth}"
        case reason:
            return name_text(reason)


def busy_text(messages: Sequence[int], noun: str = "message") -> str:
    """Return the messages that occupy the executions: `busy with 1 and 2`, or `busy with 23 messages`."""
    return f"busy with {numbers(messages, noun)}"


def verb(messages: Sequence[int], plural: str) -> str:
    """Return a verb in the number of its messages: `run` or `runs`, `match` or `matches`, `are` or `is`."""
    if len(messages) != 1:
        return plural
    return "is" if plural == "are" else f"{plural}{'es' if plural.endswith('ch') else 's'}"


def fault_text(fault: str) -> str:
    """Return the fault behind an event in brackets, or "" if there is none."""
    return f" (fault: {shown(fault, 120)})" if fault else ""
