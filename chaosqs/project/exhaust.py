"""Small-scope exhaustion: every placement of a few faults and pauses in a small scenario, so that a pass is a proof.

`chaosqs.search.exhaust` builds the plans and skips those for which another run stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

import attrs

from chaosqs.errors import InvalidInput, briefly
from chaosqs.invariants import DEFAULT, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.faults import Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst, arrivals
from chaosqs.project.binding import without
from chaosqs.project.checks import Budget, Check, known
from chaosqs.project.discovery import Source, read_source
from chaosqs.project.planning import Plan
from chaosqs.project.replay import refuse_unmapped
from chaosqs.project.results import CheckResult, run_check
from chaosqs.project.summary import summary
from chaosqs.report.explanation import planned_faults
from chaosqs.report.terminal import WIDTH
from chaosqs.report.text import title_of
from chaosqs.search.exhaust import LONGEST, Bound, Frontier
from chaosqs.search.finding import Finding
from chaosqs.search.messages import Given, sampled, sources
from chaosqs.search.meter import Meter
from chaosqs.search.oracle import Oracle
from chaosqs.search.run import InvariantSearch, finding
from chaosqs.search.shrink import without_end
from chaosqs.search.simplicity import ending

# Default bounds:
MESSAGES = 2
FAULTS = 2
PAUSES = 0
MAX_RUNS = 20_000
_MOST_MESSAGES = 100  # maximum of `messages`


@attrs.frozen
class Exhaustion:
    """The result of trying all plans within a bound on one mapping of a design."""

    design: str
    """The user's name for the design."""
    mapping: str
    bound: Bound
    runs: int
    """Simulations."""
    histories: int
    """Number of different histories. The other runs are equal to one of these, because a fault had no effect."""
    same_call: int
    """Plans that were not run, because another run has the same fault at the same call, by another message."""
    complete: int
    """Number of faults and pauses up to which all plans were tried; -1: not even those without any. Less than the
    bound's if the runs were spent or every invariant was violated before."""
    kinds: tuple[str, ...]
    """The kinds of fault that were tried, in order of first use."""
    findings: tuple[Finding, ...] = ()
    """The finding of each invariant. An unviolated one holds only if all plans were tried; else it is inconclusive."""

    @property
    def equivalent(self) -> int:
        """Plans that are equivalent to another one."""
        return self.runs - self.histories + self.same_call

    @property
    def proven(self) -> bool:
        """True if all plans were tried and none violates any invariant, exercised or not."""
        statuses = {finding.verdict.status for finding in self.findings}
        judged = not statuses & {Status.VIOLATED, Status.INCONCLUSIVE}
        return judged and self.runs > 0 and self.complete == self.bound.depth

    def __str__(self) -> str:
        """Return the lines for a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield a line for each violated invariant, then one each for all that hold, are not exercised, or are open."""
        for found in self.findings:
            if found.scenario is not None:
                yield f"{title_of(found.invariant)} is violated {_by(found)}"
        none = f"none of {_number(self.histories, 'schedule')} up to depth {self.bound.depth}"
        counts = f" ({self._counts()})"
        for status, does in ((Status.HOLDS, "violates"), (Status.NOT_EXERCISED, "exercises")):
            names = [found.invariant for found in self.findings if found.verdict.status is status]
            if names:
                yield f"{none} {does} {_title(names)}{counts}"
                counts = ""
        open_still = [found.invariant for found in self.findings if self._is_open(found)]
        if open_still:
            yield f"{self.stopped}: none violates {_title(open_still)}, which proves nothing ({self._counts()})"

    @property
    def stopped(self) -> str:
        """Return the point at which the walk stopped, as text; empty if it is complete."""
        if self.complete == self.bound.depth:
            return ""
        done = f"all up to depth {self.complete}" if self.complete >= 0 else "not even all without a fault"
        return f"stopped after {_number(self.histories, 'schedule')} at depth {self.complete + 1} ({done})"

    def _is_open(self, found: Finding) -> bool:
        return bool(self.stopped) and found.verdict.status is Status.INCONCLUSIVE

    def _counts(self) -> str:
        bound = self.bound
        faults = f"up to {_number(bound.faults, 'fault')} of {_number(len(self.kinds), 'kind')}"
        parts = [
            f"up to {_number(bound.messages, 'message')}",
            faults if bound.faults else "no faults",
            *([f"up to {_number(bound.pauses, 'pause')} of up to {LONGEST} steps"] if bound.pauses else []),
        ]
        return f"{', '.join(parts)}; {self._equivalent()}"

    def _equivalent(self) -> str:
        verb = "is" if self.equivalent == 1 else "are"
        return f"{self.equivalent:,} more {verb} equivalent to these"


@briefly
def exhaust(  # noqa: PLR0913 - each is a part of the question, and all but one have a default
    start: Design | Scenario,
    mapping: str = "",
    *,
    name: str = "design",
    invariants: Sequence[Invariant] = DEFAULT,
    behaviours: Mapping[str, Behaviour] | None = None,
    messages: int | None = None,
    faults: int = FAULTS,
    pauses: int = PAUSES,
    max_runs: int = MAX_RUNS,
    samples: Mapping[str, Given] | None = None,
    meter: Meter | None = None,
) -> Exhaustion:
    """Try every placement of up to `faults` faults and `pauses` pauses, the fewest and simplest first.

    For a design, the workloads are bursts of 1 to `messages` messages (default 2) to the queue of the mapping
    (`orders→worker`; required only if there are several), in one message group on a FIFO queue. The seed is 0 (calm),
    and functions without an entry in `behaviours` behave as `Behaviour()`. A scenario is tried as it is, with its own
    workload, seed and faults. `samples`: the messages of queues by name, as `explore` takes them, in the order in which
    they are sent; loads that have messages of their own keep them. The result is a proof within this bound, unless
    `max_runs` simulations or the time of the `meter` are spent before; then no invariant counts as kept. Raises
    `InvalidInput` for a mapping that the design does not have, for numbers out of range and for messages that a queue
    refuses, `NotDeterministic` if two runs of one scenario differ, and the simulator's exceptions.
    """
    _check(start, messages, faults, pauses, max_runs)
    design = start.design if isinstance(start, Scenario) else start
    location = _index(design, mapping)
    variants = _variants(start, location, behaviours or {}, messages or MESSAGES)
    known_messages = sources(design, samples)
    variants = [attrs.evolve(each, workload=sampled(each.workload, known_messages)) for each in variants]
    most = max(len(arrivals(variant.workload)) for variant in variants)
    bound = Bound(most, faults, pauses, max_runs)
    searches = [InvariantSearch(Oracle(invariant, location.queue)) for invariant in invariants]
    walk = Frontier(bound, searches, meter=meter or Meter())
    if location.enabled:
        walk.walk([_with_longest_end(variant, bound) for variant in variants])
    walk.meter.waiting = walk.violated
    return _exhaustion(name, location, walk)


def _check(start: Design | Scenario, messages: int | None, faults: int, pauses: int, max_runs: int) -> None:
    """Raise `InvalidInput` for numbers out of range."""
    numbers = {"messages": (messages, 1), "faults": (faults, 0), "pauses": (pauses, 0), "max_runs": (max_runs, 1)}
    for field, (value, least) in numbers.items():
        if value is not None and value < least:
            raise InvalidInput(f"{field} = {value}: must be {least} or more")
    if (messages or 0) > _MOST_MESSAGES:
        raise InvalidInput(f"messages = {messages}: must be {_MOST_MESSAGES} or less, as all are tried one by one")
    if messages is not None and isinstance(start, Scenario):
        raise InvalidInput(f"messages = {messages}: a scenario has a workload of its own")


def _index(design: Design, mapping: str) -> EventSourceMapping:
    indexes = [location for location in design.mappings if mapping in {"", location.name}]
    if len(indexes) == 1:
        return indexes[0]
    names = ", ".join(location.name for location in design.mappings) or "none"
    raise InvalidInput(f"mapping = {mapping!r}: must be one of the design's: {names}")


def _variants(
    start: Design | Scenario, location: EventSourceMapping, given: Mapping[str, Behaviour], messages: int
) -> list[Scenario]:
    """Return the scenarios to which the plans are added."""
    if isinstance(start, Scenario):
        return [attrs.evolve(start, behaviours={**start.behaviours, **given})]
    groups = 1 if start.queue(location.queue).fifo else 0
    return [Scenario(start, [Burst(location.queue, count, groups=groups)], given) for count in range(1, messages + 1)]


def _with_longest_end(variant: Scenario, bound: Bound) -> Scenario:
    """Return a scenario that lasts as long as the worst plan can take, so that all plans' histories have one end."""
    worst = attrs.evolve(
        variant.faults,
        messages=(*variant.faults.messages, *[("timeout",)] * bound.faults),
        sends=(*variant.faults.sends, *["lost_send"] * bool(bound.faults)),
        pauses=(*variant.faults.pauses, *[Pause(variant.design.mappings[0].name, 1, 1)] * bound.pauses),
    )
    until = ending(attrs.evolve(variant, faults=worst)).until
    return attrs.evolve(variant, until=max(until or 0, variant.until or 0))


def _exhaustion(name: str, location: EventSourceMapping, walk: Frontier) -> Exhaustion:
    done = Exhaustion(
        design=name,
        mapping=location.name,
        bound=walk.bound,
        runs=walk.runs,
        histories=len(walk.digests),
        same_call=walk.same_call,
        complete=walk.complete if location.enabled else walk.bound.depth,
        kinds=tuple(walk.kinds),
    )
    return attrs.evolve(done, findings=tuple(_finding(each, location, done.stopped) for each in walk.searches))


def _finding(search: InvariantSearch, location: EventSourceMapping, stopped: str) -> Finding:
    """Return the finding of one invariant; `stopped`: the reason why an unviolated one is inconclusive, or empty."""
    oracle, scenario = search.oracle, search.tally.violating
    name = oracle.invariant.name
    if not location.enabled:
        return Finding(location.name, name, Verdict(name, Status.NOT_APPLICABLE, f"{location.name} is switched off"), 0)
    if scenario is not None:
        fitted = ending(scenario)
        smallest = without_end(fitted if oracle.violated(fitted) else scenario, oracle)
        return finding(search, location.name, smallest)
    found = finding(search, location.name, cut="" if search.tally.cases else stopped)
    if not stopped or found.verdict.status not in {Status.HOLDS, Status.NOT_EXERCISED}:
        return found
    return attrs.evolve(found, verdict=Verdict(name, Status.INCONCLUSIVE, f"{stopped}: no proof"))


def _by(finding: Finding) -> str:
    """Return the faults that violate an invariant, as text."""
    assert finding.scenario is not None
    faults = planned_faults(finding.scenario.faults)
    if not faults:
        return "without any fault"
    fewer = "" if len(faults) == 1 else ", and by no fewer"
    return f"by {_number(len(faults), 'disturbance')}{fewer}: {'; '.join(faults)}"


def _title(names: Sequence[str]) -> str:
    return title_of(names[0]) if len(names) == 1 else f"any of {len(names)} invariants"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


# Exhausting each mapping of a file, with a report for each violated invariant ----------------------------------------


@attrs.frozen
class Scope:
    """The mappings and invariants to exhaust, and the bound."""

    mapping: str = ""
    """Empty: every mapping."""
    invariants: tuple[str, ...] = ()
    """Names of invariants; empty: all of the project."""
    messages: int | None = None
    """None: `MESSAGES`, or the workload of the scenario."""
    faults: int = FAULTS
    pauses: int = PAUSES
    max_runs: int = MAX_RUNS


@attrs.frozen
class Exhausted:
    """The result of one mapping."""

    mapping: str
    exhaustion: Exhaustion
    results: tuple[CheckResult, ...]
    messages: str = ""
    """Origin of the messages that a real handler got, as a line; empty for a model."""

    def lines(self) -> Iterator[str]:
        """Yield the stories of the violations, the table of verdicts, and the counts that the verdicts rest on."""
        yield from (found.broken.story for found in self.results if found.broken)
        yield from summary(self.results)
        yield from [f"  {self.messages}"] * bool(self.messages)
        for line in self.exhaustion.lines():
            yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)

    def as_json(self) -> dict[str, object]:
        """Return the result as JSON values."""
        results = [attrs.asdict(found) for found in self.results]
        done = self.exhaustion
        bound = attrs.asdict(done.bound) | {"depth": done.bound.depth}
        counts = {"runs": done.runs, "histories": done.histories, "equivalent": done.equivalent}
        said = {"complete": done.complete, "proven": done.proven, "kinds": done.kinds, "said": list(done.lines())}
        return {
            "mapping": self.mapping,
            "bound": bound,
            **counts,
            **said,
            "messages": self.messages,
            "answers": results,
        }


def exhausted(planned: Plan, scope: Scope) -> Iterator[Exhausted]:
    """Exhaust the one design of a plan's options; yield the result of each mapping, until a signal ends the session.

    Raises `InvalidInput` for an unknown mapping or invariant and for numbers out of range, before anything is tried,
    and the exceptions of `exhaust`.
    """
    options = planned.options
    source = read_source(options.designs[0], base=options.here, root=options.root)
    source = without(source, planned.known.refused.get(source.name, {}))
    names = [mapping.name for mapping in source.design.mappings]
    if scope.mapping:
        names = [scope.mapping.replace("->", "→")]
        refuse_unmapped(names[0], source.design, source.name)
    asked = tuple(known(name, source.name, options.root) for name in scope.invariants)
    planned.allowance.groups = len(names)
    for mapping in names:
        if planned.allowance.stopped:
            return
        checks = [check for check in planned.checks if check.mapping == mapping]
        if asked:
            checks = [attrs.evolve(checks[0], invariant=invariant) for invariant in asked]
        with planned.counted(checks[0]) as budget:
            done = _on(mapping, source, scope, planned, checks, budget)
        yield done


def _on(  # noqa: PLR0917 - what is tried, where, and for how long
    mapping: str, source: Source, scope: Scope, planned: Plan, checks: Sequence[Check], budget: Budget
) -> Exhausted:
    invariants, start = [check.invariant for check in checks], source.scenario or source.design
    if checks[0].problem:
        _check(start, scope.messages, scope.faults, scope.pauses, scope.max_runs)
        bound = Bound(scope.messages or MESSAGES, scope.faults, scope.pauses, scope.max_runs)
        nothing = Exhaustion(source.name, mapping, bound, 0, 0, 0, complete=-1, kinds=())
        told = (run_check(check, budget, root=planned.root, reports=planned.reports) for check in checks)
        return Exhausted(mapping, nothing, tuple(told))
    done = exhaust(
        start,
        mapping,
        name=source.name,
        invariants=invariants,
        behaviours=checks[0].behaviours,
        messages=scope.messages,
        faults=scope.faults,
        pauses=scope.pauses,
        max_runs=scope.max_runs,
        samples=checks[0].messages,
        meter=budget.meter,
    )
    pairs = zip(checks, done.findings, strict=True)
    results = tuple(_check_result(planned, check, found, budget) for check, found in pairs)
    return Exhausted(mapping, done, results, _origin(mapping, checks[0]))


def _origin(mapping: str, check: Check) -> str:
    """Return where the messages of a mapping with a real handler come from, as a line; empty for a model."""
    queue, _, function = mapping.partition("→")
    behaviour = check.behaviours.get(function)
    if behaviour is None or behaviour.handler is None:
        return ""
    found = (check.messages or {}).get(queue)
    return f"messages of {queue}: {found.origin if found else 'made-up bodies'}"


def _check_result(planned: Plan, check: Check, finding: Finding, budget: Budget) -> CheckResult:
    """Return the result of a check whose finding is known already."""

    def found(_: Budget) -> Finding:
        return finding

    # Not by `planned.run`: it sends real handlers to the child, which would search in place of this.
    return run_check(attrs.evolve(check, search=found), budget, root=planned.root, reports=planned.reports)
