"""LC-3, ES-8: of the mappings of a function only the first one's throttled batches are tried again."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.poller_fleet import Latency, Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

_HOUR = 3_600_000
_pause = Latency.pause


def _not_again(self: Latency, poller: Poller) -> int:
    return _pause(self, poller) if poller.task.startswith("orders") else _HOUR


TASK = Task(
    name="retries-of-one-mapping-only",
    kind="mutant",
    why="Of the mappings of a function only the first one's throttled batches are tried again.",
    design=Design(
        [Queue("orders", visibility_timeout=30), Queue("returns", visibility_timeout=30)],
        [Function("worker", timeout=5, reserved_concurrency=1)],
        [
            EventSourceMapping("orders", "worker", batch_size=1),
            EventSourceMapping("returns", "worker", batch_size=1),
        ],
    ),
    mapping="returns→worker",
    invariant="no-starvation",
    behaviours={"worker": Behaviour(seconds_per_batch=1)},
    switch=Mutation(Latency, "pause", _not_again),
)
