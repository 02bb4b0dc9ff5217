"""Shared by all values of the model: a repr that pastes back into a test, and checks that collect problems.

Values do not check themselves one by one: a design or scenario checks all that it contains at once, so that its
error lists everything that is wrong.
"""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias, TypeVar

import attrs

from chaosqs.errors import Problem

Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | bool | None"
"""A value that `json.loads` returns."""


def concise_repr(self: attrs.AttrsInstance) -> str:
    """Return a constructor call with only the fields that differ from their defaults (and those without one)."""
    shown: list[str] = []
    for field in attrs.fields(type(self)):
        value: object = getattr(self, field.name)
        if field.default is attrs.NOTHING:
            shown.append(f"{field.name}={value!r}" if shown else repr(value))
        elif field.repr and value != field.default:
            shown.append(f"{field.name}={value!r}")
    return f"{type(self).__name__}({', '.join(shown)})"


_Word = TypeVar("_Word", bound=str)


def one_of(words: Iterable[_Word], text: str | None) -> _Word | None:
    """Return the word that equals a text, or None."""
    return next((word for word in words if word == text), None)


def strings(items: Iterable[str]) -> tuple[str, ...]:
    """Return the items as a tuple. Converts a field; type checkers need one function for each type of item."""
    return tuple(items)


@attrs.define
class Checks:
    """Collects the problems of the fields of one value, each with its path."""

    path: str
    problems: list[Problem] = attrs.field(factory=list[Problem])

    def refuse(self, field: str, value: object, must: str, rule: str = "") -> None:
        """Note a problem of a field: its value, and what it must be instead."""
        given = "" if value is None else repr(value)
        self.problems.append(Problem(f"{self.path}.{field}" if self.path else field, given, must, rule))

    def whole(  # noqa: PLR0917 - the rules are tables that read best as rows
        self, field: str, value: object, low: int, high: int | None, unit: str = "", rule: str = ""
    ) -> bool:
        """Note a value that is not a whole number from low to high; return True if it is one."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= low and (high is None or value <= high):
            return True
        scope = f"of at least {low}" if high is None else f"from {low} to {high}"
        self.refuse(field, value, f"must be a whole number {scope}{' ' + unit if unit else ''}", rule)
        return False

    def number(self, field: str, value: object, low: float, high: float | None = None, unit: str = "") -> bool:
        """Note a value that is not a finite number from low to high; return True if it is one."""
        highest = float("inf") if high is None else high
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and low <= value <= highest
            and value < float("inf")
        ):
            return True
        scope = f"of at least {low:g}" if high is None else f"from {low:g} to {high:g}"
        self.refuse(field, value, f"must be a number {scope}{' ' + unit if unit else ''}")
        return False

    def flag(self, field: str, value: object) -> None:
        """Note a value that is neither True nor False."""
        if not isinstance(value, bool):
            self.refuse(field, value, "must be True or False")

    def one_of(self, field: str, value: object, allowed: Sequence[str], rule: str = "") -> bool:
        """Note a value that is not one of the allowed words; return True if it is one."""
        if isinstance(value, str) and value in allowed:
            return True
        self.refuse(field, value, "must be " + " or ".join(map(repr, allowed)), rule)
        return False

    def name(self, field: str, value: object, pattern: str, must: str, rule: str = "") -> bool:
        """Note a name that does not match the pattern; return True if it does."""
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return True
        self.refuse(field, value, must, rule)
        return False
