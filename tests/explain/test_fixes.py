import attrs
import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.explain.explain import explain
from chaosqs.explain.fixes import cost, doublings, fixes
from chaosqs.explain.settings import Candidate, both, candidate_values, design_settings, redesigned
from chaosqs.explain.trials import Trials
from chaosqs.invariants import (
    CONSERVATION,
    DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
    NO_DEAD_LETTERING_BY_THROTTLING,
    oldest_message,
)
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.design_changes import design_after
from chaosqs.model.events import InvocationEnded
from chaosqs.model.explanation import Change, Evidence, Explanation, Price, SettingPath
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import Burst
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import QUICK
from chaosqs.simulation.run import simulate
from tests.search.designs import MAPPING, ROOMY, SOUND, STARVED, invariant, over_polling, promise

TRIALS, DRAWN = 10, 40
VISIBILITY_TIMEOUT = SettingPath("queue", "orders", "visibility_timeout")


def small_and_patient(history: History) -> Verdict:
    """Promise what only two settings together can keep: one for even loads, the other for odd ones."""
    design, even = history.scenario.design, len(history.sent) % 2 == 0
    good = design.mappings[0].batch_size == 1 if even else design.queues[0].visibility_timeout >= 180
    broken = [] if good else [Violation("small-and-patient", "Broken.", 0, "orders", (0,), ())]
    return promise("small-and-patient", broken)


def never_timed_out(history: History) -> Verdict:
    """Promise that no invocation times out."""
    ends = [event for _, event in history.each(InvocationEnded) if event.outcome == "timed_out"]
    return promise(
        "never-timed-out", [Violation("never-timed-out", "Late.", e.at, "orders", e.messages, ()) for e in ends]
    )


def trials_of(scenario: Scenario, oracle: Oracle, seeds: int) -> Trials:
    """Return the trials of a counterexample."""
    return Trials(oracle, scenario, ScenarioGrid(scenario.design, "orders"), seeds, 2 * seeds)


def test_two_settings_together_may_do_what_none_does_alone() -> None:
    """Where no single change survives, pairs of those that help a little are tried, in a bounded number of runs."""
    oracle = Oracle(invariant(small_and_patient), "orders")
    trials = trials_of(Scenario(SOUND, [Burst("orders", 2)]), oracle, DRAWN)
    found = fixes(SOUND.mappings[0], trials, None)
    assert found[0].changes == (
        Change(SettingPath("mapping", MAPPING, "batch_size"), 10, 1),
        Change(VISIBILITY_TIMEOUT, 30, 180),
    )
    assert found[0].evidence == Evidence(0, DRAWN, "larger_loads")
    assert found[0].cases == 2 * DRAWN
    assert oracle.simulations < 30 * DRAWN


def test_a_single_change_that_survives_leaves_no_room_for_pairs() -> None:
    """Nobody is asked to change two settings where one is enough."""
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    found = fixes(STARVED.design.mappings[0], trials_of(STARVED, oracle, TRIALS), None)
    assert found
    assert all(len(fix.changes) == 1 for fix in found)


def test_the_changes_of_a_fix_make_the_design_that_was_tried() -> None:
    """What a fix says setting by setting is what was tried, from the values that there were."""
    provisioned = EventSourceMapping("orders", "worker", provisioned_pollers=(2, 5))
    limited = EventSourceMapping("other", "worker", maximum_concurrency=7)
    several = attrs.evolve(ROOMY, queues=(*ROOMY.queues, Queue("other")), mappings=(provisioned, limited))
    for design in (over_polling(), several):
        for candidates in candidate_values(design, design.mappings[0]):
            for candidate in candidates:
                made = redesigned(design, candidate)
                if made is not None:
                    assert after(design, candidate) == made


def after(design: Design, candidate: Candidate) -> Design:
    """Make the changes of a candidate one by one, each from the value that there is."""
    standing = {
        setting.setting: setting.read(design)
        for mapping in design.mappings
        for setting in design_settings(design, mapping)
    }
    for change in candidate.changes:
        assert change.before == standing[change.setting]
        design = design_after(design, change.setting.name, change.setting.attribute, change.after)
    return design


def test_pairs_are_taken_in_the_order_that_aws_accepts() -> None:
    """A longer timeout needs a longer visibility timeout first (EC-11), whichever of the two is named first."""
    design = over_polling()
    known = [candidates for candidates in candidate_values(design, design.mappings[0]) if candidates]
    by_setting = {candidates[0].changes[0].setting.attribute: candidates for candidates in known}
    timeout, visibility = by_setting["timeout"][:1], by_setting["visibility_timeout"][:1]
    with pytest.raises(InvalidDesign):
        timeout[0].write(design)
    for first, second in ((timeout, visibility), (visibility, timeout)):
        (pair,) = both(first, second)
        made = redesigned(design, pair)
        assert made is not None
        assert (made.functions[0].timeout, made.queues[0].visibility_timeout) == (60, 60)
        assert pair.size == timeout[0].size + visibility[0].size


LATE = Design(
    queues=[Queue("orders", visibility_timeout=12, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    functions=[Function("worker", timeout=5, reserved_concurrency=1)],
    mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
)


def test_a_fix_that_violates_another_invariant_says_so_and_comes_last() -> None:
    """A longer timeout that lets slow batches succeed lets them succeed too late, as well."""
    scenario = Scenario(LATE, [Burst("orders", 2)], {"worker": Behaviour(seconds_per_batch=7)})
    oracle = Oracle(invariant(never_timed_out), "orders")
    trials = trials_of(scenario, oracle, TRIALS)
    longer = attrs.evolve(LATE, functions=(attrs.evolve(LATE.functions[0], timeout=10),))
    assert trials.rejected(LATE)
    assert "no-second-processing" in trials.others_broken(longer)
    wide = attrs.evolve(
        longer,
        queues=(attrs.evolve(LATE.queues[0], visibility_timeout=120), LATE.queues[1]),
        functions=(Function("worker", timeout=10),),
    )
    assert trials.others_broken(wide) == ()


def test_an_invariant_that_was_violated_before_is_not_violated_by_the_fix() -> None:
    """Only what held in all trials before is held against a change."""
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    slow = attrs.evolve(STARVED, behaviours={"worker": Behaviour(seconds_per_batch=29)})
    assert trials_of(slow, oracle, 1).others_broken(SOUND) == ()


def test_what_a_change_costs_is_counted_in_doublings() -> None:
    """Twice as long, twice as many at once: one each; what becomes cheaper is no price."""
    assert doublings(Price(1.0, -0.5, 3.0)) == 3
    assert doublings(Price(None, 0.0, None)) == 0


def test_cost_compares_two_runs_of_a_load() -> None:
    """Half the room for slow batches: they take longer to drain and to be done, and fewer run at once."""
    load, slow = [Burst("orders", 40)], {"worker": Behaviour(seconds_per_batch=4)}
    narrow = attrs.evolve(
        ROOMY, mappings=(EventSourceMapping("orders", "worker", maximum_concurrency=2, batch_size=1),)
    )
    wide = attrs.evolve(ROOMY, mappings=(EventSourceMapping("orders", "worker", batch_size=1),))
    found = cost(simulate(Scenario(wide, load, slow)), simulate(Scenario(narrow, load, slow)), "worker")
    assert found.drain is not None
    assert found.latency is not None
    assert found.concurrency is not None
    assert found.drain > 0.5
    assert found.latency > 0.5
    assert found.concurrency < 0
    assert cost(simulate(Scenario(wide, load, slow)), simulate(Scenario(wide, load, slow)), "worker") == Price(0, 0, 0)


def test_a_bug_of_ours_is_not_explained_by_the_design() -> None:
    """A violation of conservation has no settings to blame and no fixes: it says whose bug it is."""
    found = explain(simulate(STARVED), STARVED.design.mappings[0], CONSERVATION, profile=QUICK)
    assert found == Explanation(own_bug=True)


def test_a_dead_letter_queue_that_forgets_is_given_more_time() -> None:
    """Enough for a day and the retries. To receive a message more often lets it expire where nobody looks."""
    design = Design(
        queues=[
            Queue("orders", retention_period=3600, redrive=Redrive("orders-dlq", 5)),
            Queue("orders-dlq", retention_period=3600),
        ],
        functions=[Function("worker", timeout=5)],
        mappings=[EventSourceMapping("orders", "worker")],
    )
    scenario = Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))})
    explained = explain(
        simulate(scenario),
        design.mappings[0],
        DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
        profile=attrs.evolve(QUICK, trials=TRIALS, draws=10),
    )
    kept = SettingPath("queue", "orders-dlq", "retention_period")
    assert [fix.changes for fix in explained.fixes] == [(Change(kept, 3600, 345_600),)]
    found = [(setting.path, setting.edges) for setting in explained.settings if setting.matters]
    ((path, (edge,)),) = found
    assert path == kept
    assert edge is not None
    assert 86_400 < edge < 120_000


def test_a_shorter_visibility_timeout_is_tried_too() -> None:
    """Where waiting is the trouble, less of it helps; what some fault always breaks is told with what is left."""
    design = Design(
        queues=[Queue("orders", visibility_timeout=360, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        functions=[Function("worker", timeout=60)],
        mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
    )
    scenario = Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(error_rate=1)})
    found = fixes(design.mappings[0], trials_of(scenario, Oracle(oldest_message(300), "orders"), TRIALS), None)
    assert Change(VISIBILITY_TIMEOUT, 360, 60) in [change for fix in found for change in fix.changes]


def test_seconds_are_changed_to_round_values() -> None:
    """A threshold of 11 seconds is exact; nobody would set a visibility timeout so near to it."""
    tried = values(over_polling(), VISIBILITY_TIMEOUT, 38)
    assert 45 in tried
    assert 38 not in tried


def values(design: Design, path: SettingPath, edge: int) -> list[object]:
    """Return which values of a setting are tried, one of which is known to help."""
    changes = [
        candidate.changes[0]
        for each in candidate_values(design, design.mappings[0], {path: (edge,)})
        for candidate in each
    ]
    return [change.after for change in changes if change.setting == path]


def test_a_limit_where_there_was_none_is_a_candidate() -> None:
    """What a threshold names is tried as it is where it counts executions."""
    tried = values(ROOMY, SettingPath("function", "worker", "reserved_concurrency"), 4)
    assert tried.index(4) < tried.index(5)
