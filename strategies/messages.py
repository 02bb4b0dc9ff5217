"""Messages of real handlers, drawn: ordinary ones from samples or from the user's strategy, and poison made of them."""

from functools import lru_cache

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.message import Message
from chaosqs.strategies.poison import poison

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
