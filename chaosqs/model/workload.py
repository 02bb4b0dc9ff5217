"""Workloads: the messages that producers send, to which queue and when. Nothing in a workload is random.

Messages are numbered 0, 1, 2 … over the whole workload in the order in which they are sent. This number identifies the
message everywhere: in behaviours, fault plans and histories.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeAlias

import attrs

from chaosqs.errors import Problem
from chaosqs.model.message import Message, as_message, check_message
from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks, Json, concise_repr

_LEFT_OUT = -1


def _messages(given: Iterable[object]) -> tuple[Message, ...]:
    return tuple(as_message(each) for each in given)


@attrs.frozen(repr=False)
class Burst:
    """A number of messages, all at once or spread evenly over a period."""

    queue: str
    count: int = _LEFT_OUT
    """Number of messages; 0 to 1,000,000. Left out: one for each of `messages`."""
    at: float = 0
    """Seconds after the start at which the first message is sent."""
    over: float = 0
    """Seconds over which the messages are spread evenly; 0: all at once."""
    body_bytes: int = 100
    """Size of each body; 1 to the queue's maximum message size (SZ-1)."""
    groups: int = 0
    """0: no message group; n: round-robin over n message groups (FF-2, FQ-1)."""
    messages: tuple[Message, ...] = attrs.field(default=(), converter=_messages)
    """Messages to send, round-robin; a text or a JSON value is a body. Empty: bodies of `body_bytes`."""
    distinct: bool = False
    """True: identifiers in the bodies, and deduplication ids, get values of their own in each message
    (`Identifiers`)."""

    __repr__ = concise_repr

    def __attrs_post_init__(self) -> None:
        """Count the messages where no count is given."""
        if self.count == _LEFT_OUT and self.messages:
            object.__setattr__(self, "count", len(self.messages))


@attrs.frozen(repr=False)
class Steady:
    """Messages at a constant rate for a period."""

    queue: str
    per_second: float
    """Messages per second; above 0, at most 100,000."""
    seconds: float
    """Length of the period; 0 to 1,209,600."""
    at: float = 0
    """Seconds after the start at which the first message is sent."""
    body_bytes: int = 100
    """Size of each body; 1 to the queue's maximum message size (SZ-1)."""
    groups: int = 0
    """0: no message group; n: round-robin over n message groups (FF-2, FQ-1)."""
    messages: tuple[Message, ...] = attrs.field(default=(), converter=_messages)
    """Messages to send, round-robin; a text or a JSON value is a body. Empty: bodies of `body_bytes`."""
    distinct: bool = False
    """True: identifiers in the bodies, and deduplication ids, get values of their own in each message
    (`Identifiers`)."""

    __repr__ = concise_repr


Load: TypeAlias = Burst | Steady
"""One entry of a workload."""


@attrs.frozen
class Arrival:
    """One message on its way to a queue."""

    at: int
    """Time of sending, in milliseconds."""
    queue: str
    body_bytes: int
    """Bytes that count against the queue's limit (SZ-1)."""
    group: str
    """Message group id, or empty."""
    message: Message | None = None
    """The message to send; None: a body of that size, made from the message's number."""
    distinct: bool = False
    """True if its identifiers are to be its own."""

    def body(self, number: int) -> str:
        """Return the text of the body of the message with this number."""
        return body_text(number, self.body_bytes) if self.message is None else self.message.body


def arrivals(workload: Iterable[Load]) -> list[Arrival]:
    """Return every message of a workload in the order of sending; its index is the message's number.

    Their identifiers are those of the samples: `as_sent` gives each its own.
    """
    return sorted((arrival for load in workload for arrival in _of(load)), key=lambda arrival: arrival.at)


def as_sent(workload: Iterable[Load]) -> list[Arrival]:
    """Return every message of a workload as its queue gets it, in the order of sending."""
    found = arrivals(workload)
    known: dict[str, Identifiers] = {}
    for number, arrival in enumerate(found):
        message = arrival.message
        if arrival.distinct and message is not None:
            own = known.setdefault(arrival.queue, Identifiers()).own(message)
            if own is not message:
                found[number] = attrs.evolve(arrival, message=own, body_bytes=own.size)
    return found


def _of(load: Load) -> list[Arrival]:
    if isinstance(load, Burst):
        count, gap = load.count, load.over / load.count if load.count else 0.0
    else:
        count, gap = round(load.per_second * load.seconds), 1 / load.per_second
    groups = [f"group-{k}" for k in range(load.groups)] or [""]
    if load.messages:
        sizes = [(message, message.size) for message in load.messages]
        return [
            Arrival(
                milliseconds(load.at + k * gap),
                load.queue,
                sizes[k % len(sizes)][1],
                sizes[k % len(sizes)][0].group or groups[k % len(groups)],
                sizes[k % len(sizes)][0],
                load.distinct,
            )
            for k in range(count)
        ]
    return [
        Arrival(milliseconds(load.at + k * gap), load.queue, load.body_bytes, groups[k % len(groups)])
        for k in range(count)
    ]


def largest(load: Load) -> int:
    """Return the bytes of the largest message of a load."""
    return max((message.size for message in load.messages), default=load.body_bytes)


def body_text(message: int, body_bytes: int) -> str:
    """Return the body of a message of a workload: its number as JSON, filled up to its size."""
    text = f'{{"message": {message}}}'
    return text.ljust(body_bytes) if len(text) <= body_bytes else str(message)


def check_load(checks: Checks, load: Load) -> None:
    """Note the problems of one entry of a workload, except those of its queue."""
    match load:
        case Burst():
            if load.count == _LEFT_OUT:
                checks.refuse("count", None, "is required where there are no messages")
            else:
                checks.whole("count", load.count, 0, 1_000_000, "messages")
            checks.number("over", load.over, 0, unit="seconds")
        case Steady():
            if checks.number("per_second", load.per_second, 0, 100_000, "messages a second") and load.per_second <= 0:
                checks.refuse("per_second", load.per_second, "must be above 0")
            checks.number("seconds", load.seconds, 0, 1_209_600, "seconds")
    checks.number("at", load.at, 0, unit="seconds")
    checks.whole("body_bytes", load.body_bytes, 1, 1_048_576, "bytes", "SZ-1")
    checks.whole("groups", load.groups, 0, None, "message groups")
    checks.flag("distinct", load.distinct)
    for index, message in enumerate(load.messages):
        checks.problems.extend(
            attrs.evolve(problem, path=f"{checks.path}.messages[{index}].{problem.path}")
            for problem in _problems_of(message)
        )


@lru_cache(maxsize=64)
def _problems_of(message: Message) -> tuple[Problem, ...]:
    """Return the problems of a message; remembered, because a search makes thousands of scenarios of few messages."""
    own = Checks("")
    check_message(own, message)
    return tuple(own.problems)


# Identifiers in the bodies of messages, and values of their own for each message --------------------------------------
#
# Messages with equal identifiers are no ordinary load: a handler that remembers what it has done by `id` does nothing
# for the second one. Which fields identify a message is not known, so there is a simple rule. A field is an identifier
# if its name ends in `id`, `uuid` or `guid` as a word (`id`, `orderId`, `order_id`, `ID`), or is `idempotency_key` in
# any spelling; if its value is a text or a whole number; and if it is the first such field of the body, or of the
# object in `detail`, `data`, `payload`, `body`, `message` or `Message`, where envelopes have their contents. Others
# (`customer_id` after `order_id`) may name something that messages have in common, and stay.

_IDENTIFIER = re.compile(
    r"(?i:(?:^|[_-])(?:id|uuid|guid)$|^idempotency[_-]?key$)|[a-z0-9](?:I[dD]|U[uU][iI][dD]|G[uU][iI][dD])$"
)
_ENVELOPES = ("detail", "data", "payload", "body", "message", "Message")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NODE = 12  # last hexadecimal digits of a UUID, which count
_ENDING = re.compile(r"[0-9]{1,18}$")


def is_identifier(name: str) -> bool:
    """Return True for a field with a name like `id`, `orderId`, `order_id`, `uuid`, `idempotencyKey`."""
    return _IDENTIFIER.search(name) is not None


def successor(value: str | int) -> str | int:
    """Return the identifier after one, in the same form: `o-9` → `o-10`, `A007` → `A008`, a UUID → a UUID."""
    if isinstance(value, int):
        return value + 1
    if _UUID.fullmatch(value):
        node = (int(value[-_NODE:], 16) + 1) % 16**_NODE
        return f"{value[:-_NODE]}{node:0{_NODE}x}"
    ending = _ENDING.search(value)
    if ending is None:
        return f"{value}-2"
    return f"{value[: ending.start()]}{int(ending[0]) + 1:0{len(ending[0])}d}"


@attrs.define
class Identifiers:
    """The identifiers of the messages of one queue so far."""

    _taken: set[tuple[str, str | int]] = attrs.field(factory=set[tuple[str, "str | int"]])
    _latest: dict[tuple[str, str | int], str | int] = attrs.field(factory=dict[tuple[str, "str | int"], "str | int"])
    """The identifier given last, for each field and value of a sample."""

    def own(self, message: Message) -> Message:
        """Return the message with identifiers that no message before it has; the first one keeps its own."""
        body = message.body
        try:
            document: Json = json.loads(body) if body[:1] == "{" else None
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict) and self._renewed(document, ""):
            body = json.dumps(document)
        own_id = str(self._free("", message.deduplication_id)) if message.deduplication_id else ""
        if body == message.body and own_id == message.deduplication_id:
            return message
        return attrs.evolve(message, body=body, deduplication_id=own_id)

    def _renewed(self, document: dict[str, Json], path: str) -> bool:
        """Change the identifiers of an object in place; return True if any changed."""
        changed = False
        for name, value in _identifying(document):
            own = self._free(f"{path}.{name}", value)
            changed |= own != value
            document[name] = own
            break
        for name in _ENVELOPES:
            inner = document.get(name)
            if isinstance(inner, dict):
                changed |= self._renewed(inner, f"{path}.{name}")
            elif isinstance(inner, str) and inner[:1] == "{":
                changed |= self._renewed_text(document, name, inner, path)
        return changed

    def _renewed_text(self, document: dict[str, Json], name: str, text: str, path: str) -> bool:
        """Change the identifiers of an object that is written as JSON in a text, as SNS does."""
        try:
            inner: Json = json.loads(text)
        except (ValueError, RecursionError):
            return False
        if not isinstance(inner, dict) or not self._renewed(inner, f"{path}.{name}"):
            return False
        document[name] = json.dumps(inner)
        return True

    def _free(self, path: str, value: str | int) -> str | int:
        """Return the first identifier from a value on that is not taken, and take it."""
        found = self._latest.get((path, value), value)
        while (path, found) in self._taken:
            found = successor(found)
        self._taken.add((path, found))
        self._latest[path, value] = found
        return found


def _identifying(document: dict[str, Json]) -> Iterator[tuple[str, str | int]]:
    for name, value in document.items():
        if is_identifier(name) and isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            yield name, value
