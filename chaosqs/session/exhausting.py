"""Everything within a bound, on each mapping of a file: what came of it, with a report where a promise is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from textwrap import wrap

import attrs

from chaosqs.errors import InvalidInput, NotDeterministic
from chaosqs.explorer.exhaust import FAULTS, MAX_RUNS, PAUSES, exhaust
from chaosqs.explorer.exhaustion import Exhaustion
from chaosqs.explorer.finding import Finding
from chaosqs.invariants import Invariant
from chaosqs.report.terminal import WIDTH
from chaosqs.session.answers import Answer
from chaosqs.session.planning import Options, Plan, plan
from chaosqs.session.promises import known
from chaosqs.session.questions import Budget, Question
from chaosqs.session.sources import Source, read_source
from chaosqs.session.summary import summary


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
    exhaustion: Exhaustion | None
    """None: the simulator contradicted itself, as each of the answers says."""
    answers: tuple[Answer, ...]

    def lines(self) -> Iterator[str]:
        """Yield the stories of what is violated, the table of verdicts, and what the verdicts rest on."""
        yield from (found.broken.story for found in self.answers if found.broken)
        yield from summary(self.answers)
        if self.exhaustion is not None:
            for line in self.exhaustion.lines():
                yield from wrap(line, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)

    def as_json(self) -> dict[str, object]:
        """Return it all, for programs."""
        answers = [attrs.asdict(found) for found in self.answers]
        done = self.exhaustion
        if done is None:
            return {"mapping": self.mapping, "answers": answers}
        bound = attrs.asdict(done.bound) | {"depth": done.bound.depth}
        counts = {"runs": done.runs, "histories": done.histories, "equivalent": done.equivalent}
        said = {"complete": done.complete, "proven": done.proven, "kinds": done.kinds, "said": list(done.lines())}
        return {"mapping": self.mapping, "bound": bound, **counts, **said, "answers": answers}


def exhausted(options: Options, scope: Scope) -> Iterator[Exhausted]:
    """Try everything on the one design of the options; yield what came of each mapping.

    Raises `InvalidInput` for a mapping, an invariant or a number that cannot be, before anything is tried.
    """
    planned = plan(options)
    source = read_source(options.designs[0], base=options.here, root=options.root)
    names = [mapping.name for mapping in source.design.mappings]
    wanted = [scope.mapping] if scope.mapping else names
    if not wanted or not {*wanted} <= {*names}:
        there = ", ".join(names) or "none"
        raise InvalidInput(f"{source.name}: no mapping is called {scope.mapping!r}: the design has {there}")
    asked = tuple(known(name, source.name, options.root) for name in scope.invariants)
    for mapping in wanted:
        questions = [question for question in planned.questions if question.mapping == mapping]
        if asked:
            questions = [attrs.evolve(questions[0], invariant=invariant) for invariant in asked]
        yield _on(mapping, source, scope, planned, questions)


def _on(mapping: str, source: Source, scope: Scope, planned: Plan, questions: Sequence[Question]) -> Exhausted:
    invariants = [question.invariant for question in questions]
    try:
        done = _tried(mapping, source, scope, questions[0], invariants)
    except NotDeterministic as error:
        broken = [_answered(planned, question, partial(_contradicted, error)) for question in questions]
        return Exhausted(mapping, None, tuple(broken))
    pairs = zip(questions, done.findings, strict=True)
    return Exhausted(
        mapping, done, tuple(_answered(planned, question, partial(_found, found)) for question, found in pairs)
    )


def _tried(
    mapping: str, source: Source, scope: Scope, question: Question, invariants: Sequence[Invariant]
) -> Exhaustion:
    return exhaust(
        source.scenario or source.design,
        mapping,
        name=source.name,
        invariants=invariants,
        behaviours=question.behaviours,
        messages=scope.messages,
        faults=scope.faults,
        pauses=scope.pauses,
        max_runs=scope.max_runs,
    )


def _answered(planned: Plan, question: Question, search: Callable[[Budget], Finding]) -> Answer:
    """Answer a question by what is known already."""
    return planned.answer(attrs.evolve(question, search=search))


def _found(finding: Finding, _: Budget) -> Finding:
    return finding


def _contradicted(error: NotDeterministic, _: Budget) -> Finding:
    raise error
