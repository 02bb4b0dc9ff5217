"""Schedules in a search: run a scenario under a policy, express the schedule as pauses, and simplify these.

Policies find violations, pauses describe them: each hold of a policy becomes a pause in the scenario's own plan, which
replays without the policy and can be shrunk.
"""

import re
from collections.abc import Callable, Iterator

import attrs

from chaosqs.errors import NotDeterministic
from chaosqs.kernel.event_queue import HoldingEventQueue
from chaosqs.kernel.schedule import Pct, Policy, RandomWalk
from chaosqs.model.faults import Pause
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import Simulation, simulate

STEP_COUNTS = (1, 3, 10, 30, 100)
"""Lengths of the single pauses that the shrinker tries in place of several, in steps of other tasks."""
_NO_CHANCE = RandomWalk(0)
_WALKS = ((5, 10), (20, 3), (10, 30), (3, 100))
"""Percentage of the steps that are held, and maximum length of a hold in steps of other tasks."""

Violated = Callable[[Scenario], bool]


def policies(seed: int, cases: int) -> tuple[Policy | None, ...]:
    """Return the policy of each of a number of cases; None: first-in first-out, plus the scenario's pauses.

    A quarter each: None, `Pct` of depth 2, `Pct` of depth 3, and random walks that hold few or many steps.
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
    """Simulate a scenario under a policy; the history's scenario has pauses that do what the policy did.

    For a `Pct` without a length, a first run counts the steps.
    """
    if policy is None:
        return simulate(scenario)
    if isinstance(policy, Pct) and not policy.length:
        policy = attrs.evolve(policy, length=sum(task_steps(scenario).values()))
    return watched(scenario, policy)[0]


def lifted(scenario: Scenario, policy: Policy | None) -> Scenario:
    """Return the scenario with pauses that do what a policy does, in the order in which they began.

    Raises `NotDeterministic` if its run is not the same, byte for byte.
    """
    history = scheduled(scenario, policy)
    if simulate(history.scenario).digest != history.digest:
        raise NotDeterministic(f"the schedule of {policy} runs differently as pauses: {history.scenario!r}")
    return history.scenario


def task_steps(scenario: Scenario) -> dict[str, int]:
    """Return the number of steps of each task of a run; the tasks are in the order of their first steps."""
    return watched(scenario)[1]


def watched(scenario: Scenario, policy: Policy = _NO_CHANCE) -> tuple[History, dict[str, int]]:
    """Simulate a scenario under a policy; return the history and the number of steps of each task.

    The history's scenario has exactly the pauses that had an effect (`HoldingEventQueue.pauses`).
    """
    simulation = Simulation.of(scenario, policy)
    history = simulation.run()
    event_queue = simulation.context.event_queue
    assert isinstance(event_queue, HoldingEventQueue)
    return attrs.evolve(history, scenario=_with(scenario, event_queue.pauses())), event_queue.counts


def minimal(scenario: Scenario, violated: Violated, simulations: int) -> Scenario:
    """Return a violating scenario with the simplest pauses that keep its violation, within a number of simulations.

    No pause is simpler than one, one is simpler than several. Of two pauses the one for fewer steps of other tasks is
    simpler; then an invocation's before a poller's, an earlier step, a lower number. If one pause is enough and the
    simulations suffice, the result depends on the rest of the scenario alone, not on the pauses that were found.
    """
    return _Shrinker(scenario, violated, simulations).minimal()


def _with(scenario: Scenario, pauses: tuple[Pause, ...]) -> Scenario:
    return attrs.evolve(scenario, faults=attrs.evolve(scenario.faults, pauses=pauses))


def _order(index: tuple[str, int]) -> tuple[bool, int, int, str]:
    """Return the sort key of a pause's place (task, step), the simplest place first."""
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
        """Return True if the scenario is violated with some pauses; always False once all simulations are spent."""
        self.left -= 1
        return self.left >= 0 and self.violated(_with(self.scenario, pauses))

    def _fewest(self, pauses: tuple[Pause, ...]) -> tuple[Pause, ...]:
        """Remove pauses, half of them at once, then fewer, then single ones, until each is needed."""
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
        """Yield each step of each task of the run without pauses, the simplest place of a pause first."""
        counts = task_steps(_with(self.scenario, ()))
        yield from sorted(((task, step) for task, last in counts.items() for step in range(1, last + 1)), key=_order)

    def _single(self) -> Pause | None:
        """Return a single pause that also causes the violation, or None."""
        indexes = list(self._indexes())
        for steps in STEP_COUNTS:
            for task, step in indexes:
                if self._fails((Pause(task, step, steps),)):
                    return Pause(task, step, steps)
        return None

    def _simplest(self, best: Pause) -> Pause:
        """Return the simplest pause: the shortest that works at any step of any task, and the first of that length."""
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
