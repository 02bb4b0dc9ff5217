"""The single steps by which a fault plan becomes simpler: without a field, without an entry, with less of one.

Plans that mean the same come to be one: what says nothing goes, what comes in no order is put in one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs

from chaosqs.model.design import Design
from chaosqs.model.fault import OK, Action, FaultPlan, Pause, Window, kind_of
from chaosqs.strategies.lattice import longest_timeout, moments, spans

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
    yield from _struck(plan)
    for actions in _less(plan.actions, lambda action: _actions(design, action)):
        yield attrs.evolve(plan, actions=actions)
    for pauses in _less(plan.pauses, _pauses):
        yield attrs.evolve(plan, pauses=pauses)
    yield from _messages(plan)
    for place in range(len(plan.sends)):
        yield attrs.evolve(plan, sends=_ended((*plan.sends[:place], OK, *plan.sends[place + 1 :])))
    yield attrs.evolve(plan, sends=_ended(plan.sends))
    yield _in_order(plan)


def _less(items: Sequence[_Item], simpler: Callable[[_Item], Iterator[_Item]]) -> Iterator[tuple[_Item, ...]]:
    """Yield the items without one of them, and with a simpler one in its place."""
    for place, item in enumerate(items):
        before, after = items[:place], items[place + 1 :]
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
        for place in range(len(receives)):
            less = (*receives[:place], OK, *receives[place + 1 :])
            yield attrs.evolve(plan, messages=_trimmed((*plan.messages[:message], less, *plan.messages[message + 1 :])))
    yield attrs.evolve(plan, messages=_trimmed(plan.messages))


def _struck(plan: FaultPlan) -> Iterator[FaultPlan]:
    """Yield plans in which what lasts strikes once instead: the first receive, or send, of the first message."""
    for place, window in enumerate(plan.windows):
        kind, rest = kind_of(window.kind), (*plan.windows[:place], *plan.windows[place + 1 :])
        if kind is None or not kind.keyed:
            continue
        if kind.boundary == "send":
            yield attrs.evolve(plan, windows=rest, sends=(window.kind, *plan.sends[1:]))
        else:
            first = (window.kind, *(plan.messages[0][1:] if plan.messages else ()))
            yield attrs.evolve(plan, windows=rest, messages=(first, *plan.messages[1:]))


def _in_order(plan: FaultPlan) -> FaultPlan:
    """Return a plan with its entries in the order of their texts: what comes in no order is spelled in one."""
    return attrs.evolve(
        plan,
        windows=sorted(plan.windows, key=repr),
        actions=sorted(plan.actions, key=repr),
        pauses=sorted(plan.pauses, key=repr),
    )


def _trimmed(messages: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    """Leave out what says that nothing goes wrong, at the ends, where it means nothing."""
    kept = [_ended(receives) for receives in messages]
    while kept and not kept[-1]:
        kept.pop()
    return tuple(kept)


def _ended(outcomes: tuple[str, ...]) -> tuple[str, ...]:
    return outcomes[: max((place for place, kind in enumerate(outcomes, 1) if kind != OK), default=0)]


def _windows(design: Design, window: Window) -> Iterator[Window]:
    queue = design.queues[0]
    timeout = longest_timeout(design, queue.name)
    if window.scope:
        yield attrs.evolve(window, scope="")
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
