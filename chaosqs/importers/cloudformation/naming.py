"""Names of queues and functions in the design, and the texts that AWS puts in place of references to them.

A name that is written in the template is kept if it can be resolved and is valid. Otherwise the logical id is used,
which people recognise. Names are unique: the second resource of a name gets its logical id, with a number if needed.
"""

import re
from collections.abc import Container, Iterable, Mapping

import attrs

from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import Leaf, described, text_of, truth
from chaosqs.importers.cloudformation.scope import ALIAS, QUEUE, VERSION, Absent, Resource, Scope, Unknown

_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo")
_FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_QUEUE_LENGTH = 80  # characters
_FUNCTION_LENGTH = 64


@attrs.frozen
class Names:
    """The names of the template's queues, or of its functions."""

    of: Mapping[str, str]
    """Name in the design, by logical id."""
    doubts: Mapping[str, str]
    """Sentence that says why the written name was not used, by logical id."""
    hinted: Mapping[str, str]
    """Name by the hint of a written name that cannot be resolved: the hint of `${Stage}-orders` is `Stage-orders`."""


def names_of(resources: Iterable[Resource], scope: Scope, others: Iterable[str] = ()) -> Names:
    """Return a unique name for each of some queues, or of some functions; `others`: names that are taken."""
    of, doubts, hinted = dict[str, str](), dict[str, str](), dict[str, str]()
    taken = set(others)
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
    """Return the written name, None if there is none, or `Unknown` with the reason why it cannot be used."""
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
        return Unknown(f"{key} {described(value)} is not a valid name")
    return Unknown(f"{key} {name} is taken by another one") if name in taken else name


def _from_logical_id(resource: Resource, scope: Scope, taken: Container[str]) -> str:
    if resource.kind != QUEUE:
        return function_name(resource.logical_id, taken)
    entry = resource.properties.get("FifoQueue")
    value = resolve(entry.node, scope) if entry else Absent()
    return queue_name(resource.logical_id, taken, fifo=isinstance(value, Leaf) and truth(value) is True)


def queue_name(base: str, taken: Container[str] = (), *, fifo: bool) -> str:
    """Return a valid queue name, made from a text and different from those taken."""
    return _unique(plain_name(base.removesuffix(".fifo")) or "queue", taken, ".fifo" if fifo else "", _QUEUE_LENGTH)


def function_name(base: str, taken: Container[str] = ()) -> str:
    """Return a valid function name, made from a text and different from those taken."""
    return _unique(plain_name(base) or "function", taken, "", _FUNCTION_LENGTH)


def _unique(base: str, taken: Container[str], suffix: str, length: int) -> str:
    number, ending = 1, suffix
    while (name := base[: length - len(ending)] + ending) in taken:
        number += 1
        ending = f"-{number}{suffix}"
    return name


def plain_name(text: str) -> str:
    """Return the last part of an ARN, or any text, with `-` in place of all but letters, digits and `_`."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", text.rsplit(":", 1)[-1]).strip("-")


def function_in(text: str) -> str:
    """Return the function's name in a name or an ARN, each with or without alias or version."""
    parts = text.split(":")
    return parts[parts.index("function") + 1] if "function" in parts[:-1] else parts[0]


def arn(service: str, rest: str, scope: Scope) -> str:
    """Return the ARN of a resource in the given or assumed account and Region."""
    values = [scope.known[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId")]
    partition, region, account = (text_of(value) or "" for value in values)
    return f"arn:{partition}:{service}:{region}:{account}:{rest}"


def addresses(queues: Names, functions: Names, scope: Scope) -> Mapping[str, Leaf]:
    """Return the values of Ref and GetAtt for queues and functions, by reference: `Orders`, `Orders.Arn`."""
    known: dict[str, str] = {}
    for name, queue in queues.of.items():
        own = arn("sqs", queue, scope)
        _, _, _, region, account, _ = own.split(":", 5)
        url = f"https://sqs.{region}.amazonaws.com/{account}/{queue}"
        known |= {name: url, f"{name}.QueueUrl": url, f"{name}.Arn": own, f"{name}.QueueName": queue}
    for name, function in functions.of.items():
        own = arn("lambda", f"function:{function}", scope)
        # `Worker.Alias` and `Worker.Version` are SAM's, for a function with AutoPublishAlias
        known |= {
            name: function,
            f"{name}.Arn": own,
            f"{name}.Alias": f"{own}:live",
            f"{name}.Version": f"{own}:1",
        }
    return {name: Leaf(text, text, 0) for name, text in known.items()}


def published(resources: Iterable[Resource], scope: Scope) -> Mapping[str, Leaf]:
    """Return the values of Ref and GetAtt for aliases and versions of functions, by reference."""
    known: dict[str, str] = {}
    for resource in resources:
        function = function_published_by(resource, scope)
        if function is None:
            continue
        name, own = resource.logical_id, arn("lambda", f"function:{function}", scope)
        known[name] = f"{own}:{'1' if resource.kind == VERSION else 'live'}"
        known |= {f"{name}.{attribute}": known[name] for attribute in ("AliasArn", "FunctionArn")}
        known[f"{name}.Version"] = "1"
    return {name: Leaf(text, text, 0) for name, text in known.items()}


def function_published_by(resource: Resource, scope: Scope) -> str | None:
    """Return the function of an alias or a version; None for other resources, or if the template does not tell."""
    entry = resource.properties.get("FunctionName") if resource.kind in {ALIAS, VERSION} else None
    value = resolve(entry.node, scope) if entry else None
    return function_in(value.text) if isinstance(value, Leaf) else None
