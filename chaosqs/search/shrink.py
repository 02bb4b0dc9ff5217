"""Shrinks a scenario that violates an invariant to the violation's normal form, in a bounded number of simulations.

Hypothesis's shrinker ends in a local minimum that depends on its start. So the calm scenarios of the grid are tried
first: the simplest one that violates the invariant is the result, whatever the search found. Only if none of them
violates it is the found scenario simplified step by step.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import combinations, takewhile
from math import ceil
from operator import ne
from typing import TypeVar

import attrs

from chaosqs.model.assumptions import nearer_to_measured
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import OK, Action, FaultPlan, Pause, Window, kind_of, step_of, with_step
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady, arrivals
from chaosqs.search.corpus import FEW_MESSAGE_COUNTS, MESSAGE_COUNTS, MOST_FAULTS, ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.schedules import minimal
from chaosqs.search.simplicity import FAILING, HEALTHY, ON_THE_EDGE, complexity, ending
from chaosqs.strategies.grid import durations, exact, longest_timeout, message_durations, moments, spans

# Steps that simplify a fault plan -----------------------------------------------------------------------------------
#
# A step removes a field or an entry, or shrinks an entry. Plans with the same meaning become equal: entries without
# effect are removed, and entries whose order has no meaning are sorted.

_Item = TypeVar("_Item")


def plans(design: Design, plan: FaultPlan) -> Iterator[FaultPlan]:
    """Yield plans without some of the faults, and with shorter, earlier or wider ones."""
    yield FaultPlan()
    yield attrs.evolve(plan, messages=(), sends=())
    yield attrs.evolve(plan, windows=())
    yield attrs.evolve(plan, actions=(), pauses=())
    yield attrs.evolve(plan, heal_at=None)
    if plan.banned:
        yield _without_banned(plan)
    for windows in _less(plan.windows, lambda window: _windows(design, window)):
        yield attrs.evolve(plan, windows=windows)
    yield from _injected(plan)
    for actions in _less(plan.actions, lambda action: _actions(design, action)):
        yield attrs.evolve(plan, actions=actions)
    for pauses in _less(plan.pauses, _pauses):
        yield attrs.evolve(plan, pauses=pauses)
    yield from _messages(plan)
    for index in range(len(plan.sends)):
        yield attrs.evolve(plan, sends=_ended((*plan.sends[:index], OK, *plan.sends[index + 1 :])))
    yield attrs.evolve(plan, sends=_ended(plan.sends))
    yield _in_order(plan)


def _less(items: Sequence[_Item], simpler: Callable[[_Item], Iterator[_Item]]) -> Iterator[tuple[_Item, ...]]:
    """Yield the items without one of them, and with a simpler one in its place."""
    for index, item in enumerate(items):
        before, after = items[:index], items[index + 1 :]
        yield (*before, *after)
        for less in simpler(item):
            yield (*before, less, *after)


def _without_banned(plan: FaultPlan) -> FaultPlan:
    """Return the plan without the kinds that it bans, and without the ban."""
    kept = tuple(tuple(OK if kind in plan.banned else kind for kind in receives) for receives in plan.messages)
    sends = tuple(OK if kind in plan.banned else kind for kind in plan.sends)
    windows = tuple(window for window in plan.windows if window.kind not in plan.banned)
    return attrs.evolve(plan, messages=kept, sends=sends, windows=windows, banned=())


def _messages(plan: FaultPlan) -> Iterator[FaultPlan]:
    for message, receives in enumerate(plan.messages):
        yield attrs.evolve(plan, messages=_trimmed((*plan.messages[:message], (), *plan.messages[message + 1 :])))
        for index in range(len(receives)):
            for kind in (OK, *_earlier(receives[index])):
                less = (*receives[:index], kind, *receives[index + 1 :])
                yield attrs.evolve(
                    plan, messages=_trimmed((*plan.messages[:message], less, *plan.messages[message + 1 :]))
                )
    yield attrs.evolve(plan, messages=_trimmed(plan.messages))


def _earlier(outcome: str) -> Iterator[str]:
    """Yield the outcome without the call or wait of real code at which it is injected, then at earlier ones."""
    step = step_of(outcome)
    for less in dict.fromkeys((0, 1, step // 2, step - 1)):
        if 0 <= less < step:
            yield with_step(outcome.partition(":")[0], less)


def _injected(plan: FaultPlan) -> Iterator[FaultPlan]:
    """Yield plans with one window replaced by one fault: at the first receive, or the send, of the first message."""
    for index, window in enumerate(plan.windows):
        kind, rest = kind_of(window.kind), (*plan.windows[:index], *plan.windows[index + 1 :])
        if kind is None or not kind.keyed:
            continue
        if kind.injection_point == "send":
            yield attrs.evolve(plan, windows=rest, sends=(window.kind, *plan.sends[1:]))
        else:
            first = (window.kind, *(plan.messages[0][1:] if plan.messages else ()))
            yield attrs.evolve(plan, windows=rest, messages=(first, *plan.messages[1:]))


def _in_order(plan: FaultPlan) -> FaultPlan:
    """Return a plan whose windows, actions and pauses, which have no order of their own, are sorted by their texts."""
    return attrs.evolve(
        plan,
        windows=sorted(plan.windows, key=repr),
        actions=sorted(plan.actions, key=repr),
        pauses=sorted(plan.pauses, key=repr),
    )


def _trimmed(messages: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Remove `ok` at the ends, where it has no meaning."""
    kept = [_ended(receives) for receives in messages]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _ended(outcomes: tuple[str, ...]) -> tuple[str, ...]:
    return outcomes[: max((index for index, kind in enumerate(outcomes, 1) if kind != OK), default=0)]


def _windows(design: Design, window: Window) -> Iterator[Window]:
    queue = design.queues[0]
    timeout = longest_timeout(design, queue.name)
    if window.scope:
        yield attrs.evolve(window, scope="")
    for kind in _earlier(window.kind):
        yield attrs.evolve(window, kind=kind)
    for start in moments(queue, timeout):
        yield attrs.evolve(window, start=start)
    for seconds in spans(queue, timeout)[1:]:
        yield attrs.evolve(window, seconds=seconds)


def _actions(design: Design, action: Action) -> Iterator[Action]:
    queue = design.queues[0]
    for at in moments(queue, longest_timeout(design, queue.name)):
        yield attrs.evolve(action, at=at)


def _pauses(pause: Pause) -> Iterator[Pause]:
    for steps in dict.fromkeys((1, pause.steps // 2, pause.steps - 1)):
        if 1 <= steps < pause.steps:
            yield attrs.evolve(pause, steps=steps)
    for step in dict.fromkeys((1, pause.step - 1)):
        if 1 <= step < pause.step:
            yield attrs.evolve(pause, step=step)


# Steps that simplify a scenario, the largest first; each may lose the violation --------------------------------------

_SMALL_SEED = 32  # seeds below this are tried in place of the scenario's


def simpler(scenario: Scenario, given: Mapping[str, Behaviour]) -> Iterator[Scenario]:
    """Yield scenarios that differ in one step from this one, simpler or not; `given` behaviours stay."""
    for plan in plans(scenario.design, scenario.faults):
        yield attrs.evolve(scenario, faults=plan)
    for assumed in nearer_to_measured(scenario.assumptions):
        yield attrs.evolve(scenario, assumptions=assumed)
    for seed in range(min(scenario.seed, _SMALL_SEED)):
        yield attrs.evolve(scenario, seed=seed)
    yield from _behaved(scenario, given)
    for index, load in enumerate(scenario.workload):
        before, after = scenario.workload[:index], scenario.workload[index + 1 :]
        if before or after:
            yield attrs.evolve(scenario, workload=(*before, *after))
        for other in _loads(scenario.design, load):
            yield attrs.evolve(scenario, workload=(*before, other, *after))
    yield from _merged(scenario)
    yield attrs.evolve(scenario, workload=sorted(scenario.workload, key=repr))


def _merged(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with two loads of one queue merged: the same number of messages, all sent with the first."""
    for (index, first), (other, second) in combinations(enumerate(scenario.workload), 2):
        if first.queue == second.queue:
            one = attrs.evolve(_burst(first, 0), count=_count(first) + _count(second))
            if first.messages or second.messages:
                one = attrs.evolve(one, messages=(*_sent(first), *_sent(second)))
            rest = scenario.workload[index + 1 : other] + scenario.workload[other + 1 :]
            yield attrs.evolve(scenario, workload=(*scenario.workload[:index], one, *rest))


def _burst(load: Load, over: float) -> Burst:
    """Return a load as a burst over a time, in seconds."""
    return Burst(load.queue, _count(load), load.at, over, load.body_bytes, load.groups, load.messages, load.distinct)


def _sent(load: Load) -> tuple[Message, ...]:
    """Return the messages of a load in the order of sending."""
    return tuple(arrival.message for arrival in arrivals([load]) if arrival.message is not None)


def _held(load: Load) -> Iterator[Load]:
    """Yield the load with an ordinary message in place of a poison one, without one message, and with one only."""
    ordinary = [message for message in load.messages if not message.note]
    for index, message in enumerate(load.messages):
        others = (*load.messages[:index], *load.messages[index + 1 :])
        if message.note and ordinary:
            yield attrs.evolve(load, messages=(*load.messages[:index], ordinary[0], *load.messages[index + 1 :]))
        if isinstance(load, Burst) and others and load.count > 1:
            yield attrs.evolve(load, messages=others, count=min(load.count, len(others)))
        if others:
            yield attrs.evolve(load, messages=others)
    for message in load.messages if len(load.messages) > 1 else ():
        yield attrs.evolve(load, messages=(message,))
    if len(load.messages) > _count(load) > 0:
        yield attrs.evolve(load, messages=load.messages[: _count(load)])


def _count(load: Load) -> int:
    return load.count if isinstance(load, Burst) else round(load.per_second * load.seconds)


def _behaved(scenario: Scenario, given: Mapping[str, Behaviour]) -> Iterator[Scenario]:
    for name, behaviour in scenario.behaviours.items():
        if name not in given:
            for less in _behaviours(scenario.design, name, behaviour):
                others = {key: value for key, value in scenario.behaviours.items() if key != name}
                yield attrs.evolve(scenario, behaviours=others if less == Behaviour() else {**others, name: less})


def _behaviours(design: Design, name: str, behaviour: Behaviour) -> Iterator[Behaviour]:
    """Yield the default, the behaviour with failures or spread at the default, and with the grid's durations."""
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
    """Yield the load as a burst, over other times, with fewer or larger messages, from the start, with usual bodies."""
    yield from _held(load)
    match load:
        case Steady():
            count = _count(load)
            yield _burst(load, exact(count / load.per_second))
        case Burst(count=count):
            queue = design.queue(load.queue)
            largest = queue.maximum_message_size
            if not load.messages:
                yield attrs.evolve(load, count=ceil(count * load.body_bytes / largest), body_bytes=largest)
            for over in spans(queue, longest_timeout(design, load.queue)):
                yield attrs.evolve(load, over=over)
            for fewer in dict.fromkeys((1, 2, 3, count // 2, count * 3 // 4, count - 5, count - 1)):
                if 1 <= fewer < count:
                    yield attrs.evolve(load, count=fewer)
    yield attrs.evolve(load, at=0)
    yield attrs.evolve(load, body_bytes=Burst("", 0).body_bytes)


# Shrinking -----------------------------------------------------------------------------------------------------------

_MOST_MESSAGES_STRUCK = 5  # maximum messages in scenarios with a fault at single receives
_MOST_MESSAGES_POISONED = 5  # maximum messages in calm scenarios with a poison message
_MOST_MESSAGES_LASTING = 2  # maximum messages in scenarios with a lasting fault


def shrink(
    scenario: Scenario, oracle: Oracle, *, given: Mapping[str, Behaviour] | None = None, simulations: int = 2_000
) -> Scenario:
    """Return the simplest scenario that violates the oracle's invariant, in the order of `simplicity.complexity`.

    The design and the behaviours `given` stay. Each pass may use up to `simulations`. The result violates the invariant
    if `scenario` does. It has no end of its own (`until` None) if its run ends by itself.
    """
    grid = ScenarioGrid(scenario.design, oracle.queue or scenario.workload[0].queue, dict(given or {}))
    return calm_form(grid, oracle, simulations) or simplified(scenario, grid, oracle, simulations)


def poisoned_form(scenario: Scenario, grid: ScenarioGrid, oracle: Oracle, simulations: int) -> Scenario | None:
    """Return the simplest calm scenario with one poison message that violates the invariant; None if none does.

    One of the scenario's poison messages has to do so, alone or with a few ordinary ones, and an ordinary message in
    its place must not. Then the simplest poison message that violates it, too, takes its place.
    """
    odd = dict.fromkeys(message for load in scenario.workload for message in load.messages if message.note)
    for count in range(1, _MOST_MESSAGES_POISONED + 1) if odd else ():
        if _violating(oracle, grid.sudden_variants(count)[:1], oracle.simulations + 1):
            return None
        for message in odd:
            found = _violating(oracle, grid.poisoned(message, count), oracle.simulations + 1)
            if found is not None:
                simplest = _violating(oracle, grid.poison_variants(count), oracle.simulations + simulations)
                return without_end(simplest or found, oracle)
    return None


def calm_form(grid: ScenarioGrid, oracle: Oracle, simulations: int) -> Scenario | None:
    """Return the simplest calm scenario of the grid that violates the invariant, or None if none does.

    The result depends on the grid and the invariant alone, not on what a search has found.
    """
    for strain, message_counts in (
        (HEALTHY, MESSAGE_COUNTS),
        (ON_THE_EDGE, MESSAGE_COUNTS),
        (FAILING, FEW_MESSAGE_COUNTS),
    ):
        found = _first(oracle, partial(grid.variants, strain=strain), grid.counts(message_counts), simulations)
        if found is not None:
            return without_end(found, oracle)
    return None


def simplified(scenario: Scenario, grid: ScenarioGrid, oracle: Oracle, simulations: int) -> Scenario:
    """Return a scenario in its simplest form, or the simplest grid scenario with one kind of fault if it is simpler."""
    steps = _downhill(scenario, oracle, grid.given, simulations)
    if steps.faults.pauses:
        steps = _downhill(minimal(steps, oracle.confirms, simulations), oracle, grid.given, simulations)
    steps = _with_plain_poison(steps, grid, oracle, simulations)
    faulty = None if steps.faults == FaultPlan() else _faulty(oracle, grid, simulations)
    return without_end(steps if faulty is None else min(steps, faulty, key=complexity), oracle)


def _with_plain_poison(scenario: Scenario, grid: ScenarioGrid, oracle: Oracle, simulations: int) -> Scenario:
    """Return the scenario with the simplest poison messages that keep the violation."""
    limit = oracle.simulations + simulations
    for position, load in enumerate(scenario.workload):
        source = grid.sources.get(load.queue)
        for index, message in enumerate(load.messages):
            if source is None or not message.note:
                continue
            plainer = takewhile(partial(ne, message), source.poison)
            found = _violating(oracle, (_with_message(scenario, position, index, odd) for odd in plainer), limit)
            scenario = found or scenario
    return scenario


def _with_message(scenario: Scenario, position: int, index: int, message: Message) -> Scenario:
    """Return a scenario with another message at an index of one of its loads."""
    load = scenario.workload[position]
    changed = attrs.evolve(load, messages=(*load.messages[:index], message, *load.messages[index + 1 :]))
    loads = (*scenario.workload[:position], changed, *scenario.workload[position + 1 :])
    return ending(attrs.evolve(scenario, workload=loads))


def _first(
    oracle: Oracle, variants: Callable[[int], list[Scenario]], message_counts: tuple[int, ...], simulations: int
) -> Scenario | None:
    """Return the simplest violating variant with the fewest messages; None if no count in `message_counts` has one."""
    limit = oracle.simulations + simulations
    message_count, found = 0, None
    for message_count in message_counts:
        found = _violating(oracle, variants(message_count), limit)
        if found is not None:
            break
    if found is None:
        return None
    for count in range(1, message_count):
        fewer = _violating(oracle, variants(count), limit)
        if fewer is not None:
            return fewer
    return found


def _violating(oracle: Oracle, variants: Iterable[Scenario], limit: int) -> Scenario | None:
    for variant in variants:
        if oracle.simulations >= limit or oracle.spent:
            return None
        if oracle.confirms(variant):
            return variant
    return None


def _faulty(oracle: Oracle, grid: ScenarioGrid, simulations: int) -> Scenario | None:
    """Return the simplest grid scenario with one kind of fault that violates the invariant."""
    limit = oracle.simulations + simulations
    found = (_violating(oracle, variants, limit) for variants in _faulty_groups(grid))
    return next(filter(None, found), None)


def _faulty_groups(grid: ScenarioGrid) -> Iterator[list[Scenario]]:
    """Yield groups of scenarios with one kind of fault: at one receive, then lasting, then at several receives.

    The first group has no fault: messages of maximum size, which the calm variants lack.
    """
    yield grid.heavy_variants()
    for count in range(1, _MOST_MESSAGES_STRUCK + 1):
        yield grid.faulty_variants(count, fault_count=1)
    yield grid.faulted_variants(2, fault_count=1, over=1)
    for count in range(1, _MOST_MESSAGES_LASTING + 1):
        yield grid.lasting_variants(count)
    for fault_count in range(2, MOST_FAULTS + 1):
        for count in range(1, _MOST_MESSAGES_STRUCK + 1):
            yield grid.faulty_variants(count, fault_count)


def _downhill(scenario: Scenario, oracle: Oracle, given: Mapping[str, Behaviour], simulations: int) -> Scenario:
    """Take every step that makes the scenario simpler and keeps the violation, until none is left."""
    limit = oracle.simulations + simulations
    current, size = scenario, complexity(scenario)
    moved = True
    while moved:
        moved = False
        for candidate in () if oracle.spent else simpler(current, given):
            fitted = ending(candidate)
            smaller = complexity(fitted)
            if smaller < size and oracle.simulations < limit and oracle.confirms(fitted):
                current, size, moved = fitted, smaller, True
                break
    return current


def without_end(scenario: Scenario, oracle: Oracle) -> Scenario:
    """Return the scenario without its end if the run is done before it and the violation stays."""
    if scenario.until is None or not oracle.confirms(scenario) or oracle.result(scenario).drained is None:
        return scenario
    endless = attrs.evolve(scenario, until=None)
    return endless if oracle.confirms(endless) else scenario
