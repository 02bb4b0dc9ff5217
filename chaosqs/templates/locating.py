"""Problems that a design has with itself → the same with the file and line that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import attrs

from chaosqs.errors import Problem
from chaosqs.model.design import EventSourceMapping, Function, Queue

_PLACE = re.compile(r"(queues|functions|mappings)\[(\d+)\](.*)")
_VISIBILITY = "EC-11"


def located(
    problems: Sequence[Problem],
    queues: Sequence[Queue],
    functions: Sequence[Function],
    mappings: Sequence[EventSourceMapping],
    places: Mapping[str, str],
) -> list[Problem]:
    """Fill in where each problem comes from, as far as the template says; `places` are file and line by path."""
    names = {
        "queues": [queue.name for queue in queues],
        "functions": [function.name for function in functions],
        "mappings": [mapping.name for mapping in mappings],
    }
    return [attrs.evolve(each, where=_where(_candidates(each, names, mappings), places)) for each in problems]


def _where(paths: Iterator[str], places: Mapping[str, str]) -> str:
    return next((places[path] for path in paths if path in places), "")


def _candidates(
    problem: Problem, names: Mapping[str, Sequence[str]], mappings: Sequence[EventSourceMapping]
) -> Iterator[str]:
    """Paths whose place would explain a problem, the best one first."""
    found = _PLACE.fullmatch(problem.path)
    if found is None:
        yield f"{problem.path}.{problem.value.strip(chr(39))}"  # two parts of one name
        yield from (f"functions.{name}.reserved_concurrency" for name in names["functions"])
        return
    kind, place, field = found[1], int(found[2]), found[3]
    if problem.rule == _VISIBILITY:
        mapping = mappings[place]
        yield f"queues.{mapping.queue}.visibility_timeout"
        yield f"functions.{mapping.function}.timeout"
    path = f"{kind}.{names[kind][place]}"
    while field:
        yield path + field
        if field == ".fifo":  # it follows from the name (FF-1)
            yield f"{path}.name"
        field = field[: max(field.rfind("."), field.rfind("["), 0)]
    yield path
