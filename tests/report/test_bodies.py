"""The bodies that matter stand in the story and in the report, shortened and escaped."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.explanation import Explanation
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst
from chaosqs.report.markdown import markdown
from chaosqs.report.story import WIDTH, story
from chaosqs.report.summary import bodies
from chaosqs.simulation.run import simulate

NULL = Message({"id": "o-2", "amount": None}, note="amount is null in place of 12.5")


def run(*messages: object, about: tuple[int, ...] = ()) -> tuple[Counterexample, History]:
    """Return a counterexample about some messages, and its history."""
    design = Design(
        [Queue("orders", redrive=Redrive("dead", 1)), Queue("dead")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker")],
    )
    scenario = Scenario(design, [Burst("orders", messages=messages)], {"worker": Behaviour(error_rate=1)})
    history = simulate(scenario)
    violation = Violation("no-bystander-dead-lettered", "It fails.", 0, "orders", about, ())
    own = ("design", "orders→worker", "no-bystander-dead-lettered", violation, scenario)
    found = Counterexample(*own, history.digest, {"chaosqs": "0"}, Explanation())
    return found, history


def test_the_story_shows_the_body_and_what_is_wrong_with_it() -> None:
    """The poison message and those of the violation, numbered as in the story."""
    text = story(*run({"id": "o-1", "amount": 12.5}, NULL, {"id": "o-3", "amount": 1}, about=(0,)))
    assert '  Messages        1: {"id": "o-1", "amount": 12.5}\n' in text
    assert '                  2: {"id": "o-2", "amount": null}  ← amount is null in place of 12.5\n' in text
    assert "o-3" not in text


def test_the_report_shows_them_too() -> None:
    """As code, because a body may hold anything."""
    text = markdown(*run(NULL), replay="x.json")
    assert '- Message 1: `{"id": "o-2", "amount": null}`: amount is null in place of 12.5' in text


@pytest.mark.parametrize(
    "message",
    [
        Message("a\nb\tc"),
        Message("e\u0301" * 300),
        Message("x" * 30_000, note="sku is a text of 30,000 characters in place of " + "y" * 200),
        Message("`|<!--\u202e"),
    ],
)
def test_long_and_odd_bodies_keep_to_their_line(message: Message) -> None:
    """A line has at most 110 columns, and no character that moves others; both texts hold together."""
    found = run(message, about=(0,))
    text = story(*found)
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert text.count("\n  Messages ") == 1
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert "\u202e" not in markdown(*found, replay="x.json").partition("## As a test")[0]


def test_plain_bodies_are_not_shown() -> None:
    """They hold nothing but their number."""
    counterexample, history = run("x", about=(0,))
    plain = attrs.evolve(counterexample.scenario, workload=[Burst("orders", 1)])
    assert not bodies(attrs.evolve(counterexample, scenario=plain), history)
