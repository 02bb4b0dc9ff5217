"""Output of pytest when a user's own test fails."""

from __future__ import annotations

import pytest

HEAD = """
    from chaosqs import (Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Redrive, Scenario,
                         assert_holds, check, simulate)

    DESIGN = Design(
        [Queue("orders", redrive=Redrive("dlq", 2)), Queue("dlq")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker", batch_size=2)],
    )
    HISTORY = simulate(Scenario(DESIGN, [Burst("orders", 2)], {"worker": Behaviour(poison=[0])}))
"""


def failure(pytester: pytest.Pytester, line: str) -> list[str]:
    pytester.makepyfile(f"{HEAD}\n    def test_poison():\n        {line}\n")
    result = pytester.runpytest("-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    return result.outlines


def test_assert_holds_prints_the_story(pytester: pytest.Pytester) -> None:
    """The line of the test, then the story; nothing of chaosqs's own code."""
    lines = failure(pytester, "assert_holds(HISTORY)")
    assert any(line.startswith(">") and "assert_holds(HISTORY)" in line for line in lines)
    assert any("orders → worker    no bystander dead-lettered" in line and "VIOLATED" in line for line in lines)
    assert any("poller 1 receives messages 1 and 2 in one batch" in line for line in lines)
    assert not any("assertion.py" in line for line in lines)


def test_assert_not_check_prints_sentences(pytester: pytest.Pytester) -> None:
    """The violation reads as its sentence, not as the fields of a value."""
    lines = failure(pytester, "assert not check(HISTORY)")
    sentence = "<Violation of no-bystander-dead-lettered: Message 2 went to dlq although worker did not fail"
    assert any(sentence in line for line in lines)
    assert not any("Violation(" in line for line in lines)
