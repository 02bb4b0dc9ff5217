import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.errors import NotDeterministic
from chaosqs.invariants import CONCURRENCY_WITHIN_ITS_LIMITS, NO_DEAD_LETTERING_BY_THROTTLING, NO_RECURSIVE_LOOP
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from chaosqs.model.json import from_json, to_json
from chaosqs.model.time import milliseconds
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.search.coverage import COVERAGE_MARKS
from chaosqs.search.finding import Finding
from chaosqs.search.oracle import attributed
from chaosqs.search.profiles import CI, PROFILES, QUICK, profile_named
from chaosqs.search.search import search, search_designs
from chaosqs.strategies import designs
from tests.search.designs import MAPPING, ROOMY, SOUND, invariant, over_polling, promise

THROTTLING = NO_DEAD_LETTERING_BY_THROTTLING


def test_a_finding_says_all_that_a_report_needs() -> None:
    """A violation comes with its mapping, its cases, what they reached, and the scenario; and it travels as JSON."""
    finding = search(over_polling(), MAPPING, THROTTLING, profile=QUICK)
    assert finding.violated
    assert (finding.mapping, finding.invariant) == (MAPPING, THROTTLING.name)
    assert 1 <= finding.cases <= QUICK.max_examples
    assert finding.coverage["throttled"] >= 1
    assert [mark for mark in COVERAGE_MARKS if mark in finding.coverage] == list(finding.coverage)
    assert from_json(Finding, to_json(finding)) == finding
    assert '"history"' not in to_json(finding)


@pytest.mark.deep
def test_LX_20_an_allowed_loop_is_found_in_the_first_case() -> None:
    """Its run ends by itself, long before the deadline, so a search ends, too."""
    design = Design(
        [Queue("orders")], [Function("worker", recursive_loop="Allow")], [EventSourceMapping("orders", "worker", 1)]
    )
    behaviours = {"worker": Behaviour(handler="tests.simulation.consumers:sends_to_its_own_queue")}
    brief = attrs.evolve(QUICK, max_examples=1, shrink_simulations=1)
    finding = search(design, MAPPING, NO_RECURSIVE_LOOP, behaviours=behaviours, profile=brief)
    assert finding.violated
    assert finding.cases == 1
    assert finding.verdict.violations[0].messages == (16,)
    assert finding.history is not None
    assert finding.scenario is not None
    assert finding.history.ended_at_ms < milliseconds(finding.scenario.until or 0)


def test_a_seed_repeats_a_search() -> None:
    """The same seed gives the same finding, cases and all."""
    assert search(ROOMY, MAPPING, THROTTLING, profile=QUICK, seed=7, max_examples=30) == search(
        ROOMY, MAPPING, THROTTLING, profile=QUICK, seed=7, max_examples=30
    )


def test_max_examples_overrides_the_profile() -> None:
    """The user's budget counts."""
    assert search(SOUND, MAPPING, THROTTLING, profile=CI, max_examples=12).cases == 12


def test_what_holds_was_exercised() -> None:
    """`holds` means that it could have failed, and how often."""
    finding = search(SOUND, MAPPING, CONCURRENCY_WITHIN_ITS_LIMITS, profile=QUICK)
    assert finding.verdict.status is Status.HOLDS
    assert finding.verdict.exercised > QUICK.max_examples


def test_what_does_not_apply_says_why() -> None:
    """A design without dead-letter queue cannot dead-letter: the finding gives the invariant's own reason."""
    design = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])
    finding = search(design, MAPPING, THROTTLING, profile=QUICK, max_examples=10)
    assert finding.verdict.status is Status.NOT_APPLICABLE
    assert "redrive" in finding.verdict.reason


def test_a_mapping_that_is_switched_off_is_not_searched() -> None:
    """Nothing can happen on a disabled mapping."""
    design = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker", enabled=False)])
    finding = search(design, MAPPING, THROTTLING)
    assert (finding.cases, finding.verdict.reason) == (0, "orders→worker is switched off")


def test_an_unknown_mapping_is_refused_by_name() -> None:
    """A wrong name is a ValueError that says what there is."""
    with pytest.raises(ValueError, match="no mapping is called 'orders→clerk': the design has orders→worker"):
        search(SOUND, "orders→clerk", THROTTLING)


def test_given_behaviours_are_kept() -> None:
    """What the user says of a function stays in the counterexample."""
    slow = {"worker": Behaviour(seconds_per_batch=20)}
    finding = search(over_polling(), MAPPING, THROTTLING, behaviours=slow, profile=QUICK)
    assert finding.scenario is not None
    assert finding.scenario.behaviours == slow


def test_only_violations_of_the_mapping_count() -> None:
    """A violation about another queue's message is not this mapping's; one about no queue is everybody's."""
    about = {name: Violation("x", name, 0, name, (), ()) for name in ("orders", "returns", "")}
    verdict = Verdict("x", Status.VIOLATED, violations=tuple(about.values()))
    assert attributed(verdict, "orders").violations == (about["orders"], about[""])
    assert attributed(verdict, None) == verdict
    only_other = Verdict("x", Status.VIOLATED, violations=(about["returns"],))
    assert attributed(only_other, "orders").status is Status.HOLDS


def test_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    """A search speaks through its finding only."""
    search(over_polling(), MAPPING, THROTTLING, profile=QUICK)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=3)
@given(st.integers(0, 3))
def test_a_search_runs_inside_a_test_of_hypothesis(seed: int) -> None:
    """Hypothesis forbids nesting; a search does not mind."""
    assert search(over_polling(), MAPPING, THROTTLING, profile=QUICK, seed=seed).violated


def test_an_error_names_its_scenario() -> None:
    """What the judge raises comes out as it is; what the simulator raises carries the scenario."""

    def broken(history: History) -> Verdict:
        raise ZeroDivisionError(len(history.events))

    with pytest.raises(ZeroDivisionError):
        search(SOUND, MAPPING, invariant(broken), profile=QUICK)


def test_an_answer_that_changes_is_an_error() -> None:
    """One scenario judged in two ways is a bug, never a finding."""
    moods = iter([True])

    def moody(_: History) -> Verdict:
        broken = [Violation("moody", "Today.", 0, "", (), ())] if next(moods, False) else []
        return promise("moody", broken)

    with pytest.raises(NotDeterministic, match="judged in two ways"):
        search(SOUND, MAPPING, invariant(moody), profile=QUICK)


def test_a_search_over_designs_finds_and_names_the_mapping() -> None:
    """Some design dead-letters by throttling, and the finding says on which mapping."""
    finding = search_designs(designs(dead_letter_queues=True), THROTTLING, profile=CI)
    assert finding.scenario is not None
    assert finding.mapping in [mapping.name for mapping in finding.scenario.design.mappings]
    assert finding.verdict.violations[0].queue == finding.mapping.partition("→")[0]


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_profiles_have_names(profile: object) -> None:
    """Command line, configuration and tests name the same budgets."""
    assert profile in [profile_named(name) for name in ("quick", "ci", "deep")]


def test_an_unknown_profile_is_refused_by_name() -> None:
    """A wrong name is a ValueError that says what there is."""
    with pytest.raises(ValueError, match="no profile is called 'slow': there are quick, ci, deep"):
        profile_named("slow")
