"""Messages alone: what real code does with each when nothing else is in its batch and nothing goes wrong around it.

A failed batch does not show which of its messages made it fail. So each of them is run by itself: the same contents and
the same code, in a batch of one, with an execution free for it, no faults, no filter and no further mapping.
"""

from collections.abc import Mapping, Sequence
from functools import partial

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending, before_the_mark, work_of
from chaosqs.model.design import Account, Design, EventSourceMapping, Queue
from chaosqs.model.events import Deleted, InvocationEnded
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import Alone, History
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Arrival, Burst, as_sent
from chaosqs.simulation.run import Simulation
from chaosqs.sqs.machines.message import Message as Queued
from chaosqs.sqs.machines.message import body_of

_SPARE = 30
"""Seconds beside the function timeout that a run lasts: for the initialisation, which may be repeated (LX-12)."""


@attrs.frozen(eq=False)
class Attempt:
    """One message to be run alone through one mapping of a scenario."""

    scenario: Scenario
    mapping: EventSourceMapping
    number: int
    sent: Arrival | Queued
    """The message as it was sent by a producer of the workload, or by code."""

    @property
    def key(self) -> tuple[object, ...]:
        """Everything that decides the outcome: the function, its code, and the message's contents."""
        function, mapping = self.scenario.design.function(self.mapping.function), self.mapping
        behaviour = repr(self.scenario.behaviour(function.name))
        return (function, behaviour, mapping.queue, mapping.report_batch_item_failures, *self._contents())

    def _contents(self) -> tuple[str, str, str]:
        if isinstance(self.sent, Arrival):
            return self.sent.body(self.number), self.sent.group, repr(self.sent.message)
        return body_of(self.sent), self.sent.group, repr(self.sent.content)

    def run(self) -> Alone | None:
        """Run the message; None if its invocation did not end. Raises the simulator's exceptions."""
        calm = _calm(self.scenario, self.mapping)
        simulation = Simulation.of(calm)
        numbers = simulation.service.numbers
        numbers.next_free = max(numbers.next_free, self.number + 1)
        if simulation.real is not None and isinstance(self.sent, Arrival):
            simulation.real.arrivals = [self.sent]
        simulation.to_come += 1
        simulation.context.event_queue.at(0, partial(self._send, simulation))
        return _outcome(simulation.run(), self.number)

    def _send(self, simulation: Simulation) -> None:
        simulation.to_come -= 1
        service, sent = simulation.service, self.sent
        state = service.states[self.mapping.queue]
        if isinstance(sent, Arrival):
            service.enqueue(self.number, attrs.evolve(sent, queue=self.mapping.queue))
        else:
            service.put(state, Queued(self.number, sent.body_bytes, 0, group=sent.group, content=sent.content))
        service.serve(state)


def attempts(history: History, wanted: Sequence[tuple[str, int]]) -> dict[tuple[str, int], Attempt]:
    """Return the attempts for some mappings and messages; without those whose contents cannot be told."""
    mappings = {mapping.name: mapping for mapping in history.scenario.design.mappings}
    sent = _sent(history, [message for _, message in wanted])
    return {
        (name, number): Attempt(history.scenario, mappings[name], *sent[number])
        for name, number in wanted
        if number in sent
    }


def _sent(history: History, wanted: Sequence[int]) -> dict[int, tuple[int, Arrival | Queued]]:
    """Return numbers and messages as they were first sent; the run is repeated if code sent one of them."""
    planned = as_sent(history.scenario.workload)
    first = {number: _first(history, number) for number in wanted}
    by_code = {} if all(number < len(planned) for number in first.values()) else _recorded(history.scenario)
    return {
        number: (of, planned[of] if of < len(planned) else by_code[of])
        for number, of in first.items()
        if of < len(planned) or of in by_code
    }


def _first(history: History, number: int) -> int:
    """Return the number of the message whose contents a message repeats (OR-4, MV-4), or its own."""
    sent = history.sent.get(number)
    return number if sent is None or sent.copy_of is None else _first(history, sent.copy_of)


def _recorded(scenario: Scenario) -> dict[int, Queued]:
    """Run a scenario again and return every message that was sent in it."""
    seen: dict[int, Queued] = {}
    simulation = Simulation.of(scenario)
    simulation.service.on_put = lambda message: seen.setdefault(message.number, attrs.evolve(message))
    simulation.run()
    return seen


def _calm(scenario: Scenario, mapping: EventSourceMapping) -> Scenario:
    design, timeout = scenario.design, scenario.design.function(mapping.function).timeout
    alone = EventSourceMapping(
        mapping.queue, mapping.function, 1, report_batch_item_failures=mapping.report_batch_item_failures
    )
    patient = [_patient(queue, timeout) if queue.name == mapping.queue else queue for queue in design.queues]
    free = [attrs.evolve(each, reserved_concurrency=None, provisioned_concurrency=0) for each in design.functions]
    calm = attrs.evolve(design, queues=patient, functions=free, mappings=[alone], account=Account())
    return attrs.evolve(scenario, design=calm, workload=(), faults=FaultPlan(), seed=0, until=timeout + _SPARE)


def _patient(queue: Queue, timeout: int) -> Queue:
    """Return a queue that hands a message out at once, and once only."""
    hidden = max(queue.visibility_timeout, timeout + 2 * _SPARE)
    return attrs.evolve(queue, delay=0, redrive=None, visibility_timeout=hidden, retention_period=345_600)


def _outcome(history: History, message: int) -> Alone | None:
    ends = ((index, end) for index, end in history.each(InvocationEnded) if message in end.messages)
    index, end = next(ends, (0, None))
    if end is None:
        return None
    failed = end.outcome != "succeeded" or message in end.failed
    work = [] if failed or end.cause is None else work_of(history.events, end.cause)
    return Alone(
        failed,
        deleted_early=_deleted_early(history, message, index, end),
        work=before_the_mark(work),
        effects=tuple(each.what for each in work if not each.is_write),
        all_work=tuple(each.what for each in work),
    )


def _deleted_early(history: History, message: int, index: int, end: InvocationEnded) -> bool:
    """Return True if code deleted its message, and then waited, sent something or recorded something before its end."""
    own = [each for each in range(index) if history.events[each].cause == end.cause]
    for place, deleted in ((each, history.events[each]) for each in own):
        if isinstance(deleted, Deleted) and not deleted.mapping and message in deleted.messages:
            return end.at > deleted.at or place != own[-1]
    return False


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
