"""Changes of a design that may mend it: for each setting a ladder of values, the smallest change first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log2
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.explorer.dials import Dial, Value, dials, rank
from chaosqs.model.counterexample import Change
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

_Part = TypeVar("_Part", Queue, Function, EventSourceMapping)
_UNLIMITED = 1000
"""As what no limit counts when changes are compared."""
_LIMIT = 0.25
"""As how large a limit counts that was not there before."""


@attrs.frozen
class Candidate:
    """One or two settings with another value."""

    text: str
    write: Callable[[Design], Design] = attrs.field(repr=False)
    """Return the design with the change. Raises `InvalidDesign` where AWS would."""
    size: float
    """How much it changes: the logarithm of the ratio."""


def redesigned(design: Design, candidate: Candidate) -> Design | None:
    """Return a design with a change; None where AWS would not accept it."""
    try:
        return candidate.write(design)
    except InvalidDesign:
        return None


def ladders(design: Design, mapping: EventSourceMapping) -> Iterator[list[Candidate]]:
    """Yield, for each setting that may help, its changes, the smallest first."""
    by_name = {dial.name: dial for dial in dials(design, mapping)}
    timeout = design.function(mapping.function).timeout
    yield _limits(design, mapping, by_name["maximum_concurrency"])
    yield _values(design, by_name["reserved_concurrency"], (3, 5, 10, 20, 50, 100, None))
    if "max_receive_count" in by_name:
        yield _values(design, by_name["max_receive_count"], (2, 3, 5, 10, 20, 50))
    yield _values(design, by_name["visibility_timeout"], tuple(timeout * factor for factor in (2, 3, 6, 12)))
    yield _values(design, by_name["timeout"], tuple(timeout * factor for factor in (2, 3, 6)))
    yield _values(design, by_name["batch_size"], (5, 2, 1), up=False)
    yield _values(design, by_name["batch_size"], (2, 5, 10))
    yield _values(design, by_name["report_batch_item_failures"], (True,))


def both(first: list[Candidate], second: list[Candidate]) -> list[Candidate]:
    """Return each change of one ladder with each of another, the smallest first."""
    pairs = [
        Candidate(f"{one.text} and {other.text}", _after(one.write, other.write), one.size + other.size)
        for one in first
        for other in second
    ]
    return sorted(pairs, key=lambda pair: pair.size)


def _after(one: Callable[[Design], Design], other: Callable[[Design], Design]) -> Callable[[Design], Design]:
    """Return two changes as one, in the order in which AWS takes them (EC-11: first visibility, then the timeout)."""

    def write(design: Design) -> Design:
        try:
            return other(one(design))
        except InvalidDesign:
            return one(other(design))

    return write


def _limits(design: Design, mapping: EventSourceMapping, dial: Dial) -> list[Candidate]:
    """A maximum concurrency for each mapping of the function: as much as fits, then less."""
    siblings = [other for other in design.mappings_of(mapping.function) if other.enabled]
    room = design.concurrency_limit(mapping.function) // len(siblings)
    values = [value for value in dict.fromkeys((min(1000, max(2, room)), 2)) if value != dial.read(design)]
    text = f"maximum_concurrency = {{}}{' on each mapping of ' + mapping.function if len(siblings) > 1 else ''}"
    return [Candidate(text.format(value), _limiting(mapping.function, value), _LIMIT) for value in values]


def _limiting(function: str, value: int) -> Callable[[Design], Design]:
    def write(design: Design) -> Design:
        limited = (
            attrs.evolve(mapping, maximum_concurrency=value, provisioned_pollers=None)
            if mapping.function == function
            else mapping
            for mapping in design.mappings
        )
        return attrs.evolve(design, mappings=tuple(limited))

    return write


def _values(design: Design, dial: Dial, values: tuple[Value, ...], *, up: bool = True) -> list[Candidate]:
    """Return the changes of a dial to larger (or smaller) values."""
    value = dial.read(design)
    if value is None:
        return []
    return [
        Candidate(
            _text(dial, other), _turning(dial, other), abs(log2(min(rank(other), _UNLIMITED) + 1) - log2(value + 1))
        )
        for other in values
        if (rank(other) > value) == up and other != value
    ]


def _turning(dial: Dial, value: Value) -> Callable[[Design], Design]:
    return lambda design: dial.write(design, value)


def _text(dial: Dial, value: Value) -> str:
    return f"no {dial.name}" if value is None else f"{dial.name} = {value}"


def changes(before: Design, after: Design) -> tuple[Change, ...]:
    """Return what is different in a design that has the same queues, functions and mappings, setting by setting."""
    return (
        *_changes(before.queues, after.queues),
        *_changes(before.functions, after.functions),
        *_changes(before.mappings, after.mappings),
    )


def _changes(before: tuple[_Part, ...], after: tuple[_Part, ...]) -> Iterator[Change]:
    for part, other in zip(before, after, strict=True):
        for field in attrs.fields(type(part)):
            new = getattr(other, field.name)
            if new == getattr(part, field.name):
                continue
            if isinstance(new, Redrive):
                yield Change(part.name, "max_receive_count", new.max_receive_count)
            else:
                yield Change(part.name, field.name, new)
