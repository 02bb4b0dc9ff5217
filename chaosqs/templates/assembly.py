"""The resources that take part in a mapping from a queue to a function → one design.

Mapped queues, their dead-letter queues, theirs in turn, and the functions; nothing else of the template.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TypeVar

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.templates.functions import read_function
from chaosqs.templates.intrinsics import resolve
from chaosqs.templates.locating import located
from chaosqs.templates.mappings import read_mapping
from chaosqs.templates.naming import Names
from chaosqs.templates.queues import read_queue
from chaosqs.templates.reading import Part, Reading
from chaosqs.templates.references import References
from chaosqs.templates.resource import QUEUE, Resource
from chaosqs.templates.scalars import whole_number
from chaosqs.templates.scope import Absent, Unknown
from chaosqs.templates.settling import settled
from chaosqs.templates.sources import Source, sources

_Part = TypeVar("_Part", Queue, Function)
_RESERVED = "ReservedConcurrentExecutions"


def assemble(references: References) -> Design:
    """Return the design of a template. Raises `InvalidDesign` where it has no mapping, or AWS would refuse it."""
    reading = references.reading
    found = list(sources(references))
    mappings = [mapping for source in found if (mapping := _mapping(source, references)) is not None]
    queues = _queues([mapping.queue for mapping in mappings], references)
    functions = _functions([mapping.function for mapping in mappings], references)
    if reading.problems:
        raise InvalidDesign(sorted(reading.problems, key=_line))
    if not mappings:
        raise InvalidDesign(
            f"{reading.file}: maps no SQS queue to a Lambda function. Give the template that has the"
            " AWS::Lambda::EventSourceMapping, or the function with an event of type SQS."
        )
    _say_what_is_left_out(found, {function.name for function in functions}, references)
    try:
        return Design(*settled(queues, functions, mappings, reading))
    except InvalidDesign as error:
        raise InvalidDesign(located(error.problems, queues, functions, mappings, reading.places)) from None


def _line(problem: Problem) -> int:
    return int(problem.where.rpartition(":")[2])


def _mapping(source: Source, references: References) -> EventSourceMapping | None:
    """Return the mapping that a source is; None where it is none, or a problem was noted."""
    queue = references.queue(source.part, source.queue_key) if source.queue_key else None
    if queue is None:
        return None
    reading, name, properties = references.reading, f"{queue}→{source.function}", source.part.properties
    part = reading.begin(Part(f"mappings.{name}", name, properties, source.part.line, source.part.keys))
    for key, field, value in (
        (source.queue_key, "queue", queue),
        ("FunctionName", "function", source.function),
    ):
        if properties.get(key) is not None:
            reading.came(part, field, key, value, reading.line(part, key))
    return read_mapping(part, queue, source.function, reading)


def _queues(mapped: Iterable[str], references: References) -> list[Queue]:
    """Read the mapped queues and whatever dead-letter queues they lead to."""
    resources = _by_name(references.template.resources, references.template.queues)
    found: dict[str, Queue] = {}
    wanted = list(mapped)
    for name in wanted:
        if name not in found:
            found[name] = _queue(name, resources.get(name), references)
            policy = found[name].redrive
            wanted += [policy.dead_letter_queue] if policy else []
    return _in_order(found, [*resources, *references.queues.values()])


def _queue(name: str, resource: Resource | None, references: References) -> Queue:
    if resource is None:
        return Queue(name)
    part = _part(name, resource, references.template.queues, references.reading)
    return read_queue(part, references.reading, references)


def _functions(mapped: Iterable[str], references: References) -> list[Function]:
    template, reading = references.template, references.reading
    resources = _by_name(template.resources, template.functions)
    found: dict[str, Function] = {}
    for name in dict.fromkeys(mapped):
        if name in resources:
            part = _part(name, resources[name], template.functions, reading)
            found[name] = read_function(part, reading, template.resources)
        else:
            found[name] = Function(name)
    return _in_order(found, [*resources, *references.functions.values()])


def _part(name: str, resource: Resource, names: Names, reading: Reading) -> Part:
    kind, key = ("queues", "QueueName") if resource.kind == QUEUE else ("functions", "FunctionName")
    part = reading.begin(Part(f"{kind}.{name}", name, resource.properties, resource.line, resource.keys))
    if resource.logical_id in names.doubts:
        reading.assume(names.doubts[resource.logical_id])
    elif resource.properties.get(key) is not None:
        reading.came(part, "name", key, name, reading.line(part, key))
    return part


def _by_name(resources: Iterable[Resource], names: Names) -> Mapping[str, Resource]:
    return {names.of[each.logical_id]: each for each in resources if each.logical_id in names.of}


def _in_order(found: Mapping[str, _Part], names: Iterable[str]) -> list[_Part]:
    return [found[name] for name in names if name in found]


def _say_what_is_left_out(found: Iterable[Source], functions: Container[str], references: References) -> None:
    """Note other events of the design's functions, and concurrency that other functions reserve."""
    template, reading = references.template, references.reading
    for source in found:
        if source.left_out and source.function in functions:
            reading.assume(source.left_out)
    for name, resource in _by_name(template.resources, template.functions).items():
        entry = resource.properties.get(_RESERVED) if name not in functions else None
        value = resolve(entry.node, template.scope) if entry else Absent()
        amount = None if isinstance(value, Absent | Unknown) else whole_number(value)
        if amount:
            reading.assume(
                f"{name} is left out: no SQS queue invokes it, and its {amount} reserved executions count as free"
            )
