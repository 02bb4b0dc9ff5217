"""One defect of the fake that can be switched on: one method or constant is another one for as long as it is on.

Production code knows nothing of this. A mutant lies about AWS in one place, as a slip of ours could; what the search
finds while it lies tells how much the invariants see.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

import attrs

from benchmarks.power.task import Task
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import simulate


@attrs.frozen
class Mutation:
    """What a mutant puts in the place of what; a task takes it as its switch."""

    owner: type | ModuleType
    attribute: str
    """Name of the method or constant that the owner itself has."""
    defect: object

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Have the defect in place for as long as this is open."""
        right = self.present()
        setattr(self.owner, self.attribute, self.defect)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, right)

    def present(self) -> object:
        """Return what the owner has now, as it has it: a descriptor is not asked."""
        found: object = vars(self.owner)[self.attribute]
        return found

    def triggered(self, scenario: Scenario) -> bool:
        """Tell whether the defect changes the history of a scenario."""
        right = simulate(scenario).digest
        with self():
            return simulate(scenario).digest != right


def mutant(
    name: str, why: str, switch: Mutation, invariant: str, scenario: Scenario, *, given: bool = False, mapping: str = ""
) -> Task:
    """Return the task for a mutant of the fake.

    `scenario` is the smallest that shows it; the search draws the behaviours unless they are `given`. One without
    workload holds what is given where the smallest is not known. `mapping`: where it is not the first of the design.
    """
    known, design = bool(scenario.workload), scenario.design
    return Task(
        name=name,
        kind="mutant",
        why=why,
        design=design,
        invariant=invariant,
        mapping=mapping or design.mappings[0].name,
        behaviours=scenario.behaviours if given or not known else {},
        smallest=scenario if known else None,
        switch=switch,
    )
