"""A value must hold before the draws that violate, before further ones, and not by switching anything off."""

import attrs
import pytest

from chaosqs.explain.sampling import SeedSample, sample_of
from chaosqs.explain.settings import DesignSetting, design_settings
from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED, NO_DEAD_LETTERING_BY_THROTTLING, downstream_concurrency
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import Oracle
from chaosqs.search.simplicity import ending
from tests.search.designs import ROOMY, over_polling

DRAWS = 100
POISON = Scenario(ROOMY, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))})
SLOW = Scenario(over_polling(), [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29)})


def setting_of(design: Design, name: str) -> DesignSetting:
    """Return a setting by its name."""
    return next(setting for setting in design_settings(design, design.mappings[0]) if setting.name == name)


@pytest.fixture(scope="module")
def poison() -> SeedSample:
    return sample_of(POISON, Oracle(NO_BYSTANDER_DEAD_LETTERED, "orders"), DRAWS)[0]


def test_draws_that_violate_come_first(poison: SeedSample) -> None:
    """So what does not help is seen from the first few, and what seems to help meets many more."""
    assert all(poison.oracle.violated(variant) for variant in poison.scenarios[:4])
    assert len(poison.scenarios) + len(poison.others) >= 60
    assert not set(poison.scenarios) & set(poison.others)


def test_what_is_switched_off_is_not_cured(poison: SeedSample) -> None:
    """Without any execution nothing is dead-lettered wrongly, and nothing is processed either."""
    assert poison.holds(setting_of(ROOMY, "reserved_concurrency"), 0) is None
    assert poison.holds(setting_of(ROOMY, "other_traffic"), 1000) is None
    assert poison.holds(setting_of(ROOMY, "batch_size"), 1)


def test_what_aws_refuses_is_no_answer(poison: SeedSample) -> None:
    """A visibility timeout below the function's timeout is not even tried (EC-11)."""
    assert poison.holds(setting_of(ROOMY, "visibility_timeout"), 1) is None


def test_a_few_draws_may_deceive() -> None:
    """With 10 % of violations, a change that only redraws seed passes some draws; more of them find that out."""
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    sample, rate = sample_of(SLOW, oracle, 200)
    assert 0 < rate.violations < 40
    pollers = setting_of(SLOW.design, "provisioned_pollers")
    lucky = sample.by_chance
    assert lucky is not None
    assert lucky.seems(pollers, 2)
    assert not lucky.surely(pollers, 2)


def test_the_counterexample_itself_comes_first(poison: SeedSample) -> None:
    """Whoever replays it with a value that holds finds it fixed."""
    assert poison.scenarios[0] == ending(POISON)
    assert poison.by_chance is not None
    assert all(variant.seed for variant in (*poison.by_chance.scenarios, *poison.others))
    calm = SeedSample(poison.oracle, (POISON,))
    assert calm.by_chance is None


def test_a_load_that_only_comes_later_proves_nothing() -> None:
    """A delay of ten minutes meets fewer pollers, and so does the same load ten minutes later."""
    design = attrs.evolve(ROOMY, mappings=(attrs.evolve(ROOMY.mappings[0], batch_size=1),))
    sample, _ = sample_of(Scenario(design, [Burst("orders", 6)]), Oracle(downstream_concurrency(5), "orders"), DRAWS)
    delay = setting_of(design, "delay")
    assert sample.holds(delay, 600)
    assert not sample.surely(delay, 600)
