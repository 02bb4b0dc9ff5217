"""A broken fake: functions without reserved concurrency together run more than the account has left (LC-2)."""

from __future__ import annotations

from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from tests.invariants.builder import Story
from tests.known_bad.known_bad import KnownBad


def two_functions(concurrency: int) -> History:
    names = ("worker", "auditor")
    design = Design(
        [Queue(f"{name}-jobs") for name in names],
        [Function(name) for name in names],
        [EventSourceMapping(f"{name}-jobs", name) for name in names],
        Account(concurrency, other_traffic=99),
    )
    story = Story(design)
    for message, name in enumerate(names):
        story.send(queue=f"{name}-jobs").receive(message, mapping=f"{name}-jobs→{name}").start()
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="concurrency-within-its-limits",
    says="Functions without reserved concurrency had 2 executions at once when message 2 came: the limit is 1.",
    bad_history=lambda: two_functions(100),
    near_miss=lambda: two_functions(101),
)
