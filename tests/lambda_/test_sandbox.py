"""Real handlers: the time, the chance and the queues that they find are virtual; outside of them nothing changes."""

from __future__ import annotations

import datetime as dt
import os
import random
import sys
import threading
import time
import uuid
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvalidScenario, SimulationError
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Deleted, InvocationStarted, Received, ReceivedNothing, Sent
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.lambda_.test_handlers import ends, played, scenario
from tests.simulation import consumers


def covered() -> list[object]:
    """Return what the sandbox replaces, as it is now."""
    return [
        *(vars(time)[name] for name in ("sleep", "time", "time_ns", "monotonic", "perf_counter", "gmtime")),
        id(dt.datetime),  # replacements are equal to what they replace
        id(dt.date),
        *(vars(random)[name] for name in ("random", "choice", "seed", "_urandom")),
        os.urandom,
        vars(threading.Thread)["start"],
        vars(consumers)["sleep"],
        vars(consumers)["date_time"],
    ]


def test_a_handler_sees_virtual_time_and_seeded_chance() -> None:
    """The same in each run; numbers of their own for each invocation."""
    played(scenario("looks_around", 2))
    before = list(consumers.LOOKS)
    played(scenario("looks_around", 2))
    assert [attrs.astuple(look) for look in before] == [attrs.astuple(look) for look in consumers.LOOKS]
    first, second = before
    assert first.chance != second.chance
    epoch, moment = 1_764_547_200, dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
    assert first.time == pytest.approx((epoch + 0.014, epoch + 0.014))
    assert first.monotonic == pytest.approx((0.014, 0.014))
    assert first.year == 2025
    assert first.aware == moment + dt.timedelta(milliseconds=14)
    assert first.moment == first.aware.replace(tzinfo=None)
    assert first.day == moment.date()
    assert first.known
    assert {type(first.moment), type(first.aware)} == {dt.datetime}


def test_afterwards_everything_is_as_it_was() -> None:
    """After a run, after an error in a handler's module, after an error of the run."""
    before = covered()
    played(scenario("naps_by_name"))
    assert covered() == before
    with pytest.raises(InvalidScenario):
        played(scenario("nothing"))
    assert covered() == before
    with pytest.raises(SimulationError):
        played(scenario("starts_a_process"))
    assert covered() == before


def test_libraries_find_the_classes_of_dates_in_tables_that_they_made_before() -> None:
    """As pydantic does, and whatever dispatches by type: a replacement is equal to its class, and to others of it."""
    table = {dt.datetime: "a moment", dt.date: "a day"}
    with Sandbox(0)("tests.simulation.consumers"):
        first = dt.datetime
        table[first] += "!"
        assert (table[dt.datetime], table[dt.date]) == ("a moment!", "a day")
        assert dt.datetime != dt.date

        class Own(dt.datetime):
            """A subclass of a handler's."""

        assert Own != dt.datetime
        assert isinstance(Own(2025, 1, 1), dt.datetime)
        assert not isinstance(dt.datetime(2025, 1, 1), Own)  # noqa: DTZ001 - any moment
        assert not issubclass(dt.datetime, Own)
    with Sandbox(0)("tests.simulation.consumers"):
        assert first is not dt.datetime
        assert first == dt.datetime
    assert len(table) == 2


def test_outside_of_handlers_nothing_changes() -> None:
    """Real time, real chance, real threads, while the sandbox is there."""
    before, state = time.monotonic(), random.getstate()
    with Sandbox(0)("tests.simulation.consumers"):
        time.sleep(0.01)
        assert before + 0.01 <= time.monotonic() < before + 60
        assert abs(time.time() - dt.datetime.now(dt.UTC).timestamp()) < 60
        assert dt.date.today() == dt.datetime.today().date()  # noqa: DTZ002, DTZ011 - the real ones
        assert time.gmtime(0).tm_year == 1970
        assert time.localtime().tm_year >= 2024
        number = random.random()
        assert uuid.uuid4() != uuid.uuid4()
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
    random.setstate(state)
    assert random.random() == number


def test_a_module_without_a_package_is_covered_with_those_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a Lambda function's archive often has them."""
    for name, text in (
        ("chaosqs_app_helper", "from time import sleep\n\ndef help():\n    sleep(3)\n"),
        ("chaosqs_app", "import chaosqs_app_helper as h\n\ndef handler(event, context):\n    h.help()\n"),
    ):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    behaviours = {"worker": Behaviour(handler="chaosqs_app:handler")}
    design = scenario("naps").design

    def fails(_: float) -> None:
        pytest.fail("slept real time")

    monkeypatch.setattr(time, "sleep", fails)
    for _ in range(2):  # in the first run they are imported
        (end,) = ends(simulate(Scenario(design, [Burst("orders", 1)], behaviours)))
        assert end.duration == 3000


# Calls ------------------------------------------------------------------------------------------------------------


def test_boto3_calls_reach_the_queues_of_the_run() -> None:
    """They take time, and the history names the invocation as their cause; Region and account do not matter."""
    history = played(scenario("sends_then_naps", 2))
    starts = {index for index, event in enumerate(history.events) if isinstance(event, InvocationStarted)}
    sent = [event for event in history.events if isinstance(event, Sent) and event.queue == "done"]
    assert [event.message for event in sent] == [2, 3, 4, 5]
    assert {event.cause for event in sent} == starts
    assert {end.duration for end in ends(history)} == {516}


def test_RX_5_a_long_poll_of_a_handler_waits_in_virtual_time() -> None:
    """Until a message is there, or its time is over."""
    design = Design(
        [Queue("orders"), Queue("done")],
        [Function("worker", timeout=30, provisioned_concurrency=5)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    behaviours = {"worker": Behaviour(handler="tests.simulation.consumers:long_polls")}
    consumers.forget()
    load = [Burst("orders", 2), Burst("done", 1, at=4)]
    history = simulate(Scenario(design, load, behaviours), verify=True)
    assert consumers.NOTES[:2] == [(4.0, 1), (20.022, 0)]
    received = [event for event in history.events if isinstance(event, Received) and not event.mapping]
    assert [event.at for event in received] == [4000]
    nothing = [event for event in history.events if isinstance(event, ReceivedNothing) and not event.mapping]
    assert [(event.since, event.every) for event in nothing] == [(22, 20_000)]


def test_a_long_poll_ends_with_its_invocation() -> None:
    """Nobody takes a message then."""
    design = Design(
        [Queue("orders", redrive=None), Queue("done")],
        [Function("worker", timeout=2, provisioned_concurrency=1)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    behaviours = {"worker": Behaviour(handler="tests.simulation.consumers:long_polls")}
    load = [Burst("orders", 1), Burst("done", 1, at=4)]
    history = simulate(Scenario(design, load, behaviours, until=10))
    assert [end.outcome for end in ends(history)] == ["timed_out"]
    assert [event for event in history.events if isinstance(event, Received | Deleted) and not event.mapping] == []
