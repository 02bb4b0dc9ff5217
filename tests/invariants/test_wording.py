"""Violations are sentences: numbers, lists and plurals as people write them."""

from __future__ import annotations

import pytest

from chaosqs.invariants.verdicts import counted, listed, message_text, messages_text, times, unique


def test_messages_are_numbered_from_one() -> None:
    """A reader counts from 1, and large numbers have commas."""
    assert (message_text(0), message_text(1233)) == ("Message 1", "Message 1,234")
    assert (messages_text([3]), messages_text([0, 1, 4])) == ("message 4", "messages 1, 2 and 5")


@pytest.mark.parametrize(("words", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_lists_end_in_and(words: list[str], text: str) -> None:
    """One, two and many things read as one says them."""
    assert listed(words) == text


def test_lists_may_end_in_another_word() -> None:
    """Alternatives read as alternatives."""
    assert listed(["a", "b"], last="or") == "a or b"


def test_counts_read_as_one_says_them() -> None:
    """Once, 2 times; 1 delivery, 2 deliveries, 3 messages."""
    assert (times(1), times(2), times(1000)) == ("once", "2 times", "1,000 times")
    assert (counted(1, "delivery"), counted(2, "delivery"), counted(3, "message")) == (
        "1 delivery",
        "2 deliveries",
        "3 messages",
    )


def test_unique_keeps_the_order_of_first_appearance() -> None:
    """Names are listed in the order in which the story meets them."""
    assert unique(["b", "a", "b"]) == ["b", "a"]
