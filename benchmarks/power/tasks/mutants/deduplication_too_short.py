"""FF-5: a FIFO queue remembers deduplication ids for one minute only."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs.machines import fifo_queue

TASK = Task(
    name="deduplication-too-short",
    kind="mutant",
    why="A FIFO queue remembers deduplication ids for one minute only.",
    design=Design(
        [
            Queue("orders", visibility_timeout=90, redrive=Redrive("orders-dlq", 2)),
            Queue("orders-dlq"),
            Queue("audit.fifo"),
        ],
        [Function("relay", timeout=5), Function("auditor", timeout=5)],
        [EventSourceMapping("orders", "relay", batch_size=1), EventSourceMapping("audit.fifo", "auditor")],
    ),
    mapping="audit.fifo→auditor",
    invariant="deduplication-holds",
    behaviours={
        "relay": Behaviour(handler="benchmarks.power.tasks.mutants._relay:relay_and_fail"),
        "auditor": Behaviour(),
    },
    switch=Mutation(fifo_queue, "INTERVAL", 60_000),
)
