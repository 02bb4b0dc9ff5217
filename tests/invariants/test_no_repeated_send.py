"""Sends that real code repeats for one message."""

from __future__ import annotations

from chaosqs.invariants import NO_REPEATED_SEND
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Queue
from chaosqs.model.events import Operated, Sent
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.invariants.builder import Batch, Story, orders_design
from tests.known_bad.send_that_is_not_checked import handled

judge = NO_REPEATED_SEND.judge
REAL = Behaviour(handler="shop.worker:handler")
PAIRS = orders_design(mapping=EventSourceMapping("orders", "worker", 2))


def sends(batch: Batch, *contents: str) -> None:
    """Let the code of an invocation send messages with these contents."""
    story = batch.story
    for each in contents:
        event = Sent(story.now, batch.started, "orders-dlq", story.sent, 9, "", contents=each)
        story.tell(event)
        story.sent += 1


def twice(first: tuple[str, ...], again: tuple[str, ...], *, redriven: bool = False) -> History:
    """One batch of two messages, then the first message alone again; both invocations send."""
    story = Story(PAIRS).send(2)
    batch = story.receive(0, 1).start()
    sends(batch, *first)
    batch.finish("timed_out").release("failed")
    story.at(30).give_back(0)
    if redriven:
        story.tell(Operated(story.now, None, "redrive", "orders-dlq", "", ""))
    sends(story.receive(0).start(), *again)
    return story.end(behaviour=REAL)


def test_FF_5_the_same_send_for_one_message_is_a_repetition() -> None:
    """Three sends by two messages; the message is the one that both invocations had."""
    (violation,) = judge(twice(("a", "a"), ("a",))).violations
    assert violation.messages == (0,)
    assert violation.text == "Message 1 made worker send the same message to orders-dlq at 0.0 s and again at 30.0 s."


def test_one_text_for_each_message_is_none() -> None:
    """As many equal sends as there are messages prove nothing: the second one may be the other message's."""
    assert judge(twice(("done",), ("done",))).status is Status.HOLDS


def test_different_contents_are_different_sends() -> None:
    """Whoever makes them."""
    assert judge(twice(("a", "b"), ("c", "d", "e"))).status is Status.HOLDS


def test_an_operator_who_has_messages_processed_again_is_told() -> None:
    """They asked for it."""
    verdict = judge(twice(("a", "a"), ("a",), redriven=True))
    assert (verdict.status, len(verdict.excused)) == (Status.HOLDS, 1)
    assert verdict.excused[0].endswith("but an operator moved messages out of orders-dlq")


def test_a_fifo_queue_recognises_the_repetition() -> None:
    """What a deduplication id holds back is no message."""
    assert judge(handled("sends_invoices_once", Queue("invoices.fifo"))).violations == ()


def test_models_and_silent_code_are_not_judged() -> None:
    """Only real code sends."""
    assert judge(Story(PAIRS).send().end()).status is Status.NOT_APPLICABLE
    assert judge(Story(PAIRS).send().end(behaviour=REAL)).status is Status.NOT_EXERCISED
