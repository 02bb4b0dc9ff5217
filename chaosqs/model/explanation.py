"""Causes of a counterexample and changes that prevent it, as values. `chaosqs.report` alone makes words of them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from chaosqs.model.faults import FaultPlan


@attrs.frozen
class Unknown:
    """An unknown value, which a template leaves open."""

    reason: str
    """Reason why it is unknown: `parameter Timeout has no default`."""


Value: TypeAlias = int | bool | None
"""The value of a setting; None: no limit, which counts as more than any number."""
MaybeValue: TypeAlias = int | bool | Unknown | None
"""The value of a setting, or `Unknown`."""
ResourceKind: TypeAlias = Literal["queue", "function", "mapping", "account"]
VerdictWord: TypeAlias = Literal["holds", "violated", "inconclusive"]
Side: TypeAlias = Literal["at_least", "at_most", "any"]
PremiseKind: TypeAlias = Literal[
    "messages", "spread", "rate", "lasting", "size", "groups", "duration", "failures", "fault"
]
Toll: TypeAlias = Literal["not_received", "not_processed", "expired", "given_up", "excused", "not_finished"]
"""Damage that a change does instead: messages that no invocation receives, or processes; that expire; that leave for
the dead-letter queue although the function did not fail on them; violations that only a fault excuses; runs that do
not end."""
EnsembleWord: TypeAlias = Literal["robust", "depends", "artefact", "unsettled"]
"""The verdict over assumption sets: all produce the violation; some never do; only the counterexample's own does; the
trials do not tell."""
Part: TypeAlias = Literal["rate", "settings", "premises", "faults", "fixes", "assumptions", "point_of_no_return"]
"""A part of an explanation."""
CutBy: TypeAlias = Literal["runs", "time", "interrupt", "request", "accepted"]
"""Cause for which an explanation is cut: the simulations that the profile allows, the time budget, a signal, the user's
wish for none, or that the project accepts the violation."""
Population: TypeAlias = Literal["seeds", "larger_loads", "load", "futures"]
"""Population that trials are from: the counterexample under several seeds; the same with its load and multiples of it;
many messages at once; futures of one moment."""


@attrs.frozen
class SettingPath:
    """The place of a setting in the design."""

    kind: ResourceKind
    name: str
    """Name of the queue, function or mapping; empty for the account."""
    attribute: str
    """Name as the model spells it: `reserved_concurrency`; `max_receive_count` of a queue is its redrive policy's."""


SAFE_SEEDS, SAFE_CASES = 200, 400
"""Trials behind the word `safe`: seeds of the counterexample with multiples of its load, and cases of a search."""


@attrs.frozen
class Evidence:
    """Number of trials, and of those that violated the invariant."""

    violations: int
    trials: int
    population: Population

    def interval(self) -> tuple[float, float]:
        """Return the 95 % confidence interval of the share of violations (Wilson)."""
        if not self.trials:
            return 0.0, 1.0
        z, n = 1.96, self.trials
        share, square = self.violations / n, 1.96**2
        middle = (share + square / (2 * n)) / (1 + square / n)
        half = z * (share * (1 - share) / n + square / (4 * n * n)) ** 0.5 / (1 + square / n)
        return max(0.0, round(middle - half, 12)), min(1.0, round(middle + half, 12))

    @property
    def bound(self) -> float:
        """Upper end of that interval."""
        return self.interval()[1]


@attrs.frozen
class Threshold:
    """A range of values at which the invariant holds, on one side of the setting's present value."""

    side: Side
    """`any`: every number, where there was no limit."""
    value: Value
    """The value nearest to the present one; the values beyond it hold, too."""
    evidence: Evidence
    """Evidence of the value: seeds of the counterexample and of multiples of its load."""
    cases: int = 0
    """Cases of a search of the design with that value, none of which violates the invariant."""
    messages: int = 0
    """Messages of the largest load of the evidence."""
    sets: int = 0
    """Other assumption sets that fit the measurements of AWS, under which larger loads hold, too."""

    @property
    def safe(self) -> bool:
        """True if there are enough trials for that word."""
        return self.evidence.trials >= SAFE_SEEDS and self.cases >= SAFE_CASES

    @property
    def edges(self) -> tuple[Value, ...]:
        """The value; none for `any`."""
        return () if self.side == "any" else (self.value,)


@attrs.frozen
class Rarer:
    """A value of a setting with which the violation is rarer; no value was found with which it is excluded."""

    side: Side
    value: Value
    present: Evidence
    """Rate with the present value."""
    changed: Evidence
    """Rate with the other value, in the same scenarios."""


@attrs.frozen
class AtAPrice:
    """A value of a setting with which the violation does not happen, because something else becomes worse."""

    side: Side
    value: Value
    tolls: tuple[Toll, ...]


@attrs.frozen
class LoadSensitivity:
    """Violations with the present value of a setting and with another one, when many messages arrive at once."""

    messages: int
    present: Evidence
    other: int
    """Another value of the setting."""
    changed: Evidence
    """Violations with the other value."""


@attrs.frozen
class Origin:
    """The place in a file that a value was read from; as text `template.yaml:41 ReservedConcurrentExecutions: 2`."""

    file: str
    line: int
    """Number of the line, from 1."""
    text: str
    """Name and value in the words of the file, on one line: `ReservedConcurrentExecutions: 2`."""

    def __str__(self) -> str:
        """Return file, line and text as reports show them."""
        return f"{self.file}:{self.line} {self.text}"


@attrs.frozen
class Setting:
    """A setting of the design, and its part in the violation."""

    path: SettingPath
    value: MaybeValue
    """Its value in the counterexample; the number of filter patterns, and the maximum of provisioned pollers."""
    thresholds: tuple[Threshold, ...] = ()
    """Values from which on the invariant holds."""
    origin: Origin | None = None
    """Place that it was read from; None for defaults."""
    load: LoadSensitivity | None = None
    """Effect of a batch size under a large load, if it matters there but not in the counterexample."""
    rarer: Rarer | None = None
    """A value with which the violation is rarer, where no value excludes it."""
    at_a_price: AtAPrice | None = None
    """A value that only moves the damage, where no other one helps."""
    same_at: tuple[Value, ...] = ()
    """Values that were tried, low, usual and high ones, if the violation stays with each of them; else empty."""

    @property
    def matters(self) -> bool:
        """True if some other valid value makes the violation impossible or rarer."""
        return bool(self.thresholds or self.rarer)

    @property
    def edges(self) -> tuple[Value, ...]:
        """The values at which its thresholds lie, the nearest first on each side."""
        return tuple(edge for threshold in self.thresholds for edge in threshold.edges)


@attrs.frozen
class Premise:
    """A need of the violation: a threshold of the load, of durations or of failures."""

    about: PremiseKind
    subject: str
    """Name of the queue or function; of `fault` the scope of the window, which may be empty."""
    attribute: str
    """Name as the model spells it: `seconds_per_batch`; of `fault` the kind: `throttled`."""
    value: float
    """Least value with which the violation was seen; the largest of `spread`, seconds over which the messages come, and
    of `groups`, message groups that they share."""
    safe: float
    """Nearest value with which it was not seen."""
    evidence: Evidence
    """Evidence of the safe value."""
    messages: int
    """Messages of the largest load of the evidence."""


@attrs.frozen
class Change:
    """One setting of the design with another value."""

    setting: SettingPath
    before: MaybeValue
    after: Value
    """The new value; of `redrive` the max_receive_count of a policy that leads to a new dead-letter queue."""


@attrs.frozen
class Price:
    """Increase caused by a change, relative to before: 0.1 is ten per cent more; None where there is no comparison."""

    drain: float | None = None
    """Increase of the time until the counterexample's own workload is drained."""
    latency: float | None = None
    """Increase of the mean time from send to first success, over the messages that succeed in both runs."""
    concurrency: float | None = None
    """Increase of the maximum concurrent executions of the function."""


@attrs.frozen
class Fix:
    """A change of the design, and the evidence of its trials."""

    changes: tuple[Change, ...]
    evidence: Evidence
    price: Price = Price()
    rules: tuple[str, ...] = ()
    """Ids of AWS's rules that exclude the violation (`MC-1`); empty: only the evidence supports the fix, and a longer
    search may still find a violation."""
    breaks: tuple[str, ...] = ()
    """Other default invariants that held in all trials without the change, and are violated in some with it."""
    patch: str = ""
    """The change as a unified diff of the template; empty if there is none."""
    base: Evidence | None = None
    """Violations without the change, in the first of the same scenarios."""
    cases: int = 0
    """Cases of a search of the changed design, none of which violates the invariant."""
    conclusive: bool = True
    """False if chance alone could explain the evidence, because violations are rare without the change, too."""
    sets: int = 0
    """Other assumption sets that fit the measurements of AWS, under which larger loads hold, too."""

    @property
    def prevents(self) -> bool:
        """True if no trial violated the invariant."""
        return not self.evidence.violations


@attrs.frozen
class AssumptionVerdict:
    """The verdict on the counterexample with another value of one assumption about AWS."""

    name: str
    """Name of the assumption: `throttle_retry`."""
    value: int
    verdict: VerdictWord
    """`inconclusive`: it cannot be simulated with that value."""


@attrs.frozen
class AssumptionRate:
    """The rate of the violation with one assumption at another value."""

    name: str
    """Name of the assumption: `held_batches`."""
    value: int
    evidence: Evidence


@attrs.frozen
class Ensemble:
    """The verdict over assumption sets that all fit the measurements of AWS.

    The counterexample's own is one of them, unless the search has drawn its assumptions.
    """

    verdict: EnsembleWord
    sets: int
    """Sets that were tried."""
    known: int
    """Sets that there are."""
    violated: int
    """Sets under which some trial violates the invariant."""
    lowest: Evidence | None = None
    """The lowest rate of a set, over seeds of the counterexample; None: not measured."""
    highest: Evidence | None = None
    """The highest rate of a set."""
    deciding: tuple[AssumptionRate, ...] = ()
    """Rates with one assumption at its least and its largest value in the sets, if it decides alone."""
    together: tuple[str, ...] = ()
    """Names of the assumptions that decide together, if none decides alone."""
    trials: int = 0
    """Trials of a set that does not produce the violation, of the one with the fewest."""


@attrs.frozen
class PointOfNoReturn:
    """The time from which the violation was inevitable with any seed, even without further faults."""

    evidence: Evidence
    """Evidence of the futures drawn from then on; of all seeds if it was certain from the start (at least 95 %)."""
    at: int | None
    """Milliseconds; None: it was certain from the start."""
    event: int | None = None
    """Index of the event at that time; None from the start, and for the violation itself."""
    avoidable_at: int | None = None
    """Time before it at which chance could still have avoided the violation, in milliseconds; None: none found."""


@attrs.frozen
class Explanation:
    """Causes of a violation, and changes that prevent it."""

    settings: tuple[Setting, ...] = ()
    premises: tuple[Premise, ...] = ()
    faults: tuple[FaultPlan, ...] = ()
    """The faults that the violation needs, each as a plan of its own; empty: it needs no fault."""
    rate: Evidence | None = None
    """Violations when nothing but the seed changes."""
    fixes: tuple[Fix, ...] = ()
    assumptions: tuple[AssumptionVerdict, ...] | None = None
    """Values of the assumptions on which the verdict depends; empty: on none; None: not examined."""
    point_of_no_return: PointOfNoReturn | None = None
    """None: not examined."""
    unfinished: tuple[Part, ...] = ()
    """Parts that are missing or incomplete; `cut_by` says why."""
    cut_by: CutBy = "runs"
    own_bug: bool = False
    """True if no design can violate the invariant: the violation is a bug of chaosqs."""
    outdated: bool = False
    """True if an explanation was left out: of another history, or of an older version, which wrote it in words."""
    cause: str = ""
    """Name of the invariant under which the same cause is told in full; `fixes` are its changes, tried on this one."""
    ensemble: Ensemble | None = None
    """The verdict over assumption sets that fit the measurements; None: not examined."""

    @property
    def is_artefact(self) -> bool:
        """True if of all assumption sets that fit the measurements, only the counterexample's own has the violation."""
        return self.ensemble is not None and self.ensemble.verdict == "artefact"

    @property
    def patch(self) -> str:
        """The patch of the first fix that has one; empty if none has."""
        return next((fix.patch for fix in self.fixes if fix.patch), "")
