"""The common broken consumers as real handlers: what becomes of their messages."""

from __future__ import annotations

from chaosqs.invariants import CONSERVATION
from chaosqs.invariants.registry import check
from chaosqs.lambda_.machines.recursion_guard import passes, passes_through, trace_header
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import MOST_PASSES, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Deleted, InvocationEnded, InvocationStarted, Sent, ServiceFailed
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from chaosqs.sqs.machines.attributes import Content
from chaosqs.sqs.machines.message import Message
from tests.simulation import consumers


def run(handler: str, count: int = 1, *, batch_size: int = 1, until: float | None = None) -> History:
    """Run a broken consumer twice, and prove that the books are right."""
    consumers.forget()
    design = Design(
        [Queue("orders", visibility_timeout=30, redrive=Redrive("dead", 2)), Queue("dead")],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker", batch_size=batch_size)],
    )
    behaviours = {"worker": Behaviour(handler=f"tests.simulation.consumers:{handler}")}
    history = simulate(Scenario(design, [Burst("orders", count)], behaviours, until=until), verify=True)
    assert check(history, (CONSERVATION,)) == ()
    return history


def test_EF_2_swallowed_errors_look_like_success() -> None:
    """Every message failed, none is left, none is dead-lettered, and Errors is 0."""
    summary = run("swallows_errors", 5).summary()
    assert consumers.NOTES == ["an error"] * 10, "five messages, in both runs"
    assert summary["functions"]["worker"]["Errors"] == 0
    assert summary["messages"]["processed"] == 5
    assert summary["messages"]["dead_lettered"] == 0


def test_EF_4_a_delete_before_the_work_loses_the_message() -> None:
    """The failed batch does not bring it back: never processed, never dead-lettered, and gone."""
    history = run("deletes_before_the_work", 3)
    summary = history.summary()
    assert summary["functions"]["worker"]["Errors"] == 3
    messages = summary["messages"]
    assert (messages["processed"], messages["dead_lettered"], messages["remaining"]) == (0, 0, 0)
    deleted = [event for event in history.events if isinstance(event, Deleted)]
    assert {event.mapping for event in deleted} == {""}
    causes = [history.events[event.cause] for event in deleted if event.cause is not None]
    assert [cause.messages for cause in causes if isinstance(cause, InvocationStarted)] == [(0,), (1,), (2,)]


def test_LX_16_LX_17_a_message_to_its_own_queue_is_a_loop_that_the_guard_ends() -> None:
    """After 16 invocations the next is refused; the message is tried again, and ends in the dead-letter queue."""
    history = run("sends_to_its_own_queue")
    started = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert len(started) == 16
    refused = [event for event in history.events if isinstance(event, ServiceFailed)]
    assert {event.reason for event in refused} == {"RecursiveInvocationException"}
    assert {event.messages for event in refused} == {(16,)}
    assert [fate.event.message for fate in history.dead_lettered] == [16]
    assert sum(isinstance(event, Sent) for event in history.events) == 17


def test_a_visibility_timeout_that_is_too_short_processes_twice() -> None:
    """The message is received again while its first invocation still works."""
    history = run("works_longer_than_visible", 1, until=20)
    ended = [event for event in history.events if isinstance(event, InvocationEnded)]
    assert [event.outcome for event in ended] == ["succeeded", "succeeded"]
    assert history.summary()["messages"]["processed_twice"] == 1


def test_PB_10_one_bad_message_takes_its_batch_to_the_dead_letter_queue() -> None:
    """Nine good ones go with it, as often as they happen to share a batch."""
    history = run("fails_on_one", 10, batch_size=10)
    messages = history.summary()["messages"]
    assert messages["dead_lettered_unprocessed"] == 10


# The guard itself -------------------------------------------------------------------------------------------------


def message(header: str = "") -> Message:
    """Return a message with a trace header."""
    return Message(0, 1, 0, content=Content("", {}, trace_header=header))


def test_LX_16_the_guard_counts_passes_through_each_function() -> None:
    """Along the chain; of several messages the highest count of each function holds."""
    header = ""
    for number in range(MOST_PASSES):
        assert passes_through("worker", [message(header)]) == number
        header = trace_header("0" * 36, [message(header)], "worker")
    assert passes_through("worker", [message(), message(header)]) == MOST_PASSES
    assert passes_through("other", [message(header)]) == 0
    both = trace_header("0" * 36, [message(header)], "other")
    assert sorted(passes([message(both)]).values()) == [1, MOST_PASSES]


def test_LX_16_headers_of_other_makes_are_no_chain() -> None:
    """The guard counts what Lambda has counted."""
    assert passes([message("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")]) == {}
    assert passes([message("Lineage=abc")]) == {}
    assert passes([Message(0, 1, 0)]) == {}
