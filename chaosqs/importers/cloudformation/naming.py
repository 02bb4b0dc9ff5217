"""What queues and functions are called in the design.

A name that is written in the template is kept where it can be told and is valid, otherwise the logical id serves: it is
what people recognise. Names stay unique: whoever comes second to a name gets its logical id, or a number behind it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

import attrs

from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import Leaf, described, text_of, truth
from chaosqs.importers.cloudformation.resource import QUEUE, Resource
from chaosqs.importers.cloudformation.scope import Absent, Scope, Unknown

_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUEUE_LENGTH, _FUNCTION_LENGTH = 80, 64


@attrs.frozen
class Names:
    """The names of the template's queues, or of its functions."""

    of: Mapping[str, str]
    """By logical id."""
    doubts: Mapping[str, str]
    """By logical id: why the name that is written was not taken, as a sentence."""
    hinted: Mapping[str, str]
    """By what is known of a name that cannot be told: `${Stage}-orders` is known as `Stage-orders`."""


def names_of(resources: Iterable[Resource], scope: Scope) -> Names:
    """Give each of some queues, or of some functions, a name of its own."""
    of, doubts, hinted = dict[str, str](), dict[str, str](), dict[str, str]()
    taken = set[str]()
    for resource in resources:
        written = _written(resource, scope, taken)
        name = written if isinstance(written, str) else _from_logical_id(resource, scope, taken)
        taken.add(name)
        of[resource.logical_id] = name
        if isinstance(written, Unknown):
            doubts[resource.logical_id] = f"{resource.logical_id}: {written.reason}; named {name}"
            if written.hint:
                hinted.setdefault(plain_name(written.hint), name)
    return Names(of, doubts, hinted)


def _written(resource: Resource, scope: Scope, taken: Container[str]) -> str | Unknown | None:
    """Return the name that is written, None where none is, or why it cannot be taken."""
    is_queue = resource.kind == QUEUE
    key, valid = ("QueueName", _QUEUE_NAME) if is_queue else ("FunctionName", _FUNCTION_NAME)
    entry = resource.properties.get(key)
    value = Absent() if entry is None else resolve(entry.node, scope)
    match value:
        case Absent():
            return None
        case Unknown(reason=reason, hint=hint):
            return Unknown(f"{key} {reason}", hint)
        case _:
            text = text_of(value) or ""
    name = text if is_queue else function_in(text)
    if not valid.fullmatch(name):
        return Unknown(f"{key} {described(value)} is no valid name")
    return Unknown(f"{key} {name} is taken by another one") if name in taken else name


def _from_logical_id(resource: Resource, scope: Scope, taken: Container[str]) -> str:
    if resource.kind != QUEUE:
        return function_name(resource.logical_id, taken)
    entry = resource.properties.get("FifoQueue")
    value = resolve(entry.node, scope) if entry else Absent()
    return queue_name(resource.logical_id, taken, fifo=isinstance(value, Leaf) and truth(value) is True)


def queue_name(base: str, taken: Container[str] = (), *, fifo: bool) -> str:
    """Return a valid name for a queue, made from a text, that nobody has taken."""
    return _unique(plain_name(base.removesuffix(".fifo")) or "queue", taken, ".fifo" if fifo else "", _QUEUE_LENGTH)


def function_name(base: str, taken: Container[str] = ()) -> str:
    """Return a valid name for a function, made from a text, that nobody has taken."""
    return _unique(plain_name(base) or "function", taken, "", _FUNCTION_LENGTH)


def _unique(base: str, taken: Container[str], suffix: str, length: int) -> str:
    number, ending = 1, suffix
    while (name := base[: length - len(ending)] + ending) in taken:
        number += 1
        ending = f"-{number}{suffix}"
    return name


def plain_name(text: str) -> str:
    """Return the letters, digits, `-` and `_` of the last part of an ARN, or of any text."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text.rsplit(":", 1)[-1]).strip("-")


def function_in(text: str) -> str:
    """Return the name in what may stand for a function: a name or an ARN, each with or without alias or version."""
    parts = text.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]
