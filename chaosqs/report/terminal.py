"""The table of verdicts that a search ends with: plain text in aligned columns, one group a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

import attrs

from chaosqs.model.verdict import Status
from chaosqs.report.text import columns, mapping_text, padded, shortened, shown, title_of

WIDTH = 110
_INVARIANT = 48


@attrs.frozen
class Row:
    """What one search says about one invariant of one mapping of one design."""

    design: str
    mapping: str
    invariant: str
    status: Status
    exercised: int = 0
    """How often the invariant could have failed, all cases together."""
    unit: str = ""
    """What that counts: `times at the limit`."""
    cases: int = 0
    """Scenarios that were judged."""
    reason: str = ""
    """Why it is not applicable or not exercised; empty otherwise."""


def summary_lines(rows: Sequence[Row]) -> list[str]:
    """Return the table: for each design and mapping a line of its own, below it one line an invariant.

    Where several do not apply to a mapping they share a line, as they say nothing about it.
    """
    titles = {row.invariant: shortened(title_of(row.invariant), _INVARIANT) for row in rows}
    groups = [(name, *_folded(list(group))) for name, group in groupby(rows, key=lambda row: (row.design, row.mapping))]
    width = max((columns(titles[row.invariant]) for _, told, _ in groups for row in told), default=0)
    lines: list[str] = []
    for (design, mapping), told, folded in groups:
        lines.append(shortened(f"{shown(design, 50)}: {mapping_text(mapping)}", WIDTH))
        lines += [_line(row, titles[row.invariant], width) for row in told]
        reasons = dict.fromkeys(row.reason for row in folded)
        why = f" ({shown(folded[0].reason, 60)})" if len(reasons) == 1 else ""
        lines += listed(f"{Status.NOT_APPLICABLE}{why}", [titles[row.invariant] for row in folded])
    return lines


def _folded(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows with a line of their own, and those that share one."""
    silent = [row for row in rows if row.status is Status.NOT_APPLICABLE]
    if len(silent) == 1:
        return rows, []
    return [row for row in rows if row.status is not Status.NOT_APPLICABLE], silent


def listed(head: str, items: Sequence[str]) -> list[str]:
    """Return a list in as many indented lines as it takes; none where it is empty."""
    if not items:
        return []
    return wrap(
        f"{head}: {', '.join(items)}",
        WIDTH,
        initial_indent="  ",
        subsequent_indent="    ",
        break_on_hyphens=False,
    )


def _line(row: Row, title: str, width: int) -> str:
    loud = row.status in {Status.VIOLATED, Status.INCONCLUSIVE}
    status = str(row.status).upper() if loud else str(row.status)
    start = f"  {padded(title, width)}  {padded(status, max(map(len, Status)))}"
    return shortened(f"{start}  {_detail(row)}".rstrip(), WIDTH)


def _detail(row: Row) -> str:
    cases = f"{row.cases:,} case{'' if row.cases == 1 else 's'}" if row.cases else ""
    if row.reason:
        return ", ".join(part for part in (shown(row.reason, WIDTH), cases) if part)
    exercised = f"{row.exercised:,} {shown(row.unit, 40)}".rstrip() if row.exercised or row.unit else ""
    return " in ".join(part for part in (exercised, cases) if part)
