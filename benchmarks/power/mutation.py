"""Defects of the fake that can be switched on: one method or constant is replaced while the defect is on.

Production code has no support for this. A mutant misbehaves in one place, as a bug of chaosqs could. The violations
that a search finds with a mutant show how much the invariants detect.
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
    """The replacement of one attribute; it is the switch of a task."""

    owner: type | ModuleType
    attribute: str
    """Name of a method or constant of the owner itself, not of a base class."""
    defect: object

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Replace the attribute within the context."""
        original = self.present()
        setattr(self.owner, self.attribute, self.defect)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, original)

    def present(self) -> object:
        """Return the current value of the attribute, without calling descriptors."""
        found: object = vars(self.owner)[self.attribute]
        return found

    def triggered(self, scenario: Scenario) -> bool:
        """Return True if the defect changes the history of a scenario."""
        original = simulate(scenario).digest
        with self():
            return simulate(scenario).digest != original


def mutant(
    name: str, why: str, switch: Mutation, invariant: str, scenario: Scenario, *, given: bool = False, mapping: str = ""
) -> Task:
    """Return the task for a mutant of the fake.

    `scenario` is the smallest that shows the defect; the search draws the behaviours unless they are `given`. If the
    smallest is unknown, `scenario` has no workload, and its design and behaviours are given. `mapping`: the searched
    mapping, by default the first of the design.
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
