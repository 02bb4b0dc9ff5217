"""The single steps by which a scenario becomes simpler: the largest first, each one may lose the violation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.fault import OK, FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.strategies.lattice import durations, exact, longest_timeout, message_durations, moments, spans

_SMALL_LUCK = 32


def simpler(scenario: Scenario, given: Mapping[str, Behaviour]) -> Iterator[Scenario]:
    """Yield scenarios that differ in one step from this one, for the better or not; `given` behaviours stay."""
    for plan in _plans(scenario.design, scenario.faults):
        yield attrs.evolve(scenario, faults=plan)
    for luck in range(min(scenario.luck, _SMALL_LUCK)):
        yield attrs.evolve(scenario, luck=luck)
    for name, behaviour in scenario.behaviours.items():
        if name not in given:
            for less in _behaviours(scenario.design, name, behaviour):
                others = {key: value for key, value in scenario.behaviours.items() if key != name}
                yield attrs.evolve(scenario, behaviours=others if less == Behaviour() else {**others, name: less})
    for place, load in enumerate(scenario.workload):
        before, after = scenario.workload[:place], scenario.workload[place + 1 :]
        if before or after:
            yield attrs.evolve(scenario, workload=(*before, *after))
        for other in _loads(scenario.design, load):
            yield attrs.evolve(scenario, workload=(*before, other, *after))


def _plans(design: Design, plan: FaultPlan) -> Iterator[FaultPlan]:
    """Yield plans without some of the faults, and with shorter or earlier windows."""
    yield FaultPlan()
    yield FaultPlan(plan.messages)
    yield FaultPlan((), plan.windows, plan.banned, plan.heal_at)
    if plan.banned:
        kept = tuple(tuple(OK if kind in plan.banned else kind for kind in receives) for receives in plan.messages)
        yield attrs.evolve(
            plan, messages=kept, windows=tuple(w for w in plan.windows if w.kind not in plan.banned), banned=()
        )
    for place, window in enumerate(plan.windows):
        yield attrs.evolve(plan, windows=(*plan.windows[:place], *plan.windows[place + 1 :]))
        for less in _windows(design, window):
            yield attrs.evolve(plan, windows=(*plan.windows[:place], less, *plan.windows[place + 1 :]))
    for message, receives in enumerate(plan.messages):
        yield attrs.evolve(plan, messages=_trimmed((*plan.messages[:message], (), *plan.messages[message + 1 :])))
        for place in range(len(receives)):
            less_receives = (*receives[:place], OK, *receives[place + 1 :])
            yield attrs.evolve(
                plan, messages=_trimmed((*plan.messages[:message], less_receives, *plan.messages[message + 1 :]))
            )
    yield attrs.evolve(plan, messages=_trimmed(plan.messages))


def _trimmed(messages: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Leave out what says that nothing goes wrong, at the ends, where it means nothing."""
    kept: list[tuple[str, ...]] = []
    for receives in messages:
        last = max((place for place, kind in enumerate(receives, 1) if kind != OK), default=0)
        kept.append(receives[:last])
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _windows(design: Design, window: Window) -> Iterator[Window]:
    queue = design.queues[0]
    timeout = longest_timeout(design, queue.name)
    if window.scope:
        yield attrs.evolve(window, scope="")
    for start in moments(queue, timeout):
        yield attrs.evolve(window, start=start)
    for seconds in spans(queue, timeout)[1:]:
        yield attrs.evolve(window, seconds=seconds)


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
    """Yield the load at once, with fewer messages, from the start, with usual bodies, over a usual while."""
    match load:
        case Steady():
            count = round(load.per_second * load.seconds)
            yield Burst(load.queue, count, load.at, exact(count / load.per_second), load.body_bytes, load.groups)
        case Burst(count=count):
            queue = design.queue(load.queue)
            for over in spans(queue, longest_timeout(design, load.queue)):
                yield attrs.evolve(load, over=over)
            for fewer in dict.fromkeys((1, 2, 3, count // 2, count * 3 // 4, count - 5, count - 1)):
                if 1 <= fewer < count:
                    yield attrs.evolve(load, count=fewer)
    yield attrs.evolve(load, at=0)
    yield attrs.evolve(load, body_bytes=Burst("", 0).body_bytes)
