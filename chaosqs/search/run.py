"""One search run: cases of one mapping of a design, judged by several invariants at once, with a finding for each.

A simulation costs a hundred times as much as a judgement, so the invariants share the cases. Each finds the same as if
it had searched alone: the cases do not depend on the invariants.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial

import attrs
from hypothesis import event, target
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import InvalidInput, NotDeterministic, SimulationError
from chaosqs.invariants import Invariant
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.search.ahead import Task, ahead
from chaosqs.search.coverage import coverage, in_order, margins
from chaosqs.search.database import Memory
from chaosqs.search.drawing import Stop, draws, hunt
from chaosqs.search.finding import CodeTally, Finding, Tally
from chaosqs.search.meter import Meter, Progress, SearchTime
from chaosqs.search.oracle import AloneOutcomes, Oracle
from chaosqs.search.profiles import Profile
from chaosqs.search.schedules import policies, scheduled
from chaosqs.simulation.run import simulate

_CASES_PER_SCHEDULE = 2  # cases of the budget for each case under a scheduling policy
# Some cases run twice, as a simulator whose runs differ proves nothing:
_FIRST_VERIFIED = 3  # first cases, and first drawn cases, that run twice
_VERIFY_EVERY = 100  # one case in this number runs twice after them


@attrs.define(eq=False)
class InvariantSearch:
    """The state of a search for violations of one invariant."""

    oracle: Oracle
    memory: Memory | None = None
    """Findings of earlier searches."""
    tally: Tally = attrs.field(factory=Tally)
    found_undrawn: bool = False
    """True if the memory or the seed corpus has a violation, so none was drawn."""

    @property
    def open(self) -> bool:
        """True if no violation is known yet."""
        return self.tally.violating is None


@attrs.define(eq=False)
class SearchRun:
    """A search for violations of several invariants."""

    strategy: SearchStrategy[Scenario]
    searches: Sequence[InvariantSearch]
    budget: Profile
    """The profile, with a seed."""
    seed_corpus: Iterable[Scenario] = ()
    """Fixed scenarios run before any are drawn. Must be shorter than the budget. Consumed once."""
    real: bool = False
    """True if a function is real code: task order is varied, too, as its bugs may depend on it."""
    code: CodeTally | None = None
    """Counts the invocations of the mapping's real code; None: it is a model."""
    meter: Meter = attrs.field(factory=Meter)
    """The time of the search and of what explains it."""
    cases: int = 0
    """Cases simulated without a scheduling policy; those of Hypothesis's shrinking count."""
    _recalled: int = 0
    """Number of them that came from memory; these do not count against the budget."""
    _seeded: int = 0
    """Number of them that came from the seed corpus; these do."""
    _error: Exception | None = None
    time: SearchTime = attrs.field(init=False)
    """The time of the search alone."""

    def __attrs_post_init__(self) -> None:
        """Begin to count the time."""
        self.time = self.meter.search()

    def run(self) -> None:
        """Try cases until every invariant is violated or the budget is spent.

        The order is: scenarios from memory, the seed corpus, drawn scenarios; for real code, some under policies, too.
        Raises `NotDeterministic` if a scenario has two histories, and the simulator's exceptions.
        """
        for each in self.searches:
            self._recall(each)
        known = [each for each in self.searches if not each.open]
        if self.real:
            self._run_real()
        else:
            self._run_seed_corpus()
            if self._open_searches() and not self._over():
                self._hunt(self._judged)
        for each in self.searches:
            if each.memory is not None and each.tally.violating is not None and each not in known:
                each.memory.keep(each.tally.violating)
        self.meter.waiting = len(self.searches) - len(self._open_searches())

    @property
    def planned(self) -> int:
        """Number of cases that the budget allows, those under scheduling policies included."""
        return self.budget.max_examples + (self._schedules() if self.real else 0)

    def _schedules(self) -> int:
        """Return the number of cases under scheduling policies."""
        usual = max(1, self.budget.max_examples // _CASES_PER_SCHEDULE)
        return usual if self.budget.schedules is None else min(usual, self.budget.schedules)

    def _over(self) -> bool:
        """Return True if the time of the search is over; then it is cut."""
        return self.time.over(found=len(self._open_searches()) < len(self.searches))

    def _open_searches(self) -> list[InvariantSearch]:
        return [each for each in self.searches if each.open]

    def _recall(self, search: InvariantSearch) -> None:
        """Judge the scenarios in an invariant's memory until one violates it; the others are forgotten."""
        memory = search.memory
        if memory is None:
            return
        for entry, scenario in memory.recalled():
            if self._over():
                return
            self._recalled += 1
            self._count(self._next(scenario), [search])
            search.found_undrawn = not search.open
            if search.found_undrawn:
                return
            memory.forget(entry)

    def _run_seed_corpus(self) -> None:
        for variant in self.seed_corpus:
            unanswered = self._open_searches()
            if not unanswered or self._over():
                return
            self._seeded += 1
            self._count(self._next(variant), unanswered)
            for each in unanswered:
                each.found_undrawn = not each.open

    def _run_real(self) -> None:
        """Judge the cases of real code: the seed corpus, drawn cases, and drawn cases under policies.

        What is drawn depends on no result, so that two processes can simulate it. Targeting would spend most drawn
        cases, which are few, on one scenario. A case that is violated under a policy is kept with pauses that do what
        the policy did.
        """
        corpus = list(self.seed_corpus)
        fixed = [self._task(each, index, 0) for index, each in enumerate(corpus, 1)]
        with ahead([*fixed, *self._drawn_tasks(len(corpus))]) as work:
            for index in range(len(work.tasks)):
                unanswered = self._open_searches()
                if not unanswered or self._over():
                    return
                history = work.history(index)
                if history is None:
                    return
                self._seeded += index < len(corpus)
                self.cases += 1
                self._count(history, unanswered)
                for each in unanswered:
                    each.found_undrawn = index < len(corpus) and not each.open

    def _task(self, scenario: Scenario, number: int, drawn: int) -> Task:
        """Return the simulation of a case, by its number, and its number among the drawn ones."""
        return partial(_simulated, scenario, verify=_runs_twice(self._recalled + number, drawn))

    def _drawn_tasks(self, before: int) -> list[Task]:
        """Return the simulations of drawn cases, and of cases under policies. The first that is called draws them all.

        The second process begins with these, so it draws while this one simulates the seed corpus. A strategy may have
        too few cases: the last simulations then have no history.
        """
        seed, most = self.budget.seed or 0, max(0, self.budget.max_examples - before)
        held = self._schedules()

        @cache
        def drawn() -> list[Task]:
            plain = enumerate(draws(self.strategy, most, seed), 1)
            pairs = zip(draws(self.strategy, held), policies(seed, held), strict=False)
            return [
                *(self._task(each, before + index, index) for index, each in plain),
                *(partial(scheduled, *each) for each in pairs),
            ]

        def run(index: int) -> History | None:
            return drawn()[index]() if index < len(drawn()) else None

        return [partial(run, index) for index in range(most + held)]

    def _count(self, history: History, searches: Sequence[InvariantSearch]) -> tuple[str, ...]:
        """Count a case for each of some invariants; return the marks that it reached."""
        marks = coverage(history)
        if self.code is not None:
            self.code.add(history)
        for each in searches:
            verdict = each.oracle.judge(history)
            each.tally.add(history.scenario, verdict, marks)
            if not each.open:
                self._tell("searching", verdict.violations[0])
        self._tell("searching" if searches else "shrinking")
        return marks

    def _tell(self, stage: str, found: Violation | None = None) -> None:
        violated = len(self.searches) - len(self._open_searches())
        self.meter.say(Progress(stage, self.cases, self.planned, violated, found=found))

    def smallest(self, search: InvariantSearch) -> Scenario:
        """Draw the same cases again, and let Hypothesis shrink the one that violates the invariant.

        A violation from memory or the seed corpus is returned as it is, because it was not drawn.
        """
        if not search.found_undrawn:
            known = [search.tally.violating] if self.real else []
            self._hunt(partial(self._violating, search, known), shrinking=True)
        if search.tally.violating is None:
            raise NotDeterministic("a violation was found once, and not when the search was repeated")
        return search.tally.violating

    def _hunt(self, case: Callable[[Scenario], None], *, shrinking: bool = False) -> None:
        hunt(
            self.strategy,
            case,
            max_examples=self.budget.max_examples - self._seeded,
            random_seed=self.budget.seed or 0,
            shrinking=shrinking,
        )
        if self._error is not None:
            raise self._error

    def _judged(self, scenario: Scenario) -> None:
        """Count a case for each invariant that has not found a violation; stop when there is none left.

        After `Stop`, Hypothesis's targeting may try up to a thousand more cases; these are not simulated.
        """
        unanswered = self._open_searches()
        if unanswered and self._over():
            raise Stop
        if unanswered:
            self._observed(self._drawn(scenario), unanswered)
        if not self._open_searches():
            raise Stop

    def _violating(self, search: InvariantSearch, known: list[Scenario | None], scenario: Scenario) -> None:
        """Judge a case; those that are drawn before the `known` violation are not simulated again.

        Once the time is over, only the smallest violation so far counts, without a simulation.
        """
        if known and scenario != known[0]:
            return
        if search.oracle.meter.over:
            if scenario == search.tally.violating:
                raise Stop
            return
        known.clear()
        history = self._drawn(scenario)
        self._observed(history, ())
        if search.oracle.judge(history).status is Status.VIOLATED:
            search.tally.violating = scenario
            raise Stop

    def _observed(self, history: History, searches: Sequence[InvariantSearch]) -> None:
        """Count a drawn case, and give Hypothesis its marks and the margins to maximize."""
        for mark in self._count(history, searches):
            event(mark)
        for label, value in margins(history).items():
            target(value, label=label)

    def _drawn(self, scenario: Scenario) -> History:
        """Simulate a drawn case; `NotDeterministic` ends the draws."""
        try:
            return self._next(scenario)
        except NotDeterministic as error:
            self._error = error  # if it got this error, Hypothesis would run the case again and raise its own `Flaky`
            raise Stop from error

    def _next(self, scenario: Scenario) -> History:
        """Simulate the next case, some of them twice."""
        self.cases += 1
        return _simulated(scenario, verify=_runs_twice(self.cases, self.cases - self._recalled - self._seeded))


def _runs_twice(case: int, drawn: int) -> bool:
    """Return whether a case runs twice, by its number, and its number among the drawn ones."""
    return case <= _FIRST_VERIFIED or 0 < drawn <= _FIRST_VERIFIED or case % _VERIFY_EVERY == 0


def _simulated(scenario: Scenario, *, verify: bool) -> History:
    """Simulate a scenario; add a note with it to other errors than wrong input."""
    try:
        return simulate(scenario, verify=verify)
    except InvalidInput:  # its message says what to change
        raise
    except Exception as error:
        error.add_note(f"while simulating {described(error, scenario)}")
        raise


def described(error: Exception, scenario: Scenario) -> str:
    """Return a scenario for the note on an error: without its design and its handlers if it is one of their code."""
    if not isinstance(error, SimulationError):
        return repr(scenario)
    plain = Scenario(scenario.design)
    pairs: list[tuple[str, object, object]] = [
        ("workload", scenario.workload, plain.workload),
        ("faults", scenario.faults, plain.faults),
        ("seed", scenario.seed, plain.seed),
        ("until", scenario.until, plain.until),
        ("assumptions", scenario.assumptions, plain.assumptions),
    ]
    given = [f"{name}={value!r}" for name, value, default in pairs if value != default]
    return f"Scenario(…, {', '.join(given)})"


def budgeted(profile: Profile, max_examples: int | None = None, seed: int | None = None) -> Profile:
    """Return a profile with the user's values in place of its own, and with a seed: a random one if neither has one."""
    chosen = profile.seed if seed is None else seed
    return attrs.evolve(
        profile,
        max_examples=profile.max_examples if max_examples is None else max_examples,
        seed=secrets.randbits(32) if chosen is None else chosen,
    )


def searched_run(  # noqa: PLR0913 - what `SearchRun` needs
    strategy: SearchStrategy[Scenario],
    invariants: Sequence[Invariant],
    budget: Profile,
    *,
    queue: str | None = None,
    seed_corpus: Iterable[Scenario] = (),
    memory: Memory | None = None,
    real: bool = False,
    code: CodeTally | None = None,
    meter: Meter | None = None,
) -> SearchRun:
    """Run a search and return it.

    `queue`: violations about messages of other queues do not count. `memory`: the design's findings of earlier
    searches. `seed_corpus`, `real`, `code`, `meter`: as in `SearchRun`.
    """
    alone, meter = AloneOutcomes(), meter or Meter()
    searches = [
        InvariantSearch(
            Oracle(invariant, queue, alone=alone, meter=meter), None if memory is None else memory.about(invariant.name)
        )
        for invariant in invariants
    ]
    search_run = SearchRun(strategy, searches, budget, seed_corpus, real, code, meter)
    search_run.run()
    return search_run


def finding(
    search: InvariantSearch,
    mapping: str,
    smallest: Scenario | None = None,
    unreached: Sequence[str] = (),
    cut: str = "",
) -> Finding:
    """Return the finding of a search, with the history of its counterexample `smallest`, which runs twice.

    `cut`: what the search left out for want of time; a search without any case is inconclusive for that reason.
    Raises `NotDeterministic` if the two runs differ or the counterexample does not violate the invariant.
    """
    name, tally = search.oracle.invariant.name, search.tally
    counts = {mark: tally.coverage[mark] for mark in in_order(tally.coverage)}
    if smallest is None:
        verdict = tally.verdict(name) if tally.cases or not cut else Verdict(name, Status.INCONCLUSIVE, cut)
        return Finding(mapping, name, verdict, tally.cases, counts, unreached=tuple(unreached), cut=cut)
    history = simulate(smallest, verify=True)
    verdict = search.oracle.judge(history)
    if verdict.status is not Status.VIOLATED:
        raise NotDeterministic(f"one scenario was judged in two ways: {name} is violated, and then not: {smallest!r}")
    return Finding(mapping, name, verdict, tally.cases, counts, smallest, history, unreached=tuple(unreached), cut=cut)
