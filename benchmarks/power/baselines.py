"""Baselines: search methods for the same tasks without chaosqs's own drawing and shrinking, which show their worth.

All use the same simulator, invariants and values; they differ in how and when they draw. All have the number of cases
of the `ci` profile, and Hypothesis's own shrinker if there is something to shrink. None uses the scenario grid.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from benchmarks.power.figures import Driven
from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from benchmarks.power.truth import size
from chaosqs.errors import SimulationError
from chaosqs.faults.injector import FaultInjector
from chaosqs.invariants import by_name
from chaosqs.kernel.context import InjectedFault
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import KINDS, OK, FaultPlan, kind_of
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import attributed
from chaosqs.search.profiles import CI
from chaosqs.simulation import run
from chaosqs.strategies.grid import durations, longest_timeout, spans

_MAX_RECEIVES = 3  # maximum receives of a message that may have faults
_MAX_FAULTY = 8  # number of messages, from the first on, that may have faults, as in the search's own plans
_MAX_MESSAGES = 60

_SUPPRESSED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.large_base_example,
    HealthCheck.filter_too_much,
)


class Violated(Exception):
    """Raised by a test if the invariant is violated."""


@attrs.define
class BaselineJudge:
    """Judges scenarios of a task, counts the cases, and keeps the last one that violated the invariant."""

    task: Task
    cases: int = 0
    first: int | None = None
    """Number of the first violating case."""
    last: Scenario | None = None

    def judge(self, scenario: Scenario, drawn: Callable[[], FaultPlan] | None = None) -> None:
        """Simulate and judge a case; `drawn` returns the faults drawn during the run, if any. Raises Violated."""
        self.cases += 1
        try:
            history = run.simulate(scenario)
        except SimulationError:
            return
        verdict = attributed(by_name(self.task.invariant).judge(history), self.queue)
        if verdict.status is Status.VIOLATED:
            self.first = self.cases if self.first is None else self.first
            self.last = attrs.evolve(scenario, faults=drawn()) if drawn else scenario
            raise Violated

    @property
    def queue(self) -> str:
        return self.task.mapping.partition("→")[0]

    @property
    def function(self) -> str:
        return self.task.mapping.partition("→")[2]


@attrs.frozen
class Vocabulary:
    """The values of a task's scenarios, the simplest first."""

    judge: BaselineJudge

    @property
    def spans(self) -> tuple[float, ...]:
        design, queue = self.judge.task.design, self.judge.queue
        return spans(design.queue(queue), longest_timeout(design, queue))

    @property
    def durations(self) -> tuple[float, ...]:
        timeout = self.judge.task.design.function(self.judge.function).timeout
        return durations(timeout)

    @property
    def poisons(self) -> tuple[tuple[int, ...], ...]:
        return (), (0,), (1,)

    @property
    def kinds(self) -> tuple[str, ...]:
        fifo = self.judge.task.design.queue(self.judge.queue).fifo
        possible = [kind for kind in KINDS if kind.keyed and not (fifo and kind.standard_only)]
        return OK, *(kind.name for kind in possible if kind.injection_point not in {"send", "point"})

    def scenario(
        self, loads: Sequence[tuple[int, float, float]], seconds: float, poison: tuple[int, ...], plan: FaultPlan
    ) -> Scenario:
        """Return the scenario with some loads (count, over, at) and a behaviour of the function."""
        task = self.judge.task
        groups = 1 if task.design.queue(self.judge.queue).fifo else 0
        workload = tuple(Burst(self.judge.queue, count, at, over, groups=groups) for count, over, at in loads)
        behaviour = Behaviour(seconds_per_batch=seconds, poison=poison)
        drawn = {} if behaviour == Behaviour() else {self.judge.function: behaviour}
        behaviours = task.behaviours or drawn
        until = liveness_deadline(task.design, workload, behaviours, plan)
        return Scenario(task.design, workload, behaviours, plan, until=until)


# The drivers --------------------------------------------------------------------------------------------------------


def lazy_data(judge: BaselineJudge, number: int) -> None:
    """Draw each outcome when the simulation asks for it, with `data()`."""
    words = Vocabulary(judge)

    @_settings()
    @seed(number)
    @given(st.data())
    def case(data: st.DataObject) -> None:
        count = data.draw(st.integers(1, _MAX_MESSAGES))
        over, seconds = data.draw(st.sampled_from(words.spans)), data.draw(st.sampled_from(words.durations))
        scenario = words.scenario([(count, over, 0)], seconds, data.draw(st.sampled_from(words.poisons)), FaultPlan())
        kinds = st.sampled_from(words.kinds)
        asked = Asked(lambda: data.draw(kinds))
        with Mutation(run, "FaultInjector", asked.injector)():
            judge.judge(scenario, asked.plan)

    _quietly(case)


@attrs.define
class Asked:
    """Draws outcomes for a simulation one by one, and stores them."""

    draw: Callable[[], str]
    outcomes: dict[tuple[int, int], str] = attrs.field(factory=dict[tuple[int, int], str])

    def injector(self, plan: FaultPlan) -> FaultInjector:
        """Return a fault injector that asks this object."""
        return _LazyInjector(plan, self)

    def outcome(self, message: int, receive: int) -> str:
        """Return the outcome of a message's receive; `ok` for messages and receives beyond the maxima."""
        if message >= _MAX_FAULTY or receive > _MAX_RECEIVES:
            return OK
        known = self.outcomes.get((message, receive))
        if known is None:
            known = self.outcomes[message, receive] = self.draw()
        return known

    def plan(self) -> FaultPlan:
        """Return the drawn outcomes as a plan."""
        messages = [
            [self.outcomes.get((message, receive), OK) for receive in (1, 2, 3)] for message in range(_MAX_FAULTY)
        ]
        return FaultPlan(messages=messages)


class _LazyInjector(FaultInjector):
    """A fault injector that asks for each outcome instead of using a plan."""

    def __init__(self, plan: FaultPlan, asked: Asked) -> None:
        super().__init__(plan)
        self._asked = asked
        self._injection_points = frozenset(
            kind.injection_point for kind in KINDS if kind.keyed and kind.injection_point != "send"
        )

    def injected(
        self,
        injection_point: str,
        scopes: tuple[str, ...],  # noqa: ARG002 - there are no windows
        batch: Iterable[tuple[int, int]],
        now: int,  # noqa: ARG002 - nothing heals
    ) -> InjectedFault | None:
        for message, receive in batch:
            outcome = self._asked.outcome(message, receive)
            known = kind_of(outcome)
            if known is not None and known.injection_point == injection_point:
                return InjectedFault(outcome, f"{outcome} at receive {receive} of message {message + 1}")
        return None


def integer_seed(judge: BaselineJudge, number: int) -> None:
    """Draw one integer as the seed of a generator, and everything else from that."""
    words = Vocabulary(judge)

    @_settings()
    @seed(number)
    @given(st.integers(0, 2**32 - 1))
    def case(drawn: int) -> None:
        chance = random.Random(drawn)
        load = (chance.randint(1, _MAX_MESSAGES), chance.choice(words.spans), 0.0)
        faulty = range(chance.randint(0, _MAX_FAULTY))
        messages = [[_outcome(chance, words.kinds) for _ in range(_MAX_RECEIVES)] for _ in faulty]
        seconds, poison = chance.choice(words.durations), chance.choice(words.poisons)
        judge.judge(words.scenario([load], seconds, poison, FaultPlan(messages=messages)))

    _quietly(case)


def _outcome(chance: random.Random, kinds: Sequence[str]) -> str:
    return chance.choice(kinds) if chance.random() < 0.2 else OK


def stateful(judge: BaselineJudge, number: int) -> None:
    """Draw a sequence of rules: send, wait, slow down the function, poison a message, inject faults at receives."""
    words = Vocabulary(judge)

    class Machine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.loads: list[tuple[int, float, float]] = []
            self.now = 0.0
            self.seconds, self.poison = words.durations[0], words.poisons[0]
            self.outcomes: list[list[str]] = []

        @rule(count=st.integers(1, 10))
        def send(self, count: int) -> None:
            self.loads.append((count, 0, self.now))

        @rule(seconds=st.sampled_from(words.spans[1:]))
        def wait(self, seconds: float) -> None:
            self.now += seconds

        @rule(seconds=st.sampled_from(words.durations))
        def take(self, seconds: float) -> None:
            self.seconds = seconds

        @rule(poison=st.sampled_from(words.poisons))
        def fail(self, poison: tuple[int, ...]) -> None:
            self.poison = poison

        @rule(outcomes=st.lists(st.sampled_from(words.kinds), max_size=_MAX_RECEIVES))
        def injected(self, outcomes: list[str]) -> None:
            self.outcomes.append(outcomes)

        def teardown(self) -> None:
            if self.loads:
                plan = FaultPlan(messages=self.outcomes[:_MAX_FAULTY])
                judge.judge(words.scenario(self.loads, self.seconds, self.poison, plan))

    def machine() -> None:
        run_state_machine_as_test(seed(number)(Machine), settings=_settings())

    _quietly(machine)


def plain_examples(judge: BaselineJudge, number: int) -> None:
    """Try the dozen scenarios that a careful team would write; the seed has no effect."""
    del number
    words = Vocabulary(judge)
    for scenario in _examples(words):
        try:
            judge.judge(scenario)
        except Violated:
            return


def _examples(words: Vocabulary) -> Iterator[Scenario]:
    usual, slow = words.durations[0], words.durations[2]
    for count, seconds, poison in (
        (1, usual, ()),
        (10, usual, ()),
        (100, usual, ()),
        (1, slow, ()),
        (10, slow, ()),
        (1, usual, (0,)),
        (10, usual, (0,)),
    ):
        yield words.scenario([(count, 0, 0)], seconds, poison, FaultPlan())
    for kind in ("throttled", "error", "timeout", "crash", "lost_delete"):
        yield words.scenario([(1, 0, 0)], usual, (), FaultPlan(messages=[[kind]]))


DRIVERS: dict[str, Callable[[BaselineJudge, int], None]] = {
    "lazy data()": lazy_data,
    "integer seed": integer_seed,
    "stateful testing": stateful,
    "plain examples": plain_examples,
}


TASKS = (
    "account-without-room",
    "fifo-partial-answer",
    "functions-share-the-account",
    "mappings-share-too-little",
    "maximum-above-reserved",
    "more-invocations-than-connections",
    "one-delivery-lost",
    "over-polling",
    "poison-without-partial-responses",
    "visibility-below-window-and-timeout",
)
"""The design mistakes on which the baselines are measured."""


def driven(driver: str, task: Task, seeds: Sequence[int]) -> Driven:
    """Measure one baseline on one task."""
    judges = [BaselineJudge(task) for _ in seeds]
    for judge, number in zip(judges, seeds, strict=True):
        DRIVERS[driver](judge, number)
    found = [judge.last for judge in judges if judge.last is not None]
    return Driven(
        driver=driver,
        task=task.name,
        seeds=len(seeds),
        cases=tuple(judge.first for judge in judges),
        calls=tuple(judge.cases for judge in judges),
        sizes=tuple(map(size, found)),
        forms=len(dict.fromkeys(found)),
    )


def _settings() -> settings:
    return settings(
        max_examples=CI.max_examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.target, Phase.shrink),
        verbosity=Verbosity.quiet,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=_SUPPRESSED,
    )


def _quietly(case: Callable[[], None]) -> None:
    try:
        case()
    except Violated:
        return
