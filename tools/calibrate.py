"""Run every row of the seeds and of the published measurements, print it, and write docs/calibration.md."""

from __future__ import annotations

import sys
from pathlib import Path

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


def main() -> int:
    """Write the page; return 1 if a figure does not fit."""
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
    text = f"{INTRO}{len(rows) - missed} of {len(rows)} figures fit.\n\n{table(head, rows)}"
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
