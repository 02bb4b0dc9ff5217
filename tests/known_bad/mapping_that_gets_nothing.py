"""A broken design: two mappings share one reserved execution, and one of them has it all the time (LC-3, ES-8)."""

from __future__ import annotations

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from tests.invariants.builder import Story
from tests.known_bad.known_bad import KnownBad


def shared(others: int) -> History:
    """Return a run in which `orders` has one invocation after another, from before the first throttle of `returns`."""
    design = Design(
        [Queue("orders", visibility_timeout=60), Queue("returns")],
        [Function("worker", timeout=30, reserved_concurrency=1)],
        [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("returns", "worker", batch_size=1)],
    )
    story = Story(design).send(queue="returns").send(others + 1)
    running = story.receive(1).start()
    waiting = story.receive(0, mapping="returns→worker").throttle()
    for number in range(others):
        story.at(3 * number)
        running.finish().delete()
        running = story.receive(number + 2).start()
    story.at(30)
    waiting.throttle()
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="no-starvation",
    says="returns→worker got none of the executions reserved for worker from 0.0 s to 30.0 s and was throttled "
    "2 times, while orders→worker started 10 invocations.",
    bad_history=lambda: shared(10),
    near_miss=lambda: shared(9),
)
