"""A counterexample of the template that is broken on purpose, without a search: what tests of replays keep and mend."""

from __future__ import annotations

from pathlib import Path

from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Ensemble, Evidence, Explanation, Origin, Setting, SettingPath, Threshold
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.project.discovery import read_source
from chaosqs.project.exploration import versions
from chaosqs.project.planning import BROKEN, DESIGNS_DIR
from chaosqs.simulation.run import simulate

INVARIANT = "no-dead-lettering-by-throttling"
RESERVED = Setting(
    SettingPath("function", "worker", "reserved_concurrency"),
    2,
    (Threshold("at_least", 3, Evidence(0, 60, "seeds")),),
    Origin("template.yaml", 22, "Reserved…: 2"),
)


def kept(design: str = "template.yaml", *, behaviour: Behaviour | None = None) -> Counterexample:
    """Return a counterexample of the design that ships as broken, as if it had been read from a file of that name."""
    source = read_source(BROKEN, base=DESIGNS_DIR, root=DESIGNS_DIR)
    behaviours = {"worker": behaviour or Behaviour(seconds_per_batch=29)}
    history = simulate(Scenario(source.design, [Burst("orders", 5, over=30)], behaviours))
    violation = by_name(INVARIANT).judge(history).violations[0]
    return Counterexample(
        design,
        "orders→worker",
        INVARIANT,
        violation,
        history.scenario,
        history.digest,
        versions(),
        Explanation((RESERVED,)),
    )


def write(path: Path, found: Counterexample) -> Path:
    """Write a counterexample as a report does, and return its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(to_json(found), encoding="utf-8")
    return path


def artefact(*_: object, **__: object) -> Explanation:
    """Explain a violation, in place of `explain`, as one that only the default assumptions about AWS produce."""
    return Explanation(ensemble=Ensemble("artefact", 28, 28, 1))
