"""Changes of a design that may mend it: for each setting a ladder of values, the smallest change first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import log2
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.explorer.dials import LONGEST_RETENTION, Dial, Value, dials, rank
from chaosqs.model.counterexample import Change
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

_Part = TypeVar("_Part", Queue, Function, EventSourceMapping)
_UNLIMITED = 1000
"""As what no limit counts when changes are compared."""
_LIMIT = 0.25
"""As how large a limit counts that was not there before."""
_FACTORS = (1, 2, 3, 6, 12)
"""By how much a timeout is multiplied; AWS advises a visibility timeout of six times the function's."""
_WORTH: Mapping[str, tuple[Value, ...]] = {
    "visibility_timeout": (),
    "max_receive_count": (2, 3, 5, 10, 20, 50),
    "redrive": (5, 10),
    "retention_period": (345_600, LONGEST_RETENTION),
    "timeout": (),
    "reserved_concurrency": (3, 5, 10, 20, 50, 100, None),
    "batch_size": (1, 2, 5, 10),
    "maximum_batching_window": (0, 1, 5),
    "report_batch_item_failures": (True,),
    "filters": (0,),
}
"""Values worth a try of the settings that fixes change; none: multiples of the function's timeout. What is not here
helps by accident, at a price that no run tells, or is not the team's to change."""
_ONLY_UP = ("max_receive_count", "retention_period", "report_batch_item_failures")
"""To give up sooner, or to be told less, is no fix."""
_IN_SECONDS = ("visibility_timeout", "retention_period", "timeout", "maximum_batching_window")


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


def ladders(
    design: Design, mapping: EventSourceMapping, edges: Mapping[str, Sequence[Value]] | None = None
) -> Iterator[list[Candidate]]:
    """Yield, for each setting that may help, its changes in one direction, the smallest first.

    `edges`: for settings by their path, values from which on they help.
    """
    timeout = design.function(mapping.function).timeout
    for dial in dials(design, mapping):
        more = (edges or {}).get(dial.path, ())
        if dial.name == "maximum_concurrency":
            yield _limits(design, mapping, dial, more)
        elif dial.name in _WORTH:
            worth = _WORTH[dial.name] or tuple(timeout * factor for factor in _FACTORS)
            value = dial.read(design)
            found = (*worth, *(_rounded(dial, value, edge) for edge in more))
            yield _values(dial, value, [other for other in found if rank(other) > rank(value)])
            if dial.name not in _ONLY_UP:
                yield _values(dial, value, [other for other in found if rank(other) < rank(value)])


def _rounded(dial: Dial, value: Value, edge: Value) -> Value:
    """Return a value that helps: seconds as a person would set them, everything else as it is."""
    if dial.name not in _IN_SECONDS:
        return edge
    beyond = [
        other
        for other in dial.ladder
        if value is not None
        and edge is not None
        and other is not None
        and (other >= edge > value or other <= edge < value)
    ]
    return min(beyond, key=lambda other: abs(rank(other) - rank(edge)), default=edge)


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


def _limits(design: Design, mapping: EventSourceMapping, dial: Dial, more: Sequence[Value]) -> list[Candidate]:
    """A maximum concurrency for each mapping of the function: as much as fits, then less."""
    siblings = [other for other in design.mappings_of(mapping.function) if other.enabled]
    room = min(1000, max(2, design.concurrency_limit(mapping.function) // len(siblings)))
    fitting = [value for value in sorted({room, 2, *(other for other in more if other)}, reverse=True) if value <= room]
    text = f"maximum_concurrency = {{}}{' on each mapping of ' + mapping.function if len(siblings) > 1 else ''}"
    return [
        Candidate(text.format(value), _limiting(mapping.function, value), _LIMIT)
        for value in fitting
        if value != dial.read(design)
    ]


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


def _values(dial: Dial, value: Value, others: Iterable[Value]) -> list[Candidate]:
    """Return the changes of a dial that stands at a value, the smallest first; each once."""
    found = [
        Candidate(_text(dial, other), _turning(dial, other), _size(value, other))
        for other in sorted(dict.fromkeys(others), key=rank)
    ]
    return sorted(found, key=lambda candidate: candidate.size)


def _size(value: Value, other: Value) -> float:
    if value is None:
        return _LIMIT
    return abs(log2(min(rank(other), _UNLIMITED) + 1) - log2(value + 1))


def _turning(dial: Dial, value: Value) -> Callable[[Design], Design]:
    return lambda design: dial.write(design, value)


def _text(dial: Dial, value: Value) -> str:
    if dial.name == "redrive":
        return f"redrive to a new dead-letter queue with max_receive_count = {value}"
    if value is None or (dial.name == "filters" and not value):
        return f"no {dial.name}"
    return f"{f'{dial.owner}.' if dial.quiet else ''}{dial.name} = {value}"


def changes(before: Design, after: Design) -> tuple[Change, ...]:
    """Return what is different in a design with the same functions and mappings, setting by setting.

    It may have another queue at the end: the dead-letter queue of a redrive policy that is new.
    """
    return (
        *_changes(before.queues, after.queues[: len(before.queues)]),
        *_changes(before.functions, after.functions),
        *_changes(before.mappings, after.mappings),
    )


def _changes(before: tuple[_Part, ...], after: tuple[_Part, ...]) -> Iterator[Change]:
    for part, other in zip(before, after, strict=True):
        for field in attrs.fields(type(part)):
            old, new = getattr(part, field.name), getattr(other, field.name)
            if new == old:
                continue
            if isinstance(new, Redrive):
                yield Change(part.name, "redrive" if old is None else "max_receive_count", new.max_receive_count)
            else:
                yield Change(part.name, field.name, None if field.name == "filters" else new)
