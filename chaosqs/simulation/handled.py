"""One handler on some messages, each alone, without faults: which it accepts, and what it sends to which queue."""

from collections.abc import Mapping, Sequence

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import Simulation
from chaosqs.sqs.machines.message import Message as Queued


@attrs.frozen
class Handled:
    """The result of a handler's run."""

    accepted: tuple[int, ...]
    """Indexes of the messages that it processed."""
    sent: Mapping[str, tuple[Message, ...]]
    """The messages that it sent, by queue name; equal ones once."""


def handled(design: Design, mapping: str, messages: Sequence[Message], behaviour: Behaviour) -> Handled:
    """Run the handler of a mapping on messages of its queue. Raises as `simulate` does."""
    own = next(each for each in design.mappings if each.name == mapping)
    alone = [
        attrs.evolve(each, enabled=each.name == mapping, batch_size=1, maximum_batching_window=0, filters=())
        for each in design.mappings
    ]
    queue = design.queue(own.queue)
    timeout = design.function(own.function).timeout
    load = Burst(own.queue, messages=messages, groups=1 if queue.fifo else 0)
    scenario = Scenario(
        attrs.evolve(design, mappings=alone),
        [attrs.evolve(load, over=len(messages) * timeout)],
        {own.function: behaviour},
        until=(len(messages) + 2) * timeout + queue.delay + queue.visibility_timeout,
    )
    simulation, sent = Simulation.of(scenario), dict[int, Queued]()
    simulation.service.on_put = lambda message: sent.setdefault(message.number, message)
    history = simulation.run()
    accepted = (
        number
        for number, deliveries in history.deliveries.items()
        if number < len(messages) and any(each.ending is Ending.PROCESSED for each in deliveries)
    )
    return Handled(tuple(sorted(accepted)), _by_queue(history, sent, len(messages)))


def _by_queue(history: History, queued: Mapping[int, Queued], given: int) -> dict[str, tuple[Message, ...]]:
    """Return the messages that code sent, whose numbers follow those that were given."""
    found: dict[str, dict[Message, None]] = {}
    for number, message in queued.items():
        content = message.content
        if number >= given and number in history.sent and content is not None:
            own = Message(content.body, content.attributes, message.group)
            found.setdefault(history.sent[number].queue, {})[own] = None
    return {name: tuple(messages) for name, messages in found.items()}
