"""A broken design, to who has set a limit: two functions call a dependency more often at once than it bears."""

from __future__ import annotations

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from tests.invariants.builder import Story
from tests.known_bad.known_bad import KnownBad


def three_at_once(*, one_ends: bool) -> History:
    names = ("worker", "auditor")
    design = Design(
        [Queue(f"{name}-jobs") for name in names],
        [Function(name) for name in names],
        [EventSourceMapping(f"{name}-jobs", name) for name in names],
    )
    story = Story(design).send(2, queue="worker-jobs").send(queue="auditor-jobs")
    first = story.receive(0, mapping="worker-jobs→worker").start()
    story.receive(1, mapping="worker-jobs→worker", poller=2).start()
    if one_ends:
        first.finish().delete()
    story.receive(2, mapping="auditor-jobs→auditor").start()
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="downstream-concurrency-up-to-2-of-worker+auditor",
    says="worker and auditor had 3 executions at once at 0.0 s: the limit is 2.",
    bad_history=lambda: three_at_once(one_ends=False),
    near_miss=lambda: three_at_once(one_ends=True),
)
