"""The table of verdicts that a search ends with: plain text in aligned columns, one group a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import attrs

from chaosqs.model.verdict import Status
from chaosqs.report.text import columns, padded, shortened, shown
from chaosqs.report.words import mapping_text, title_of

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
    """Return the table: for each design and mapping a line of its own, below it one line an invariant."""
    titles = [shortened(title_of(row.invariant), _INVARIANT) for row in rows]
    width = max(map(columns, titles), default=0)
    lines: list[str] = []
    numbered = list(zip(rows, titles, strict=True))
    for (design, mapping), group in groupby(numbered, key=lambda entry: (entry[0].design, entry[0].mapping)):
        lines.append(shortened(f"{shown(design, 50)}: {mapping_text(mapping)}", WIDTH))
        lines += [_line(row, title, width) for row, title in group]
    return lines


def _line(row: Row, title: str, width: int) -> str:
    status = "VIOLATED" if row.status is Status.VIOLATED else str(row.status)
    start = f"  {padded(title, width)}  {padded(status, max(map(len, Status)))}"
    return shortened(f"{start}  {_detail(row)}".rstrip(), WIDTH)


def _detail(row: Row) -> str:
    cases = f"{row.cases:,} case{'' if row.cases == 1 else 's'}" if row.cases else ""
    if row.reason:
        return ", ".join(part for part in (shown(row.reason, WIDTH), cases) if part)
    exercised = f"{row.exercised:,} {shown(row.unit, 40)}".rstrip() if row.exercised or row.unit else ""
    return " in ".join(part for part in (exercised, cases) if part)
