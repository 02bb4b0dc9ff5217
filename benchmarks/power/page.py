"""docs/power.md, out of results.json: the figures in tables, and against their targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isnan
from pathlib import Path

from benchmarks.power.arithmetic import first_failures, median, normal_form_share, percentile, solved
from benchmarks.power.figures import Driven, Results, Row, Section

PAGE = Path(__file__).parents[2] / "docs" / "power.md"
_LIMITS = (1, 10, 60)
_ONE_FORM = _NAMED = 0.95
"""What a task must reach not to be a miss, as the targets have it."""
_SEARCHED = ("design mistake", "mutant")
_OVER_ALL = """All seeds of design mistakes and mutants together, where not said otherwise. Sizes, forms and F1 are of
what was found, sizes and F1 of the tasks that state the truth about them."""
_HEAD = (Path(__file__).parent / "page.md").read_text()


def page(results: Results) -> str:
    """Return the page."""
    kinds = [_searched(results, kind) for kind in (*_SEARCHED, "schedule bug")]
    parts = [
        _HEAD,
        _targets(results),
        *kinds,
        _green(results),
        _harness(results),
        _baselines(results),
        _misses(results),
    ]
    return "\n".join(filter(None, parts))


def write(results: Results, path: Path = PAGE) -> None:
    path.write_text(page(results))


# Targets ------------------------------------------------------------------------------------------------------------


def _targets(results: Results) -> str:
    rows = [row for kind in _SEARCHED for row in _rows(results, kind)]
    cases = median(first_failures([(each.found, each.cases) for row in rows for each in row.trials]))
    ratios = [ratio for row in rows for ratio in _ratios(row)]
    forms = normal_forms(rows)
    marks = mean([row.f1 for row in rows if row.f1 is not None])
    solved_shares = [(kind, mean([_solved(row, 10) for row in _rows(results, kind)])) for kind in _SEARCHED]
    table = [
        *((f"{kind}s solved at 10 s", "≥ 90 %", _share(share), share >= 0.9) for kind, share in solved_shares),
        ("cases to the first failure, median", "≤ 300", _number(cases), cases <= 300),
        ("size ratio, median", "1.0", _number(median(ratios)), median(ratios) == 1),
        ("size ratio, 95th percentile", "≤ 1.3", _number(percentile(ratios, 95)), percentile(ratios, 95) <= 1.3),
        ("seeds in one normal form", "≥ 95 %", _share(forms), forms >= 0.95),
        ("relevant fields, mean F1", "≥ 0.95", _number(marks), marks >= 0.95),
    ]
    shown = [(what, target, value, "met" if met else "**missed**") for what, target, value, met in table]
    told = _table(("figure", "target", "measured", ""), shown)
    return f"## Targets\n\n{_OVER_ALL}\n\n{told}"


def normal_forms(rows: Iterable[Row]) -> float:
    """Return the share of all trials that found something and end in the most frequent form of their task."""
    found = [row.forms for row in rows if row.forms]
    trials = sum(map(len, found))
    return sum(normal_form_share(forms) * len(forms) for forms in found) / trials if trials else float("nan")


def mean(values: Sequence[float]) -> float:
    """Return the mean; nan of none."""
    return sum(values) / len(values) if values else float("nan")


def _rows(results: Results, kind: str) -> tuple[Row, ...]:
    return results.kinds.get(kind, Section({}, ())).tasks


def _ratios(row: Row) -> list[float]:
    return [row.sizes[form] / row.smallest for form in row.forms] if row.smallest else []


def _solved(row: Row, seconds: float) -> bool:
    return solved([(each.found, each.cpu_seconds) for each in row.trials], seconds)


# Tables -------------------------------------------------------------------------------------------------------------

_HEADS = ("task", "1 s", "10 s", "60 s", "cases", "shrink", "seconds", "size", "form", "F1")


def _searched(results: Results, kind: str) -> str:
    rows = _rows(results, kind)
    if not rows:
        return ""
    how = results.kinds[kind].how
    head = f"## {kind.capitalize()}s\n\n{len(rows)} tasks, {how['seeds']} seeds each, {_versions(how)}.\n\n"
    table = _table(_HEADS, [_row(row) for row in rows])
    shares = ", ".join(f"{_share(mean([_solved(row, limit) for row in rows]))} at {limit} s" for limit in _LIMITS)
    wall = mean([solved([(each.found, each.seconds) for each in row.trials], 10) for row in rows])
    return f"{head}{table}\nSolved: {shares}; {_share(wall)} at 10 s on the wall of a busy machine.\n"


def _versions(how: dict[str, str | int]) -> str:
    return f"chaosqs {how['chaosqs']}, Hypothesis {how['hypothesis']}, Python {how['python']}"


def _row(row: Row) -> tuple[str, ...]:
    found = [each for each in row.trials if each.found]
    within = [sum(each.found and each.cpu_seconds <= limit for each in row.trials) for limit in _LIMITS]
    return (
        row.name,
        *(f"{count}/{len(row.trials)}" for count in within),
        _number(median(first_failures([(each.found, each.cases) for each in row.trials]))),
        _number(median([each.shrink_calls for each in found])),
        _number(median([each.shrink_cpu_seconds for each in found])),
        _number(median(_ratios(row))),
        _share(normal_form_share(row.forms)),
        "–" if row.f1 is None else _number(row.f1),
    )


def _green(results: Results) -> str:
    rows = _rows(results, "green")
    if not rows:
        return ""
    table = [(row.name, row.invariant, sum(each.cases for each in row.trials), len(row.forms)) for row in rows]
    return "## Green designs\n\nMistakes that were repaired.\n\n" + _table(
        ("design", "invariant", "cases", "false alarms"), table
    )


def _harness(results: Results) -> str:
    if not results.harness:
        return ""
    found = sum(each.caught for each in results.harness)
    table = [
        (each.name, each.why, f"`{each.self_test}`", "yes" if each.caught else "**no**") for each in results.harness
    ]
    head = f"## Mutants of the harness\n\n{found} of {len(results.harness)} are caught by the test named.\n\n"
    return head + _table(("mutant", "defect", "self-test", "caught"), table)


def _baselines(results: Results) -> str:
    if not results.baselines:
        return ""
    known = {row.name: row for row in _rows(results, "design mistake")}
    names = list(dict.fromkeys(each.task for each in results.baselines))
    drivers = dict.fromkeys(each.driver for each in results.baselines)
    runs = {driver: [each for each in results.baselines if each.driver == driver] for driver in drivers}
    own = [known[name] for name in names if name in known]
    table = [_own(own), *(_driver(driver, found, known) for driver, found in runs.items())]
    seeds = max(each.seeds for each in results.baselines)
    where = f"On {len(names)} of the design mistakes, {seeds} seeds each, chaosqs's own as above"
    head = f"## Baselines\n\n{where}: {', '.join(names)}.\n\n"
    heads = ("driver", "found", "cases", "simulations in all", "size, median", "size, 95 %", "minimal", "one form")
    return head + _table(heads, table)


def _own(rows: Sequence[Row]) -> tuple[str, ...]:
    trials = [each for row in rows for each in row.trials]
    ratios = [ratio for row in rows for ratio in _ratios(row)]
    calls = [each.cases + each.shrink_calls for each in trials if each.found]
    cases = first_failures([(each.found, each.cases) for each in trials])
    found = sum(each.found for each in trials) / max(1, len(trials))
    return "**chaosqs**", _share(found), *_measured(cases, calls, ratios), _share(normal_forms(rows))


def _driver(driver: str, runs: Sequence[Driven], known: dict[str, Row]) -> tuple[str, ...]:
    trials = sum(each.seeds for each in runs)
    cases = [inf if case is None else case for each in runs for case in each.cases]
    calls = [call for each in runs for call in each.calls]
    ratios = [size / (known[each.task].smallest or 1) for each in runs if each.task in known for size in each.sizes]
    found = sum(len(each.sizes) for each in runs) / max(1, trials)
    single = [each.forms == 1 for each in runs if each.sizes]
    return driver, _share(found), *_measured(cases, calls, ratios), f"{sum(single)} of {len(single)} tasks"


def _measured(cases: Sequence[float], calls: Sequence[float], ratios: Sequence[float]) -> tuple[str, ...]:
    minimal = mean([ratio <= 1 for ratio in ratios])
    figures = (median(cases), median(calls), median(ratios), percentile(ratios, 95))
    return *map(_number, figures), _share(minimal)


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
        found, soon = (sum(each.found and each.cpu_seconds <= limit for each in row.trials) for limit in (inf, 10))
        yield f"found from {found} of {len(row.trials)} seeds, {soon} within 10 s"
    if row.smallest and any(ratio > 1 for ratio in _ratios(row)):
        yield f"size {max(row.sizes)} where {row.smallest} is known to be enough"
    share = normal_form_share(row.forms)
    if share < _ONE_FORM:
        yield f"{len(row.scenarios)} forms, the most frequent one from {_share(share)} of the seeds"
    if row.f1 is not None and row.f1 < _NAMED:
        named = set(row.named or ())
        extra, left = (
            [name for name in row.named or () if name not in row.relevant],
            [name for name in row.relevant if name not in named],
        )
        told = [f"names {', '.join(extra)} besides"] * bool(extra) + [f"leaves out {', '.join(left)}"] * bool(left)
        yield f"the explanation {' and '.join(told)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [list(heads), ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(value: float) -> str:
    if isnan(value):
        return "–"
    return "∞" if value == inf else f"{value:.2f}".rstrip("0").rstrip(".")


def _share(value: float) -> str:
    return "–" if isnan(value) else f"{100 * value:.0f} %"
