"""The table of verdicts at the end of a search: plain text in aligned columns, one group per mapping."""

from collections.abc import Sequence
from itertools import groupby
from textwrap import wrap

import attrs

from chaosqs.model.verdict import Status
from chaosqs.report.text import columns, mapping_text, padded, shortened, shown, title_of

WIDTH = 110
_TITLE_WIDTH = 48


@attrs.frozen
class Row:
    """The result of one search for one invariant, mapping and design."""

    design: str
    mapping: str
    invariant: str
    status: Status
    exercised: int = 0
    """Number of times that the invariant could have failed, in all cases together."""
    unit: str = ""
    """Unit of `exercised`: `times at the limit`."""
    cases: int = 0
    """Number of scenarios that were judged."""
    reason: str = ""
    """Reason for `not applicable` or `not exercised`; empty otherwise."""


def summary_lines(rows: Sequence[Row]) -> list[str]:
    """Return the table: a line for each design and mapping, and below it one line per invariant.

    If several invariants do not apply to a mapping, they share a line.
    """
    titles = {row.invariant: shortened(title_of(row.invariant), _TITLE_WIDTH) for row in rows}
    groups = [(name, *_folded(list(group))) for name, group in groupby(rows, key=lambda row: (row.design, row.mapping))]
    width = max((columns(titles[row.invariant]) for _, single, _ in groups for row in single), default=0)
    lines: list[str] = []
    for (design, mapping), single, folded in groups:
        lines.append(shortened(f"{shown(design, 50)}: {mapping_text(mapping)}", WIDTH))
        lines += [_line(row, titles[row.invariant], width) for row in single]
        reasons = dict.fromkeys(row.reason for row in folded)
        why = f" ({shown(folded[0].reason, 60)})" if len(reasons) == 1 else ""
        lines += listed(f"{Status.NOT_APPLICABLE}{why}", [titles[row.invariant] for row in folded])
    return lines


def _folded(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows with a line of their own, and the rows that share a line."""
    silent = [row for row in rows if row.status is Status.NOT_APPLICABLE]
    if len(silent) == 1:
        return rows, []
    return [row for row in rows if row.status is not Status.NOT_APPLICABLE], silent


def listed(head: str, items: Sequence[str]) -> list[str]:
    """Return a list as indented lines of at most `WIDTH` characters; no lines for an empty list."""
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
