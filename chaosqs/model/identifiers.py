"""Identifiers in the bodies of messages: which fields are some, and values of their own for each message.

Messages with equal identifiers are no ordinary load: a handler that remembers what it has done by `id` does nothing for
the second one. Which fields identify a message is not known, so there is a simple rule. A field is an identifier if its
name ends in `id`, `uuid` or `guid` as a word (`id`, `orderId`, `order_id`, `ID`), or is `idempotency_key` in any
spelling; if its value is a text or a whole number; and if it is the first such field of the body, or of the object in
`detail`, `data`, `payload`, `body`, `message` or `Message`, where envelopes have their contents. Others (`customer_id`
after `order_id`) may name something that messages have in common, and stay.
"""

import json
import re
from collections.abc import Iterator

import attrs

from chaosqs.model.message import Message
from chaosqs.model.values import Json

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
