"""With what a search opens: the same worlds for every seed, no more than its share, each calm but for one fault."""

import attrs
import pytest

from chaosqs.invariants import CONSERVATION, DEFAULT, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import KINDS, kind_of
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import arrivals
from chaosqs.search.corpus import ScenarioGrid, seed_corpus
from chaosqs.search.profiles import CI, DEEP, QUICK, Profile
from chaosqs.search.search import searched
from chaosqs.search.simplicity import FAILING, HEALTHY, ON_THE_EDGE, strain
from chaosqs.strategies.scenarios import ends
from tests.search.designs import MAPPING, ROOMY, SOUND, invariant, never_dead_lettered, processed_once

FIFO = Design([Queue("orders.fifo")], [Function("worker")], [EventSourceMapping("orders.fifo", "worker")])


def variants(design: Design = ROOMY, cases: int = CI.max_examples) -> list[Scenario]:
    return list(seed_corpus(ScenarioGrid(design, design.mappings[0].queue), cases))


def kinds(variant: Scenario) -> list[str]:
    plan = variant.faults
    return [*plan.sends, *(kind for receives in plan.messages for kind in receives), *(w.kind for w in plan.windows)]


@pytest.mark.parametrize("cases", [1, 2, 3, 12, QUICK.max_examples, CI.max_examples, DEEP.max_examples])
def test_a_third_of_the_cases_is_drawn_at_least(cases: int) -> None:
    """However few there are, one is drawn; and however many, the opening stays below 300."""
    assert len(variants(cases=cases)) <= min(cases * 2 / 3, 300)


def test_no_world_comes_twice() -> None:
    """Each case of the opening asks something new."""
    found = variants()
    assert len(found) == len(set(found))


def test_a_shorter_seed_corpus_is_the_beginning_of_a_longer_one() -> None:
    """What a short search finds in its opening, a longer one finds after as many cases."""
    short = variants(cases=QUICK.max_examples)
    assert variants()[: len(short)] == short


def test_every_strain_and_every_kind_of_fault_comes() -> None:
    """Functions that are healthy, on the edge and failing; every fault that can strike or last without real code."""
    found = variants(cases=DEEP.max_examples)
    strains = {strain(ROOMY, *item) for variant in found for item in variant.behaviours.items()}
    assert strains == {HEALTHY, ON_THE_EDGE, FAILING}
    of_models = {kind.name for kind in KINDS if kind.injection_point not in {"point", "call"}}
    assert {kind for variant in found for kind in kinds(variant)} == of_models


def test_worlds_are_calm_but_for_one_kind_of_fault() -> None:
    """No chance, no pause, nobody's guesses, one redrive by an operator: a reader of the story sees what was odd."""
    found = variants(cases=DEEP.max_examples)
    assert [action.kind for variant in found for action in variant.faults.actions] == ["redrive"]
    for variant in found:
        assert (variant.seed, variant.faults.pauses, variant.faults.banned) == (0, (), ())
        assert len(set(kinds(variant))) + len(variant.faults.actions) <= 1
        assert len(arrivals(variant.workload)) <= 40


def test_faults_that_fifo_queues_cannot_have_are_left_out() -> None:
    """As a search draws none of them either."""
    found = [kind_of(kind) for variant in variants(FIFO) for kind in kinds(variant)]
    assert not any(kind.standard_only for kind in found if kind is not None)


def test_a_batch_may_be_too_heavy_for_one_payload() -> None:
    """Where the batch size allows it, the largest messages come together; each of 1 MB, 6 MB fit (EP-8)."""
    heavy = [variant for variant in variants() if variant.workload[0].body_bytes > 100]
    assert [len(arrivals(variant.workload)) for variant in heavy] == [7]
    single = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker", batch_size=5)])
    assert all(variant.workload[0].body_bytes == 100 for variant in variants(single))


def first(sought: Invariant, profile: Profile, seed: int) -> tuple[int, Scenario | None]:
    """Return the case in which a search finds something, and what that is."""
    found = searched(ROOMY, MAPPING, (sought,), profile=profile, seed=seed)
    assert found.search_run is not None
    (trial,) = found.search_run.searches
    return trial.tally.cases, trial.tally.violating


@pytest.mark.parametrize("sought", [invariant(never_dead_lettered), invariant(processed_once)], ids=["calm", "a fault"])
def test_what_the_seed_corpus_shows_is_found_by_every_seed_and_profile(sought: Invariant) -> None:
    """In the same case, the same world: the quick profile tries each calm world and each kind of fault."""
    found = {first(sought, profile, seed) for profile in (QUICK, CI) for seed in range(3)}
    assert len(found) == 1
    assert found.pop()[1] in variants(cases=QUICK.max_examples)


def test_what_the_seed_corpus_found_is_shrunk_without_a_draw() -> None:
    """The explanation of a search that ended in its opening costs no more cases."""
    found = searched(ROOMY, MAPPING, (invariant(processed_once),), profile=QUICK)
    assert found.search_run is not None
    cases = found.search_run.cases
    (trial,) = found.search_run.searches
    assert found.search_run.smallest(trial) is trial.tally.violating
    assert found.search_run.cases == cases


def test_seed_corpus_and_draws_together_are_the_budget() -> None:
    """The cases of the opening count, for each invariant, with how often they put it to the test."""
    found = searched(SOUND, MAPPING, DEFAULT, profile=QUICK)
    assert found.search_run is not None
    held = [trial.tally for trial in found.search_run.searches if trial.open]
    assert {tally.cases for tally in held} == {QUICK.max_examples} == {found.search_run.cases}
    assert sum(tally.verdict("").status is Status.HOLDS for tally in held) >= 10, (
        "the others are about FIFO queues and real code"
    )


def test_invariants_do_not_change_what_others_find() -> None:
    """One that is violated in the opening leaves the draws of the others as they were."""
    sought = invariant(never_dead_lettered)
    alone = searched(ROOMY, MAPPING, (CONSERVATION,), max_examples=40, seed=5)
    together = searched(ROOMY, MAPPING, (sought, CONSERVATION), max_examples=40, seed=5)
    assert together.finding(CONSERVATION) == alone.finding(CONSERVATION)
    assert alone.finding(CONSERVATION).cases == 40


def test_given_behaviours_are_those_of_all_worlds() -> None:
    """And one that says nothing is left out, as it is where behaviours are drawn: one world, one spelling."""
    slow, usual = {"worker": Behaviour(seconds_per_batch=2)}, {"worker": Behaviour()}
    assert all(variant.behaviours == slow for variant in seed_corpus(ScenarioGrid(ROOMY, "orders", slow), 400))
    assert all(variant.behaviours == {} for variant in seed_corpus(ScenarioGrid(ROOMY, "orders", usual), 400))


def test_assumptions_are_varied_if_asked_for() -> None:
    """Each assumption at each end of its range, alone; otherwise all are as they were measured."""
    guessed = seed_corpus(ScenarioGrid(ROOMY, "orders"), QUICK.max_examples, vary_assumptions=True)
    tried = {variant.assumptions for variant in guessed} - {Assumptions()}
    assert tried == {attrs.evolve(Assumptions(), **{name: end}) for name, end in ends()}
    assert {variant.assumptions for variant in variants()} == {Assumptions()}
