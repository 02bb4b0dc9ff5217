import attrs
import pytest

from chaosqs.invariants import CONCURRENCY_WITHIN_ITS_LIMITS, NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import from_json, to_json
from chaosqs.model.verdict import Status
from chaosqs.project.exploration import Exploration, counterexample, explore
from chaosqs.project.replay import Outcome, replay
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from tests.search.designs import MAPPING, SOUND, over_polling

TWO = (NO_DEAD_LETTERING_BY_THROTTLING, CONCURRENCY_WITHIN_ITS_LIMITS)
BRIEF = attrs.evolve(QUICK, draws=10, trials=10)


@pytest.fixture(scope="module")
def exploration() -> Exploration:
    return explore(over_polling(), name="orders.yaml", invariants=TWO, profile=BRIEF)


def test_each_mapping_and_invariant_has_a_finding(exploration: Exploration) -> None:
    """An exploration goes through all pairs, and through the findings in their order."""
    assert [(found.mapping, found.invariant) for found in exploration] == [(MAPPING, known.name) for known in TWO]
    assert [found.verdict.status for found in exploration] == [Status.VIOLATED, Status.HOLDS]


def test_a_counterexample_is_whole(exploration: Exploration) -> None:
    """It names design, mapping, versions and digest, carries its explanation, and travels as JSON."""
    (found,) = exploration.counterexamples
    assert found == exploration.findings[0].counterexample
    assert (found.design, found.mapping, found.invariant) == ("orders.yaml", MAPPING, TWO[0].name)
    assert list(found.versions) == ["chaosqs", "hypothesis", "python"]
    assert found.explanation.settings
    history = exploration.findings[0].history
    assert history is not None
    assert (history.scenario, history.digest) == (found.scenario, found.digest)
    assert from_json(Counterexample, to_json(found)) == found


def test_a_counterexample_replays(exploration: Exploration) -> None:
    """The same version fails in the same way; another history is CHANGED; a repaired design is FIXED."""
    (found,) = exploration.counterexamples
    assert replay(found).outcome is Outcome.STILL_FAILS
    assert replay(attrs.evolve(found, digest="of another version")).outcome is Outcome.CHANGED
    repaired = attrs.evolve(found, scenario=attrs.evolve(found.scenario, design=SOUND))
    assert replay(repaired).outcome is Outcome.FIXED
    assert replay(repaired).history.scenario == repaired.scenario


def test_there_is_no_counterexample_of_what_holds() -> None:
    """To ask for one is a ValueError."""
    finding = search(SOUND, MAPPING, TWO[0], profile=QUICK, max_examples=5)
    with pytest.raises(ValueError, match="is not violated on orders→worker: holds"):
        counterexample("design", finding, TWO[0])


def test_a_sound_design_has_no_counterexamples() -> None:
    """An exploration without violations has findings all the same."""
    exploration = explore(SOUND, invariants=TWO, profile=QUICK)
    assert exploration.counterexamples == ()
    assert len(list(exploration)) == 2


def test_an_unknown_profile_is_refused() -> None:
    """A wrong name is a ValueError that says what there is."""
    with pytest.raises(ValueError, match="no profile is called 'thorough'"):
        explore(SOUND, profile="thorough")  # type: ignore[arg-type]
