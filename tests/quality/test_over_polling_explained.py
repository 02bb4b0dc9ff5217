"""The example that the README tells, from its template to its explanation; each claim is simulated anew."""

from collections.abc import Mapping
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.explain.explain import explain
from chaosqs.explain.trials import enlarged
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.design import Design, Redrive
from chaosqs.model.explanation import Change, Evidence, Explanation, LoadSensitivity, Setting, SettingPath
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from chaosqs.simulation.run import simulate

pytestmark = pytest.mark.deep  # the gallery has the same explanation, compared byte for byte
TEMPLATE = Path(__file__).parents[2] / "examples" / "over-polling" / "template.yaml"
DESIGN = read_template(TEMPLATE).design
MAPPING = DESIGN.mappings[0]
DRAWS = 50
BRIEF = attrs.evolve(QUICK, draws=DRAWS, trials=30)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    found = search(DESIGN, MAPPING.name, NO_DEAD_LETTERING_BY_THROTTLING, profile=QUICK).scenario
    assert found is not None
    return found


@pytest.fixture(scope="module")
def explanation(scenario: Scenario) -> Explanation:
    return explain(simulate(scenario), MAPPING, NO_DEAD_LETTERING_BY_THROTTLING, profile=BRIEF)


@pytest.fixture(scope="module")
def settings(explanation: Explanation) -> Mapping[str, Setting]:
    return {setting.path.attribute: setting for setting in explanation.settings}


def violated(scenario: Scenario, design: Design) -> bool:
    """Tell whether any seed violates the promise with another design."""
    variants = (attrs.evolve(scenario, design=design, seed=seed, until=None) for seed in range(DRAWS))
    return any(NO_DEAD_LETTERING_BY_THROTTLING.judge(simulate(world)).status is Status.VIOLATED for world in variants)


def sides(setting: Setting) -> list[tuple[str, object]]:
    """Return the thresholds of a setting by side and value."""
    return [(threshold.side, threshold.value) for threshold in setting.thresholds]


def with_executions(count: int) -> Design:
    """Return the example with another reserved concurrency."""
    return attrs.evolve(DESIGN, functions=(attrs.evolve(DESIGN.functions[0], reserved_concurrency=count),))


def with_receives(count: int) -> Design:
    """Return the example with another max_receive_count."""
    queue, *others = DESIGN.queues
    return attrs.evolve(DESIGN, queues=(attrs.evolve(queue, redrive=Redrive("orders-dlq", count)), *others))


def test_the_settings_that_matter_are_those_that_are_known(settings: Mapping[str, Setting]) -> None:
    """What the pollers bring, what may run, and how often a message may come back."""
    for name in ("visibility_timeout", "max_receive_count", "reserved_concurrency", "maximum_concurrency"):
        assert settings[name].matters


def test_the_threshold_of_reserved_concurrency_is_right(settings: Mapping[str, Setting], scenario: Scenario) -> None:
    """It holds for a load of twenty times as many messages; three executions are enough for this one alone."""
    ((side, edge),) = sides(settings["reserved_concurrency"])
    assert side == "at_least"
    assert isinstance(edge, int)
    larger = enlarged(scenario, 20)
    assert not violated(larger, with_executions(edge))
    assert violated(larger, with_executions(edge - 1))
    assert not violated(scenario, with_executions(3))
    assert violated(scenario, with_executions(2))


def test_more_receives_make_it_rarer(settings: Mapping[str, Setting], scenario: Scenario) -> None:
    """No number excludes it under larger loads; six are enough for this one."""
    assert settings["max_receive_count"].rarer is not None
    assert not violated(scenario, with_receives(6))
    assert violated(enlarged(scenario, 20), with_receives(6))


def test_batch_size_is_named_as_what_matters_under_load(settings: Mapping[str, Setting], scenario: Scenario) -> None:
    """Messages that come one by one make small batches, so no batch size prevents it; of a hundred at once, 1 does."""
    batch_size = settings["batch_size"]
    assert not batch_size.matters
    assert batch_size.load == LoadSensitivity(100, Evidence(51, 60, "load"), 1, Evidence(1, 60, "load"))
    for size in range(1, 11):
        design = attrs.evolve(DESIGN, mappings=(attrs.evolve(MAPPING, batch_size=size),))
        assert violated(scenario, design)
    with pytest.raises(InvalidDesign, match="EC-3"):
        attrs.evolve(DESIGN, mappings=(attrs.evolve(MAPPING, batch_size=11),))


def test_maximum_concurrency_is_the_first_fix(explanation: Explanation) -> None:
    """As AWS advises: as many invocations as may run, so that the pollers read no further (MC-4)."""
    first = explanation.fixes[0]
    assert first.changes == (Change(SettingPath("mapping", MAPPING.name, "maximum_concurrency"), None, 2),)
    assert first.evidence.violations == 0
    assert (first.rules, first.breaks) == (("MC-1", "MC-3"), ())


def test_the_first_fix_prevents_it(explanation: Explanation, scenario: Scenario) -> None:
    """With it, no seed violates the promise, and without it some do."""
    limit = explanation.fixes[0].changes[0].after
    assert isinstance(limit, int)
    fixed = attrs.evolve(DESIGN, mappings=(attrs.evolve(MAPPING, maximum_concurrency=limit),))
    assert not violated(scenario, fixed)
    assert violated(scenario, DESIGN)
