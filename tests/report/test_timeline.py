"""Timelines: few steps, plain English, nothing that does not stand in the events."""

from __future__ import annotations

import re

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import EventSourceMapping, Function, Queue
from chaosqs.model.events import DeadLettered, Deleted, Expired, Received, Sent
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst, Steady
from chaosqs.report.timeline import MOST_STEPS, narrate
from chaosqs.simulation.run import simulate
from tests.report.examples import MAPPING, Book, counterexample, throttled
from tests.report.runs import run


def told(found: Counterexample, history: History) -> list[str]:
    return [f"{step.time} {step.text}".strip() for step in narrate(found, history)]


def test_the_example_of_the_house_plan() -> None:
    """Six messages, two executions: who ran, who was thrown back and why, and how it ended."""
    assert told(*throttled()) == [
        "0.0 s messages 1–6 arrive in orders",
        "0.0 s 5 pollers receive messages 1–5, one each; 1 and 2 run; 3–5 are throttled (429, reserved concurrency 2)",
        "5.0 s messages 1 and 2 are done; 3 and 5 run; 4 waits for its next retry at 9.0 s",
        "9.0 s message 4 is throttled again (429, reserved concurrency 2: busy with 3 and 5)",
        "10.0 s messages 3 and 5 are done; 4 waits for its next retry",
        (
            "30.0 s visibility of message 4 ends after 2 throttles (receive count 1 of 2); poller 1 receives message 6"
            "; it runs; poller 3 receives message 4 again; it is throttled (429, reserved concurrency 2)"
        ),
        (
            "60.1 s visibility of message 4 ends after 1 throttle (receive count 2 of 2); "
            "a receive finds it over max_receive_count 2: moved to orders-dlq"
        ),
    ]


def failing(cycles: int) -> tuple[Counterexample, History]:
    book = Book()
    book.send(0)
    for cycle in range(cycles):
        at = cycle * 30_000
        book.receive(0, cycle + 1, at=at, count=cycle + 1)
        book.start(0, cycle + 1, at=at + 10)
        book.end(0, at=at + 20, outcome="raised")
        book.give_back(0, cycle + 1, at=at + 30_000, count=cycle + 1, why="failed")
    moved = book.move(0, at=cycles * 30_000, count=cycles)
    history = book.history(max_receive_count=cycles, count=1)
    return counterexample(history, Violation("i", "t", cycles * 30_000, "orders", (0,), (moved,)))


def test_cycles_that_repeat_are_counted() -> None:
    """Of 200 failures the first and the last are told, and how many were the same in between."""
    assert told(*failing(200)) == [
        "0.0 s message 1 arrives in orders",
        "0.0 s poller 1 receives message 1; the function raises an error on it; receive count 1 of 200",
        "… the same 198 times more",
        "5,970.0 s poller 200 receives message 1 again; the function raises an error on it; receive count 200 of 200",
        "6,000.0 s a receive finds message 1 over max_receive_count 200: moved to orders-dlq",
    ]


def test_few_cycles_are_told_one_by_one() -> None:
    """Two failures need no summary."""
    steps = told(*failing(2))
    assert not any("the same" in step for step in steps)
    assert sum("raises an error" in step for step in steps) == 2


def test_a_message_that_ran_twice_at_once() -> None:
    """An invocation that begins while the earlier one goes on is said to do so, and so is a delete without effect."""
    book = Book()
    book.send(0)
    book.receive(0, 1, at=0)
    first = book.start(0, 1, at=10)
    book.give_back(0, 1, at=30_000, count=1, why="no answer")
    book.receive(0, 2, at=30_000, count=2)
    book.start(0, 2, at=30_010)
    book.started[0] = first
    ended = book.end(0, at=31_000)
    deleted = book.events.pop()
    assert isinstance(deleted, Deleted)
    book.add(attrs.evolve(deleted, stayed=(0,)))
    steps = told(
        *counterexample(book.history(count=1), Violation("i", "t", 31_000, "orders", (0,), (ended, ended + 1)))
    )
    assert steps[-2].endswith("poller 2 receives it again; it runs again while the earlier invocation still goes on")
    assert steps[-1] == "31.0 s message 1 is done; deleting it has no effect: received again meanwhile"


def test_an_expired_message() -> None:
    """The end of the retention period is told with the queue that the message is gone from."""
    book = Book()
    book.send(0)
    gone = book.add(Expired(345_600_000, 0, "orders", 0, 0))
    steps = told(*counterexample(book.history(count=1), Violation("i", "t", 345_600_000, "orders", (0,), (gone,))))
    assert steps[-1] == "345,600.0 s the retention period of message 1 ends: gone from orders"


def test_a_lost_answer_names_its_fault() -> None:
    """What a fault brought about is told with the fault."""
    book = Book()
    book.send(0)
    lost = book.receive(0, 1, at=0, fault="lost_receive")
    steps = told(*counterexample(book.history(count=1), Violation("i", "t", 0, "orders", (0,), (lost,))))
    assert steps[-1] == "0.0 s SQS hands out message 1, but the answer gets lost (fault: lost_receive)"


def test_a_state_is_told_with_its_moment() -> None:
    """A violation that is no event ends the story at its own time, not at the last thing that happened."""
    book = Book()
    book.send(0)
    book.receive(0, 1, at=0)
    found, history = counterexample(book.history(count=1), Violation("i", "t", 90_000, "orders", (0,), ()))
    assert told(found, attrs.evolve(history, ended_at_ms=90_000))[-1] == "90.0 s the run ends"
    assert told(found, attrs.evolve(history, ended_at_ms=95_000))[-1] == "90.0 s from now on the invariant is violated"


def test_a_story_that_cannot_be_folded_leaves_its_middle_out() -> None:
    """Twenty deliveries that end in turns differ too much to be counted; the first and the last are told."""
    book = Book()
    book.send(0)
    for cycle in range(20):
        at, poller = cycle * 30_000, cycle + 1
        book.receive(0, poller, at=at, count=cycle + 1)
        if cycle % 2:
            book.throttle(0, poller, 1, at=at + 10)
        else:
            book.start(0, poller, at=at + 10)
            book.end(0, at=at + 20, outcome="crashed")
        book.give_back(0, poller, at=at + 30_000, count=poller, why="throttled" if cycle % 2 else "failed")
    moved = book.move(0, at=600_000, count=20)
    history = book.history(max_receive_count=20, count=1)
    steps = told(*counterexample(history, Violation("i", "t", 600_000, "orders", (0,), (moved,))))
    assert len(steps) == MOST_STEPS
    assert "… 13 more steps left out" in steps
    assert steps[-1] == "600.0 s a receive finds message 1 over max_receive_count 20: moved to orders-dlq"


def test_of_many_messages_one_is_followed() -> None:
    """A reader cannot follow twelve messages; the story says that it follows one of them."""
    book = Book()
    book.send(*range(12))
    for message in range(12):
        book.receive(message, message + 1, at=1_000 * message)
    found, history = counterexample(book.history(count=12), Violation("i", "t", 90_000, "orders", tuple(range(12)), ()))
    assert "(so far message 1, one of the 12 messages concerned)" in told(found, history)


def test_arrivals_count_the_whole_load() -> None:
    """The load that made it happen is told, though most of its messages have nothing to do with the violation."""
    book = Book()
    for message in range(50):
        book.send(message, at=message * 1_000)
    received = book.receive(7, 1, at=50_000)
    steps = told(*counterexample(book.history(count=50), Violation("i", "t", 50_000, "orders", (7,), (received,))))
    assert steps == [
        "0.0 s messages 1–50 arrive in orders until 49.0 s",
        "50.0 s poller 1 receives message 8",
    ]


def test_separate_bursts_are_separate_steps() -> None:
    """What arrives a minute later is told a minute later."""
    book = Book()
    book.send(0, 1)
    book.send(2, at=60_000)
    received = book.receive(2, 1, at=60_000)
    steps = told(*counterexample(book.history(count=3), Violation("i", "t", 60_000, "orders", (2,), (received,))))
    assert steps[:2] == ["0.0 s messages 1 and 2 arrive in orders", "60.0 s message 3 arrives in orders"]


RUNS: dict[str, tuple[Burst | Steady, Behaviour]] = {
    "two": (Burst("orders", 2), Behaviour(error_rate=1)),
    "throttled": (Burst("orders", 60), Behaviour(seconds_per_message=8)),
    "many": (Burst("orders", 150), Behaviour(seconds_per_message=5)),
    "steady": (Steady("orders", 2, 60), Behaviour(seconds_per_message=5)),
    "poison": (Burst("orders", 20), Behaviour(seconds_per_message=0.1, poison=(3, 11))),
}


@pytest.mark.parametrize("name", RUNS)
@pytest.mark.parametrize(("seed", "batch_size"), [(0, 1), (1, 10)])
def test_real_runs_are_told_in_few_steps(name: str, seed: int, batch_size: int) -> None:
    """Whatever became of a message, its story has 2 to 10 steps, in order of time, and ends with what became of it."""
    history = run(*RUNS[name], seed=seed, batch_size=batch_size)
    for index, event in list(enumerate(history.events)):
        if isinstance(event, DeadLettered):
            violation = Violation("i", "t", event.at, "orders", (event.message,), (index,))
            found, _ = counterexample(history, violation)
            steps = narrate(found, history)
            times = [step.at for step in steps if step.at is not None]
            assert 2 <= len(steps) <= MOST_STEPS
            assert times == sorted(times)
            assert "moved to orders-dlq" in steps[-1].text


def test_each_number_in_a_story_is_a_message_of_the_run() -> None:
    """A story never mentions a message that the run does not have."""
    history = run(*RUNS["throttled"])
    sent = sum(isinstance(event, Sent) for event in history.events)
    index = next(index for index, event in enumerate(history.events) if isinstance(event, DeadLettered))
    message = next(
        m for m in range(sent) if any(isinstance(e, DeadLettered) and e.message == m for e in history.events)
    )
    found, _ = counterexample(history, Violation("i", "t", history.events[index].at, "orders", (message,), (index,)))
    text = " ".join(step.text for step in narrate(found, history))
    for number in re.findall(r"messages? (\d+)", text):
        assert 1 <= int(number) <= sent


def test_faults_of_a_plan_are_told_where_they_strike() -> None:
    """A run in which every receive of a message meets another fault names each of them."""
    plan = FaultPlan(messages=(("lost_receive", "timeout", "crash"),))
    history = run(Burst("orders", 1), Behaviour(), faults=plan)
    index = next(index for index, event in enumerate(history.events) if isinstance(event, DeadLettered))
    found, _ = counterexample(history, Violation("i", "t", history.events[index].at, "orders", (0,), (index,)))
    text = " ".join(told(found, history))
    assert all(kind in text for kind in ("lost_receive", "timeout", "crash"))


def test_several_functions_are_told_apart() -> None:
    """With two functions in the design it is said in which one a message runs."""
    base = throttled()[1].scenario.design
    design = attrs.evolve(
        base,
        queues=(*base.queues, Queue("mails")),
        functions=(*base.functions, Function("mailer")),
        mappings=(*base.mappings, EventSourceMapping("mails", "mailer")),
    )
    history = simulate(Scenario(design, [Burst("mails", 1)], {"mailer": Behaviour(error_rate=1)}, until=20))
    index = next(index for index, event in enumerate(history.events) if isinstance(event, Received))
    found = Counterexample("d", MAPPING, "i", Violation("i", "t", 10_000, "mails", (0,), ()), history.scenario, "")
    text = " ".join(told(found, history))
    assert index
    assert "message 1 arrives in mails" in text
    assert "runs in mailer" in text or "it runs in mailer" in text
    assert "mailer raises an error" in text
