"""The speed of a run: compared with a bare loop of the same mechanism, and through Hypothesis."""

from __future__ import annotations

import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks import limit
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import KIND_NAMES, OK, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping


def fastest(program: Callable[[], object], repeats: int = 30) -> float:
    """Return the shortest of several runs, in seconds."""
    times: list[float] = []
    for _ in range(repeats):
        start = time.perf_counter()
        program()
        times.append(time.perf_counter() - start)
    return min(times)


def test_a_run_costs_at_most_fifteen_bare_loops() -> None:
    """Row A1 with trio, the full history and every rule, compared with the same mechanism without these."""
    design = one_mapping(visibility=180, timeout=30, reserved=5, batch=1)
    scenario = Scenario(design, [Burst("orders", 100)], {"worker": Behaviour(seconds_per_batch=20)}, seed=1)
    ours = fastest(lambda: simulate(scenario))
    bare = fastest(lambda: limit.simulate(n=100, seconds=20, bs=1, rc=5, vt=180, mrc=1000, seed=1))
    print(f"simulate {ours * 1000:.2f} ms, bare loop {bare * 1000:.2f} ms: {ours / bare:.1f} ×")
    assert ours / bare <= 15


def _load(over: float) -> list[Load]:
    return [Burst("orders", 50, over=over)]


def _behaviours(seconds: float) -> dict[str, Behaviour]:
    return {"worker": Behaviour(seconds)}


def test_cases_a_second_through_hypothesis() -> None:
    """At least 150 cases a second of a design with 50 messages, on one core, drawing and judging included."""
    design = one_mapping(visibility=60, timeout=10, reserved=3, receives=3)
    cases = 300

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        st.builds(
            Scenario,
            st.just(design),
            st.builds(_load, st.sampled_from([0.0, 1, 10])),
            st.builds(_behaviours, st.sampled_from([0.05, 0.2, 1])),
            st.builds(FaultPlan, st.lists(st.lists(st.sampled_from([OK, *KIND_NAMES]), max_size=3), max_size=20)),
            seed=st.integers(0, 255),
            until=st.just(600),
        )
    )
    def search(scenario: Scenario) -> None:
        simulate(scenario).summary()

    start = time.perf_counter()
    search()
    rate = cases / (time.perf_counter() - start)
    print(f"{rate:.0f} cases a second")
    assert rate >= 150
