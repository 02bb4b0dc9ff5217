"""Messages of real handlers, drawn: ordinary ones from samples or from the user's strategy, and poison made of them.

Poison is an ordinary message with one thing wrong, which its `note` names. One field is changed at one path: it is
missing, null, of another type, empty, another word, negated, huge, or nested deeper; or the whole body is another one:
cut off, so that it is not JSON, or empty; or a message attribute is missing. A text that holds a JSON object, as SNS
writes it, has fields, too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TypeAlias

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.json import Json
from chaosqs.model.message import Message

Path = tuple[str | int, ...]

_MOST_FIELDS = 40
_DEEPEST = 6  # levels of a body whose fields are changed
_HUGE_NUMBER = 10**30
_MARGIN = 64  # bytes that the largest messages leave free
_WORD = 30  # characters of a text that may be one of a few words
_SHOWN = 40  # characters of a value in a note


def poison(sample: Message, maximum: int) -> Iterator[Message]:
    """Yield poison messages made of an ordinary one, the simplest first; `maximum`: bytes of the largest."""
    body = _parsed(sample.body)
    yield from _test_event(sample, body)
    fields = list(_fields(body))[:_MOST_FIELDS]
    for change in (_missing, _null, _other_type, _empty, _other_word, _negated):
        for path, value in fields:
            yield from _changed(sample, path, change(value))
    for lost in sample.attributes:
        kept = {key: each for key, each in sample.attributes.items() if key != lost}
        yield attrs.evolve(sample, attributes=kept, note=f"the message attribute {lost} is missing")
    yield from _bodies(sample, body)
    for path, value in fields:
        yield from _changed(sample, path, _nested(value))
    yield from _huge(sample, fields, maximum)


_TEST_EVENT = "S3's test event, which it sends when notifications are configured"


def _test_event(sample: Message, body: Json) -> Iterator[Message]:
    """Yield the message that S3 sends first, for a queue that gets its notifications, or a topic's with them."""
    match body:
        case {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": str(bucket)}}}, *_]}:
            test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2024-01-01T00:00:00.000Z"}
            text = json.dumps({**test, "Bucket": bucket, "RequestId": "5582815E1AEA5ADF", "HostId": "chaosqs"})
            yield attrs.evolve(sample, body=text, note=_TEST_EVENT)
        case {"Message": str(inner), **rest}:
            for each in _test_event(attrs.evolve(sample, body=inner), _parsed(inner)):
                yield attrs.evolve(each, body=json.dumps({**rest, "Message": each.body}))
        case _:
            pass


# Fields --------------------------------------------------------------------------------------------------------------


class Gone:
    """The value of a field that is left out."""


Change: TypeAlias = "tuple[Json | Gone, str] | None"
"""A new value and its description; None: the change is not possible."""


def _fields(body: Json) -> Iterator[tuple[Path, Json]]:
    """Yield the fields of a body, those of the top first; of a list, the first item."""
    level: list[tuple[Path, Json]] = [((), body)]
    for _ in range(_DEEPEST):
        level = [((*path, name), value) for path, outer in level for name, value in _inside(outer)]
        yield from level


def _inside(value: Json) -> Iterator[tuple[str | int, Json]]:
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list) and value:
        yield 0, value[0]


def _parsed(text: str) -> Json:
    """Return the object or list that a text holds as JSON, or None."""
    if text[:1] not in ("{", "["):
        return None
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document


def _missing(_: Json) -> Change:
    return Gone(), "missing"


def _null(value: Json) -> Change:
    return None if value is None else (None, "null")


def _other_type(value: Json) -> Change:
    match value:
        case str():
            return 7, "7"
        case bool() | int() | float():
            return json.dumps(value), f"the text {json.dumps(json.dumps(value))}"
        case list():
            return {}, "{}"
        case dict():
            return [], "[]"
        case _:
            return "x", 'the text "x"'


def _empty(value: Json) -> Change:
    empties: Sequence[tuple[type, Json]] = ((str, ""), (list, []), (dict, {}))
    for kind, empty in empties:
        if isinstance(value, kind):
            return None if value == empty else (empty, "empty")
    return (0, "0") if isinstance(value, int | float) and not isinstance(value, bool) and value else None


def _other_word(value: Json) -> Change:
    is_word = isinstance(value, str) and 0 < len(value) <= _WORD and value.replace("_", "").replace("-", "").isalpha()
    return ("unknown", 'the text "unknown"') if is_word and value != "unknown" else None


def _negated(value: Json) -> Change:
    number = isinstance(value, int | float) and not isinstance(value, bool) and value != 0
    return (-value, json.dumps(-value)) if number and isinstance(value, int | float) else None


def _nested(value: Json) -> Change:
    return {"value": value}, "an object with the value inside"


def _changed(sample: Message, path: Path, change: Change) -> Iterator[Message]:
    """Yield the message with a field changed, if that is possible."""
    if change is None or (isinstance(change[0], Gone) and isinstance(path[-1], int)):
        return
    body = _parsed(sample.body)
    before = _at(body, path)
    instead = "" if isinstance(change[0], Gone) else f" in place of {_shown(before)}"
    changed = json.dumps(_replaced(body, path, change[0]))
    yield attrs.evolve(sample, body=changed, note=f"{_spelt(path)} is {change[1]}{instead}")


def _at(value: Json, path: Path) -> Json:
    for name in path:
        value = next(inner for key, inner in _inside(value) if key == name)
    return value


def _replaced(value: Json, path: Path, new: Json | Gone) -> Json:
    """Return a value with another one at a path inside."""
    name, rest = path[0], path[1:]
    if isinstance(value, str):
        return json.dumps(_replaced(_parsed(value), path, new))
    if isinstance(value, list):
        first = new if not rest else _replaced(value[0], rest, new)
        return [*([] if isinstance(first, Gone) else [first]), *value[1:]]
    assert isinstance(value, dict)
    changed = dict(value)
    if rest:
        changed[str(name)] = _replaced(value[str(name)], rest, new)
    elif isinstance(new, Gone):
        del changed[str(name)]
    else:
        changed[str(name)] = new
    return changed


def _spelt(path: Path) -> str:
    text = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in path)
    return text.removeprefix(".")


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


# Whole bodies --------------------------------------------------------------------------------------------------------


def _bodies(sample: Message, body: Json) -> Iterator[Message]:
    """Yield messages whose body as a whole is another one."""
    if len(sample.body) > 1 and body is not None:
        cut = sample.body[: max(1, len(sample.body) * 2 // 3)]
        yield attrs.evolve(sample, body=cut, note="the body is cut off, so it is not JSON")
    for other, note in (
        ("{}", "the body is an empty object"),
        ("null", "the body is null"),
        (" ", "the body is a space"),
    ):
        if sample.body != other:
            yield attrs.evolve(sample, body=other, note=note)


def _huge(sample: Message, fields: Sequence[tuple[Path, Json]], maximum: int) -> Iterator[Message]:
    """Yield messages with a huge number, and one with a text that fills it to the largest size."""
    for path, value in fields:
        if isinstance(value, int | float) and not isinstance(value, bool):
            yield from _changed(sample, path, (_HUGE_NUMBER, "huge (10³⁰)"))
    room = maximum - sample.size - _MARGIN
    texts = [path for path, value in fields if isinstance(value, str) and _parsed(value) is None]
    if texts and room > 0:
        yield from _changed(sample, texts[-1], ("x" * room, f"a text of {room:,} characters"))


_MOST_MIXED = 10
"""Most messages of a load with a poison message among them."""
_MOST_OF_USER = 5
"""Most different messages of a load that are drawn from the user's own strategy."""


@attrs.frozen
class MessageSource:
    """The messages that a queue gets."""

    samples: tuple[Message, ...]
    """Ordinary messages; at least one."""
    distinct: bool = True
    """True: identifiers in them are changed, so that each message has its own (`Burst.distinct`)."""
    largest: int = 1_048_576
    """Bytes of the largest message that the queue takes."""
    others: SearchStrategy[Message] | None = attrs.field(default=None, eq=False, repr=False)
    """The user's strategy for further ordinary messages; the samples were drawn from it."""
    origin: str = attrs.field(default="", eq=False)
    """Where they come from, as a clause: `bodies from events/order.json`."""

    @property
    def poison(self) -> tuple[Message, ...]:
        """Poison messages made of the samples, the simplest first."""
        return _poison(self.samples, self.largest)

    @property
    def heavy(self) -> tuple[Message, ...]:
        """The samples, filled up with spaces to the largest size."""
        return tuple(attrs.evolve(each, body=each.body + " " * (self.largest - each.size)) for each in self.samples)


@lru_cache(maxsize=32)
def _poison(samples: tuple[Message, ...], largest: int) -> tuple[Message, ...]:
    found = [list(poison(sample, largest)) for sample in samples]
    turns = (each[turn] for turn in range(max(map(len, found))) for each in found if turn < len(each))
    return tuple(dict.fromkeys(turns))


@attrs.frozen
class Sent:
    """The messages of one load."""

    messages: tuple[Message, ...]
    distinct: bool
    most: int | None = None
    """Most messages of the load; None: any number."""


def sent(source: MessageSource) -> SearchStrategy[Sent]:
    """Return a strategy for the messages of a load; the simplest are the samples in turn."""
    ordinary = st.just(Sent(source.samples, source.distinct))
    if source.others is not None:
        own = st.lists(source.others, min_size=1, max_size=_MOST_OF_USER)
        ordinary |= own.map(lambda messages: Sent(tuple(messages), distinct=False))
    if not source.poison:
        return ordinary
    mixed = st.builds(
        _mixed,
        source=st.just(source),
        number=st.integers(1, _MOST_MIXED),
        position=st.integers(0, _MOST_MIXED - 1),
        odd=st.sampled_from(source.poison),
    )
    return ordinary | mixed


def _mixed(*, source: MessageSource, number: int, position: int, odd: Message) -> Sent:
    """Return a poison message among ordinary ones."""
    return Sent(among(source, odd, number, position % number), source.distinct, number)


def among(source: MessageSource, odd: Message, number: int, position: int = 0) -> tuple[Message, ...]:
    """Return some messages of which one is a poison message, the others ordinary ones."""
    ordinary = [source.samples[index % len(source.samples)] for index in range(number)]
    return (*ordinary[:position], odd, *ordinary[position + 1 :])
