"""Texts of users stay on their line, within their columns, and visible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.report.text import columns, flowing, named, numbers, padded, percent, shortened, shown, wrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb", "a\\nb"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\u202eabc", "\\u202eabc"),
        ("e\u0301", "e\\u0301"),
        ("\ud800", "\\ud800"),
        ("naïve 注文", "naïve 注文"),
    ],
)
def test_what_does_not_print_becomes_its_escape(text: str, expected: str) -> None:
    """Control characters, direction marks, combining marks and lone surrogates are shown, letters are left alone."""
    assert shown(text) == expected


@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_fits_its_columns(text: str, limit: int) -> None:
    """Whatever a user calls things, the name fits, and can be written as UTF-8."""
    result = shown(text, limit)
    assert columns(result) <= limit
    assert result.isprintable()
    result.encode()


@given(st.text(), st.integers(8, 60), st.integers(1, 4))
def test_wrapped_lines_keep_to_their_bounds(text: str, width: int, lines: int) -> None:
    """No line is longer than its width, there are no more than asked for, and nothing is lost without a mark."""
    clean = shown(text, 10_000)
    broken = wrapped(clean, width, lines)
    assert len(broken) <= lines
    assert all(0 < columns(line) <= width for line in broken)
    assert broken[-1:] == [] or broken[-1].endswith("…") or "".join(broken).replace(" ", "") == clean.replace(" ", "")


@given(st.lists(st.text("abc 12", min_size=1, max_size=50), max_size=8), st.integers(8, 60), st.integers(1, 4))
def test_items_flow_within_their_bounds(items: list[str], width: int, lines: int) -> None:
    """Lines of items keep to width and number too."""
    broken = flowing(items, width, lines)
    assert len(broken) <= lines
    assert all(columns(line) <= width for line in broken)


def test_items_are_not_broken_where_they_fit() -> None:
    """A line ends at a separator, so that a fix and its figures stay together."""
    assert flowing(["one two", "three four"], 14, 2) == ["one two ·", "three four"]


def test_a_figure_stays_with_its_word() -> None:
    """`reserved concurrency 2` is never broken before the 2."""
    assert wrapped("reserved concurrency 2", 21, 2) == ["reserved", "concurrency 2"]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([3], "message 4"),
        ([0, 1], "messages 1 and 2"),
        ([4, 0, 1, 2, 6], "messages 1–3, 5 and 7"),
        ([0, 2, 4, 6, 8, 10, 12], "7 messages"),
        ([1203], "message 1,204"),
    ],
)
def test_messages_are_numbered_from_1_and_in_ranges(messages: list[int], expected: str) -> None:
    """Number 3 is message 4; three in a row are a range; too many parts are a count."""
    assert named(messages) == expected


def test_numbers_stand_alone_after_their_noun() -> None:
    """Within a sentence the numbers come without the noun."""
    assert numbers([0, 1, 2]) == "1–3"


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0, "0"), (0.0004, "<0.1"), (0.004, "0.4"), (0.38, "38"), (0.9996, "99.9"), (1, "100")],
)
def test_a_share_is_rounded_but_never_to_nothing_or_all(share: float, expected: str) -> None:
    """0 % and 100 % are said only where they are exact."""
    assert percent(share) == expected


def test_padding_counts_columns() -> None:
    """East Asian characters take two columns, so the next column of a table starts where it should."""
    assert padded("注文", 6) == "注文  "
    assert shortened("注文注文", 5) == "注文…"
