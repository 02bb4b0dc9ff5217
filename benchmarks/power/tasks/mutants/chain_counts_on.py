"""DLQ-20: a dead-letter queue with a redrive policy of its own counts the receives from its source, too."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs import service
from chaosqs.sqs.machines.message import Message, dead_lettered


def _counting_on(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    moved = dead_lettered(message, source, fifo=fifo, index=index, now=now)
    return attrs.evolve(moved, deliveries=message.deliveries)


TASK = Task(
    name="chain-counts-on",
    kind="mutant",
    why="A dead-letter queue with a redrive policy of its own counts the receives from its source, too.",
    design=Design(
        [
            Queue("orders", visibility_timeout=5, redrive=Redrive("second-chance", 2)),
            Queue("second-chance", redrive=Redrive("graveyard", 3)),
            Queue("graveyard"),
        ],
        [Function("worker", timeout=5), Function("careful", timeout=5)],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("second-chance", "careful")],
    ),
    mapping="second-chance→careful",
    invariant="no-early-dead-lettering",
    behaviours={"worker": Behaviour(error_rate=1)},
    switch=Mutation(service, "dead_lettered", _counting_on),
)
