"""The single steps by which a scenario becomes simpler: the largest first, each one may lose the violation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from math import ceil

import attrs

from chaosqs.explorer.simpler_plans import plans
from chaosqs.model.assumptions import nearer_to_measured
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.strategies.lattice import durations, exact, longest_timeout, message_durations, spans

_SMALL_LUCK = 32


def simpler(scenario: Scenario, given: Mapping[str, Behaviour]) -> Iterator[Scenario]:
    """Yield scenarios that differ in one step from this one, for the better or not; `given` behaviours stay."""
    for plan in plans(scenario.design, scenario.faults):
        yield attrs.evolve(scenario, faults=plan)
    for guesses in nearer_to_measured(scenario.assumptions):
        yield attrs.evolve(scenario, assumptions=guesses)
    for luck in range(min(scenario.luck, _SMALL_LUCK)):
        yield attrs.evolve(scenario, luck=luck)
    yield from _behaved(scenario, given)
    for place, load in enumerate(scenario.workload):
        before, after = scenario.workload[:place], scenario.workload[place + 1 :]
        if before or after:
            yield attrs.evolve(scenario, workload=(*before, *after))
        for other in _loads(scenario.design, load):
            yield attrs.evolve(scenario, workload=(*before, other, *after))
    yield from _merged(scenario)
    yield attrs.evolve(scenario, workload=sorted(scenario.workload, key=repr))


def _merged(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with two loads of one queue as one: as many messages, all at once with the first of them."""
    for (place, first), (other, second) in combinations(enumerate(scenario.workload), 2):
        if first.queue == second.queue:
            one = Burst(first.queue, _count(first) + _count(second), first.at, 0, first.body_bytes, first.groups)
            rest = scenario.workload[place + 1 : other] + scenario.workload[other + 1 :]
            yield attrs.evolve(scenario, workload=(*scenario.workload[:place], one, *rest))


def _count(load: Load) -> int:
    return load.count if isinstance(load, Burst) else round(load.per_second * load.seconds)


def _behaved(scenario: Scenario, given: Mapping[str, Behaviour]) -> Iterator[Scenario]:
    for name, behaviour in scenario.behaviours.items():
        if name not in given:
            for less in _behaviours(scenario.design, name, behaviour):
                others = {key: value for key, value in scenario.behaviours.items() if key != name}
                yield attrs.evolve(scenario, behaviours=others if less == Behaviour() else {**others, name: less})


def _behaviours(design: Design, name: str, behaviour: Behaviour) -> Iterator[Behaviour]:
    """Yield the default, the behaviour with one field at its default, and with other times of the lattice."""
    yield Behaviour()
    usual = Behaviour()
    yield attrs.evolve(behaviour, error_rate=0, poison=(), hangs=False, crashes=False)
    yield attrs.evolve(behaviour, error_rate=usual.error_rate)
    yield attrs.evolve(behaviour, poison=usual.poison)
    yield attrs.evolve(behaviour, hangs=False, crashes=False)
    yield attrs.evolve(behaviour, spread=usual.spread)
    function = design.function(name)
    batch_size = max((mapping.batch_size for mapping in design.mappings_of(name)), default=1)
    for seconds in (*durations(function.timeout), function.timeout - 1):
        yield attrs.evolve(behaviour, seconds_per_batch=seconds)
        yield attrs.evolve(behaviour, seconds_per_batch=seconds, seconds_per_message=0)
    for seconds in message_durations(function.timeout, batch_size):
        yield attrs.evolve(behaviour, seconds_per_message=seconds)


def _loads(design: Design, load: Load) -> Iterator[Load]:
    """Yield the load at once, with fewer messages (as heavy together), from the start, with usual bodies or times."""
    match load:
        case Steady():
            count = _count(load)
            yield Burst(load.queue, count, load.at, exact(count / load.per_second), load.body_bytes, load.groups)
        case Burst(count=count):
            queue = design.queue(load.queue)
            largest = queue.maximum_message_size
            yield attrs.evolve(load, count=ceil(count * load.body_bytes / largest), body_bytes=largest)
            for over in spans(queue, longest_timeout(design, load.queue)):
                yield attrs.evolve(load, over=over)
            for fewer in dict.fromkeys((1, 2, 3, count // 2, count * 3 // 4, count - 5, count - 1)):
                if 1 <= fewer < count:
                    yield attrs.evolve(load, count=fewer)
    yield attrs.evolve(load, at=0)
    yield attrs.evolve(load, body_bytes=Burst("", 0).body_bytes)
