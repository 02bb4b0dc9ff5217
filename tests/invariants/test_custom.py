from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs
import pytest

import chaosqs
from chaosqs.invariants import CONSERVATION, Invariant, by_name, check
from chaosqs.invariants.custom import Said
from chaosqs.model.events import InvocationStarted, Sent
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Violation
from chaosqs.model.workload import Burst
from chaosqs.search.profiles import QUICK
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design

HISTORY = simulate(Scenario(orders_design(), [Burst("orders", 3)]))


def promise(function: Callable[[History], object]) -> Invariant:
    """Make an invariant of whatever a user may write, also of what the types forbid."""
    made: Invariant = chaosqs.invariant("Something.", name="something", unit="things")(function)  # type: ignore[arg-type]
    return made


SILENT: dict[str, Callable[[History], object]] = {
    "None": lambda _: None,
    "an empty list": lambda _: [],
    "an empty generator": lambda _: iter(()),
}


@pytest.mark.parametrize("function", SILENT.values(), ids=SILENT)
def test_an_invariant_about_which_nothing_is_said_holds(function: Callable[[History], object]) -> None:
    """It counts each run once."""
    verdict = promise(function).judge(HISTORY)
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


SAID: dict[str, Callable[[History], object]] = {
    "a sentence": lambda _: "It is wrong.",
    "a list": lambda _: ["It is wrong."],
    "a generator": lambda _: (text for text in ("It is wrong.",)),
    "a violation": lambda _: Violation("", "It is wrong.", 0, "", (), ()),
    "a sentence with events": lambda history: [("It is wrong.", history.events[0])],
}


@pytest.mark.parametrize("function", SAID.values(), ids=SAID)
def test_what_is_said_is_a_violation(function: Callable[[History], object]) -> None:
    """However it is said."""
    (violation,) = promise(function).judge(HISTORY).violations
    assert (violation.invariant, violation.text) == ("something", "It is wrong.")


def test_the_events_to_blame_are_found() -> None:
    """With their messages, for the story; a sentence alone is about the whole run."""

    def told(history: History) -> Iterable[Said]:
        sent = [event for event in history.events if isinstance(event, Sent)]
        yield "Twice.", sent[2], sent[1]
        yield "All of it."

    first, second = promise(told).judge(HISTORY).violations
    assert [HISTORY.events[index] for index in first.events] == [Sent(0, None, "orders", n, 100, "") for n in (1, 2)]
    assert sorted(first.messages) == [1, 2]
    assert (second.at, second.events) == (HISTORY.ended_at_ms, (len(HISTORY.events) - 1,))


def test_a_failed_assertion_is_a_violation() -> None:
    """With its message, or the line that asserts; what was said before it counts too."""

    def asserts(history: History) -> Iterator[Said]:
        yield "First."
        assert not history.events, "There were events."

    def asserts_silently(history: History) -> None:
        assert not history.events

    assert [violation.text for violation in promise(asserts).judge(HISTORY).violations] == [
        "First.",
        "There were events.",
    ]
    (violation,) = promise(asserts_silently).judge(HISTORY).violations
    assert violation.text


def test_counts_tell_how_often_it_was_put_to_the_test() -> None:
    """None at all: then a pass says nothing."""

    def counts(history: History) -> Iterator[Said]:
        for event in history.events:
            if isinstance(event, InvocationStarted):
                yield len(event.messages)

    assert promise(counts).judge(HISTORY).exercised == 3
    verdict = promise(lambda _: [0]).judge(HISTORY)
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "nothing that it counts happened")


@pytest.mark.parametrize(
    ("silence", "status"),
    [
        (chaosqs.not_exercised("no order"), Status.NOT_EXERCISED),
        (chaosqs.not_applicable("no order"), Status.NOT_APPLICABLE),
    ],
    ids=("not exercised", "not applicable"),
)
def test_an_invariant_may_have_nothing_to_say(silence: Said, status: Status) -> None:
    """With its reason; but a violation outweighs it."""
    for said in (silence, [silence]):
        verdict = promise(lambda _, said=said: said).judge(HISTORY)  # type: ignore[misc]
        assert (verdict.status, verdict.reason) == (status, "no order")
    assert promise(lambda _: [silence, "Wrong."]).judge(HISTORY).status is Status.VIOLATED


MISTAKES: dict[str, Callable[[History], object]] = {
    "an error": lambda _: 1 / 0,
    "an error later": lambda history: (1 / (event.at - event.at) for event in history.events),
    "a truth": lambda _: True,
    "a verdict for each": lambda history: [True for _ in history.events],
    "a number with a point": lambda _: 0.5,
    "an event": lambda history: list(history.events),
    "an event of another run": lambda _: [("Wrong.", Sent(0, None, "orders", 9, 1, ""))],
}


@pytest.mark.parametrize("function", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_an_invariant_is_no_verdict_on_the_design(function: Callable[[History], object]) -> None:
    """The verdict is inconclusive, its reason a traceback that begins in the user's code or says what was returned."""
    verdict = promise(function).judge(HISTORY)
    assert verdict.status is Status.INCONCLUSIVE
    assert verdict.reason.startswith("Traceback")
    assert verdict.violations == ()


def test_the_traceback_begins_in_the_users_code() -> None:
    """What chaosqs has to do with it helps nobody."""
    reason = promise(MISTAKES["an error"]).judge(HISTORY).reason
    assert "invariants/own.py" not in reason
    assert reason.endswith("ZeroDivisionError: division by zero")


def test_what_an_invariant_does_to_its_history_nobody_else_sees() -> None:
    """Values refuse to change, and what can be changed is a copy."""

    def meddles(history: History) -> None:
        history.deliveries.clear()
        history.dead_lettered.append(history.dead_lettered[0]) if history.dead_lettered else None
        history.scenario.behaviours.clear()  # type: ignore[attr-defined]
        history.summary()["messages"].clear()

    def sets(history: History) -> None:
        history.ended_at_ms = 3  # type: ignore[misc]

    history = simulate(attrs.evolve(HISTORY.scenario, behaviours={"worker": chaosqs.Behaviour(1)}))
    before = (history.digest, repr(history.deliveries), repr(history.scenario), history.summary())
    assert promise(meddles).judge(history).status in {Status.HOLDS, Status.INCONCLUSIVE}
    assert promise(sets).judge(history).status is Status.INCONCLUSIVE
    assert before == (history.digest, repr(history.deliveries), repr(history.scenario), history.summary())
    assert CONSERVATION.judge(history).status is Status.HOLDS


def test_an_invariant_is_called_as_its_function() -> None:
    """With dashes; its texts are those given, and `by_name` finds it from then on, the latest one of that name."""

    @chaosqs.invariant("Each order is charged once.", applies="To shops.", unit="orders")
    def orders_are_charged_once(_: History) -> None:
        return None

    found = by_name("orders-are-charged-once")
    assert found is orders_are_charged_once
    assert (found.title, found.statement, found.applies, found.unit, found.default) == (
        "orders are charged once",
        "Each order is charged once.",
        "To shops.",
        "orders",
        True,
    )


@pytest.mark.parametrize("name", ["Two Words", "", "-dash", "a" * 61, "conservation", "oldest-message-within-9-s"])
def test_a_name_that_will_not_do_is_refused(name: str) -> None:
    """Node ids, folders and settings spell it; and ours are taken."""
    with pytest.raises(ValueError, match="name must"):
        chaosqs.invariant("Something.", name=name)(lambda _: None)


def test_check_and_explore_take_invariants() -> None:
    """As they take ours; the smallest counterexample is replayed by name."""

    @chaosqs.invariant("There are never two messages.")
    def never_two_messages(history: History) -> Iterator[Said]:
        sent = [event for event in history.events if isinstance(event, Sent)]
        if len(sent) > 1:
            yield "There were two.", sent[1]

    assert [violation.text for violation in check(HISTORY, [never_two_messages])] == ["There were two."]
    brief = attrs.evolve(QUICK, draws=10, trials=10)
    exploration = chaosqs.explore(orders_design(), invariants=[never_two_messages], max_examples=30, profile=brief)
    (counterexample,) = exploration.counterexamples
    assert counterexample.invariant == "never-two-messages"
    assert sum(isinstance(load, Burst) and load.count for load in counterexample.scenario.workload) == 2
