"""The same load on several designs, side by side: what a review compares before it decides."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.history import History
from chaosqs.report.escape import code, fenced, prose
from chaosqs.report.terminal import Row, summary_lines


@attrs.frozen
class Column:
    """One design under the load."""

    name: str
    history: History


def comparison(columns: Sequence[Column]) -> str:
    """Return a Markdown table: a row a figure, a column a design."""
    figures = [_figures(column.history) for column in columns]
    head = ["", *(prose(column.name, 60) for column in columns)]
    rows = [[name, *(figure[name] for figure in figures)] for name in figures[0]]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---", *["---:"] * len(columns)], *rows))


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
    """Return the report of a design in which no violation was found: what was judged, and against what it stands."""
    scenario = columns[-1].history.scenario
    load = ", ".join(map(repr, scenario.workload))
    return (
        f"# {prose(title)}\n\n{prose(sentence)}\n\n## What was judged\n\n"
        + fenced("\n".join(summary_lines(rows)), "text")
        + f"\n\n## The same load, side by side\n\n{code(load)}, luck {scenario.luck}\n\n"
        + comparison(columns)
    )
