"""Calls of handlers to a simulation: fault points, marks and effects. In production they do nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import attrs
import pytest

import chaosqs
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Effect, InvocationEnded, InvocationStarted, PointPassed, Reached
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.process_wide import process_wide

NOTES: list[object] = process_wide("notes of user code", list[object])
CHARGE = "fault_point:charge-card"


Event: TypeAlias = Mapping[str, Sequence[Mapping[str, object]]]


def run(
    handler: Callable[[Event, object], object],
    count: int = 1,
    *,
    faults: FaultPlan = FaultPlan(),
    timeout: int = 5,
    until: float | None = None,
) -> History:
    """Run a handler of this module twice, with the same history."""
    NOTES.clear()
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=timeout, provisioned_concurrency=5)],
        [EventSourceMapping("orders", "worker", batch_size=10, provisioned_pollers=(2, 2))],
    )
    behaviours = {"worker": Behaviour(handler=f"{handler.__module__}:{handler.__name__}")}
    return simulate(Scenario(design, [Burst("orders", count)], behaviours, faults, until=until), verify=True)


def outcomes(history: History) -> list[tuple[str, str]]:
    """Return outcome and error of each invocation."""
    return [(end.outcome, end.error) for _, end in history.each(InvocationEnded)]


# Fault points -----------------------------------------------------------------------------------------------------


def charges(_event: Event, _context: object) -> None:
    time.sleep(0.1)
    if chaosqs.fault_point("charge-card"):
        raise TimeoutError("card")


def test_a_fault_point_strikes_when_the_plan_says_so() -> None:
    """For one receive of one message; each pass is recorded, with the fault that struck there."""
    history = run(charges, faults=FaultPlan([[CHARGE]]))
    passes = [event for _, event in history.each(PointPassed)]
    (first, _), (second, _) = history.each(InvocationStarted)
    name = f"{CHARGE} at receive 1 of message 1"
    assert passes == [
        PointPassed(passes[0].at, first, "worker", 1, "charge-card", name),
        PointPassed(passes[1].at, second, "worker", 2, "charge-card", ""),
    ]
    assert passes[0].at == history.events[first].at + 100
    assert outcomes(history) == [("raised", "TimeoutError: card"), ("succeeded", "")]


@pytest.mark.parametrize("scope", ["orders", "worker", "orders→worker", ""])
def test_a_window_strikes_a_fault_point_while_it_is_open(scope: str) -> None:
    """Named by queue, function or mapping; another point is not struck."""
    plan = FaultPlan(windows=[Window(CHARGE, scope, 0, 10), Window("fault_point:other", scope, 0, 1000)])
    history = run(charges, faults=plan)
    assert [bool(event.fault) for _, event in history.each(PointPassed)] == [True, False]


def charges_each(event: Event, _context: object) -> None:
    NOTES.append([chaosqs.fault_point("charge-card", record) for record in event["Records"]])


def test_a_fault_point_of_one_record_strikes_for_its_message_only() -> None:
    """The others of the batch pass."""
    run(charges_each, 4, faults=FaultPlan([["ok"], ["ok"], [CHARGE]]))
    assert NOTES[0] == [False, False, True, False]


def test_a_fault_point_without_a_fault_is_recorded() -> None:
    """So that a search knows where it could strike."""
    history = run(charges)
    assert [(event.point, event.fault) for _, event in history.each(PointPassed)] == [("charge-card", "")]


# Marks and effects ------------------------------------------------------------------------------------------------


def marks(event: Event, _context: object) -> None:
    for record in event["Records"]:
        chaosqs.sometimes("a record")
        chaosqs.sometimes(f"record of {len(str(record['body']))} characters")


def test_a_mark_is_recorded_once_an_invocation() -> None:
    """However often the code passes it."""
    history = run(marks, 3)
    starts = [index for index, _ in history.each(InvocationStarted)]
    found = [(event.cause, event.invocation, event.mark) for _, event in history.each(Reached)]
    assert found == [
        (index, number, mark)
        for number, index in enumerate(starts, 1)
        for mark in ("a record", "record of 100 characters")
    ]


def notes_effects(event: Event, _context: object) -> None:
    chaosqs.record("began")
    for record in event["Records"]:
        chaosqs.record("charged", record, order=7, cents=12.5, name="n", record=True, none=None)


def test_effects_are_in_the_history() -> None:
    """With their values by name, and the message where the code said so."""
    history = run(notes_effects, 2)
    began, first, second = history.effects
    values = (("cents", 12.5), ("name", "n"), ("none", None), ("order", 7), ("record", True))
    assert (began.name, began.values, began.message) == ("began", (), None)
    assert first == Effect(began.at, began.cause, "worker", 1, "charged", values, 0)
    assert second == attrs.evolve(first, message=1)


def naps_and_notes(event: Event, _context: object) -> None:
    chaosqs.record("began", event["Records"][0])
    time.sleep(1)
    chaosqs.record("ended", event["Records"][0])


def test_each_of_several_invocations_at_once_has_its_own_effects() -> None:
    """As each knows its own batch."""
    history = run(naps_and_notes, 40)
    found: dict[int, list[tuple[str, int | None]]] = {}
    for effect in history.effects:
        found.setdefault(effect.invocation, []).append((effect.name, effect.message))
    batches = {event.invocation: event.messages[0] for _, event in history.each(InvocationStarted)}
    assert found == {number: [("began", first), ("ended", first)] for number, first in batches.items()}
    assert len(batches) > 1


def hangs(_event: Event, _context: object) -> None:
    try:
        time.sleep(100)
    finally:
        NOTES.append(chaosqs.fault_point("too-late"))
        chaosqs.sometimes("too late")
        chaosqs.record("too late")


def test_what_code_says_after_its_end_counts_for_nothing() -> None:
    """Lambda would have stopped it."""
    history = run(hangs, faults=FaultPlan(windows=[Window("fault_point:too-late", "", 0, 100)]), until=20)
    assert outcomes(history) == [("timed_out", "Sandbox.Timedout")]
    assert NOTES[0] is False
    assert not [event for event in history.events if isinstance(event, PointPassed | Reached | Effect)]


# Misuse -----------------------------------------------------------------------------------------------------------


def misnames(_event: Event, _context: object) -> None:
    chaosqs.fault_point("charge card")


def misrecords(_event: Event, _context: object) -> None:
    chaosqs.record("charged", order=[7])  # type: ignore[arg-type]


def mistakes_the_message(_event: Event, _context: object) -> None:
    chaosqs.record("charged", {"messageId": "another"})


def mistakes_the_record(_event: Event, _context: object) -> None:
    chaosqs.fault_point("charge-card", {"body": "{}"})


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        (misnames, "ValueError: fault_point('charge card'): a name must be 1 to 80 letters, digits, '_', '-' or '.'"),
        (misrecords, "TypeError: record('charged'): order must be str, int, float, bool or None, not list"),
        (mistakes_the_message, "ValueError: another is not a message of the batch that this invocation has"),
        (
            mistakes_the_record,
            "ValueError: a record must be one of the event's Records, with the messageId that it has there",
        ),
    ],
)
def test_misuse_is_an_error_of_the_handler_in_a_simulation(
    handler: Callable[[Event, object], object], error: str
) -> None:
    """It says what would be right."""
    assert outcomes(run(handler, until=10)) == [("raised", error)]


@pytest.mark.parametrize("handler", [misnames, misrecords, mistakes_the_message, mistakes_the_record, hangs])
def test_outside_of_a_simulation_nothing_happens(
    handler: Callable[[Event, object], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even an error: production must not fail for the sake of its tests."""
    run(charges)
    monkeypatch.setattr(time, "sleep", NOTES.append)
    handler({"Records": []}, None)
    assert chaosqs.fault_point("charge-card") is False


def test_production_code_that_uses_the_hooks_imports_nothing_heavy() -> None:
    """Neither trio nor Hypothesis, nor anything that is not Python's own."""
    program = (
        "import sys\nbefore = {*sys.modules}  # coverage, which counts this process, imports greenlet\nimport chaosqs\n"
        "chaosqs.record('charged', order=7), chaosqs.sometimes('here'), chaosqs.fault_point('there')\n"
        "print([name for name in ('attrs', 'attr', 'trio', 'hypothesis', 'greenlet', 'pytest', 'boto3') "
        "if name in {*sys.modules} - before], [name for name in sys.modules if name.startswith('chaosqs')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == "[] ['chaosqs', 'chaosqs.user_code']"
