"""The guard against recursive loops: it counts the passes of a chain of messages through each function.

Lambda counts in the trace header, which the SDK adds to everything that a function sends (LX-16):
`Root=1-692d5b80-…;Sampled=0;Lineage=1f2e3d4c:5|9a8b7c6d:2`, where each pair is a function and its passes. Assumed: for
a batch of several messages, each function's highest count holds.
"""

import hashlib
from collections.abc import Iterable
from urllib.parse import unquote

from chaosqs.sqs.machines.message import Message

_LINEAGE = "Lineage="


def passes_through(function: str, messages: Iterable[Message]) -> int:
    """Return the passes through one function of the chains that led to some messages."""
    return passes(messages).get(_key(function), 0)


def passes(messages: Iterable[Message]) -> dict[str, int]:
    """Return the passes of the chains that led to some messages, by the key of each function."""
    counts: dict[str, int] = {}
    for message in messages:
        for part in unquote(_header(message)).split(";"):  # botocore sends `|` as `%7C`
            if part.startswith(_LINEAGE):
                _add(counts, part.removeprefix(_LINEAGE))
    return counts


def trace_header(root: str, messages: Iterable[Message], function: str) -> str:
    """Return the trace header of everything that a function sends while it processes some messages."""
    counts = passes(messages)
    key = _key(function)
    counts[key] = counts.get(key, 0) + 1
    lineage = "|".join(f"{name}:{count}" for name, count in counts.items())
    return f"Root=1-{root[:8]}-{root.replace('-', '')[8:]};Sampled=0;{_LINEAGE}{lineage}"


def _header(message: Message) -> str:
    return "" if message.content is None else message.content.trace_header


def _add(counts: dict[str, int], lineage: str) -> None:
    for pair in lineage.split("|"):
        name, _, count = pair.partition(":")
        if count.isdecimal():
            counts[name] = max(counts.get(name, 0), int(count))


def _key(function: str) -> str:
    return hashlib.blake2b(function.encode(), digest_size=4).hexdigest()
