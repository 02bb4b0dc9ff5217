"""What earlier searches found, kept in Hypothesis's database: scenarios as JSON.

Its own entries are the choices of a strategy: to another strategy, or to a Hypothesis that draws otherwise, they are
another case. And what the opening or a policy finds was never drawn. A scenario means the same to all of them.
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

# A scenario on another design: does what happened once happen there, too? --------------------------------------------


def transferred(scenario: Scenario, design: Design, behaviours: Mapping[str, Behaviour]) -> Scenario:
    """Return a scenario with another design: the same load, the same faults and seed, and the end that fits it.

    `behaviours`, by function name, are taken as given; the other functions behave as they did. Raises `InvalidScenario`
    where the scenario does not fit the design, as it names a queue or function that is not there.
    """
    names = [function.name for function in design.functions]
    behaved = {name: behaviour for name, behaviour in {**scenario.behaviours, **behaviours}.items() if name in names}
    moved = attrs.evolve(scenario, design=design, behaviours=behaved)
    return scenario if moved == scenario else ending(moved)


# ---------------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Memory:
    """The part of a database that is about one thing: a mapping of a design, or one invariant on it."""

    database: ExampleDatabase
    fit: Callable[[Scenario], Scenario]
    """Puts what was found once on the design as it is now; raises `InvalidInput` where it does not fit any more."""
    names: tuple[str, ...]
    """What it is about. Settings of the design are no part of it: a fix of the design is what it must judge."""

    def about(self, name: str) -> Memory:
        """Return the part that is about something narrower."""
        return attrs.evolve(self, names=(*self.names, name))

    @property
    def _key(self) -> bytes:
        return hashlib.blake2b("\0".join(("chaosqs", *self.names)).encode(), digest_size=16).digest()

    def recalled(self) -> Iterator[tuple[bytes, Scenario]]:
        """Yield each scenario, the shortest first, with the entry to `forget`; what cannot be read is forgotten."""
        for entry in sorted(self.database.fetch(self._key), key=lambda entry: (len(entry), entry)):
            try:
                scenario = self.fit(from_json(Scenario, entry.decode()))
            except (InvalidInput, UnicodeDecodeError):
                self.forget(entry)
            else:
                yield entry, scenario

    def keep(self, scenario: Scenario) -> None:
        """Keep what violates the invariant."""
        self.database.save(self._key, to_json(scenario).encode())

    def forget(self, entry: bytes) -> None:
        """Forget what does so no more."""
        self.database.delete(self._key, entry)
