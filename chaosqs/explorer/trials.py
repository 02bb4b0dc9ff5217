"""The trials of a fix: the same scenarios for all changes of the design, and what each promise comes to in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.explorer.drawing import draws
from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.invariants import DEFAULT, OURS, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.simulator.run import isolated
from chaosqs.strategies import scenarios

_LARGE_LOADS = (60, 40, 20, 10, 5)
_SAMPLE, _HOPELESS = 30, 8
"""From so many trials at the most it is told how near a change comes to a fix, and from so many that it does not."""


def trial_scenarios(
    scenario: Scenario, mapping: EventSourceMapping, given: Mapping[str, Behaviour], trials: int
) -> tuple[Scenario, ...]:
    """Return so many scenarios, under the faults of the counterexample and under others.

    A quarter is the counterexample with other luck, a quarter the calm worlds of large loads under its faults, and the
    rest is drawn as the search draws, faults and all.
    """
    own = [attrs.evolve(ending(scenario), luck=luck) for luck in range(max(1, trials // 4))]
    lattice = Lattice(scenario.design, mapping.queue, given)
    worlds = [world for count in _LARGE_LOADS for world in lattice.worlds(count)][: trials // 4]
    calm = [ending(attrs.evolve(world, faults=scenario.faults)) for world in worlds]
    drawn = draws(scenarios(scenario.design, queue=mapping.queue, behaviours=given), trials - len(own) - len(calm))
    return (*own, *calm, *drawn)


@attrs.define(slots=False, eq=False)
class Trials:
    """The trials of the fixes of one counterexample."""

    oracle: Oracle
    """Answers for the invariant in question, and counts the simulations."""
    tests: list[Scenario]
    """Whichever has ended the trial of a change stands first: it may well do so again."""

    @property
    def others(self) -> tuple[Invariant, ...]:
        """The promises that a fix must not break: what a search judges without being asked, but for our own."""
        silent = {self.oracle.invariant.name, *(ours.name for ours in OURS)}
        return tuple(invariant for invariant in DEFAULT if invariant.name not in silent)

    def broken(self, design: Design) -> tuple[str, ...] | None:
        """Return the other promises that a design breaks although they held before; None where it is no fix."""
        after: Counter[str] = Counter()
        for place, test in enumerate(self.tests):
            history = self._run(test, design)
            if history is None or self._violates(history):
                self.tests.insert(0, self.tests.pop(place))
                return None
            after.update(_violated(history, self.others))
        return tuple(name for name in after if not self._before[name])

    def misses(self, design: Design) -> int | None:
        """Return in how many trials of a sample a design still violates the invariant; None where it hardly helps.

        The sample is of all kinds of trials that violate it without a change.
        """
        sample = self.violating[:: len(self.violating) // _SAMPLE + 1]
        if not sample:
            return None
        missed = 0
        for place, test in enumerate(sample):
            history = self._run(test, design)
            missed += history is None or self._violates(history)
            if missed == place + 1 == min(_HOPELESS, len(sample)):
                return None
        return missed

    def remaining(self, design: Design) -> int:
        """Return how many of the trials that violate the invariant without a change still do."""
        histories = [self._run(test, design) for test in self.violating]
        return sum(history is None or self._violates(history) for history in histories)

    @cached_property
    def _before(self) -> Counter[str]:
        """In how many trials each other promise is broken without a change."""
        histories = [self._run(test, test.design) for test in self.tests]
        return Counter(name for history in histories if history for name in _violated(history, self.others))

    @cached_property
    def violating(self) -> list[Scenario]:
        """The trials that violate the invariant without a change."""
        return [test for test in self.tests if self.oracle.violated(test)]

    def _violates(self, history: History) -> bool:
        return self.oracle.judge(history).status is Status.VIOLATED

    def _run(self, test: Scenario, design: Design) -> History | None:
        """Run a trial with another design; None where it does not fit, or cannot be simulated."""
        self.oracle.simulations += 1
        try:
            return isolated(test if design == test.design else ending(attrs.evolve(test, design=design)))
        except (InvalidInput, SimulationError):
            return None


def _violated(history: History, invariants: tuple[Invariant, ...]) -> list[str]:
    verdicts = [invariant.judge(history) for invariant in invariants]
    return [verdict.invariant for verdict in verdicts if verdict.status is Status.VIOLATED]
