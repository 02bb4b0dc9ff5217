"""Real handlers: how they are called, how they end, and what the history says of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvalidScenario, SimulationError
from chaosqs.invariants import CONSERVATION
from chaosqs.invariants.registry import check
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Deleted, InvocationEnded, InvocationStarted, Released
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.simulation import consumers

ROOT = Path(__file__).parents[2]
WARM = Function("worker", timeout=5, memory=256, provisioned_concurrency=400)


def scenario(
    handler: str,
    count: int = 1,
    *,
    fault: str = "ok",
    batch_size: int = 1,
    reporting: bool = False,
    until: float | None = None,
    function: Function = WARM,
) -> Scenario:
    """Return a run of one of the consumers, with warm environments, and batches of one unless told."""
    mapping = EventSourceMapping(
        "orders",
        "worker",
        batch_size=batch_size,
        provisioned_pollers=(40, 40),
        report_batch_item_failures=reporting,
    )
    orders = Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 2))
    design = Design([orders, Queue("dead"), Queue("done")], [function], [mapping])
    behaviours = {"worker": Behaviour(handler=f"tests.simulation.consumers:{handler}")}
    return Scenario(design, [Burst("orders", count)], behaviours, FaultPlan([(fault,)]), until=until)


def played(scenario: Scenario) -> History:
    """Run a scenario with nothing noted before, and prove that the books are right."""
    consumers.forget()
    history = simulate(scenario)
    assert check(history, (CONSERVATION,)) == ()
    return history


def ends(history: History) -> list[InvocationEnded]:
    """Return the ends of invocations."""
    return [event for event in history.events if isinstance(event, InvocationEnded)]


@pytest.mark.parametrize("handler", ["naps", pytest.param("naps_by_name", marks=pytest.mark.deep)])
def test_300_handlers_that_sleep_a_second_end_after_a_second(handler: str) -> None:
    """Each is suspended alone, in virtual time."""
    history = simulate(scenario(handler, 300))
    first = min(event.at for event in history.events if isinstance(event, InvocationStarted))
    assert {end.duration for end in ends(history)} == {1000}
    assert max(end.at for end in ends(history)) - first == 1000
    assert history.summary()["messages"]["processed"] == 300


PROGRAM = "from tests.lambda_.test_handlers import digests; print(*digests())"


def digests() -> list[str]:
    handlers = ("naps", "sends_a_batch", "sends_then_naps", "looks_around", "raises")
    return [simulate(attrs.evolve(scenario(each, 20), seed=seed)).digest for each in handlers for seed in (0, 7)]


def test_another_process_and_hash_seed_give_the_same_digests() -> None:
    """Whatever the handlers do: sleep, call SQS, draw random numbers, raise; and whatever this process ran before."""
    environment = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stdout.split() == digests()


# What a handler is given ------------------------------------------------------------------------------------------


def test_the_event_is_the_batch() -> None:
    """With ids, handles, bodies, receive counts; a new one for each attempt (§10.9)."""
    played(scenario("notes_event", 5, batch_size=10))
    (event,) = consumers.EVENTS
    records = event["Records"]
    assert [record["body"] for record in records] == [f'{{"message": {n}}}'.ljust(100) for n in range(5)]
    assert len({record["messageId"] for record in records}) == 5
    assert records[0]["attributes"] == {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1764547200000",
        "SenderId": records[0]["attributes"]["SenderId"],
        "ApproximateFirstReceiveTimestamp": "1764547200000",
    }


def test_the_context_is_lambdas() -> None:
    """Names, and the time that remains."""
    played(scenario("notes_context"))
    (context,) = consumers.CONTEXTS
    assert consumers.NOTES == [(5000, 2500)]
    expected = {
        "function_name": "worker",
        "function_version": "$LATEST",
        "invoked_function_arn": "arn:aws:lambda:us-east-1:123456789012:function:worker",
        "memory_limit_in_mb": "256",
        "log_group_name": "/aws/lambda/worker",
        "client_context": None,
    }
    assert {name: getattr(context, name) for name in expected} == expected


# How it ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "reporting", "outcome", "failed", "rule"),
    [
        (0, False, "succeeded", False, "EF-2"),
        (2, False, "succeeded", True, "EF-2"),
        (0, True, "succeeded", False, "PB-4"),
        (1, True, "succeeded", False, "PB-1"),
        (2, True, "succeeded", True, "10.3"),
        (3, True, "succeeded", True, "PB-9"),
        (4, True, "succeeded", False, "PB-11"),
        (5, True, "succeeded", True, "PB-17"),
        (6, True, "raised", False, "PB-10"),
        (6, False, "raised", False, "EF-2"),
        (7, False, "raised", False, "LX-5"),
        (8, True, "succeeded", True, "PB-5"),
    ],
)
def test_PB_EF_2_LX_5_the_return_value_decides(
    *, wanted: int, reporting: bool, outcome: str, failed: bool, rule: str
) -> None:
    """By the rules of partial batch responses; the history names the rule.

    A mapping that does not look at the answer deletes what that names as failed.
    """
    history = played(scenario("answers", wanted + 1, reporting=reporting, until=20))
    end = next(end for end in ends(history) if end.messages == (wanted,))
    assert (end.outcome, end.failed, end.rule) == (outcome, (wanted,) if failed else (), rule)
    deleted = [event.messages for event in history.events if isinstance(event, Deleted)]
    assert ((wanted,) in deleted) is (outcome == "succeeded" and not (failed and reporting))


def test_EF_2_PB_14_failures_that_nobody_looks_at_are_not_counted() -> None:
    """The history has what the handler reported; the metric has nothing of it, as the mapping has not."""
    counted = [
        played(scenario("answers", 3, reporting=reporting, until=20)).summary()["mappings"]["orders→worker"]
        for reporting in (False, True)
    ]
    assert [figures["FailedInvokeEventCount"] for figures in counted] == [0, 1]


def test_LX_7_an_exception_is_a_function_error() -> None:
    """Its type and message are in the history, without what differs from run to run."""
    (end, *_) = ends(played(scenario("raises", until=10)))
    assert (end.outcome, end.duration, end.rule) == ("raised", 250, "EF-2")
    assert end.error == "KeyError: 'order of <object object at 0x…>\\nand more'"


def test_LX_14_leaving_the_process_is_a_crash() -> None:
    """The environment is initialised again, within the next duration."""
    first, second = ends(played(scenario("exits", until=45)))
    assert (first.outcome, first.duration, first.error) == ("crashed", 0, "Runtime.ExitError: SystemExit: 3")
    assert second.duration == 250


def test_LX_9_the_function_timeout_ends_a_handler() -> None:
    """After its seconds; what it would do then has no effect."""
    history = played(scenario("hangs", until=20))
    (end,) = ends(history)
    assert (end.outcome, end.duration, end.error) == ("timed_out", 5000, "Sandbox.Timedout")
    assert [event for event in history.events if isinstance(event, Deleted)] == []
    assert [event.why for event in history.events if isinstance(event, Released)] == ["failed"]


def test_a_loop_that_looks_at_the_clock_comes_to_an_end() -> None:
    """Time passes with every 1,000 readings of the clock."""
    (end,) = ends(played(scenario("spins")))
    assert end.duration in {200, 201}, "a part of a millisecond is one"


def test_a_loop_that_looks_at_the_clock_can_be_timed_out() -> None:
    """Like any other wait."""
    history = played(scenario("spins_for_long", function=Function("worker", timeout=1), until=20))
    assert [end.outcome for end in ends(history)] == ["timed_out"]


@pytest.mark.parametrize(
    ("kind", "outcome", "sent"),
    [("error", "raised", 2), ("slow", "succeeded", 2), ("timeout", "timed_out", 2), ("crash", "crashed", 1)],
)
def test_a_fault_replaces_how_a_handler_ends(kind: str, outcome: str, sent: int) -> None:
    """What it has done stands; a crash strikes half-way."""
    history = simulate(scenario("sends_then_naps", fault=kind, until=20), verify=True)
    (end,) = ends(history)
    place = " at call or wait 2," if kind == "crash" else ""
    assert end.outcome == outcome
    assert end.fault.startswith(f"{kind}{place} at receive 1 of message 1")
    assert ("consumers.py:" in end.fault) == (kind == "crash"), "the place of its code where it died"
    assert end.duration == {"error": 516, "slow": 4999, "timeout": 5000, "crash": 8}[kind]
    assert history.summary()["queues"]["done"]["NumberOfMessagesSent"] == sent


def test_a_fault_replaces_nothing_where_the_handler_fails_itself() -> None:
    """Its own error is the one to show."""
    history = simulate(scenario("raises", fault="timeout", until=20))
    assert [(end.outcome, end.fault) for end in ends(history)] == [("raised", "")]


def test_the_end_of_a_run_ends_its_handlers() -> None:
    """With the invocation open in the history."""
    history = played(scenario("naps", 3, until=0.5))
    assert ends(history) == []
    assert sum(isinstance(event, InvocationStarted) for event in history.events) == 3


def test_LX_14_a_handler_that_raises_keyboard_interrupt_ends_its_process() -> None:
    """It is no Ctrl-C."""
    (first, *_) = ends(played(scenario("presses_stop", until=20)))
    assert (first.outcome, first.error) == ("crashed", "Runtime.ExitError: KeyboardInterrupt")


def test_PB_powertools_batch_processor_runs_unmodified() -> None:
    """It reports the bad messages, and the others are deleted."""
    history = played(scenario("processes_with_powertools", 5, batch_size=10, reporting=True))
    end, *again = ends(history)
    assert (end.outcome, end.failed, end.rule) == ("succeeded", (1, 3), "10.3")
    assert [other.messages for other in again] == [(1, 3)]
    assert history.summary()["messages"]["processed"] == 3
    assert history.summary()["messages"]["dead_lettered"] == 2


# What cannot be run -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        ("no.such.module:handler", "module 'no.such.module' cannot be imported: ModuleNotFoundError: No module"),
        ("tests.simulation.consumers:nothing", "module 'tests.simulation.consumers' has no function 'nothing'"),
        ("tests.simulation.consumers:not_a_function", "'not_a_function' of module .* must be a function"),
    ],
)
def test_a_handler_that_cannot_be_found_is_an_invalid_scenario(handler: str, says: str) -> None:
    """Its error names field, module and function."""
    with pytest.raises(InvalidScenario, match=rf"behaviours\['worker'\].handler = '{handler}': {says}"):
        simulate(attrs.evolve(scenario("naps"), behaviours={"worker": Behaviour(handler=handler)}))


@pytest.mark.parametrize(
    ("handler", "says"),
    [("starts_a_process", "worker starts a process"), ("starts_a_loop", "worker starts a run of trio")],
)
def test_what_would_run_in_real_time_ends_the_run(handler: str, says: str) -> None:
    """Rather than making it another one each time."""
    with pytest.raises(SimulationError, match=says):
        played(scenario(handler))
