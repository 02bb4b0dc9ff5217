"""Finds the truth about a design mistake by trying everything: the smallest scenario, and the settings that matter.

Nothing of chaosqs's search is used: the grids are separate and finer, and the order of scenarios is defined again. It
is the visible part of the search's order: scenarios without faults first; then functions that do not fail, those at the
edge of their timeout, and those that fail; then the fewest messages; then the fewest other values.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import product

import attrs

from benchmarks.power.task import Task
from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design
from chaosqs.model.events import Expired
from chaosqs.model.faults import KINDS, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import Json, structure, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate

_UNTIL = 3600  # seconds that a run lasts
_MAX_MESSAGES = 40
_SEEDS = 60
_MIN_VIOLATING = 3  # violating seeds at which the violation counts as happening by chance


def size(scenario: Scenario) -> int:
    """Return the size of a scenario: the number of its messages, faults, and other values that are not the default."""
    loads = sum(
        _messages(load) + _words(load, {"queue", "count", "groups", "per_second", "seconds"})
        for load in scenario.workload
    )
    behaviours = sum(_words(behaviour, set()) for behaviour in scenario.behaviours.values())
    plan = scenario.faults
    faults = sum(kind != "ok" for receives in (*plan.messages, plan.sends) for kind in receives)
    faults += len(plan.windows) + len(plan.actions) + len(plan.pauses) + len(plan.banned)
    return loads + behaviours + faults + (scenario.seed != 0)


def _messages(load: Load) -> int:
    """Count the messages of a load; a steady one counts 1 more for its rate."""
    return 1 + round(load.per_second * load.seconds) if isinstance(load, Steady) else load.count


def _words(part: attrs.AttrsInstance, without: set[str]) -> int:
    fields = [field for field in attrs.fields(type(part)) if field.name not in without]
    return sum(_value(part, field.name) != _default(field.default) for field in fields)


def _value(part: attrs.AttrsInstance, name: str) -> object:
    value: object = getattr(part, name)
    return value


def _default(default: object) -> object:
    return default


# The smallest scenario ----------------------------------------------------------------------------------------------


def smallest(task: Task, until: float = _UNTIL) -> Scenario | None:
    """Return the smallest scenario that violates the task's invariant with its defect on, or None."""
    with task.switch():
        return next(filter(None, (_of_strain(task, strain, until) for strain in range(3))), None) or _faulty(
            task, until
        )


def violates(task: Task, scenario: Scenario, until: float = _UNTIL) -> bool:
    """Return True if a scenario violates the task's invariant."""
    try:
        history = simulate(attrs.evolve(scenario, until=until))
    except SimulationError:
        return False
    verdict = by_name(task.invariant).judge(history)
    queue = task.mapping.partition("→")[0]
    return verdict.status is Status.VIOLATED and any(found.queue in {"", queue} for found in verdict.violations)


def _of_strain(task: Task, strain: int, until: float) -> Scenario | None:
    most = _MAX_MESSAGES if strain == 0 else 8
    for messages in range(1, most + 1):
        found = [variant for variant in _variants(task, messages, strain) if violates(task, variant, until)]
        if found:
            return min(found, key=_order)
    return None


def _order(scenario: Scenario) -> tuple[int, int, int, float]:
    parts = (*scenario.workload, *scenario.behaviours.values())
    numbers = [number for part in parts for number in _numbers(part)]
    return len(scenario.workload), size(scenario), sum(len(f"{number:g}") for number in numbers), sum(numbers)


def _numbers(part: attrs.AttrsInstance) -> list[float]:
    values = [(_value(part, field.name), field.default) for field in attrs.fields(type(part)) if field.name != "count"]
    return [value for value, usual in values if isinstance(value, int | float) and value != usual]


def _variants(task: Task, messages: int, strain: int) -> Iterator[Scenario]:
    for workload, behaviours in product(_workloads(task, messages), _behaviours(task, strain)):
        yield Scenario(task.design, workload, behaviours)


def _workloads(task: Task, messages: int) -> Iterator[tuple[Burst, ...]]:
    design, (name, _, function) = task.design, task.mapping.partition("→")
    queue = design.queue(name)
    overs = (0, 1, 2, 5, 10, design.function(function).timeout, queue.visibility_timeout, 2 * queue.visibility_timeout)
    others = list(dict.fromkeys(mapping.queue for mapping in design.mappings if mapping.queue != name))
    for over in sorted(set(overs)):
        groups = 1 if queue.fifo else 0
        yield (Burst(name, messages, over=over, groups=groups),)
        for other, elsewhere in product(others, range(1, messages)):
            yield Burst(name, messages - elsewhere, over=over), Burst(other, elsewhere, over=over)


def _behaviours(task: Task, strain: int) -> Iterator[Mapping[str, Behaviour]]:
    function = task.mapping.partition("→")[2]
    if task.behaviours:
        if strain == 0:
            yield task.behaviours
        return
    timeout = task.design.function(function).timeout
    usual = Behaviour().seconds_per_batch
    healthy = sorted(
        {seconds for seconds in (usual, 1, 2, 3, 5, 10, 15, 20, timeout / 2, timeout - 1) if 0 < seconds <= timeout - 1}
    )
    if strain == 0:
        durations = [Behaviour(seconds_per_batch=seconds) for seconds in healthy]
    elif strain == 1:
        durations = [Behaviour(seconds_per_batch=timeout - 0.1), Behaviour(seconds_per_batch=timeout - 0.001)]
    else:
        slow = (*healthy, timeout - 0.001)
        durations = [Behaviour(seconds_per_batch=timeout)]
        durations += [attrs.evolve(failure, seconds_per_batch=seconds) for seconds in slow for failure in _FAILURES]
    for behaviour in durations:
        yield {} if behaviour == Behaviour() else {function: behaviour}


_FAILURES = (
    Behaviour(poison=(0,)),
    Behaviour(poison=(1,)),
    Behaviour(error_rate=1),
    Behaviour(poison=(0,), crashes=True),
    Behaviour(poison=(0,), hangs=True),
)


def _faulty(task: Task, until: float) -> Scenario | None:
    """Return the smallest scenario with faults: one to three of one kind, at one message."""
    for strikes, messages in product(range(1, 4), range(1, 4)):
        for kind in (kind for kind in KINDS if kind.keyed and kind.injection_point not in {"send", "point"}):
            plan = FaultPlan(messages=[[kind.name] * strikes])
            variants = (attrs.evolve(variant, faults=plan) for variant in _variants(task, messages, 0))
            found = [variant for variant in variants if violates(task, variant, until)]
            if found:
                return min(found, key=_order)
    return None


# The settings that matter -------------------------------------------------------------------------------------------

_GRID: Mapping[str, Mapping[str, tuple[Json, ...]]] = {
    "queues": {
        "visibility_timeout": (1, 2, 4, 7, 12, 25, 40, 61, 70, 100, 150, 240, 400, 1000, 2000, 5000, 20_000, 43_200),
        "max_receive_count": (1, 2, 3, 4, 5, 7, 9, 15, 30, 200, 1000),
        "retention_period": (60, 90, 150, 600, 2000, 7200, 43_200, 172_800, 600_000, 1_209_600),
        "delay": (0, 2, 10, 45, 300, 900),
        "receive_wait_time": (0, 2, 10, 20),
    },
    "functions": {
        "timeout": (1, 2, 4, 7, 9, 12, 25, 31, 40, 61, 100, 150, 240, 400, 900),
        "memory": (128, 400, 2000, 10_240),
        "reserved_concurrency": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 30, 40, 80, 200, 900, None),
    },
    "mappings": {
        "batch_size": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50, 500, 5000),
        "maximum_batching_window": (0, 2, 3, 10, 30, 45, 120, 299),
        "maximum_concurrency": (2, 3, 4, 5, 6, 7, 9, 12, 15, 30, 80, 300, 1000, None),
        "report_batch_item_failures": (False, True),
        "provisioned_pollers": (None, [2, 2], [2, 10]),
        "filters": ([],),
    },
    "account": {
        "concurrency": (1, 4, 20, 99, 150, 400, 900, 2000, 20_000),
        "other_traffic": (0, 10, 500, 900, 990, 995, 999, 1000),
    },
}
"""Values to try; those in seconds are not among the search's own."""


def relevant(task: Task, scenario: Scenario, until: float = _UNTIL) -> tuple[str, ...]:
    """Return the settings that matter, of the task's queue, its dead-letter queue, function, mapping and account.

    A setting matters if changing it alone keeps the invariant and makes nothing else worse: as many messages are
    processed; no more messages expire, in any queue or in the queue that they were sent to, where nobody can inspect
    them any more; no more processed messages are dead-lettered; and the run ends if it did before. This must hold for
    all seeds if the violation happens by chance, else for seed 0. All seeds are tried, because a change of the design
    also changes the draws: the few violating seeds alone would mostly hold after any change.
    """
    with task.switch():
        calm = attrs.evolve(scenario, until=until)
        seeded = [attrs.evolve(calm, seed=seed) for seed in range(1, _SEEDS + 1)]
        violating = [variant for variant in seeded if violates(task, variant, until)]
        others = [variant for variant in seeded if variant not in violating]
        sample = [*violating, *others] if len(violating) >= _MIN_VIOLATING else [calm]
        before = [_prices(variant) for variant in sample]
        names = {name for name, changed in _changes(task) if _cured(task, sample, before, changed, until)}
    return tuple(sorted(names))


def _cured(task: Task, sample: list[Scenario], before: list[tuple[int, ...]], design: Design, until: float) -> bool:
    for variant, prices in zip(sample, before, strict=True):
        try:
            changed = attrs.evolve(variant, design=design)
            if violates(task, changed, until):
                return False
            after = _prices(changed)
        except (InvalidInput, SimulationError):
            return False
        if any(now > once for now, once in zip(after, prices, strict=True)):
            return False
    return True


def _prices(scenario: Scenario) -> tuple[int, ...]:
    """Return the figures of a run that must not grow.

    Processed messages (negative), expired messages, those of them in the queue that they were sent to, processed
    messages that were dead-lettered, and True if the run did not end.
    """
    history = simulate(scenario)
    expired = [event for _, event in history.each(Expired)]
    unseen = sum(event.queue == history.sent[event.message].queue for event in expired)
    needless = sum(fate.processed for fate in history.dead_lettered)
    return -_processed(history), len(expired), unseen, needless, history.drained_at_ms is None


def _processed(history: History) -> int:
    done = (any(each.ending is Ending.PROCESSED for each in deliveries) for deliveries in history.deliveries.values())
    return sum(done)


def _changes(task: Task) -> Iterator[tuple[str, Design]]:
    """Yield each setting with a design in which it has another value that AWS accepts."""
    design, (queue, _, function) = task.design, task.mapping.partition("→")
    redrive = design.queue(queue).redrive
    own = {queue, function, task.mapping, redrive.dead_letter_queue if redrive else queue}
    indexes = [("account", "")]
    indexes += [("queues", str(index)) for index, each in enumerate(design.queues) if each.name in own]
    indexes += [("functions", str(index)) for index, each in enumerate(design.functions) if each.name in own]
    indexes += [("mappings", str(index)) for index, each in enumerate(design.mappings) if each.name in own]
    for kind, index in indexes:
        for name, values in _GRID[kind].items():
            for value in values:
                changed = _changed(design, kind, index, name, value)
                if changed is not None and changed != design:
                    yield name, changed


def _changed(design: Design, kind: str, index: str, name: str, value: Json) -> Design | None:
    """Return a design with another value of one setting; None if it has no such setting, or AWS refuses the value."""
    document: dict[str, Json] = {kind: {}, **json.loads(to_json(design))}  # a default account is not in the JSON
    found = _inside(document, kind)
    part = found[int(index)] if isinstance(found, list) else found
    owner = _inside(part, "redrive") if name == "max_receive_count" else part
    if not isinstance(owner, dict):
        return None
    owner[name] = value
    try:
        return structure(Design, document)
    except InvalidInput:
        return None


def _inside(document: Json, name: str) -> Json:
    return document.get(name) if isinstance(document, dict) else None
