"""Tables that compare designs: the same load on each, side by side."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from chaosqs.model.figures import Figures
from chaosqs.model.history import History
from chaosqs.report.terminal import Row, summary_lines
from chaosqs.report.text import code, fenced, plain_text


@attrs.frozen
class Column:
    """One design under the load, as a column of the table."""

    name: str
    history: History


def comparison(columns: Sequence[Column]) -> str:
    """Return a Markdown table: one row per figure, one column per design."""
    figures = [_figures(column.history) for column in columns]
    rows = [[name, *(figure[name] for figure in figures)] for name in figures[0]]
    return _table([column.name for column in columns], rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = ["", *(plain_text(name, 60) for name in names)]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---", *["---:"] * len(names)], *rows))


def _figures(history: History) -> dict[str, str]:
    summary = history.summary()
    messages, functions = summary["messages"], summary["functions"].values()
    drained = summary["drained_at"]
    return {
        "messages sent": f"{messages['sent']:,}",
        "processed": f"{messages['processed']:,}",
        "processed twice": f"{messages['processed_twice']:,}",
        "dead-lettered": f"{messages['dead_lettered']:,}",
        "of these by throttling, never seen": f"{messages['dead_lettered_by_throttling']:,}",
        "throttles": f"{sum(function['Throttles'] for function in functions):,.0f}",
        "invocations": f"{sum(function['Invocations'] for function in functions):,.0f}",
        "executions at once": f"{max((function['ConcurrentExecutions'] for function in functions), default=0):,.0f}",
        "drained after": "not drained" if drained is None else f"{drained:,.1f} s",
    }


def holding(title: str, sentence: str, rows: Sequence[Row], columns: Sequence[Column]) -> str:
    """Return the report of a design without violations: the verdicts, and the comparison with other designs."""
    scenario = columns[-1].history.scenario
    load = ", ".join(map(repr, scenario.workload))
    return (
        f"# {plain_text(title)}\n\n{plain_text(sentence)}\n\n## What was judged\n\n"
        + fenced("\n".join(summary_lines(rows)), "text")
        + f"\n\n## The same load, side by side\n\n{code(load)}, seed {scenario.seed}\n\n"
        + comparison(columns)
    )


@attrs.frozen
class Comparison:
    """The same workload on several designs. As text it is a Markdown table; `attrs.asdict` makes it ready for JSON."""

    columns: tuple[Figures, ...]
    """The scenario itself, then the alternatives in the order in which they were given."""
    origins: tuple[str, ...] = ()
    """Lines that say where messages come from that the scenario itself does not have."""

    def __str__(self) -> str:
        """Return the table: one row per figure, one column per design; rows that apply to no design are left out."""
        shown = [(name, [show(column) for column in self.columns]) for name, show in _ROWS]
        applies = [[name, *cells] for name, cells in shown if {*cells} - _OMITTED_CELLS.get(name, set[str]())]
        origins = "".join(f"\n{plain_text(line)}\n" for line in self.origins)
        return _table([column.name for column in self.columns], applies) + origins

    def column(self, name: str) -> Figures:
        """Return the figures of the design with a name. Raises KeyError for an unknown name."""
        return {column.name: column for column in self.columns}[name]


_NONE = "–"
_Row: TypeAlias = tuple[str, Callable[[Figures], str]]


def _count(value: int | None) -> str:
    return _NONE if value is None else f"{value:,}"


def _seconds(value: float | None, missing: str) -> str:
    return missing if value is None else f"{value:,.1f} s"


_ROWS: tuple[_Row, ...] = (
    ("messages sent", lambda figures: _count(figures.sent)),
    ("processed", lambda figures: _count(figures.processed)),
    ("processed twice", lambda figures: _count(figures.processed_twice)),
    ("dead-lettered", lambda figures: _count(figures.dead_lettered)),
    ("of these by throttling, never seen", lambda figures: _count(figures.dead_lettered_by_throttling)),
    ("expired or discarded", lambda figures: _count(figures.discarded)),
    ("lost to the caller", lambda figures: _count(figures.lost_to_the_caller)),
    ("left at the end", lambda figures: _count(figures.remaining)),
    ("throttles", lambda figures: _count(figures.throttles)),
    ("requests answered with 429", lambda figures: _count(figures.rate_limited)),
    ("invocations", lambda figures: _count(figures.invocations)),
    ("executions at once", lambda figures: _count(figures.concurrent_executions)),
    ("longest wait", lambda figures: _seconds(figures.longest_wait, _NONE)),
    ("drained after", lambda figures: _seconds(figures.drained_at, "not drained")),
)
_OMITTED_CELLS = {
    "expired or discarded": {"0"},
    "lost to the caller": {_NONE},
    "left at the end": {"0"},
    "requests answered with 429": {_NONE},
}
"""Rows that are left out if no cell has another value than these."""
