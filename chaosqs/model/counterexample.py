"""A found counterexample: one value, one JSON file, from which every report is rendered and every replay starts."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation


@attrs.frozen
class Setting:
    """One setting of the design or scenario, and what it has to do with the violation."""

    owner: str
    """The queue, function or mapping that has it; empty for the scenario itself."""
    name: str
    """As the model spells it: `reserved_concurrency`."""
    value: str
    """Its repr in the counterexample."""
    matters: bool
    """Whether some other valid value makes the invariant hold."""
    threshold: str = ""
    """From where on the invariant holds: `holds from 5`; empty where any value is as good."""
    origin: str = ""
    """Where it was read from: `template.yaml:41 ReservedConcurrentExecutions: 2`; empty for defaults."""
    load_sensitivity: str = ""
    """Of a batch size that does not matter here: how it does under a large load, if it matters there: `holds in 15 % of
    draws with 100 messages at once, in 98 % with 1`."""


@attrs.frozen
class Change:
    """One setting of the design with another value."""

    target: str
    """The queue, function or mapping that has it."""
    setting: str
    """As the model spells it: `max_receive_count`."""
    value: int | bool | None
    """None: no limit."""


@attrs.frozen
class Fix:
    """A change of the design, and how often the invariant was still violated with it under the same search."""

    change: str
    """In the model's terms: `maximum_concurrency = 2`, `visibility_timeout = 180 and batch_size = 1`."""
    violated: int
    of: int
    drain: float | None = None
    """Time to drain the counterexample's own workload, relative to before: 0.1 is ten per cent longer."""
    certain: bool = False
    """Whether AWS's rules exclude the violation with it (MC-1, MC-3); otherwise a longer search may yet find one."""
    latency: float | None = None
    """Mean time from the send to the first success on a message of that workload, relative to before."""
    concurrency: float | None = None
    """Most executions of the function at once under that workload, relative to before."""
    breaks: tuple[str, ...] = ()
    """Other default invariants that held in all trials before, and are violated in some with it."""
    changes: tuple[Change, ...] = ()
    """What to change, setting by setting."""


@attrs.frozen
class Rate:
    """How often the counterexample is violated when only seed changes."""

    violated: int
    of: int

    def interval(self) -> tuple[float, float]:
        """Return the 95 % confidence interval of the share (Wilson)."""
        if not self.of:
            return 0.0, 1.0
        z, n = 1.96, self.of
        share, square = self.violated / n, 1.96**2
        middle = (share + square / (2 * n)) / (1 + square / n)
        half = z * (share * (1 - share) / n + square / (4 * n * n)) ** 0.5 / (1 + square / n)
        return max(0.0, middle - half), min(1.0, middle + half)


@attrs.frozen
class PointOfNoReturn:
    """From when on the violation was inevitable: whatever seed had followed, and though nothing more went wrong."""

    at: int | None
    """The moment in milliseconds; None: it was certain from the start."""
    what: str
    """What happened then: `third receive of message 2`; empty from the start, and for the violation itself."""
    violated: int
    """So many of the futures drawn from there on end in the violation (at least 95 %)."""
    of: int
    avoidable_at: int | None = None
    """A moment before it at which chance could still have avoided the violation; None: none was found."""


@attrs.frozen
class Explanation:
    """Why it happens and what prevents it."""

    settings: tuple[Setting, ...] = ()
    faults: tuple[str, ...] = ()
    """The faults without which it does not happen; empty: no fault was needed."""
    rate: Rate | None = None
    fixes: tuple[Fix, ...] = ()
    assumptions: tuple[str, ...] | None = None
    """What AWS does not document and the verdict hangs on; empty: on nothing; None: that was not looked at."""
    point_of_no_return: PointOfNoReturn | None = None
    """From when on it was inevitable; None: that was not looked at."""
    patch: str = ""
    """The first fix as a unified diff of the template; empty where it cannot be told."""
    own_bug: bool = False
    """Whether the promise is chaosqs's own, which no design can break: then nothing of the design is to blame."""


@attrs.frozen
class Counterexample:
    """A scenario in which an invariant is violated, with everything that a report says about it."""

    design: str
    """How the user calls the design: the file that it was read from."""
    mapping: str
    """`orders→worker`."""
    invariant: str
    """Name of the invariant: `no-dead-lettering-by-throttling`."""
    violation: Violation
    scenario: Scenario
    digest: str
    """`History.digest` of the scenario: a replay compares it."""
    versions: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Versions of chaosqs, Hypothesis and Python that found it."""
    explanation: Explanation = Explanation()
