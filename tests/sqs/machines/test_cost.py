"""The cost of a call does not depend on the backlog: counted in lines of the machine that run, not in time."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeAlias

import pytest

from chaosqs.model.design import Queue, Redrive
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.standard_queue import StandardQueue

Machine: TypeAlias = StandardQueue | FifoQueue
Trace: TypeAlias = "Callable[[FrameType, str, object], Trace | None]"


def lines_of(work: Callable[[], object]) -> int:
    """Return how many lines of the machines run; hooks and finalizers of other parts do not count."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Trace | None:
        nonlocal count
        del argument
        if not frame.f_globals.get("__name__", "").startswith("chaosqs.sqs."):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def machine_with(kind: str, backlog: int) -> Machine:
    name = "q.fifo" if kind in ("fifo", "one group") else "q"
    queue = Queue(name, visibility_timeout=5, redrive=Redrive("dead" + name[1:], 3))
    machine: Machine = FifoQueue(queue) if queue.fifo else StandardQueue(queue)
    for number in range(backlog):
        machine.accept(Message(number, 1, 0, group=group_of(kind, number)), now=0)
    return machine


def group_of(kind: str, number: int) -> str:
    match kind:
        case "standard":
            return ""
        case "one group":
            return "g"
        case "fair":
            return "noisy" if number % 10 else f"g{number}"
        case _:
            return f"g{number % 100}"


def one_round(machine: Machine, kind: str, number: int, now: int) -> None:
    """Send two, receive some, delete one, show one, let one expire."""
    for each in (number, number + 1):
        machine.accept(Message(each, 1, now, group=group_of(kind, each)), now=now)
    receipts, _ = machine.receive(3, now=now)
    if receipts:
        machine.delete(receipts[0])
    if len(receipts) > 1:
        machine.change_visibility(receipts[1], 0, now=now)
    machine.settle(now=now + 6000)
    machine.expire(now=now + 6000)


@pytest.mark.parametrize("kind", ["standard", "fair", "fifo", "one group"])
def test_a_round_costs_the_same_at_any_backlog(kind: str) -> None:
    """Twenty rounds at a backlog of 100 and of 5,000: the difference is a heap's, and stays below a fifth."""
    costs: list[int] = []
    for backlog in (100, 5_000):
        machine = machine_with(kind, backlog)

        def rounds(machine: Machine = machine, backlog: int = backlog) -> None:
            for step in range(20):
                one_round(machine, kind, backlog + 2 * step, 10_000 * step)

        costs.append(lines_of(rounds))
    assert abs(costs[1] - costs[0]) < costs[0] / 5
