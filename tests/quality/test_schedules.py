"""Does the search find bugs that hang on who goes first, and does it tell them as one pause?

Share of the cases that violate, of 200 seeds and of 1,000 cases each otherwise; and the cases up to the first violation
under the portfolio of policies, median and largest of 20 seeds:

| handler            | seed alone | pauses drawn | policies | first under policies |
|--------------------|------------|--------------|----------|----------------------|
| `check_then_act`   | 0 %        | 3.8 %        | 14.5 %   | 6, 20                |
| `ring_of_two`      | 0 %        | 13.2 %       | 41.8 %   | 2, 7                 |
| `ring_of_four`     | 0 %        | 2.1 %        | 16.6 %   | 4, 11                |
| `first_configures` | 0 %        | 1.5 %        | 4.5 %    | 15, 90               |
"""

from __future__ import annotations

from itertools import product

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.drawing import Stop, hunt
from chaosqs.search.schedules import lifted, minimal, policies, scheduled
from chaosqs.simulation.run import simulate
from chaosqs.strategies.faults import pauses

SEEDS = range(5)
DESIGN = Design(
    queues=[Queue("orders", visibility_timeout=30)],
    functions=[Function("worker", timeout=5)],
    mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
)


@attrs.frozen
class Race:
    """A handler with a schedule bug, and what is expected of the search for it."""

    handler: str
    count: int
    over: float
    """The messages, and the seconds over which they arrive."""
    task: str
    """Whom the smallest pause holds, and at which step."""
    step: int
    shortest: range
    """For how many steps of others."""
    cases: int
    """Cases in which the portfolio of policies finds it, whatever the seed."""

    @property
    def scenario(self) -> Scenario:
        real = Behaviour(handler=f"tests.quality.racers:{self.handler}")
        return Scenario(DESIGN, [Burst("orders", self.count, over=self.over)], {"worker": real}, until=60)


RACES = [
    Race("check_then_act", count=2, over=2, task="orders→worker/1", step=2, shortest=range(1, 4), cases=30),
    Race("ring_of_two", count=12, over=2.4, task="worker#3", step=2, shortest=range(8, 13), cases=30),
    Race("ring_of_four", count=12, over=2.4, task="worker#1", step=2, shortest=range(26, 35), cases=30),
    Race("first_configures", count=2, over=0, task="worker#1", step=2, shortest=range(1, 2), cases=150),
]
races = pytest.mark.parametrize("race", RACES, ids=lambda race: race.handler)


def fails(history: History) -> bool:
    return any(isinstance(event, InvocationEnded) and event.outcome == "raised" for event in history.events)


def first_case(race: Race, seed: int) -> int | None:
    """Return the place of the first policy under which a race is lost, or None."""
    drawn = enumerate(policies(seed, race.cases))
    return next((case for case, policy in drawn if fails(scheduled(race.scenario, policy))), None)


@races
def test_the_seed_alone_does_not_find_it(race: Race) -> None:
    """Latencies that vary do not hold one task back long enough, nor turn the one tie round."""
    assert not any(fails(simulate(attrs.evolve(race.scenario, seed=seed))) for seed in range(20))


def searches(*cheap: str) -> list[object]:
    """Return each race with each seed; all but two seeds of the cheap ones, and one of the others, are deep.

    Rings are deep, as they take longest.
    """
    deep = pytest.mark.deep
    ordinary = {race.handler: 2 if race.handler in cheap else 1 for race in RACES} | {
        "ring_of_two": 0,
        "ring_of_four": 0,
    }
    return [
        pytest.param(race, seed, marks=deep if seed >= ordinary[race.handler] else (), id=f"{race.handler}-{seed}")
        for race, seed in product(RACES, SEEDS)
    ]


@pytest.mark.parametrize(("race", "seed"), searches("check_then_act", "first_configures"))
def test_policies_find_it_and_it_shrinks_to_one_pause(race: Race, seed: int) -> None:
    """Whatever the seed: within the cases stated, lifted exactly, and always the same pause in the end."""
    case = first_case(race, seed)
    assert case is not None
    found = lifted(race.scenario, policies(seed, race.cases)[case])
    smallest = minimal(found, lambda scenario: fails(simulate(scenario)), 1_000)
    (pause,) = smallest.faults.pauses
    assert (pause.task, pause.step) == (race.task, race.step)
    assert pause.steps in race.shortest
    assert attrs.evolve(smallest, faults=FaultPlan()) == race.scenario
    shorter = attrs.evolve(pause, steps=pause.steps - 1)
    plan = FaultPlan(pauses=[shorter] if shorter.steps else [])
    assert not fails(simulate(attrs.evolve(race.scenario, faults=plan), verify=True)), "one step less is too few"


@pytest.mark.parametrize(("race", "seed"), searches("check_then_act"))
def test_drawn_pauses_find_it_too(race: Race, seed: int) -> None:
    """Within 500 cases, though a policy needs fewer: that is what the search falls back on without one."""

    def case(drawn: tuple[Pause, ...]) -> None:
        if fails(simulate(attrs.evolve(race.scenario, faults=FaultPlan(pauses=drawn)))):
            raise Stop

    assert hunt(pauses(DESIGN, real=["worker"]), case, max_examples=500, random_seed=seed)
