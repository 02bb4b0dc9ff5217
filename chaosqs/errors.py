"""The errors that users meet; each names what is wrong and what would be right."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import ParamSpec, TypeVar

import attrs

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


@attrs.frozen
class Problem:
    """One thing that is wrong with an input: where, what was given, what would be right, and by which rule."""

    path: str
    """The field, as the user would write it: `queues[1].redrive.max_receive_count`."""
    value: str
    """The given value as its repr; empty if none was given."""
    must: str
    """The requirement, with range and unit: `must be 1 to 1000`."""
    rule: str = ""
    """Id of the rule in the behaviour ledger (`DLQ-1`); empty for a rule of chaosqs's own."""
    where: str = ""
    """File and line of the value (`template.yaml:41`), or empty."""

    def __str__(self) -> str:
        given = f" = {self.value}" if self.value else ""
        rule = f" ({self.rule})" if self.rule else ""
        where = f"{self.where}: " if self.where else ""
        return f"{where}{self.path}{given}: {self.must}{rule}"


class InvalidInput(ValueError):
    """The user's input cannot be used. `problems` lists everything that is wrong, not only the first thing."""

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

    function = ""
    """The function whose handler is to blame; empty if that is unknown."""


class Deadlock(SimulationError):
    """No step is left to run, yet tasks wait; the message names the tasks and what they wait for."""


class Livelock(SimulationError):
    """The run did not end within its bound on steps or time; the message names what had not ended."""


class EscapedSimulation(SimulationError):
    """A handler made a call that acts in real time or outside the process; the message names call and line."""


class ProcessEnded(SimulationError):
    """A real handler never gave way, or ended the process that it ran in; the message names function, file and line."""


class HandlerStuck(SimulationError):
    """A handler ran for too long in real time without a wait; the message names function, file and line."""


class NotDeterministic(SimulationError):
    """Two runs of one scenario differed; the message shows the first events that differ."""


def briefly(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Let these errors leave a public function without its inner frames and causes: to print them hides the message."""

    @wraps(function)
    def call(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        __tracebackhide__ = True
        try:
            return function(*args, **kwargs)
        except (InvalidInput, SimulationError) as error:
            raise error.with_traceback(None) from None

    return call
