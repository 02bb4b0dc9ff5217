"""Effects that the user's code records, once for each message or key."""

from __future__ import annotations

from chaosqs.invariants import by_name, exactly_once_effect
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Effect
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.invariants.builder import Batch, Story, orders_design

REAL = Behaviour(handler="shop.worker:handler")


def record(batch: Batch, *, order: int | str | None = None, message: int | None = None, name: str = "charged") -> None:
    values = () if order is None else (("order", order),)
    now = batch.story.now
    batch.story.tell(Effect(now, batch.started, "worker", batch.invocation, name, values, message))


def two_deliveries(first: int | None, second: int | None) -> History:
    """One message is charged for in both of its deliveries."""
    story = Story(orders_design()).send()
    record(story.receive(0).start(), order=first)
    story.at(30).give_back(0)
    record(story.receive(0, poller=2).start(), order=second)
    return story.end(behaviour=REAL)


def test_once_for_each_message_that_was_alone_in_its_batch() -> None:
    """Without a key the message counts; blamed are both effects, and no fault would excuse."""
    invariant = exactly_once_effect("charged")
    (violation,) = invariant.judge(two_deliveries(None, None)).violations
    assert (violation.invariant, violation.messages, violation.queue, violation.events) == (
        "exactly-once-charged",
        (0,),
        "orders",
        (3, 7),
    )
    assert violation.text == "Message 1 had the effect 'charged' at 0.0 s and again at 30.0 s."


def test_once_for_each_value_of_a_key() -> None:
    """The same order twice is one too many, another order is not."""
    invariant = exactly_once_effect("charged", by="order")
    (violation,) = invariant.judge(two_deliveries(7, 7)).violations
    assert violation.text == "Message 1 had the effect 'charged' for order 7 at 0.0 s and again at 30.0 s."
    verdict = invariant.judge(two_deliveries(7, 8))
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 2)


def test_message_that_the_handler_names() -> None:
    """In a batch of several the handler says which message it is about; what it does not say is not judged."""
    invariant = exactly_once_effect("charged")
    story = Story(orders_design()).send(2)
    batch = story.receive(0, 1).start()
    for message in (0, 1, None, None, 1):
        record(batch, message=message)
    verdict = invariant.judge(story.end(behaviour=REAL))
    assert ([violation.messages for violation in verdict.violations], verdict.exercised) == ([(1,)], 3)


def test_nothing_to_judge() -> None:
    """Models record nothing; other effects, and those without the key, say nothing."""
    invariant = exactly_once_effect("charged", by="order")
    assert invariant.judge(Story(orders_design()).end()).status is Status.NOT_APPLICABLE
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    record(batch, order=1, name="mailed")
    record(batch)
    verdict = invariant.judge(story.end(behaviour=REAL))
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no code recorded 'charged' with order")


def test_name_tells_all() -> None:
    """Counterexamples are replayed by the name of their invariant, so that alone makes it again."""
    assert exactly_once_effect("charged", by="order").name == "exactly-once-charged-by-order"
    again = by_name("exactly-once-charged-by-order")
    assert again.judge(two_deliveries(7, 7)).status is Status.VIOLATED
    assert again.judge(two_deliveries(7, 8)).status is Status.HOLDS
    assert by_name("exactly-once-charged").judge(two_deliveries(7, 8)).status is Status.VIOLATED
