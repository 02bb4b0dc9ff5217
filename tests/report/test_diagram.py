"""The sequence diagram: well-formed, bounded, and with the participants that took part."""

from __future__ import annotations

import re

import attrs
import pytest
from hypothesis import given

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.causal_slice import causal_slice
from chaosqs.model.events import DeadLettered, Received
from chaosqs.model.history import History
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst
from chaosqs.report.markdown import MOST_ARROWS, sequence
from tests.report.examples import Book, throttled
from tests.report.hostile import NAMES, hostile
from tests.report.runs import run

LABEL = r"(?:[^;#:`<>%{}\[\]|\"\\\n&$@*~!?^]|#\d+;)+"
LINE = re.compile(rf"    (?:participant p\d+ as {LABEL}|p\d+(?:->>|-->>|-x|--x)p\d+: {LABEL}|Note over p\d+: {LABEL})")


def lines_of(history: History, violation: Violation) -> list[str]:
    first, *lines = sequence(causal_slice(history, violation)).split("\n")
    assert first == "sequenceDiagram"
    return lines


def test_the_example_of_the_house_plan() -> None:
    """Producer, queue, each poller, function, dead-letter queue, in this order; then who did what to whom."""
    found, history = throttled()
    lines = lines_of(history, found.violation)
    assert [line.split(" as ")[1] for line in lines if "participant" in line] == [
        "producer",
        "orders",
        "poller 1",
        "poller 2",
        "poller 3",
        "poller 4",
        "poller 5",
        "worker",
        "orders-dlq",
    ]
    text = "\n".join(lines)
    assert "0.0 s  messages 1–6" in text
    assert "0.0 s  429 for message 4, reserved concurrency 2, and 1 time more until 9.0 s" in text
    assert "30.0 s  visibility of message 4 ends" in text
    assert "60.1 s  message 4, received 2 times" in text


def test_many_pollers_are_one_participant() -> None:
    """More than five pollers of a mapping would make the diagram too wide."""
    book = Book()
    book.send(*range(7))
    indexes = [book.receive(message, message + 1, at=0) for message in range(7)]
    violation = Violation("i", "t", 0, "orders", tuple(range(7)), tuple(indexes))
    lines = lines_of(book.history(count=7), violation)
    assert "participant p2 as pollers of orders → worker" in "\n".join(lines)
    assert "messages 1–7" in lines[-1]


def test_a_long_story_leaves_its_middle_out() -> None:
    """There are 60 arrows and notes at the most, and the reader learns how many events are missing."""
    book = Book()
    book.send(0)
    for cycle in range(200):
        book.receive(0, 1, at=cycle * 30_000, count=cycle + 1)
        book.start(0, 1, at=cycle * 30_000 + 10)
        book.end(0, at=cycle * 30_000 + 20, outcome="raised")
        book.give_back(0, 1, at=cycle * 30_000 + 30_000, count=cycle + 1, why="failed")
    violation = Violation("i", "t", 6_000_000, "orders", (0,), (book.move(0, at=6_000_000, count=200),))
    lines = [line for line in lines_of(book.history(max_receive_count=200), violation) if "participant" not in line]
    assert len(lines) == MOST_ARROWS
    omitted = next(line for line in lines if "omitted" in line)
    assert re.search(r"… 7\d\d events omitted", omitted)
    assert "received 200 times" in lines[-1]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("batch_size", [1, 10])
def test_real_runs_give_well_formed_diagrams(seed: int, batch_size: int) -> None:
    """For each dead-lettered message: every line has one of three forms, and there are not too many."""
    history = run(Burst("orders", 100), Behaviour(seconds_per_message=5), seed=seed, batch_size=batch_size)
    for index, event in enumerate(history.events):
        if isinstance(event, DeadLettered):
            lines = lines_of(history, Violation("i", "t", event.at, "orders", (event.message,), (index,)))
            assert all(LINE.fullmatch(line) for line in lines)
            assert sum("participant" not in line for line in lines) <= MOST_ARROWS


@given(NAMES, NAMES)
def test_no_name_breaks_the_diagram(name: str, mapping: str) -> None:
    """Names of queues, mappings, reasons and faults never become syntax."""
    found, history = throttled()
    events = [hostile(event, name) for event in history.events]
    events = [attrs.evolve(e, mapping=mapping, fault=name) if isinstance(e, Received) else e for e in events]
    lines = lines_of(attrs.evolve(history, events=tuple(events)), found.violation)
    assert all(LINE.fullmatch(line) for line in lines)
