"""A design as Python that pastes, with where each value came from as comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import attrs

from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.session.sources import Source

_NAMES = ("Account", "Design", "EventSourceMapping", "Function", "Queue", "Redrive", "RedriveAllow")

Part: TypeAlias = Queue | Function | EventSourceMapping
"""What a design is made of."""


def as_python(source: Source) -> str:
    """Return the source of a module that defines the design as `design`."""
    lines = list(_design(source.design, source.origins))
    names = [name for name in _NAMES if any(f"{name}(" in line for line in lines)]
    head = [f"# Read from {source.name}.", *(f"# Assumed: {sentence}" for sentence in source.assumptions)]
    return "\n".join([*head, f"from chaosqs import {', '.join(names)}", "", *lines, ""])


def _design(design: Design, origins: Mapping[str, str]) -> Iterator[str]:
    yield "design = Design("
    kinds: dict[str, tuple[Part, ...]] = {
        "queues": design.queues,
        "functions": design.functions,
        "mappings": design.mappings,
    }
    for kind, parts in kinds.items():
        if parts:
            yield f"    {kind}=["
            for place, part in enumerate(parts):
                yield from _part(part, f"{kind}[{place}]", origins)
            yield "    ],"
    if design.account != Account():
        yield f"    account={design.account!r},"
    if design.era != attrs.fields(Design).era.default:
        yield f"    era={design.era!r},"
    yield ")"


def _part(part: Part, path: str, origins: Mapping[str, str]) -> Iterator[str]:
    """Yield one part: the fields that a file sets, and those that are not at their defaults."""
    yield f"        {type(part).__name__}("
    for field in attrs.fields(type(part)):
        value: object = getattr(part, field.name)
        place = f"{path}.{field.name}"
        came = [origin for of, origin in origins.items() if of == place or of.startswith(f"{place}.")]
        if came or (value != field.default and field.name != "fifo"):  # which follows from the name
            yield f"            {field.name}={value!r},{'  # ' if came else ''}{' · '.join(came)}"
    yield "        ),"
