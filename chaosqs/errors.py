"""The errors that users meet; each names what is wrong and what would be right."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Problem:
    """One thing that is wrong with an input: where, what was given, what would be right, and by which rule."""

    path: str
    """The field, as the user would write it: `queues[1].redrive.max_receive_count`."""
    value: str
    """What was given, as its repr; empty where nothing was given."""
    must: str
    """What would be right, with range and unit: `must be 1 to 1000`."""
    rule: str = ""
    """The id of the rule in the behaviour ledger (`DLQ-1`), or empty where the rule is ours."""
    where: str = ""
    """File and line that the value came from (`template.yaml:41`), or empty."""

    def __str__(self) -> str:
        given = f" = {self.value}" if self.value else ""
        rule = f" ({self.rule})" if self.rule else ""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.path}{given}: {self.must}{rule}"


class InvalidInput(ValueError):
    """What the user gave cannot be used. `problems` lists everything that is wrong, not the first thing only."""

    def __init__(self, problems: Sequence[Problem] | str) -> None:
        """Take the list of problems, or one sentence where there is nothing to list."""
        self.problems: tuple[Problem, ...] = () if isinstance(problems, str) else tuple(problems)
        super().__init__(problems if isinstance(problems, str) else "\n".join(map(str, problems)))


class InvalidDesign(InvalidInput):
    """A design that AWS would refuse, or that cannot be read from the file that should contain it."""


class InvalidScenario(InvalidInput):
    """A scenario that does not fit its design, or that cannot be read from the file that should contain it."""


class InvariantViolated(AssertionError):
    """An invariant does not hold. The message is the story of the violation."""


class SimulationError(Exception):
    """A simulation could not go on: a bug of chaosqs or of a handler under test, never a verdict on the design."""


class Deadlock(SimulationError):
    """Nothing is left that could happen, yet somebody waits; the message names who and for what."""


class Livelock(SimulationError):
    """The run did not end within its bound on steps; the message names what kept happening."""


class EscapedSimulation(SimulationError):
    """A handler did what would happen in real time or outside of the process; the message names call and line."""


class NotDeterministic(SimulationError):
    """Two runs of one scenario differed; the message shows the first events that differ."""
