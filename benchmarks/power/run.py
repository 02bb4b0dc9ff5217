"""`make bench-search`: measures every task over all seeds, each task in its own process.

Writes results.json, docs/power.md and the tables of README.md.
"""

from __future__ import annotations

import multiprocessing
from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import attrs

from benchmarks.power import baselines, page
from benchmarks.power.figures import METHOD, RESULTS, Caught, Driven, Row, Section, read, write
from benchmarks.power.harness import caught
from benchmarks.power.measure import measured
from benchmarks.power.tasks import tasks
from chaosqs.project.exploration import versions

SEARCHED = ("design mistake", "mutant", "schedule bug", "green")
PARTS = (*SEARCHED, "harness mutant", "baselines")
_BASELINE_SEEDS = 5
"""Maximum seeds of a baseline; one seed of a stateful machine takes ten seconds."""


def measured_by_name(kind: str, name: str, seeds: int) -> Row:
    """Measure one task, which the process looks up by name, because names can be sent to it."""
    return measured(next(task for task in tasks(kind) if task.name == name), range(seeds))


def driven_by_name(driver: str, name: str, seeds: int) -> Driven:
    """Measure one baseline on one task."""
    task = next(task for task in tasks("design mistake") if task.name == name)
    return baselines.driven(driver, task, range(seeds))


def search(options: Namespace, kind: str) -> None:
    """Measure the tasks of one kind; the file is written after each task."""
    names = [task.name for task in tasks(kind)]
    how = {"method": METHOD, "seeds": options.seeds, **versions()}
    rows: dict[str, Row] = {}
    with _pool(options.workers) as pool:
        running = [pool.submit(measured_by_name, kind, name, options.seeds) for name in names]
        for done in as_completed(running):
            row = done.result()
            rows[row.name] = row
            print(f"{kind}: {row.name}: {row.error or f'{len(row.finds)} of {len(row.cases)}'}", flush=True)
            section = Section(how, tuple(rows[name] for name in names if name in rows))
            results = read(options.out)
            write(attrs.evolve(results, kinds={**results.kinds, kind: section}), options.out)


def compare(options: Namespace) -> None:
    """Measure the baselines."""
    pairs = [(driver, name) for name in baselines.TASKS for driver in baselines.DRIVERS]
    seeds = min(options.seeds, _BASELINE_SEEDS)
    with _pool(options.workers) as pool:
        running = [pool.submit(driven_by_name, driver, name, seeds) for driver, name in pairs]
        found = tuple(each.result() for each in running)
    write(attrs.evolve(read(options.out), baselines=found), options.out)


def check_harness(options: Namespace) -> None:
    """Measure the mutants of the harness."""
    found = tuple(
        Caught(name=task.name, why=task.why, self_test=task.self_test, caught=caught(task))
        for task in tasks("harness mutant")
    )
    write(attrs.evolve(read(options.out), harness=found), options.out)


def _pool(workers: int) -> ProcessPoolExecutor:
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, max_tasks_per_child=1)


def main() -> None:
    options = ArgumentParser(description=__doc__)
    options.add_argument("--seeds", type=int, default=20)
    options.add_argument("--workers", type=int, default=2, help="not more than cores, or times get longer")
    options.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    options.add_argument("--out", type=Path, default=RESULTS)
    options.add_argument("--page", type=Path, default=page.PAGE)
    options.add_argument("--readme", type=Path, default=page.README)
    chosen = options.parse_args()
    for part in chosen.parts:
        if part in SEARCHED:
            search(chosen, part)
        elif part == "baselines":
            compare(chosen)
        else:
            check_harness(chosen)
    page.write(read(chosen.out), chosen.page)
    page.write_summary(read(chosen.out), chosen.readme)


if __name__ == "__main__":
    main()
