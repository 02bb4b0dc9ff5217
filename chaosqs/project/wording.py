"""Wording of messages about wrong input: one to three lines, with paths as the user would write them."""

import os
from pathlib import Path

_MOST_LINES = 3


def brief(text: str) -> str:
    """Return a message of at most three lines; if lines are left out, the last one gives their number."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) <= _MOST_LINES:
        return "\n".join(lines)
    kept = lines[: _MOST_LINES - 1]
    return "\n".join([*kept, f"… and {len(lines) - len(kept)} more"])


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or its type if the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def last_line(text: str) -> str:
    """Return the last line of a text; of a traceback, this is the error."""
    return text.strip().rpartition("\n")[2]


def relative_to(root: Path, path: Path) -> str:
    """Return a path as written in the root directory: relative within it, absolute outside."""
    absolute = Path(os.path.normpath(path.absolute()))
    inside = absolute.is_relative_to(root)
    return absolute.relative_to(root).as_posix() if inside else str(absolute)


def with_relative_paths(root: Path, text: str) -> str:
    """Return a text in which files within the root directory are written relative to it."""
    return text.replace(f"{root}{os.sep}", "")


def spelt(part: str) -> str:
    """Return a part of an item's id in a spelling that fits an environment variable, into which pytest puts the id."""
    try:
        os.fsencode(part)
    except UnicodeEncodeError:
        return part.replace("→", "->").encode("ascii", "backslashreplace").decode()
    return part
