"""The simulator keeps what its own promises say, whatever is thrown at it: no invariant cries wolf."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.fault import KIND_NAMES, OK, FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulator.run import simulate

OUR_OWN = (
    invariants.AT_LEAST_ONCE_DELIVERY,
    invariants.CONCURRENCY_WITHIN_ITS_LIMITS,
    invariants.CONSERVATION,
)

redrives = st.builds(Redrive, st.just("dlq"), st.integers(1, 3))
queues = st.builds(
    Queue,
    st.just("orders"),
    visibility_timeout=st.sampled_from((5, 30)),
    retention_period=st.integers(60, 300),
    delay=st.sampled_from((0, 3)),
    redrive=st.none() | redrives,
)
dead_letter_queues = st.builds(Queue, st.just("dlq"), retention_period=st.integers(60, 300))
functions = st.builds(
    Function, st.just("worker"), timeout=st.integers(1, 5), reserved_concurrency=st.none() | st.integers(0, 6)
)
mappings = st.builds(
    EventSourceMapping,
    st.just("orders"),
    st.just("worker"),
    batch_size=st.integers(1, 10),
    maximum_concurrency=st.none() | st.integers(2, 4),
    report_batch_item_failures=st.booleans(),
)
designs = st.builds(
    Design,
    st.tuples(queues, dead_letter_queues),
    st.tuples(functions),
    st.tuples(mappings) | st.tuples(mappings, st.just(EventSourceMapping("dlq", "worker"))),
    st.sampled_from((Account(), Account(1000, 998))),
)
plans = st.builds(
    FaultPlan,
    st.lists(st.lists(st.sampled_from((OK, *KIND_NAMES)), max_size=3), max_size=5),
    st.lists(st.builds(Window, st.sampled_from(KIND_NAMES), st.just(""), st.integers(0, 30), st.just(20)), max_size=2),
)
behaviours = st.builds(
    Behaviour,
    seconds_per_message=st.sampled_from((0, 0.5, 2)),
    spread=st.sampled_from((0, 0.5)),
    error_rate=st.sampled_from((0, 0.3, 1)),
    poison=st.lists(st.integers(0, 5), max_size=2),
    hangs=st.booleans(),
)
scenarios = st.builds(
    Scenario,
    designs,
    st.tuples(st.builds(Burst, st.just("orders"), st.integers(1, 20), over=st.sampled_from((0, 20)))),
    st.fixed_dictionaries({"worker": behaviours}),
    plans,
    st.integers(0, 99),
    st.none() | st.just(100),
)


@given(scenarios)
def test_simulator_keeps_its_own_promises(scenario: Scenario) -> None:
    """Whatever the design, the faults and luck: nothing is lost, no limit is exceeded, and the books are in order."""
    history = simulate(scenario)
    assert invariants.check(history, OUR_OWN) == ()


@given(scenarios)
def test_verdicts_agree_with_the_summary(scenario: Scenario) -> None:
    """The messages that throttling dead-lettered are violations or excused, one each."""
    history = simulate(scenario)
    verdict = invariants.NO_DEAD_LETTERING_BY_THROTTLING.judge(history)
    blamed = sum(bool(fate.throttled) and not fate.processed for fate in history.dead_lettered)
    assert history.summary()["messages"]["dead_lettered_by_throttling"] == blamed
    assert len(verdict.violations) + len(verdict.excused) == blamed
