"""Sources of the messages of a search: samples, or a strategy of the user's."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import attrs
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import InvalidScenario, Problem
from chaosqs.model.design import Design, Queue
from chaosqs.model.message import Message, as_message, check_message
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks
from chaosqs.model.workload import Burst, Load
from chaosqs.search.drawing import draws
from chaosqs.strategies.messages import MessageSource

Given: TypeAlias = MessageSource | Iterable[object] | SearchStrategy[object]
"""The messages of a queue: samples, each a `Message` or a body; or a strategy for them."""

_DRAWN_SAMPLES = 10
"""Samples drawn from a strategy, of which poison messages are made."""


def sources(design: Design, given: Mapping[str, Given] | None) -> dict[str, MessageSource]:
    """Return the message sources of queues by name. Raises `InvalidScenario` for messages that a queue refuses."""
    names = [queue.name for queue in design.queues]
    unknown = [name for name in given or {} if name not in names]
    if unknown:
        raise InvalidScenario([Problem(f"messages[{unknown[0]!r}]", "", f"must name a queue: {', '.join(names)}")])
    return {name: source_of(design.queue(name), each, f"messages[{name!r}]") for name, each in (given or {}).items()}


def shown_by(scenario: Scenario) -> dict[str, MessageSource]:
    """Return sources with the messages of a scenario's own loads, for queues whose messages are not known otherwise.

    Poison messages count only where a queue gets no others.
    """
    found: dict[str, MessageSource] = {}
    for queue in scenario.design.queues:
        loads = [load for load in scenario.workload if load.queue == queue.name and load.messages]
        messages = dict.fromkeys(message for load in loads for message in load.messages)
        ordinary = [message for message in messages if not message.note]
        if messages:
            distinct = all(load.distinct for load in loads)
            found[queue.name] = MessageSource(tuple(ordinary or messages), distinct, queue.maximum_message_size)
    return found


def sampled(workload: Sequence[Load], known: Mapping[str, MessageSource]) -> tuple[Load, ...]:
    """Return loads with the messages of their queues, where they have none and ask for no size of their own."""
    return tuple(_sampled(load, known.get(load.queue)) for load in workload)


def _sampled(load: Load, source: MessageSource | None) -> Load:
    if source is None or load.messages or load.body_bytes != attrs.fields(Burst).body_bytes.default:
        return load
    return attrs.evolve(load, messages=source.samples, distinct=source.distinct)


def source_of(queue: Queue, given: Given, path: str) -> MessageSource:
    """Return the message source of a queue; `path` is the name of what is given in errors."""
    if isinstance(given, MessageSource):
        return given
    if isinstance(given, SearchStrategy):
        others = given.map(as_message).map(lambda message: fitted(message, queue))
        samples = tuple(dict.fromkeys(draws(others, _DRAWN_SAMPLES)))
        source = MessageSource(samples, distinct=False, largest=queue.maximum_message_size, others=others)
    else:
        samples = tuple(fitted(as_message(each), queue) for each in given)
        source = MessageSource(samples, largest=queue.maximum_message_size)
    problems = [
        problem for index, each in enumerate(source.samples) for problem in refused(each, queue, f"{path}[{index}]")
    ]
    if problems or not source.samples:
        raise InvalidScenario(problems or [Problem(path, "", "must have at least one message")])
    return source


def fitted(message: Message, queue: Queue) -> Message:
    """Return a message without the ids that its queue does not take."""
    return message if queue.fifo else attrs.evolve(message, deduplication_id="")


def refused(message: Message, queue: Queue, path: str) -> list[Problem]:
    """Return what is wrong with a message for its queue."""
    checks = Checks(path)
    check_message(checks, message)
    if message.size > queue.maximum_message_size:
        must = f"must have at most {queue.maximum_message_size} bytes, the queue's limit"
        checks.refuse("body", f"{message.size} bytes", must, "SZ-3")
    return checks.problems
