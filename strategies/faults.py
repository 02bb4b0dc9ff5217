"""Strategies for fault plans: faults by message and by window, and pauses of tasks. The simplest plan is empty.

Kinds are banned when a plan is read, not when it is drawn. So a kind can be switched off without changing the rest of
the plan, and shrinking stays local.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.design import Design
from chaosqs.model.faults import (
    FAULT_POINT,
    KIND_NAMES,
    KINDS,
    OK,
    STEPPED,
    Action,
    ActionKind,
    FaultKind,
    FaultPlan,
    Pause,
    Window,
    step_of,
    with_step,
)
from chaosqs.strategies.grid import longest_timeout, moments, spans

_TASKS = 10  # pollers of each mapping, and invocations of each function, that a pause may hold
_FIRST_STEPS = 4  # drawn more often: a poller takes three steps with a batch, a handler that waits once takes two
_LAST_STEP = 40
_PAUSE_STEPS = (1, 3, 10, 30)
_MOST_PAUSES = 3


def pauses(design: Design, *, real: Iterable[str] = ()) -> SearchStrategy[tuple[Pause, ...]]:
    """Return a strategy for the pauses of a fault plan, of up to three tasks.

    Pauses hold the first ten pollers of each mapping, and the first ten invocations of the functions in `real`: those
    whose behaviour is a handler of the user's. The simplest value has no pause. Raises ValueError for a function that
    the design does not have.
    """
    names = tuple(function.name for function in design.functions)
    unknown = [name for name in real if name not in names]
    if unknown:
        raise ValueError(f"no function is called {', '.join(map(repr, unknown))}: the design has {', '.join(names)}")
    invoked = tuple(f"{name}#{number}" for number in range(1, _TASKS + 1) for name in real)
    polled = (mapping.name for mapping in design.mappings if mapping.enabled)
    pollers = tuple(f"{name}/{number}" for name in polled for number in range(1, _TASKS + 1))
    return _pauses((*invoked, *pollers))


@lru_cache(maxsize=256)
def _pauses(tasks: tuple[str, ...]) -> SearchStrategy[tuple[Pause, ...]]:
    if not tasks:
        return st.just(())
    each = st.builds(
        Pause,
        task=st.sampled_from(tasks),
        step=st.integers(1, _FIRST_STEPS) | st.integers(1, _LAST_STEP),
        steps=st.sampled_from(_PAUSE_STEPS),
    )
    return st.lists(each, max_size=_MOST_PAUSES, unique_by=lambda pause: (pause.task, pause.step)).map(tuple)


_RECEIVES = 3  # maximum receives of one message that have faults of their own
_WINDOWS = 3  # maximum windows
_ACTIONS = 2  # maximum actions
_BANNED = 4  # maximum banned kinds
_EARLY_STEP, _LATEST_STEP = 8, 60  # half of the steps of real code at which faults are injected are in the first range
_POINTS_WEIGHT = 8  # the fault points together are drawn as often as this number of kinds: users who name one want it


def fault_plans(
    design: Design,
    messages: int = 8,
    *,
    kinds: Sequence[str] = KIND_NAMES,
    points: Sequence[str] = (),
    actions: Sequence[ActionKind] = ("redeploy", "redrive"),
    held: Sequence[str] = (),
) -> SearchStrategy[FaultPlan]:
    """Return a strategy for fault plans of a design.

    `messages`: number of messages, from the first one, that may have faults of their own, each at its send and its
    first three receives; 0 or more. `kinds`: names of the faults that may occur; none: only the empty plan. `points`:
    names of fault points in the user's code (`chaosqs.fault_point`), and calls that it makes to other services
    (`dynamodb:PutItem`). `actions`: actions of operators, of `redeploy`,
    `purge` and `redrive`. `held`: functions with real code, whose invocations may be paused and have faults at
    any of their calls and waits. Kinds that cannot happen on FIFO queues are left out if all polled queues are FIFO.
    Raises ValueError for an unknown kind.
    """
    unknown = [kind for kind in kinds if kind not in KIND_NAMES]
    if unknown:
        raise ValueError(f"no fault is called {', '.join(map(repr, unknown))}: there are {', '.join(KIND_NAMES)}")
    if not kinds:
        return st.just(FaultPlan())
    return _plans(_Wanted(design, messages, tuple(kinds), tuple(points), tuple(actions), tuple(held)))


@attrs.frozen
class _Wanted:
    """The arguments of `fault_plans`."""

    design: Design
    messages: int
    kinds: tuple[str, ...]
    points: tuple[str, ...]
    actions: tuple[ActionKind, ...]
    held: tuple[str, ...]

    @property
    def possible(self) -> tuple[FaultKind, ...]:
        """The kinds of faults that can happen in the design."""
        fifo = all(self.design.queue(mapping.queue).fifo for mapping in self.design.mappings)
        found = [kind for kind in KINDS if kind.name in self.kinds and not (fifo and kind.standard_only)]
        return tuple(kind for kind in found if kind.injection_point != "call" or self.calls)

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls to other services among the points: `dynamodb:PutItem`."""
        return tuple(point for point in self.points if ":" in point)

    @property
    def stepped(self) -> tuple[str, ...]:
        """The kinds of faults that can be injected inside of the design's real code."""
        return tuple(kind.name for kind in self.possible if kind.name in STEPPED) if self.held else ()

    def names(self, kind: FaultKind) -> tuple[str, ...]:
        """Return the spellings of a kind in a plan, repeated by weight; a point or a call is spelled with its name."""
        if not kind.is_named:
            return (kind.name,)
        if kind.injection_point == "call":
            return tuple(f"{kind.name}:{call}" for call in self.calls)
        points = [point for point in self.points if ":" not in point]
        times = max(1, _POINTS_WEIGHT // max(1, len(points)))
        return tuple(f"{FAULT_POINT}:{point}" for point in points for _ in range(times))

    def scopes(self, kind: FaultKind) -> tuple[str, ...]:
        """Return the scopes of a window of a kind; the first one, empty, is everything."""
        design = self.design
        named = {
            "function": [function.name for function in design.functions],
            "queue": [mapping.queue for mapping in design.mappings],
            "mapping": [mapping.name for mapping in design.mappings],
        }
        kinds = [scope for scope in ("function", "queue", "mapping") if scope in kind.scopes]
        return tuple(dict.fromkeys(("", *(name for scope in kinds for name in named[scope]))))


@lru_cache(maxsize=256)
def _plans(wanted: _Wanted) -> SearchStrategy[FaultPlan]:
    """Return plans with times that relate to the first queue. Cached: making a strategy costs more than drawing."""
    possible = wanted.possible
    of_sends = [kind.name for kind in possible if kind.keyed and kind.injection_point == "send"]
    of_receives = [
        name for kind in possible if kind.keyed and kind.injection_point != "send" for name in wanted.names(kind)
    ]
    outcomes = st.sampled_from((OK, *of_receives))
    if wanted.stepped:
        outcomes |= _injected(wanted.stepped)
    return st.just(FaultPlan()) | st.builds(
        FaultPlan,
        messages=st.lists(st.lists(outcomes, max_size=_RECEIVES), max_size=wanted.messages),
        windows=st.lists(_windows(wanted), max_size=_WINDOWS) if of_receives or of_sends else st.just(()),
        banned=st.lists(st.sampled_from([kind.name for kind in possible]), max_size=_BANNED, unique=True).map(_ordered),
        sends=st.lists(st.sampled_from((OK, *of_sends)), max_size=wanted.messages),
        actions=_actions(wanted),
        pauses=pauses(wanted.design, real=wanted.held),
    )


def _injected(kinds: Sequence[str]) -> SearchStrategy[str]:
    """Return outcomes at a call or wait of real code. Their number is not known, so late ones are drawn, too.

    Beyond the last one they are injected at the end of the code.
    """
    steps = st.integers(1, _EARLY_STEP) | st.integers(_EARLY_STEP + 1, _LATEST_STEP)
    return st.builds(with_step, st.sampled_from(kinds), steps)


def _windows(wanted: _Wanted) -> SearchStrategy[Window]:
    queue = wanted.design.queues[0]
    timeout = longest_timeout(wanted.design, queue.name)
    names = [(name, kind) for kind in wanted.possible for name in wanted.names(kind)]
    scopes = {name: wanted.scopes(kind) for name, kind in names}
    kinds = st.sampled_from([name for name, _ in names])
    if wanted.stepped:
        kinds |= _injected(wanted.stepped)

    def window(kind: str, scope: int, start: float, seconds: float) -> Window:
        own = scopes[kind.partition(":")[0] if step_of(kind) else kind]
        return Window(kind, own[scope % len(own)], start, seconds)

    return st.builds(
        window,
        kinds,
        st.integers(0, max(map(len, scopes.values())) - 1),
        st.sampled_from(moments(queue, timeout)),
        st.sampled_from(spans(queue, timeout)[1:]),
    )


def _actions(wanted: _Wanted) -> SearchStrategy[tuple[Action, ...]]:
    """Return actions of operators: functions deployed again, dead-letter queues redriven, queues purged."""
    design, queue = wanted.design, wanted.design.queues[0]
    sources = dict.fromkeys(mapping.queue for mapping in design.mappings)
    redrives = [design.queue(name).redrive for name in sources]
    targets: dict[ActionKind, list[str]] = {
        "redeploy": [function.name for function in design.functions],
        "redrive": [redrive.dead_letter_queue for redrive in redrives if redrive is not None],
        "purge": list(sources),
    }
    acts = [(kind, target) for kind in wanted.actions for target in dict.fromkeys(targets[kind])]
    if not acts:
        return st.just(())
    times = moments(queue, longest_timeout(design, queue.name))
    one = st.builds(_action, act=st.sampled_from(acts), at=st.sampled_from(times))
    return st.lists(one, max_size=_ACTIONS).map(tuple)


def _action(*, act: tuple[ActionKind, str], at: float) -> Action:
    return Action(*act, at)


def _ordered(banned: list[str]) -> tuple[str, ...]:
    """Return the kinds in the order of the registry, so that each set has one spelling."""
    return tuple(kind for kind in KIND_NAMES if kind in banned)
