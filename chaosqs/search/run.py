"""One pass of cases over a mapping of a design, judged by many invariants at once; each may be asked for its finding.

A case costs a hundred times what a judgement costs, so the invariants share them. What each one finds is the same as
if it had searched alone: the cases do not depend on who judges.
"""

import secrets
from collections.abc import Iterable, Sequence
from functools import partial

import attrs
from hypothesis import event, target
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import NotDeterministic
from chaosqs.invariants import Invariant
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.coverage import coverage, in_order, margins
from chaosqs.search.database import Memory
from chaosqs.search.drawing import Stop, draws, hunt
from chaosqs.search.finding import Finding, Tally
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import Profile
from chaosqs.search.schedules import policies, scheduled
from chaosqs.simulation.run import isolated

_SCHEDULES = 2
"""One case under a policy for so many others."""
_FIRST, _EVERY = 3, 100
"""So many first cases of the opening, and of those drawn, run twice, and one in so many after them.

A simulator that contradicts itself proves nothing.
"""


@attrs.define(eq=False)
class Trial:
    """One invariant on trial."""

    oracle: Oracle
    memory: Memory | None = None
    """What is remembered of earlier searches."""
    tally: Tally = attrs.field(factory=Tally)
    opened: bool = False
    """Whether memory or the opening found a violation: then nothing had to be drawn for it."""

    @property
    def open(self) -> bool:
        """Whether no violation is known yet."""
        return self.tally.violating is None


@attrs.define(eq=False)
class SearchRun:
    """A search for violations of several invariants."""

    strategy: SearchStrategy[Scenario]
    trials: Sequence[Trial]
    budget: Profile
    """With a seed."""
    variants: Iterable[Scenario] = ()
    """With what the search opens, fewer than its budget has cases; what is left of that is drawn. Read once."""
    schedules: bool = False
    """Whether policies try other orders of tasks, too: for real code, in which an order may be a bug."""
    cases: int = 0
    _recalled: int = 0
    _seeded: int = 0
    """How many of them were remembered, and of the opening. Memory only puts cases in front: it takes none away."""
    _error: Exception | None = None

    def run(self) -> None:
        """Try cases until each invariant is violated by some, or the budget is spent.

        First what is remembered, then the opening, then what is drawn. Raises `NotDeterministic` where a scenario has
        two histories, and what the simulator raises.
        """
        for trial in self.trials:
            self._recall(trial)
        known = [trial for trial in self.trials if not trial.open]
        self._open()
        if any(trial.open for trial in self.trials):
            self._hunt(partial(self._judged, self.trials))
        if self.schedules and any(trial.open for trial in self.trials):
            self._try_schedules()
        for trial in self.trials:
            if trial.memory is not None and trial.tally.violating is not None and trial not in known:
                trial.memory.keep(trial.tally.violating)

    def _recall(self, trial: Trial) -> None:
        """Judge what is remembered by an invariant, until it is violated; what does not violate it is forgotten."""
        memory = trial.memory
        if memory is None:
            return
        for entry, scenario in memory.recalled():
            self._recalled += 1
            self._count(self._simulated(scenario), [trial])
            trial.opened = not trial.open
            if trial.opened:
                return
            memory.forget(entry)

    def _open(self) -> None:
        """Judge the worlds of the opening."""
        for variant in self.variants:
            unanswered = [trial for trial in self.trials if trial.open]
            if not unanswered:
                return
            self._seeded += 1
            self._count(self._simulated(variant), unanswered)
            for trial in unanswered:
                trial.opened = not trial.open

    def _try_schedules(self) -> None:
        """Judge drawn scenarios under policies; what violates an invariant is kept with the pauses that do the same."""
        number = max(1, self.budget.max_examples // _SCHEDULES)
        tried = zip(draws(self.strategy, number), policies(self.budget.seed or 0, number), strict=False)
        for scenario, policy in tried:
            history = scheduled(scenario, policy)
            self._count(history, [trial for trial in self.trials if trial.open])

    def _count(self, history: History, trials: Sequence[Trial]) -> tuple[str, ...]:
        """Count a case for each of the trials; return what it reached."""
        marks = coverage(history)
        for trial in trials:
            trial.tally.add(history.scenario, trial.oracle.judge(history), marks)
        return marks

    def smallest(self, trial: Trial) -> Scenario:
        """Draw the same cases again, and let Hypothesis shrink the one that violates the invariant.

        What memory knew or the opening found stays as it is: no draw of this search has made it.
        """
        if not trial.opened:
            self._hunt(partial(self._violating, trial), shrinking=True)
        if trial.tally.violating is None:
            raise NotDeterministic("a violation was found once, and not when the search was repeated")
        return trial.tally.violating

    def _hunt(self, case: partial[None], *, shrinking: bool = False) -> None:
        hunt(
            self.strategy,
            case,
            max_examples=self.budget.max_examples - self._seeded,
            random_seed=self.budget.seed or 0,
            shrinking=shrinking,
        )
        if self._error is not None:
            raise self._error

    def _judged(self, trials: Sequence[Trial], scenario: Scenario) -> None:
        """Count a case for each invariant that has not found a violation; stop when there is none left.

        Hypothesis goes on climbing for up to a thousand cases after it was told to stop: those cost no simulation.
        """
        unanswered = [trial for trial in trials if trial.open]
        if unanswered:
            self._observed(self._drawn(scenario), unanswered)
        if not any(trial.open for trial in trials):
            raise Stop

    def _violating(self, trial: Trial, scenario: Scenario) -> None:
        history = self._drawn(scenario)
        self._observed(history, ())
        if trial.oracle.judge(history).status is Status.VIOLATED:
            trial.tally.violating = scenario
            raise Stop

    def _observed(self, history: History, trials: Sequence[Trial]) -> None:
        """Count a case that was drawn, and tell Hypothesis what it reached, and how near it came to trouble."""
        for mark in self._count(history, trials):
            event(mark)
        for label, value in margins(history).items():
            target(value, label=label)

    def _drawn(self, scenario: Scenario) -> History:
        """Simulate a case that was drawn; a contradiction ends the draws."""
        try:
            return self._simulated(scenario)
        except NotDeterministic as error:
            self._error = error  # Hypothesis would run the case once more, and call a contradiction its own
            raise Stop from error

    def _simulated(self, scenario: Scenario) -> History:
        """Simulate, some cases twice; note the scenario on whatever goes wrong."""
        self.cases += 1
        first = self.cases <= _FIRST or 0 < self.cases - self._recalled - self._seeded <= _FIRST
        try:
            return isolated(scenario, verify=first or self.cases % _EVERY == 0)
        except Exception as error:
            error.add_note(f"while simulating {scenario!r}")
            raise


def budgeted(profile: Profile, max_examples: int | None = None, seed: int | None = None) -> Profile:
    """Return a profile with what the user says instead, and with a seed."""
    chosen = profile.seed if seed is None else seed
    return attrs.evolve(
        profile,
        max_examples=profile.max_examples if max_examples is None else max_examples,
        seed=secrets.randbits(32) if chosen is None else chosen,
    )


def searched_run(
    strategy: SearchStrategy[Scenario],
    invariants: Sequence[Invariant],
    budget: Profile,
    *,
    queue: str | None = None,
    variants: Iterable[Scenario] = (),
    memory: Memory | None = None,
    schedules: bool = False,
) -> SearchRun:
    """Return a search that is over.

    `queue`: violations about messages of others do not count. `memory`: what is known of the design from before.
    `worlds`, `schedules`: as `SearchRun` has them.
    """
    trials = [
        Trial(Oracle(invariant, queue), None if memory is None else memory.about(invariant.name))
        for invariant in invariants
    ]
    search_run = SearchRun(strategy, trials, budget, variants, schedules)
    search_run.run()
    return search_run


def finding(trial: Trial, mapping: str, smallest: Scenario | None = None, unreached: Sequence[str] = ()) -> Finding:
    """Return what a search has to say; a counterexample only after it has proved to be deterministic.

    Raises `NotDeterministic` where it has not.
    """
    name, tally = trial.oracle.invariant.name, trial.tally
    counts = {mark: tally.coverage[mark] for mark in in_order(tally.coverage)}
    if smallest is None:
        return Finding(mapping, name, tally.verdict(name), tally.cases, counts, unreached=tuple(unreached))
    history = isolated(smallest, verify=True)
    verdict = trial.oracle.judge(history)
    if verdict.status is not Status.VIOLATED:
        raise NotDeterministic(f"one scenario was judged in two ways: {name} is violated, and then not: {smallest!r}")
    return Finding(mapping, name, verdict, tally.cases, counts, smallest, history, unreached=tuple(unreached))
