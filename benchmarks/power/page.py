"""Generates docs/power.md and the tables of README.md from results.json: the figures, with their targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isnan
from pathlib import Path

import attrs

from benchmarks.power.arithmetic import first_failures, mean, median, normal_form_share, percentile, solved
from benchmarks.power.figures import LIMITS, METHOD, Driven, Results, Row, Section

_ROOT = Path(__file__).parents[2]
PAGE, README = _ROOT / "docs" / "power.md", _ROOT / "README.md"
BEGIN, END = "<!-- written by `make bench-search` -->\n", "<!-- end -->\n"
"""The marks in the README; the text between them is generated."""
_MIN_ONE_FORM = 0.95  # minimum share of seeds in one normal form of a task that is no miss
_MIN_F1 = 0.95  # minimum F1 of a task that is no miss
_SEARCHED = ("design mistake", "mutant")
_OVER_ALL = """Figures cover all seeds of design mistakes and mutants together, unless the row says otherwise. Sizes,
forms and F1 cover what was found. Sizes and F1 cover only tasks whose minimum or list of relevant settings is known."""
_STALE = """**Some of the figures below are older than this method**: the searches had no seed corpus, mutants were
searched from 5 seeds each, and some mutants were of a defect that has been fixed. `make bench-search` measures them
again.
"""
_HEAD = (Path(__file__).parent / "page.md").read_text()


def page(results: Results) -> str:
    """Return the page."""
    kinds = [_searched(results, kind) for kind in (*_SEARCHED, "schedule bug")]
    parts = [
        _HEAD,
        _STALE if any(section.how.get("method") != METHOD for section in results.kinds.values()) else "",
        _targets(results),
        *kinds,
        _green(results),
        _harness(results),
        _baselines(results),
        _misses(results),
    ]
    return "\n".join(filter(None, parts))


def write(results: Results, path: Path = PAGE) -> None:
    path.write_text(page(results), encoding="utf-8", newline="\n")


def summary(results: Results) -> str:
    """Return the tables of the README, 15 lines: targets and measurements, then the comparison with the baselines."""
    figures = [(figure.what, figure.target, figure.text) for figure in targets(results)]
    others = [(row[0], row[1], row[4], row[6], row[7]) for row in drivers(results)]
    tasks = len({each.task for each in results.baselines})
    return "\n".join(
        (
            table(("search for known defects", "target", "measured"), figures),
            table((f"search method, on {tasks} tasks", "found", "size, median", "minimal", "one form"), others),
        )
    )


def with_summary(text: str, results: Results) -> str:
    """Return a page with the tables between its marks. Raises ValueError for a page without marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no place for the tables: {BEGIN.strip()} … {END.strip()}")
    return f"{before}{begin}\n{summary(results)}\n{end}{after}"


def write_summary(results: Results, path: Path = README) -> None:
    path.write_text(with_summary(path.read_text(encoding="utf-8"), results), encoding="utf-8", newline="\n")


# Targets ------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Target:
    """A figure with its target and its measurement."""

    what: str
    target: str
    text: str
    met: bool


def targets(results: Results) -> list[Target]:
    """Return the figures that have a target."""
    rows = [row for kind in _SEARCHED for row in _rows(results, kind)]
    cases = median(first_failures([each for row in rows for each in row.found]))
    ratios = [ratio for row in rows for ratio in row.ratios]
    middle, most = median(ratios), percentile(ratios, 95)
    forms = normal_forms(rows)
    marks = mean([row.f1 for row in rows if row.f1 is not None])
    shares = [mean([_solved(row, 10) for row in _rows(results, kind)]) for kind in _SEARCHED]
    return [
        Target("design mistakes solved at 10 s", "≥ 90 %", share(shares[0]), shares[0] >= 0.9),
        Target("mutants of the fake solved at 10 s", "≥ 90 %", share(shares[1]), shares[1] >= 0.9),
        Target("cases to the first failure, median", "≤ 300", number(cases), cases <= 300),
        Target("size ratio, median and 95 %", "1 and ≤ 1.3", f"{number(middle)} and {number(most)}", most <= 1.3),
        Target("seeds in one normal form", "≥ 95 %", share(forms), forms >= 0.95),
        Target("relevant fields, mean F1", "≥ 0.95", number(marks), marks >= 0.95),
    ]


def _targets(results: Results) -> str:
    heads = ("figure", "target", "measured", "")
    rows = [(each.what, each.target, each.text, "met" if each.met else "**missed**") for each in targets(results)]
    return f"## Targets\n\n{_OVER_ALL}\n\n{table(heads, rows)}"


def normal_forms(rows: Iterable[Row]) -> float:
    """Return the share of all trials that found something and end in the most frequent form of their task."""
    found = [row.finds for row in rows if row.finds]
    trials = sum(map(len, found))
    return sum(normal_form_share(forms) * len(forms) for forms in found) / trials if trials else float("nan")


def _rows(results: Results, kind: str) -> tuple[Row, ...]:
    return results.kinds.get(kind, Section({}, ())).tasks


def _solved(row: Row, limit: int) -> bool:
    return solved(row.within[LIMITS.index(limit)], len(row.cases))


# Tables -------------------------------------------------------------------------------------------------------------

_HEADS = ("task", "1 s", "10 s", "60 s", "cases", "shrink", "seconds", "size", "form", "F1")


def _searched(results: Results, kind: str) -> str:
    rows = _rows(results, kind)
    if not rows:
        return ""
    how = results.kinds[kind].how
    head = f"## {kind.capitalize()}s\n\n{len(rows)} tasks, {how['seeds']} seeds each, {_versions(how)}.\n\n"
    body = table(_HEADS, [_row(row) for row in rows])
    shares = ", ".join(f"{share(mean([_solved(row, limit) for row in rows]))} at {limit} s" for limit in LIMITS)
    return f"{head}{body}\nSolved: {shares}.\n"


def _versions(how: dict[str, str | int]) -> str:
    return f"chaosqs {how['chaosqs']}, Hypothesis {how['hypothesis']}, Python {how['python']}"


def _row(row: Row) -> tuple[str, ...]:
    return (
        row.name,
        *(f"{count}/{len(row.cases)}" for count in row.within),
        number(median(first_failures(row.found))),
        number(median(row.shrink_calls)),
        "–" if row.shrink_seconds is None else number(row.shrink_seconds),
        number(median(row.ratios)),
        share(normal_form_share(row.finds)),
        "–" if row.f1 is None else number(row.f1),
    )


def _green(results: Results) -> str:
    rows = _rows(results, "green")
    if not rows:
        return ""
    lines = [(row.name, row.invariant, sum(row.cases), len(row.finds)) for row in rows]
    head = "## Sound designs\n\nMistakes of the list above, corrected. Any violation would be a false alarm.\n\n"
    return head + table(("design", "invariant", "cases", "false alarms"), lines)


def _harness(results: Results) -> str:
    if not results.harness:
        return ""
    found = sum(each.caught for each in results.harness)
    lines = [
        (each.name, each.why, f"`{each.self_test}`", "yes" if each.caught else "**no**") for each in results.harness
    ]
    head = f"## Mutants of the harness\n\nThe named test catches {found} of {len(results.harness)}.\n\n"
    return head + table(("mutant", "defect", "self-test", "caught"), lines)


def drivers(results: Results) -> list[tuple[str, ...]]:
    """Return the rows of chaosqs and each baseline on the baselines' tasks, as the cells of their table."""
    known = {row.name: row for row in _rows(results, "design mistake")}
    names = dict.fromkeys(each.task for each in results.baselines)
    runs: dict[str, list[Driven]] = {}
    for each in results.baselines:
        runs.setdefault(each.driver, []).append(each)
    own = [known[name] for name in names if name in known]
    return [_own(own), *(_driver(driver, found, known) for driver, found in runs.items())]


def _baselines(results: Results) -> str:
    if not results.baselines:
        return ""
    names = list(dict.fromkeys(each.task for each in results.baselines))
    seeds = max(each.seeds for each in results.baselines)
    where = f"On {len(names)} of the design mistakes, {seeds} seeds each; chaosqs with the seeds of the table above"
    head = f"## Baselines\n\n{where}: {', '.join(names)}.\n\n"
    heads = ("driver", "found", "cases", "simulations in all", "size, median", "size, 95 %", "minimal", "one form")
    return head + table(heads, drivers(results))


def _own(rows: Sequence[Row]) -> tuple[str, ...]:
    seeds = [each for row in rows for each in row.found]
    found = [cases for success, cases in seeds if success]
    shrinking = [calls for row in rows for calls in row.shrink_calls]
    calls = [cases + shrunk for cases, shrunk in zip(found, shrinking, strict=True)]
    ratios = [ratio for row in rows for ratio in row.ratios]
    figures = _measured(first_failures(seeds), calls, ratios)
    return "**chaosqs**", share(len(found) / max(1, len(seeds))), *figures, share(normal_forms(rows))


def _driver(driver: str, runs: Sequence[Driven], known: dict[str, Row]) -> tuple[str, ...]:
    trials = sum(each.seeds for each in runs)
    cases = [inf if case is None else case for each in runs for case in each.cases]
    calls = [call for each in runs for call in each.calls]
    ratios = [size / (known[each.task].smallest or 1) for each in runs if each.task in known for size in each.sizes]
    found = sum(len(each.sizes) for each in runs) / max(1, trials)
    single = [each.forms == 1 for each in runs if each.sizes]
    return driver, share(found), *_measured(cases, calls, ratios), f"{sum(single)} of {len(single)} tasks"


def _measured(cases: Sequence[float], calls: Sequence[float], ratios: Sequence[float]) -> tuple[str, ...]:
    minimal = mean([ratio <= 1 for ratio in ratios])
    figures = (median(cases), median(calls), median(ratios), percentile(ratios, 95))
    return *map(number, figures), share(minimal)


# Misses -------------------------------------------------------------------------------------------------------------


def _misses(results: Results) -> str:
    rows = [row for kind in (*_SEARCHED, "schedule bug") for row in _rows(results, kind)]
    lines = [f"* **{row.name}**: {'; '.join(missed)}." for row in rows if (missed := list(_missed(row)))]
    lines += [
        f"* **{each.name}** (harness): no self-test that was named for it fails."
        for each in results.harness
        if not each.caught
    ]
    return "## Every miss\n\n" + "\n".join(lines) + "\n" if lines else ""


def _missed(row: Row) -> Iterable[str]:
    if row.error:
        yield f"the search raised {row.error[:160]}"
        return
    if not _solved(row, 10):
        soon = row.within[LIMITS.index(10)]
        yield f"found from {len(row.finds)} of {len(row.cases)} seeds, {soon} within 10 s"
    if any(ratio > 1 for ratio in row.ratios):
        yield f"size {max(row.sizes)} where {row.smallest} is known to be enough"
    same = normal_form_share(row.finds)
    if same < _MIN_ONE_FORM:
        yield f"{len(row.sizes)} forms, the most frequent one from {share(same)} of the seeds"
    if row.f1 is not None and row.f1 < _MIN_F1:
        parts = [f"names {', '.join(row.besides)} besides"] * bool(row.besides)
        parts += [f"leaves out {', '.join(row.left_out)}"] * bool(row.left_out)
        yield f"the explanation {' and '.join(parts)}"


# In Markdown --------------------------------------------------------------------------------------------------------


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, one line per row."""
    lines = [list(heads), ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float) -> str:
    """Return a number with at most two digits after the point; – for nan, ∞ for infinity."""
    if isnan(value):
        return "–"
    return "∞" if value == inf else f"{value:.2f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Return a share, 0 to 1, in whole per cent, rounded down so that only all is 100 %; – for nan."""
    return "–" if isnan(value) else f"{int(100 * value + 1e-9)} %"
