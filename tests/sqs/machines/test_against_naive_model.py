from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.model.design import Queue, Redrive
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.standard_queue import StandardQueue
from tests.sqs.machines.naive import NaiveQueue


@attrs.frozen
class Setup:
    fifo: bool
    visibility: int
    delay: int
    most: int | None

    def machine(self) -> StandardQueue | FifoQueue:
        name = "q.fifo" if self.fifo else "q"
        redrive = None if self.most is None else Redrive("dlq" + name[1:], self.most)
        queue = Queue(name, visibility_timeout=self.visibility, delay=self.delay, retention_period=60, redrive=redrive)
        return FifoQueue(queue) if self.fifo else StandardQueue(queue)

    def naive(self) -> NaiveQueue:
        return NaiveQueue(self.fifo, self.visibility * 1000, self.delay * 1000, 60_000, self.most)


SETUPS = st.builds(
    Setup, st.booleans(), st.sampled_from((0, 3, 10)), st.sampled_from((0, 0, 2)), st.sampled_from((None, 1, 2))
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("receive"), st.integers(1, 4), st.sampled_from((-1, -1, 0, 2000))),
        st.tuples(st.just("delete"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("change"), st.integers(0, 9), st.sampled_from((0, 0, 1000, 5000, 43_200_000))),
        st.tuples(st.just("advance"), st.sampled_from((0, 500, 1000, 3000, 20_000)), st.just(0)),
        st.tuples(st.just("purge"), st.just(0), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=600, deadline=None)
@given(SETUPS, STEPS)
def test_every_sequence_of_calls_gives_what_the_naive_model_gives(
    setup: Setup, steps: list[tuple[str, int, int]]
) -> None:
    """The machine and a model written from the ledger with lists answer every call alike."""
    machine, naive = setup.machine(), setup.naive()
    handles: list[Receipt] = []
    sent, now = 0, 0
    for kind, first, second in steps:
        recent = handles[-1 - first] if first < len(handles) else None
        match kind:
            case "send":
                group = f"g{first}" if setup.fifo or first else ""
                machine.accept(Message(sent, 10, now, group=group), now=now)
                naive.send(sent, group)
                sent += 1
            case "receive":
                timeout = None if second < 0 else second
                receipts, moved = machine.receive(first, now=now, visibility_timeout=timeout)
                handles += receipts
                seen = [(receipt.message.number, receipt.message.receive_count) for receipt in receipts]
                assert (seen, [message.number for message in moved]) == naive.receive(first, timeout)
            case "delete" if recent is not None:
                assert machine.delete(recent).name == naive.delete(recent.message.number, recent.number)
            case "change" if recent is not None:
                outcome = machine.change_visibility(recent, second, now=now)
                assert outcome.name == naive.change(recent.message.number, recent.number, second)
            case "advance":
                now += first
                machine.settle(now=now)
                machine.expire(now=now)
                naive.advance(first)
            case "purge":
                machine.purge()
                naive.entries.clear()
                naive.returned.clear()
            case _:
                pass
        store = machine.store
        assert (store.visible, store.in_flight, store.delayed) == naive.counts()
