"""Templates and settings that projects in these tests have, and how pytest is run on them as a user would."""

import os
import subprocess
import sys
from pathlib import Path

from chaosqs import invariants
from chaosqs.project.planning import DESIGNS_DIR

BROKEN = (DESIGNS_DIR / "over_polling.yaml").read_text(encoding="utf-8")
SOUND = (DESIGNS_DIR / "maximum_concurrency.yaml").read_text(encoding="utf-8")
ROOMY = "".join(line for line in SOUND.splitlines(keepends=True) if "Concurren" not in line and "Scaling" not in line)
"""The sound design without any limit on its concurrency."""
FOLDER = "reports/template-orders-worker-no-dead-lettering-by-throttling"
"""Where the report on the broken template goes."""
MAPPING = "chaosqs::template.yaml::orders→worker"
"""What the ids of all items about the one mapping of these templates begin with."""
IDS = [f"{MAPPING}::{invariant.name}" for invariant in invariants.DEFAULT]
THROTTLING = f"{MAPPING}::no-dead-lettering-by-throttling"
BRIEFLY = "--chaosqs-max-examples=10"
"""Enough to find what is broken in the broken template."""


def run_pytest(location: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=location,
        env={**without_ci(), **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def without_ci() -> dict[str, str]:
    """Return the environment without what continuous integration adds."""
    return {name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_ACTIONS", "BUILD_NUMBER"}}
