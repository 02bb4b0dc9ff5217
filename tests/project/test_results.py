"""What a finding is told from."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.project.exploration import counterexample
from chaosqs.project.results import written
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from chaosqs.simulation.run import Simulation
from tests.search.designs import MAPPING, over_polling


def test_what_was_found_is_not_simulated_again_to_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Explanation, digest, story and report are of the run that was judged."""
    finding = search(over_polling(), MAPPING, NO_DEAD_LETTERING_BY_THROTTLING, profile=QUICK)
    assert finding.history is not None
    runs, run = list[Scenario](), Simulation.run

    def noted(simulation: Simulation) -> History:
        runs.append(simulation.scenario)
        return run(simulation)

    monkeypatch.setattr(Simulation, "run", noted)
    brief = attrs.evolve(QUICK, draws=20, trials=4)
    found = counterexample("orders.yaml", finding, NO_DEAD_LETTERING_BY_THROTTLING, profile=brief)
    explained = len(runs)
    assert explained > 0
    told = written(found, finding.history, tmp_path, tmp_path / "reports")
    assert len(runs) == explained
    assert finding.scenario not in runs
    assert "Inevitable" in told.story
