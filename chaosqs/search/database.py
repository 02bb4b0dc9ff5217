"""The findings of earlier searches, kept in Hypothesis's database as scenarios in JSON.

Hypothesis's own entries are the choices of a strategy: for another strategy, or a version of Hypothesis that draws
otherwise, they stand for another case. Findings of the seed corpus or a scheduling policy were never drawn at all. A
scenario means the same to all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping

import attrs
from hypothesis.database import ExampleDatabase

from chaosqs.errors import InvalidInput
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.json import from_json, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.search.simplicity import ending

# A scenario on another design ----------------------------------------------------------------------------------------


def transferred(scenario: Scenario, design: Design, behaviours: Mapping[str, Behaviour]) -> Scenario:
    """Return a scenario with another design: the same load, faults and seed, and the run length that fits the design.

    `behaviours`, by function name, replace the scenario's; the other functions behave as before. Raises
    `InvalidScenario` if the scenario names a queue or function that the design does not have.
    """
    names = [function.name for function in design.functions]
    behaved = {name: behaviour for name, behaviour in {**scenario.behaviours, **behaviours}.items() if name in names}
    moved = attrs.evolve(scenario, design=design, behaviours=behaved)
    return scenario if moved == scenario else ending(moved)


# The memory ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Memory:
    """The part of a database for one subject: a mapping of a design, or one invariant on the mapping."""

    database: ExampleDatabase
    fit: Callable[[Scenario], Scenario]
    """Transfers a stored scenario to the current design; raises `InvalidInput` if it does not fit any more."""
    names: tuple[str, ...]
    """Names that identify the subject; no settings of the design, so that a fixed design still finds the entries."""

    def about(self, name: str) -> Memory:
        """Return the part for a narrower subject."""
        return attrs.evolve(self, names=(*self.names, name))

    @property
    def _key(self) -> bytes:
        return hashlib.blake2b("\0".join(("chaosqs", *self.names)).encode(), digest_size=16).digest()

    def recalled(self) -> Iterator[tuple[bytes, Scenario]]:
        """Yield each scenario with its entry, the shortest entry first; entries that cannot be read are deleted."""
        for entry in sorted(self.database.fetch(self._key), key=lambda entry: (len(entry), entry)):
            try:
                scenario = self.fit(from_json(Scenario, entry.decode()))
            except (InvalidInput, UnicodeDecodeError):
                self.forget(entry)
            else:
                yield entry, scenario

    def keep(self, scenario: Scenario) -> None:
        """Store a scenario that violates the invariant."""
        self.database.save(self._key, to_json(scenario).encode())

    def forget(self, entry: bytes) -> None:
        """Delete an entry whose scenario no longer violates the invariant."""
        self.database.delete(self._key, entry)
