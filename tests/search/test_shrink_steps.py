"""The single steps by which a workload becomes simpler."""

import pytest

from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.search.shrink import simpler
from chaosqs.search.simplicity import complexity
from tests.search.designs import ROOMY

MEGABYTE = 1_048_576
STEPS: dict[str, tuple[list[Load], list[Load]]] = {
    "two loads as one": ([Burst("orders", 2), Burst("orders", 3)], [Burst("orders", 5)]),
    "at once": ([Burst("orders", 2, over=7), Steady("orders", 1, 3)], [Burst("orders", 5)]),
    "in one order": ([Burst("orders", 2), Burst("orders", 1)], [Burst("orders", 1), Burst("orders", 2)]),
    "fewer and heavier": (
        [Burst("orders", 28, body_bytes=262_144)],
        [Burst("orders", 7, body_bytes=MEGABYTE)],
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_step(name: str) -> None:
    """Each is tried, and each is simpler."""
    before, after = (Scenario(ROOMY, workload) for workload in STEPS[name])
    assert after in list(simpler(before, {}))
    assert complexity(after) < complexity(before)
