"""The table of a comparison."""

from __future__ import annotations

import attrs

from chaosqs.model.figures import Figures
from chaosqs.report.comparison import Comparison

PLAIN = Figures(
    name="plain",
    sent=1000,
    processed=990,
    processed_twice=0,
    dead_lettered=10,
    dead_lettered_by_throttling=4,
    discarded=0,
    lost_to_the_caller=None,
    remaining=0,
    throttles=12_345,
    rate_limited=None,
    invocations=991,
    concurrent_executions=5,
    longest_wait=61.234,
    drained_at=3600.0,
    digest="",
)
FRONT = attrs.evolve(PLAIN, name="front", lost_to_the_caller=0, rate_limited=7, longest_wait=None, drained_at=None)

PAGE = """\
|  | plain | front |
| --- | ---: | ---: |
| messages sent | 1,000 | 1,000 |
| processed | 990 | 990 |
| processed twice | 0 | 0 |
| dead-lettered | 10 | 10 |
| of these by throttling, never seen | 4 | 4 |
| lost to the caller | – | 0 |
| throttles | 12,345 | 12,345 |
| requests answered with 429 | – | 7 |
| invocations | 991 | 991 |
| executions at once | 5 | 5 |
| longest wait | 61.2 s | – |
| drained after | 3,600.0 s | not drained |
"""


def test_a_table_has_a_column_a_design() -> None:
    """A figure that does not apply is a dash."""
    assert str(Comparison((PLAIN, FRONT))) == PAGE


def test_rows_that_apply_to_nobody_are_left_out() -> None:
    """Mappings alone have no callers; what is discarded or left shows where it happens."""
    alone = str(Comparison((PLAIN,)))
    assert "caller" not in alone
    assert "429" not in alone
    both = str(Comparison((attrs.evolve(PLAIN, discarded=3, remaining=2),)))
    assert "| expired or discarded | 3 |\n" in both
    assert "| left at the end | 2 |\n" in both


def test_names_cannot_break_the_table() -> None:
    """They are shown as they are."""
    assert r"| a\|b \*c\* |" in str(Comparison((attrs.evolve(PLAIN, name="a|b *c*"),)))
