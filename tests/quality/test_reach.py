"""What the `quick` profile reaches: a planted bug in each of four places that a search came to by luck only.

An operator's redrive after a message was dead-lettered, batching windows longer than a long poll, dead letters after
many minutes, and two mappings that fill one reservation.
"""

from __future__ import annotations

import attrs
import pytest

from benchmarks.power.mutation import Mutation
from chaosqs.esm.machines.batching import Batcher
from chaosqs.invariants import by_name
from chaosqs.lambda_.invocation import Lambda, OnEnd, Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationStarted
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import searched
from chaosqs.sqs.api import move_tasks
from chaosqs.sqs.machines.message import Message, redriven
from chaosqs.sqs.service import QueueState, Service

# pyright: reportPrivateUsage=false

# The original functions, for defects that wrap them.
_due, _invoke, _dead_letter = Batcher.due, Lambda.invoke, Service._dead_letter

LONG_POLL, TEN_MINUTES = 20_000, 600_000


def moves_back_used_up(message: Message, number: int, *, now: int) -> Message:
    """An operator's redrive keeps the receives that were counted."""
    return attrs.evolve(redriven(message, number, now=now), deliveries=1_000)


def long_windows_close_late(self: Batcher) -> int | None:
    """A window that lasts longer than a long poll closes half a minute late."""
    due = _due(self)
    return due if due is None or self.full or self.window <= LONG_POLL else due + 30_000


def late_dead_letters_are_lost(self: Service, state: QueueState, message: Message) -> None:
    """What is dead-lettered ten minutes after its sending leaves the source and never arrives."""
    _dead_letter(self, state, message)
    if self.context.now - message.sent_at >= TEN_MINUTES:
        assert state.queue.redrive is not None
        target = self.states[state.queue.redrive.dead_letter_queue].machine
        target.take_out(target.store.messages[message.number])


def one_more_for_the_other(self: Lambda, request: Request, on_end: OnEnd, cold_start: str = "") -> Refused | None:
    """A mapping gets one execution too many when another one has filled the reservation."""
    pool = self.executions._shares[request.mapping.function].pool
    last = next((each for each in reversed(self.context.events) if isinstance(each, InvocationStarted)), None)
    more = last is not None and last.mapping != request.mapping.name and pool.running >= pool.size
    pool.size += more
    try:
        return _invoke(self, request, on_end, cold_start)
    finally:
        pool.size -= more


def one_queue(*, visibility_timeout: int = 30, mapping: EventSourceMapping | None = None) -> Design:
    queue = Queue("orders", visibility_timeout=visibility_timeout, redrive=Redrive("dead", 3))
    return Design([queue, Queue("dead")], [Function("worker", timeout=5)], [mapping or PLAIN])


PLAIN = EventSourceMapping("orders", "worker")
UNDERTAKER = Design(
    [Queue("orders", visibility_timeout=300, redrive=Redrive("dead", 3)), Queue("dead")],
    [Function("worker", timeout=5), Function("undertaker", timeout=5)],
    [PLAIN, EventSourceMapping("dead", "undertaker")],
)
SHARED = Design(
    [Queue("orders"), Queue("returns")],
    [Function("worker", timeout=5, reserved_concurrency=2)],
    [EventSourceMapping(queue, "worker", batch_size=1) for queue in ("orders", "returns")],
)
WINDOW = one_queue(visibility_timeout=120, mapping=EventSourceMapping("orders", "worker", maximum_batching_window=60))
BUGS = {
    "a redrive": (Mutation(move_tasks, "redriven", moves_back_used_up), one_queue(), "no-early-dead-lettering"),
    "a long window": (Mutation(Batcher, "due", long_windows_close_late), WINDOW, "batches-within-limits"),
    "a late dead letter": (
        Mutation(Service, "_dead_letter", late_dead_letters_are_lost),
        UNDERTAKER,
        "no-loss-after-send",
    ),
    "two mappings": (Mutation(Lambda, "invoke", one_more_for_the_other), SHARED, "concurrency-within-its-limits"),
}


FAILING = {"worker": Behaviour(error_rate=1)}


def found(design: Design, invariant: str) -> bool:
    """Search the last mapping without shrinking, from one seed; what feeds another queue fails."""
    mapping, given = design.mappings[-1].name, FAILING if design is UNDERTAKER else {}
    search = searched(design, mapping, (by_name(invariant),), behaviours=given, profile=QUICK, seed=0)
    return search.search_run is not None and not search.search_run.searches[0].open


@pytest.mark.parametrize(("mutation", "design", "invariant"), BUGS.values(), ids=BUGS)
def test_quick_reaches_it(mutation: Mutation, design: Design, invariant: str) -> None:
    """The bug is found, and without the bug the invariant holds."""
    with mutation():
        assert found(design, invariant)
    assert not found(design, invariant)
