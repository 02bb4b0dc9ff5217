"""`assert_holds` is what a test of a user's own says, and its failure is the story."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature

import attrs
import pytest

from chaosqs import (
    Behaviour,
    Burst,
    EventSourceMapping,
    History,
    InvariantViolated,
    Scenario,
    assert_holds,
    invariant,
    invariants,
    simulate,
)
from chaosqs.project.exploration import explore
from chaosqs.search.profiles import QUICK
from tests.invariants.builder import Story, orders_design

PAIRS = orders_design(mapping=EventSourceMapping("orders", "worker", batch_size=2))


@pytest.fixture(scope="module")
def poisoned() -> History:
    """Both messages of a batch are dead-lettered, though only one of them is poison."""
    return simulate(Scenario(PAIRS, [Burst("orders", 2)], {"worker": Behaviour(poison=[0])}))


def failure(history: History, *given: invariants.Invariant) -> str:
    with pytest.raises(InvariantViolated) as raised:
        assert_holds(history, given) if given else assert_holds(history)
    return str(raised.value)


def test_a_history_that_holds_passes() -> None:
    """Nothing is returned, and nothing is raised."""
    assert_holds(simulate(Scenario(orders_design(), [Burst("orders", 2)])))


def test_the_message_is_the_story(poisoned: History) -> None:
    """Mapping, invariant and verdict, then the sentence, then what happened, with times."""
    told = failure(poisoned)
    first, _, rest = told.partition("\n")
    assert first.startswith("orders → worker    no bystander dead-lettered")
    assert first.endswith("VIOLATED")
    assert "Message 2 went to orders-dlq" in " ".join(rest.split())
    assert " 0.0 s  " in rest
    assert "Replay" not in rest
    assert not told.endswith("\n")


def test_what_else_is_violated_is_named(poisoned: History) -> None:
    """Each further invariant has a line with its first sentence; no more than a reader will read."""

    @invariant("Nothing is ever sent.", name="a-silent-queue")
    def silent(history: History) -> Iterator[str]:
        yield from (f"Message {message} was sent." for message in history.sent)

    told = failure(poisoned, silent, invariants.NO_BYSTANDER_DEAD_LETTERED)
    assert told.startswith("orders → worker    a silent queue")
    assert "\nViolated 1 more time in this run." in told
    assert "\nAlso violated: no bystander dead-lettered: Message 2 went" in told


def test_an_invariant_that_raises_does_not_pass() -> None:
    """Nobody knows whether it holds."""

    @invariant("It is wrong itself.", name="a-broken-invariant")
    def broken(history: History) -> Iterator[str]:
        yield str(history.events[10**9])

    told = failure(Story(orders_design()).end(), broken)
    assert told.startswith("a broken invariant is inconclusive, as judging it failed:\n")
    assert "IndexError" in told


def test_bugs_of_our_own_are_called_so() -> None:
    """A violation that no design can cause says whom to tell, instead of blaming settings."""
    assert "bug of chaosqs" in failure(Story(orders_design()).send().give_back(0).end())


def test_one_default_set_everywhere() -> None:
    """`check`, `judge`, `assert_holds` and `explore` judge the same invariants, where nobody says which."""
    for function in (invariants.check, invariants.judge, assert_holds, explore):
        assert signature(function).parameters["invariants"].default is invariants.DEFAULT
    left = {each.name for each in invariants.ALL} - {each.name for each in invariants.DEFAULT}
    assert left == {each.name for each in invariants.ALL if not each.default}


def test_an_exploration_prints_its_stories() -> None:
    """What `explore` found prints as its stories, and what held as a line."""
    found = explore(
        PAIRS,
        behaviours={"worker": Behaviour(poison=[0])},
        invariants=[invariants.NO_BYSTANDER_DEAD_LETTERED, invariants.CONSERVATION],
        profile=attrs.evolve(QUICK, trials=4, draws=4, max_examples=10),
    )
    text = str(found)
    assert text.startswith("orders → worker    no bystander dead-lettered")
    assert "What matters" in text
    assert "\norders → worker    conservation: holds (exercised " in text
    assert str(found.findings[1]) in text
    assert "History(" not in text


def test_a_violation_prints_as_its_sentence(poisoned: History) -> None:
    """`assert not check(…)` shows sentences, not nested fields."""
    (violation, *_) = invariants.check(poisoned)
    assert repr(violation) == f"<Violation of {violation}>"
