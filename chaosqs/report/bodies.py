"""The bodies of the messages that a violation is about, and of poison messages."""

from collections.abc import Iterator

import attrs

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.workload import as_sent
from chaosqs.report.text import shown

_MOST = 3
"""Maximum messages whose bodies are shown."""
_LEAST_BODY = 30  # columns that a body keeps beside a long note


@attrs.frozen
class Body:
    """The contents of one message of the workload."""

    number: int
    """Number of the message, counted from 1 as in stories."""
    message: Message

    def line(self, width: int) -> str:
        """Return number, body and note on one line of at most `width` columns."""
        head, note = f"{self.number:,}: ", self.message.note
        if not note:
            return head + shown(self.message.body, width - len(head))
        tail = "  ← " + shown(note, max(_LEAST_BODY, width - len(head) - _LEAST_BODY - 4))
        return head + shown(self.message.body, width - len(head) - len(tail)) + tail


def bodies(counterexample: Counterexample, history: History) -> list[Body]:
    """Return the messages to show: the poison messages first, then those of the violation; in their order."""
    sent = as_sent(counterexample.scenario.workload)
    numbers = dict.fromkeys((*_poison(counterexample), *_blamed(counterexample, history)))
    chosen = [number for number in numbers if number < len(sent)][:_MOST]
    contents = ((number, sent[number].message) for number in sorted(chosen))
    return [Body(number + 1, message) for number, message in contents if message is not None]


def _poison(counterexample: Counterexample) -> Iterator[int]:
    for number, arrival in enumerate(as_sent(counterexample.scenario.workload)):
        if arrival.message is not None and arrival.message.note:
            yield number


def _blamed(counterexample: Counterexample, history: History) -> Iterator[int]:
    """Yield the messages of the violation, copies by the number of what they repeat."""
    for number in counterexample.violation.messages:
        sent = history.sent.get(number)
        yield number if sent is None or sent.copy_of is None else sent.copy_of
