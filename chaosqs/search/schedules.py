"""Schedules in a search: run under a policy, tell what it did as pauses, and find the simplest pauses that do the same.

A policy finds, a pause tells: whatever a policy held back is lifted into the scenario's own plan, where it replays
without the policy, and shrinks.
"""

import re
from collections.abc import Callable, Iterator

import attrs

from chaosqs.errors import NotDeterministic
from chaosqs.kernel.event_queue import HoldingEventQueue
from chaosqs.kernel.schedule import Pct, Policy, RandomWalk
from chaosqs.lambda_.module_state import unchanged
from chaosqs.model.faults import Pause
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import Simulation, isolated

STEP_COUNTS = (1, 3, 10, 30, 100)
"""Steps of others for which the shrinker holds one task where a finding has several pauses."""
_NO_CHANCE = RandomWalk(0)
_WALKS = ((5, 10), (20, 3), (10, 30), (3, 100))
"""Percentage of the steps that are held, and for how many steps of others at most."""

Violated = Callable[[Scenario], bool]


def policies(seed: int, cases: int) -> tuple[Policy | None, ...]:
    """Return what so many cases of a search run under; None: first-in first-out, as the scenario says.

    A quarter each: nothing, `Pct` of depth 2 and of depth 3, and random walks that hold little or much.
    """
    return tuple(_policy(1 + (seed * 0x9E3779B1 + case) % (1 << 32), case) for case in range(cases))


def _policy(seed: int, case: int) -> Policy | None:
    match case % 4:
        case 0:
            return None
        case 2:
            return RandomWalk(seed, *_WALKS[case // 4 % len(_WALKS)])
        case odd:
            return Pct(seed, depth=2 if odd == 1 else 3)


def scheduled(scenario: Scenario, policy: Policy | None) -> History:
    """Simulate a scenario under a policy; the scenario of the history says with pauses what the policy did.

    A `Pct` that does not know the length of the run learns it from a first one.
    """
    if policy is None:
        return isolated(scenario)
    if isinstance(policy, Pct) and not policy.length:
        policy = attrs.evolve(policy, length=sum(task_steps(scenario).values()))
    return watched(scenario, policy)[0]


def lifted(scenario: Scenario, policy: Policy | None) -> Scenario:
    """Return the scenario whose pauses do what a policy does, in the order in which they began.

    Raises `NotDeterministic` where it does not replay, byte for byte.
    """
    history = scheduled(scenario, policy)
    if isolated(history.scenario).digest != history.digest:
        raise NotDeterministic(f"the schedule of {policy} takes another course as pauses: {history.scenario!r}")
    return history.scenario


def task_steps(scenario: Scenario) -> dict[str, int]:
    """Return how many steps each task of a run takes, in the order of their first ones."""
    return watched(scenario)[1]


def watched(scenario: Scenario, policy: Policy = _NO_CHANCE) -> tuple[History, dict[str, int]]:
    """Simulate a scenario under a policy, and return how many steps each task took besides.

    The scenario of the history has the pauses that had an effect, as `HoldingAgenda.pauses` tells them, and no other.
    """
    simulation = Simulation.of(scenario, policy)
    with unchanged(scenario):
        history = simulation.run()
    event_queue = simulation.context.event_queue
    assert isinstance(event_queue, HoldingEventQueue)
    return attrs.evolve(history, scenario=_with(scenario, event_queue.pauses())), event_queue.counts


def minimal(scenario: Scenario, violated: Violated, simulations: int) -> Scenario:
    """Return a violating scenario with the simplest pauses that keep its violation, by at most so many simulations.

    No pause is simpler than one, one simpler than several; of two, that for fewer steps of others; then an invocation
    before a poller, an earlier step, a lower number. Where one pause will do, and simulations last, the result hangs
    on the rest of the scenario alone, not on the pauses that were found.
    """
    return _Shrinker(scenario, violated, simulations).minimal()


def _with(scenario: Scenario, pauses: tuple[Pause, ...]) -> Scenario:
    return attrs.evolve(scenario, faults=attrs.evolve(scenario.faults, pauses=pauses))


def _order(index: tuple[str, int]) -> tuple[bool, int, int, str]:
    """Return what orders the places of one pause: task and step."""
    task, step = index
    number = re.search(r"\d+$", task)
    return "/" in task, step, 0 if number is None else int(number[0]), task


@attrs.define
class _Shrinker:
    """One search for the simplest pauses."""

    scenario: Scenario
    violated: Violated
    left: int
    """Simulations that may still be spent."""

    def minimal(self) -> Scenario:
        pauses = self.scenario.faults.pauses
        if not pauses or self._fails(()):
            return _with(self.scenario, ())
        pauses = self._fewest(pauses)
        single = self._shorter(pauses, 0)[0] if len(pauses) == 1 else self._single()
        if single is not None:
            return _with(self.scenario, (self._simplest(single),))
        for index in range(len(pauses)):
            pauses = self._shorter(pauses, index)
        return _with(self.scenario, pauses)

    def _fails(self, pauses: tuple[Pause, ...]) -> bool:
        """Tell whether the scenario is violated with these pauses; no, once all simulations are spent."""
        self.left -= 1
        return self.left >= 0 and self.violated(_with(self.scenario, pauses))

    def _fewest(self, pauses: tuple[Pause, ...]) -> tuple[Pause, ...]:
        """Leave pauses out, many at once and then one by one, until each is needed."""
        size = len(pauses) // 2
        while size:
            start = 0
            while start < len(pauses):
                fewer = pauses[:start] + pauses[start + size :]
                if fewer and self._fails(fewer):
                    pauses = fewer
                else:
                    start += size
            size //= 2
        return pauses

    def _shorter(self, pauses: tuple[Pause, ...], index: int) -> tuple[Pause, ...]:
        """Return the pauses with one made as short as can be, by halving."""
        low, high = 0, pauses[index].steps
        while high - low > 1:
            middle = (low + high) // 2
            shorter = _replaced(pauses, index, attrs.evolve(pauses[index], steps=middle))
            low, high = (low, middle) if self._fails(shorter) else (middle, high)
        return _replaced(pauses, index, attrs.evolve(pauses[index], steps=high))

    def _indexes(self) -> Iterator[tuple[str, int]]:
        """Yield each step of each task of the run without pauses, the simplest first: what comes before one pause."""
        counts = task_steps(_with(self.scenario, ()))
        yield from sorted(((task, step) for task, last in counts.items() for step in range(1, last + 1)), key=_order)

    def _single(self) -> Pause | None:
        """Return one pause that violates as well, or None."""
        indexes = list(self._indexes())
        for steps in STEP_COUNTS:
            for task, step in indexes:
                if self._fails((Pause(task, step, steps),)):
                    return Pause(task, step, steps)
        return None

    def _simplest(self, best: Pause) -> Pause:
        """Return the simplest pause: look at each step of each task for a shorter one, then for the first of these."""
        indexes = list(self._indexes())
        steps = best.steps + 1
        while best.steps < steps:  # a place where a longer pause did nothing may do with a shorter one
            steps = best.steps
            for task, step in indexes:
                shorter = Pause(task, step, best.steps - 1)
                if shorter.steps and self._fails((shorter,)):
                    best = self._shorter((shorter,), 0)[0]
        for task, step in indexes:
            first = Pause(task, step, best.steps)
            if first == best or self._fails((first,)):
                return first
        return best


def _replaced(pauses: tuple[Pause, ...], index: int, pause: Pause) -> tuple[Pause, ...]:
    return (*pauses[:index], pause, *pauses[index + 1 :])
