"""Run every row of the seeds and of the published measurements, print it, and write docs/calibration.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TypedDict

from chaosqs.model.assumptions import Assumptions
from chaosqs.project.settings import ENSEMBLE
from tests.calibration.figures import after_minutes
from tests.calibration.rows import ROWS
from tools.tables import table

PAGE = Path(__file__).parents[1] / "docs" / "calibration.md"
INTRO = """<!-- Written by `make calibrate`. -->

# Calibration

This page compares the fake with measurements of real AWS. Use it to judge how far to trust times and rates that chaosqs
reports. All rows use one set of assumptions ([reference/assumptions.md](reference/assumptions.md)).

* Rows C are published measurements of real AWS.
* Rows A are what the experiments that the project started from observed or imply.
* *seen* is the figure on AWS, *fits* the range that counts as equal, *got* the median of 20 seeds in the fake.

RC is the reserved concurrency, VT the visibility timeout, MRC max_receive_count, BS the batch size, W the batching
window, and +n/min the growth of the pollers' concurrency.

"""


CONTROL = """
The wrong era as a control: by the law of 2023-11, a deep backlog (A10) has {got:.0f} instances after 1 minute, where 67
were seen (C8). So the rows tell one law from another.
"""
MOST_IN_FORMER_ERA = 2 * 67
"""Instances after a minute that only the law of a later era exceeds (C8)."""
SPREAD = """
## The ensemble

One set of assumptions that fits proves little: others fit too. `make ensemble` draws sets around those that fit, and
`chaosqs.project.settings.ensemble()` returns {members} of them, far from each other, the default first. Each fits the
rows; its figures stand in `chaosqs/project/ensemble.json`. A claim that holds under each of them does not hang on
what AWS does not document, as far as these measurements tell; [verdicts](explaining.md#what-aws-leaves-open) are
judged so. All draws are fixed: the same code writes the same file.

The ensemble is judged by {seeds} seeds in place of 20, and not by C8, A10 and the slow figure of A5. What errors cost
(A12, C7) meets throttles in no row, so pairs of its two assumptions are judged apart, and each member has one that
fits.

**Leave-one-out.** Members that are chosen without a row are asked for it: *hits* are those that fit the row. It tells
how far to trust a figure that nobody has measured, and it is optimistic in three ways. All walks begin at the
default, which was fitted to all rows. A step changes a quarter of the assumptions, by a factor of up to 1.6, so
values far from those that fit are rarely tried. A row that hardly any assumption bears on (C5, A3, A8) cannot be
missed. For C7 the members are the pairs that were judged. C10 is predicted worst: the default barely fits it (187, with
180 to 270), and a few assumptions that move it a little lose it.

"""
PINNED = """
**What pins an assumption.** Each is moved alone from its default, with the others as they are: together they can move
further, as the members show. *Down to* and *up to* are the last values tried that fit, and the row in brackets falls
out next; without a row, the end of the range fits, and nothing between was tried. Assumptions that are not listed are
pinned by no row; members of the ensemble have any value of their range. Half of the draws
have no `last_retry`: ends of its range fit, but one of 2 s misses C10 (162).

"""


class _Ensemble(TypedDict):
    """What `make ensemble` has written."""

    seeds: int
    members: list[Mapping[str, Mapping[str, float]]]
    left_out: Mapping[str, Mapping[str, int]]
    sensitivity: Mapping[str, tuple[int, str, int, str]]


def _ensemble() -> str:
    found: _Ensemble = json.loads(ENSEMBLE.read_text(encoding="utf-8"))
    usual, members = Assumptions(), found["members"]
    hits = [
        (row, str(told["members"]), f"{told['hits']} ({100 * told['hits'] / told['members']:.0f} %)")
        for row, told in found["left_out"].items()
    ]
    pinned: list[tuple[str, ...]] = []
    for name, (low, below, high, above) in found["sensitivity"].items():
        values = [member["assumptions"].get(name, getattr(usual, name)) for member in members]
        ends = f"{low:,}" + (f" ({below})" if below else ""), f"{high:,}" + (f" ({above})" if above else "")
        among = f"{min(values):,} · {median(values):,.0f} · {max(values):,}"
        pinned.append((f"`{name}`", f"{getattr(usual, name):,}", *ends, among))
    head = ("assumption", "default", "down to", "up to", "least · median · most of the members")
    return (
        SPREAD.format(members=len(members), seeds=found["seeds"])
        + table(("row", "members", "hits"), hits)
        + PINNED
        + table(head, pinned)
    )


def main() -> int:
    """Write the page; return 1 if a figure does not fit, or if another era fits, too."""
    rows: list[tuple[str, ...]] = []
    for figure in ROWS:
        got = figure.got()
        fits = figure.low <= got <= figure.high
        accept = f"{figure.low:g}" if figure.low == figure.high else f"{figure.low:.4g} to {figure.high:.4g}"
        rows.append(
            (figure.row, figure.configuration, figure.name, figure.seen, accept, f"{got:.4g}", "✓" if fits else "✗")
        )
        print("  ".join(rows[-1]), flush=True)
    missed = sum(row[-1] == "✗" for row in rows)
    head = ("row", "configuration", "figure", "seen", "fits", "got", "")
    other = after_minutes(30_000, 1, "2023-11")
    fitting = f"{len(rows) - missed} of {len(rows)} figures fit."
    text = f"{INTRO}{fitting}\n\n{table(head, rows)}{CONTROL.format(got=other)}{_ensemble()}"
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 1 if missed or other <= MOST_IN_FORMER_ERA else 0


if __name__ == "__main__":
    sys.exit(main())
