"""The simulator keeps what its own promises say, whatever is thrown at it: no invariant cries wolf."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from chaosqs.strategies import designs as drawn_designs
from chaosqs.strategies import fault_plans
from chaosqs.strategies import scenarios as drawn_scenarios

OUR_OWN = (invariants.AT_LEAST_ONCE_DELIVERY, *invariants.OURS)
"""Promises that no design, workload or modelled function can break."""

OF_DESIGNS = (
    invariants.NO_BYSTANDER_DEAD_LETTERED,
    invariants.DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
    invariants.REPORTED_FAILURES_KEPT,
    invariants.NO_CONCURRENT_PROCESSING,
    invariants.NO_SECOND_PROCESSING,
    invariants.FIFO_ORDER,
    invariants.ONE_GROUP_AT_A_TIME,
)
"""Promises that a sound design keeps, whatever AWS may legally do."""

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
behaviours = st.builds(
    Behaviour,
    seconds_per_message=st.sampled_from((0, 0.5, 2)),
    spread=st.sampled_from((0, 0.5)),
    error_rate=st.sampled_from((0, 0.3, 1)),
    poison=st.lists(st.integers(0, 5), max_size=2),
    hangs=st.booleans(),
)


def of_design(design: Design) -> st.SearchStrategy[Scenario]:
    return st.builds(
        Scenario,
        st.just(design),
        st.tuples(st.builds(Burst, st.just("orders"), st.integers(1, 20), over=st.sampled_from((0, 20)))),
        st.fixed_dictionaries({"worker": behaviours}),
        fault_plans(design, 5),
        st.integers(0, 99),
        st.none() | st.just(100),
    )


scenarios = designs.flatmap(of_design)


def sound(design: Design) -> Design:
    """Make a design keep what AWS's guides say: visibility, retention, and answers message by message."""
    fifo = design.queues[0].fifo
    mappings = tuple(
        attrs.evolve(mapping, batch_size=1 if fifo else mapping.batch_size, report_batch_item_failures=not fifo)
        for mapping in design.mappings
    )
    return attrs.evolve(design, queues=tuple(patient(design, queue) for queue in design.queues), mappings=mappings)


def patient(design: Design, queue: Queue) -> Queue:
    """Hide messages for six times the function timeout, and keep dead letters for longer than others."""
    polling = [mapping for mapping in design.mappings if mapping.queue == queue.name]
    if not polling:
        return attrs.evolve(queue, retention_period=1_209_600)
    timeout = max(design.function(mapping.function).timeout for mapping in polling)
    window = max(mapping.maximum_batching_window for mapping in polling)
    return attrs.evolve(queue, visibility_timeout=6 * timeout + window + 20, retention_period=345_600)


def quiet(scenario: Scenario) -> Scenario:
    """Have functions raise where they would crash or hang: a sound consumer catches what it can."""
    calm = {name: attrs.evolve(known, hangs=False, crashes=False) for name, known in scenario.behaviours.items()}
    return attrs.evolve(scenario, behaviours=calm)


sound_scenarios = (
    st.booleans()
    .flatmap(lambda fifo: drawn_designs(fifo=fifo, maximum_concurrency_fits=True))
    .map(sound)
    .flatmap(drawn_scenarios)
    .map(quiet)
)


@given(scenarios)
def test_simulator_keeps_its_own_invariants(scenario: Scenario) -> None:
    """Whatever the design, the faults and seed: nothing is lost, no limit is exceeded, and the books are in order.

    The messages that throttling dead-lettered are violations or excused, one each, as the summary counts them.
    """
    history = simulate(scenario)
    assert invariants.check(history, OUR_OWN) == ()
    verdict = invariants.NO_DEAD_LETTERING_BY_THROTTLING.judge(history)
    blamed = sum(bool(fate.throttled) and not fate.processed for fate in history.dead_lettered)
    assert history.summary()["messages"]["dead_lettered_by_throttling"] == blamed
    assert len(verdict.violations) + len(verdict.excused) == blamed


@settings(max_examples=50)  # `tests/quality/test_sound_designs.py` draws 80 other designs
@given(sound_scenarios)
def test_sound_designs_keep_every_invariant(scenario: Scenario) -> None:
    """Enough visibility, room for all pollers, partial answers: then faults are all that can break a promise."""
    assert invariants.check(simulate(scenario), (*OUR_OWN, *OF_DESIGNS)) == ()
