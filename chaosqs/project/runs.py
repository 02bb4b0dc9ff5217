"""Single runs of a scenario, summarised."""

from pathlib import Path

import attrs

from chaosqs.invariants import DEFAULT
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import Json
from chaosqs.model.metrics import Summary
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.project.discovery import importable, located, read_object, structured
from chaosqs.report.text import title_of
from chaosqs.search.oracle import AloneOutcomes
from chaosqs.simulation.run import simulate


@attrs.frozen
class Run:
    """The result of one run."""

    seed: int
    summary: Summary
    violated: tuple[str, ...]
    """Names of the invariants that the run violates."""


def read_scenario(path: Path, root: Path) -> Scenario:
    """Read a scenario, or the scenario of a counterexample; its real handlers can then be imported.

    Raises `InvalidInput` with the file's name for anything else.
    """
    return scenario_of(read_object(path, root), path, root)


def scenario_of(fields: dict[str, Json], path: Path, root: Path) -> Scenario:
    """Return the scenario that the fields of a file describe; raises as `read_scenario`."""
    if "violation" in fields:
        scenario = structured(Counterexample, fields, path, root).scenario
    else:
        scenario = structured(Scenario, fields, path, root)
    scenario = attrs.evolve(scenario, behaviours=located(scenario.behaviours, root))
    importable(root, scenario.behaviours)
    return scenario


def runs(scenario: Scenario, seeds: int | None) -> list[Run]:
    """Run a scenario as it is, or once with each seed from 0 to `seeds` - 1."""
    tried = [scenario.seed] if seeds is None else range(seeds)
    return [_run(attrs.evolve(scenario, seed=seed)) for seed in tried]


def _run(scenario: Scenario) -> Run:
    history = simulate(scenario)
    alone = AloneOutcomes()
    verdicts = [alone.settled(invariant, history) for invariant in DEFAULT]
    violated = tuple(verdict.invariant for verdict in verdicts if verdict.status is Status.VIOLATED)
    return Run(scenario.seed, history.summary(), violated)


def run_line(done: Run) -> str:
    """Return one line about a run: the fates of its messages, the time at which it was over, and its violations."""
    fates = [f"{count:,} {name.replace('_', ' ')}" for name, count in done.summary["messages"].items() if count]
    drained = done.summary["drained_at"]
    over = f"drained at {drained:g} s" if drained is not None else f"not drained at {done.summary['ended_at']:g} s"
    broken = [f"VIOLATED: {', '.join(map(title_of, done.violated))}"] if done.violated else []
    return f"seed {done.seed}: {' · '.join([*(fates or ['no messages']), over, *broken])}"
