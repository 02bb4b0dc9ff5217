"""The short of it, for the README: the targets and what was measured, and the same for the baselines."""

from __future__ import annotations

from pathlib import Path

from benchmarks.power.figures import Results
from benchmarks.power.page import drivers, targets
from benchmarks.power.tables import table

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- written by `make bench-search` -->\n", "<!-- end -->\n"


def summary(results: Results) -> str:
    """Return the two tables; 15 lines."""
    figures = [(figure.what, figure.target, figure.text) for figure in targets(results)]
    others = [(row[0], row[1], row[4], row[6], row[7]) for row in drivers(results)]
    return "\n".join(
        (
            table(("what it finds of known defects", "target", "measured"), figures),
            table(("driver, on some of them", "found", "size, median", "minimal", "one form"), others),
        )
    )


def write(results: Results, path: Path = README) -> None:
    """Put the tables between the marks of a page. Raises ValueError where it has none."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} has no place for the tables: {BEGIN.strip()} … {END.strip()}")
    path.write_text(f"{before}{begin}\n{summary(results)}\n{end}{after}", encoding="utf-8", newline="\n")
