"""What the smallest story is too small to show of the batch size, a crowd shows."""

import attrs

from chaosqs.explain.explain import load_sensitivity
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import Oracle
from tests.search.designs import SOUND, over_polling


def told(design: Design, given: Behaviour | None = None) -> tuple[str, int]:
    """Return what is said of a design, and after how many simulations."""
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    behaviours = {} if given is None else {"worker": given}
    text = load_sensitivity(Scenario(design, [Burst("orders", 1)]), design.mappings[0], oracle, behaviours)
    return text, oracle.simulations


def test_batches_of_slow_messages_are_what_throttles_a_crowd() -> None:
    """A batch of ten keeps its execution ten times as long as one message: the shares are those of 60 draws each."""
    text, simulations = told(over_polling())
    assert text == "holds in 0 % of draws with 100 messages at once, in 78 % with 1"
    assert simulations == 120


def test_nothing_is_told_where_the_batch_size_makes_no_difference() -> None:
    """Where the design holds, where batches have one message already, and where each batch takes as long."""
    single = attrs.evolve(over_polling().mappings[0], batch_size=1)
    assert told(SOUND) == ("", 5)
    assert told(attrs.evolve(over_polling(), mappings=(single,))) == ("", 0)
    assert told(over_polling(), Behaviour(seconds_per_batch=29))[0] == ""
