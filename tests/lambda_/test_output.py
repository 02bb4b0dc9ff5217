"""Output and logs of real code are in the history of a failure, and nowhere else."""

from __future__ import annotations

import logging
import tracemalloc

import pytest

from chaosqs.lambda_.output import LONGEST, Lines, Output
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design


def ran(handler: str, count: int = 1, batch_size: int = 1) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size)
    behaviour = Behaviour(handler=f"tests.lambda_.printing_handlers:{handler}")
    return simulate(
        Scenario(orders_design(mapping=mapping, max_receive_count=1), [Burst("orders", count)], {"worker": behaviour})
    )


def ends(history: History) -> list[InvocationEnded]:
    return [end for _, end in history.each(InvocationEnded)]


def test_a_failed_invocation_has_what_it_printed_and_logged(capfd: pytest.CaptureFixture[str]) -> None:
    """Text of `print`, of loggers and of streams kept from the import; nothing reaches the real streams."""
    (end,) = ends(ran("prints_and_fails"))
    assert end.output == (
        "printed",
        "[WARNING] logged 1",
        "bytes",
        "kept from the import",
        "an object at 0x…",
        "not ended",
    )
    assert capfd.readouterr() == ("", "")


def test_a_failed_invocation_has_the_places_in_the_users_code() -> None:
    """File and line, the innermost last, without the frames of libraries."""
    (end,) = ends(ran("prints_and_fails"))
    assert [place.partition(":")[0] for place in end.trace] == ["tests/lambda_/printing_handlers.py"] * 2
    assert [place.rpartition(" in ")[2] for place in end.trace] == ["prints_and_fails", "fail"]


def test_a_timeout_has_the_place_at_which_the_code_waited() -> None:
    """The wait that the function timeout ended."""
    (end,) = ends(ran("waits_forever"))
    assert end.outcome == "timed_out"
    assert end.trace[0].startswith("tests/lambda_/printing_handlers.py:")
    assert end.output == ("waiting",)


def test_an_error_about_others_names_their_places() -> None:
    """An error whose message holds the traceback of another one, as that of a batch processor does."""
    (end,) = ends(ran("fails_for_another"))
    assert " in fail (" in end.trace[-1]


def test_an_invocation_that_succeeds_has_no_output() -> None:
    """Nobody asks for it."""
    (end,) = ends(ran("prints"))
    assert (end.output, end.trace) == ((), ())


def test_invocations_at_the_same_time_do_not_mix() -> None:
    """Each has its own lines, although they take turns."""
    assert sorted(end.output for end in ends(ran("takes_turns", 2))) == [("begins 0", "ends 0"), ("begins 1", "ends 1")]


def test_the_digest_does_not_depend_on_output() -> None:
    """Output may name what differs from run to run, so it is no part of what happened."""
    assert ran("prints_its_address").digest == ran("prints_its_address").digest


def test_a_hundred_megabytes_of_output_take_no_room() -> None:
    """Only the last of it is kept, whether it comes in one piece, in lines or without any end of a line."""
    whole = "x" * 1_000_000
    output = Output(log=Lines(100_000))
    tracemalloc.start()
    for _ in range(100):
        output.write(whole)
        output.write("\n")
    for _ in range(100_000):
        output.write("another line\n")
    output.write("the end")
    grown, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 2_000_000
    assert peak < 20_000_000
    assert output.last()[-1] == "the end"
    assert len(output.last()) == 20
    assert len(output.text()) <= LONGEST


def test_a_log_record_that_cannot_be_formatted_is_no_error_of_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with logging's own handlers; those of pytest raise."""
    monkeypatch.setattr(logging.root, "handlers", [])
    (end,) = ends(ran("logs_badly"))
    assert end.error == "ValueError: no"
    assert "Message: '%d'" in end.output
