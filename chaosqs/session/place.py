"""The line of the user's file to look at first, for annotations of a review."""

from __future__ import annotations

import re

import attrs

from chaosqs.model.counterexample import Counterexample

_ORIGIN = re.compile(r"(?P<file>.+?):(?P<line>\d+) ")


@attrs.frozen
class Place:
    """A file, and a line in it from 1; 0 where no line is known."""

    file: str
    line: int = 0


def place_of(counterexample: Counterexample) -> Place:
    """Return where the first setting that matters and is written somewhere stands, else the design's file."""
    for setting in counterexample.explanation.settings:
        found = _ORIGIN.match(setting.origin) if setting.matters else None
        if found:
            return Place(found["file"], int(found["line"]))
    file, colon, _ = counterexample.design.rpartition(":")
    return Place(file if colon and file.endswith(".py") else counterexample.design)


def annotation(place: Place, title: str, message: str) -> str:
    """Return the line that GitHub Actions shows at a place of a pull request."""
    line = f",line={place.line}" if place.line else ""
    return f"::error file={_property(place.file)}{line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
