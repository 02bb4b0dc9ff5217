"""Where a template connects a queue to a function: event source mappings, and SQS events of SAM functions."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from chaosqs.templates.intrinsics import resolve
from chaosqs.templates.reading import Part, Reading
from chaosqs.templates.references import References
from chaosqs.templates.resource import MAPPING, SAM_FUNCTION, Resource
from chaosqs.templates.scalars import text_of
from chaosqs.templates.scope import EMPTY, Absent, Unknown
from chaosqs.templates.tree import Entry, Leaf, Table, described

_NOT_OF_SQS = ("StartingPosition", "Topics", "Queues", "SelfManagedEventSource")
"""Properties that a mapping on a stream, Kafka or a broker must have, and one on a queue must not."""


@attrs.frozen
class Source:
    """Something that invokes a function."""

    part: Part
    function: str
    """Name of the function, of the template or outside it."""
    queue_key: str = ""
    """The property that has the ARN of the queue; empty where it is something else than a queue."""
    left_out: str = ""
    """What to say where it is something else than a queue."""


def sources(references: References) -> Iterator[Source]:
    """Find everything that invokes a function, in the template's order."""
    template = references.template
    for resource in template.resources:
        if resource.kind == SAM_FUNCTION:
            yield from _events(resource, template.functions.of[resource.logical_id], references.reading)
        elif resource.kind == MAPPING:
            found = _mapping(resource, references)
            if found is not None:
                yield found


def _mapping(resource: Resource, references: References) -> Source | None:
    name = resource.logical_id
    part = Part(f"mappings.{name}", name, resource.properties, resource.line, resource.keys)
    if _is_on_queue(part, references.reading):
        invoked = references.function(part, "FunctionName")
        return Source(part, invoked, "EventSourceArn") if invoked is not None else None
    function = references.own_function(part, "FunctionName")
    said = f"event source {part.name} of {function} is left out: it is no SQS queue"
    return Source(part, function, left_out=said) if function else None


def _is_on_queue(part: Part, reading: Reading) -> bool:
    """Tell whether a mapping is on a queue; where its source cannot be told, by the properties of other kinds."""
    if any(part.properties.get(key) for key in _NOT_OF_SQS):
        return False
    entry = part.properties.get("EventSourceArn")
    value = resolve(entry.node, reading.scope) if entry else Absent()
    match value:
        case Absent():
            return False
        case Leaf(text=text) if text.startswith("arn:"):
            return text.split(":")[2:3] == ["sqs"]
        case _:
            return True


def _events(resource: Resource, function: str, reading: Reading) -> Iterator[Source]:
    own = Part(f"functions.{function}", function, resource.properties, resource.line, resource.keys)
    events = reading.table(own, "Events", "events")
    if events is None:
        return
    for label, entry in events.properties.entries.items():
        keys = (*own.keys, "Events", label, "Properties")
        part = Part(f"{own.path}.events.{label}", f"event {label} of {function}", events.properties, entry.line, keys)
        found = _event(part, entry, function, reading)
        if found is not None:
            yield found


def _event(part: Part, entry: Entry, function: str, reading: Reading) -> Source | None:
    value = resolve(entry.node, reading.scope)
    match value:
        case Absent():
            return None
        case Unknown(reason=reason):
            reading.assume(f"{part.name} {reason}; assumed not to be there")
            return None
        case Table(entries=entries):
            kind = entries.get("Type")
            name = text_of(kind.node) if kind else None
        case _:
            reading.refuse(part.path, described(value), "must be a mapping with Type and Properties", entry.line)
            return None
    event = attrs.evolve(part, properties=value)
    if name != "SQS":
        return Source(event, function, left_out=f"{part.name} ({name}) is left out: it is no SQS queue")
    properties = reading.table(event, "Properties", "properties")
    return Source(attrs.evolve(part, properties=properties.properties if properties else EMPTY), function, "Queue")
