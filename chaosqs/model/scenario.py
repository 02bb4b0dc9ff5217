"""A scenario is a value: everything that decides a run. Equal scenarios give equal histories, byte for byte."""

import warnings
from collections.abc import Iterable, Mapping

import attrs

from chaosqs.errors import InvalidScenario
from chaosqs.model.assumptions import Assumptions, check_assumptions
from chaosqs.model.behaviour import Behaviour, check_behaviour
from chaosqs.model.design import Design, Queue
from chaosqs.model.design_changes import check_actions
from chaosqs.model.faults import FaultPlan, check_plan
from chaosqs.model.values import Checks, concise_repr
from chaosqs.model.workload import Load, check_load, largest


def _loads(items: Iterable[Load]) -> tuple[Load, ...]:
    return tuple(items)


def _ordered(behaviours: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
    return {name: behaviours[name] for name in sorted(behaviours)}


_NO_BEHAVIOURS: Mapping[str, Behaviour] = {}


class _NotGiven(int):
    """The seed 0 of a scenario that was given none, as distinct from `seed=0`."""


_NO_SEED = _NotGiven()


@attrs.frozen(repr=False)
class Scenario:
    """A design, a workload, the functions' behaviours, a fault plan, and a seed. Raises `InvalidScenario`."""

    design: Design
    workload: tuple[Load, ...] = attrs.field(default=(), converter=_loads)
    behaviours: Mapping[str, Behaviour] = attrs.field(default=_NO_BEHAVIOURS, converter=_ordered, hash=False)
    """By function name; a function without an entry behaves as `Behaviour()`."""
    faults: FaultPlan = FaultPlan()
    seed: int = _NO_SEED
    """Seed of everything that AWS leaves to chance. 0 is calm: medians, first-in first-out, no duplicates."""
    until: float | None = None
    """Seconds that the run lasts. None: until every message that a mapping can reach is gone and nothing runs. A loop
    that its function allows (LX-20) ends a run after 200 passes. A run with the length that searches give it ends
    earlier if all that is left are messages that go round or fail again and again."""
    assumptions: Assumptions = Assumptions()
    _luck: int | None = attrs.field(default=None, alias="luck", repr=False, eq=False, kw_only=True)
    """Former name of `seed`, accepted as `luck=` for one more release."""

    __repr__ = concise_repr

    def __attrs_post_init__(self) -> None:
        """Validate all fields against the design, and take `luck` for `seed`."""
        checks = Checks("")
        given = self.seed is not _NO_SEED
        if not given:
            object.__setattr__(self, "seed", 0)
        if self._luck is not None and given:
            checks.refuse("luck", self._luck, f"is the former name of seed={self.seed}: pass only seed")
        elif self._luck is not None:
            warnings.warn("Scenario(luck=…) is called Scenario(seed=…) now", DeprecationWarning, stacklevel=3)
            object.__setattr__(self, "seed", self._luck)
            object.__setattr__(self, "_luck", None)
        _check(checks, self)
        if checks.problems:
            raise InvalidScenario(checks.problems)

    def behaviour(self, function: str) -> Behaviour:
        """Return the behaviour of a function."""
        return self.behaviours.get(function) or Behaviour()


def _check(checks: Checks, scenario: Scenario) -> None:
    queues = {queue.name: queue for queue in scenario.design.queues}
    functions = [function.name for function in scenario.design.functions]
    for index, load in enumerate(scenario.workload):
        inner = Checks(f"workload[{index}]", checks.problems)
        check_load(inner, load)
        queue = queues.get(load.queue)
        if queue is None:
            inner.refuse("queue", load.queue, f"must name a queue of the design: {', '.join(queues) or 'it has none'}")
        else:
            _check_load_of(inner, load, queue)
    for name, behaviour in scenario.behaviours.items():
        if name not in functions:
            checks.refuse(
                f"behaviours[{name!r}]",
                None,
                f"must name a function of the design: {', '.join(functions) or 'it has none'}",
            )
        check_behaviour(Checks(f"behaviours[{name!r}]", checks.problems), behaviour)
    mappings = [mapping.name for mapping in scenario.design.mappings]
    inner = Checks("faults", checks.problems)
    check_plan(inner, scenario.faults, queues=queues, functions=functions, mappings=mappings)
    if scenario.faults.actions:
        check_actions(inner, scenario.design, scenario.faults.actions, () if checks.problems else scenario.workload)
    checks.whole("seed", scenario.seed, 0, None)
    if scenario.until is not None:
        checks.number("until", scenario.until, 0, unit="seconds")
    check_assumptions(Checks("assumptions", checks.problems), scenario.assumptions)


def _check_load_of(checks: Checks, load: Load, queue: Queue) -> None:
    """Note what the queue of a load refuses."""
    field = "messages" if load.messages else "body_bytes"
    if largest(load) > queue.maximum_message_size:
        must = f"must be at most {queue.maximum_message_size}, the queue's limit"
        checks.refuse(field, largest(load), must, "SZ-3")
    elif queue.fifo and not load.groups and not (load.messages and all(each.group for each in load.messages)):
        checks.refuse("groups", load.groups, "must be at least 1 for a FIFO queue", "FF-2")
    elif not queue.fifo:
        for index, message in enumerate(load.messages):
            if message.deduplication_id:
                must = "must be empty for a standard queue"
                checks.refuse(f"messages[{index}].deduplication_id", message.deduplication_id, must, "FF-3")
