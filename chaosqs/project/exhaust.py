"""Everything within a bound, on each mapping of a file: what came of it, with a report where a promise is broken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.project.checks import Budget, Check, known
from chaosqs.project.discovery import Source, read_source
from chaosqs.project.planning import Options, Plan, plan
from chaosqs.project.replay import refuse_unmapped
from chaosqs.project.results import CheckResult
from chaosqs.project.summary import summary
from chaosqs.report.terminal import WIDTH
from chaosqs.search.exhaust import FAULTS, MAX_RUNS, PAUSES, exhaust
from chaosqs.search.exhaustion import Exhaustion
from chaosqs.search.finding import Finding


@attrs.frozen
class Scope:
    """What is tried, and what is asked about it."""

    mapping: str = ""
    """Empty: each."""
    invariants: tuple[str, ...] = ()
    """Names; empty: all that the project asks for."""
    messages: int | None = None
    """None: the usual number, or those of the scenario."""
    faults: int = FAULTS
    pauses: int = PAUSES
    max_runs: int = MAX_RUNS


@attrs.frozen
class Exhausted:
    """What came of one mapping."""

    mapping: str
    exhaustion: Exhaustion
    results: tuple[CheckResult, ...]

    def lines(self) -> Iterator[str]:
        """Yield the stories of what is violated, the table of verdicts, and what the verdicts rest on."""
        yield from (found.broken.story for found in self.results if found.broken)
        yield from summary(self.results)
        for line in self.exhaustion.lines():
            yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)

    def as_json(self) -> dict[str, object]:
        """Return it all, for programs."""
        results = [attrs.asdict(found) for found in self.results]
        done = self.exhaustion
        bound = attrs.asdict(done.bound) | {"depth": done.bound.depth}
        counts = {"runs": done.runs, "histories": done.histories, "equivalent": done.equivalent}
        said = {"complete": done.complete, "proven": done.proven, "kinds": done.kinds, "said": list(done.lines())}
        return {"mapping": self.mapping, "bound": bound, **counts, **said, "answers": results}


def exhausted(options: Options, scope: Scope) -> Iterator[Exhausted]:
    """Try everything on the one design of the options; yield what came of each mapping.

    Raises `InvalidInput` for a mapping, an invariant or a number that cannot be, before anything is tried, and what
    `exhaust` raises.
    """
    planned = plan(options)
    source = read_source(options.designs[0], base=options.here, root=options.root)
    names = [mapping.name for mapping in source.design.mappings]
    if not names:
        raise InvalidInput(f"{source.name}: the design has no mapping")
    if scope.mapping:
        names = [scope.mapping.replace("->", "→")]
        refuse_unmapped(names[0], source.design, source.name)
    asked = tuple(known(name, source.name, options.root) for name in scope.invariants)
    for mapping in names:
        checks = [check for check in planned.checks if check.mapping == mapping]
        if asked:
            checks = [attrs.evolve(checks[0], invariant=invariant) for invariant in asked]
        yield _on(mapping, source, scope, planned, checks)


def _on(mapping: str, source: Source, scope: Scope, planned: Plan, checks: Sequence[Check]) -> Exhausted:
    invariants = [check.invariant for check in checks]
    done = exhaust(
        source.scenario or source.design,
        mapping,
        name=source.name,
        invariants=invariants,
        behaviours=checks[0].behaviours,
        messages=scope.messages,
        faults=scope.faults,
        pauses=scope.pauses,
        max_runs=scope.max_runs,
    )
    pairs = zip(checks, done.findings, strict=True)
    return Exhausted(mapping, done, tuple(_answered(planned, check, found) for check, found in pairs))


def _answered(planned: Plan, check: Check, finding: Finding) -> CheckResult:
    """Answer a question by what is known already."""

    def found(_: Budget) -> Finding:
        return finding

    return planned.answer(attrs.evolve(check, search=found))
