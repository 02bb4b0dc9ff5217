"""The table of verdicts: aligned, bounded, with reasons where nothing could fail."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.model.verdict import Status
from chaosqs.report.terminal import Row, summary_lines
from chaosqs.report.text import columns
from tests.report.hostile import NAMES


def test_the_table() -> None:
    """One group a mapping, one line an invariant; figures for those that could fail, reasons for the others."""
    mapping = "orders→worker"
    rows = [
        Row(
            "template.yaml",
            mapping,
            "no-dead-lettering-by-throttling",
            Status.VIOLATED,
            1204,
            "times at the limit",
            500,
        ),
        Row("template.yaml", mapping, "at-least-once-delivery", Status.HOLDS, 12030, "messages", 1),
        Row("template.yaml", mapping, "order", Status.NOT_APPLICABLE, reason="orders is no FIFO queue"),
        Row(
            "template.yaml",
            "mails→mailer",
            "order",
            Status.NOT_EXERCISED,
            0,
            "messages",
            500,
            "mailer was never throttled",
        ),
    ]
    assert summary_lines(rows) == [
        "template.yaml: orders → worker",
        "  no dead-lettering by throttling  VIOLATED        1,204 times at the limit in 500 cases",
        "  at-least-once delivery           holds           12,030 messages in 1 case",
        "  order                            not applicable  orders is no FIFO queue",
        "template.yaml: mails → mailer",
        "  order                            not exercised   mailer was never throttled, 500 cases",
    ]


def test_an_empty_table_has_no_lines() -> None:
    """Nothing was judged: there is nothing to align."""
    assert summary_lines([]) == []


ROWS = st.builds(
    Row, NAMES, NAMES, NAMES, st.sampled_from(Status), st.integers(0, 10**9), NAMES, st.integers(0, 10**6), NAMES
)


@given(st.lists(ROWS, max_size=5))
def test_no_name_breaks_the_table(rows: list[Row]) -> None:
    """Lines are printable and bounded, and the statuses stand in one column."""
    lines = summary_lines(rows)
    assert all(line.isprintable() and columns(line) <= 110 for line in lines)
