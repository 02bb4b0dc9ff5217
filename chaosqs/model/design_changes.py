"""Changes of a design during a run: the settings that an operator changes, checked as AWS checks them.

A change of a mapping is checked like its creation. A change of a queue or a function is not checked against the
mappings, so a visibility timeout may end up below the timeout of the function that polls (EC-11).
"""

import ast
import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import attrs

from chaosqs.errors import Problem
from chaosqs.model.design import Design, Parts, Queue, problems_of
from chaosqs.model.events import Event, Operated, PollersChanged
from chaosqs.model.faults import Action
from chaosqs.model.values import Checks
from chaosqs.model.workload import Load, largest

OF_QUEUES = (
    "visibility_timeout",
    "retention_period",
    "delay",
    "receive_wait_time",
    "maximum_message_size",
    "max_receive_count",
    "content_based_deduplication",
)
OF_FUNCTIONS = ("timeout", "memory", "reserved_concurrency", "provisioned_concurrency")
OF_MAPPINGS = (
    "batch_size",
    "maximum_batching_window",
    "maximum_concurrency",
    "report_batch_item_failures",
    "enabled",
)
"""Settings that can change during a run, by their names in the model; `max_receive_count` is the redrive policy's."""

_VISIBILITY_RULE = "EC-11"
_Part = TypeVar("_Part", bound=attrs.AttrsInstance)


def design_after(design: Design, target: str, setting: str, value: object) -> Design:
    """Return a design with one setting changed. The value is not checked."""
    if setting in OF_QUEUES:
        queues = [queue_after(queue, setting, value) if queue.name == target else queue for queue in design.queues]
        return _with(design, queues=tuple(queues))
    changed = {setting: value}
    if setting in OF_FUNCTIONS:
        functions = [_with(known, **changed) if known.name == target else known for known in design.functions]
        return _with(design, functions=tuple(functions))
    mappings = [_with(known, **changed) if known.name == target else known for known in design.mappings]
    return _with(design, mappings=tuple(mappings))


def queue_after(queue: Queue, setting: str, value: object) -> Queue:
    """Return a queue with one setting changed; max_receive_count changes only if the queue has a redrive policy."""
    if setting != "max_receive_count":
        return _with(queue, **{setting: value})
    return queue if queue.redrive is None else _with(queue, redrive=_with(queue.redrive, max_receive_count=value))


def _with(part: _Part, **changes: object) -> _Part:
    """Return a copy with other fields, not validated as by `attrs.evolve`: AWS lets a design become invalid (EC-11)."""
    made = copy.copy(part)
    for name, value in changes.items():
        object.__setattr__(made, name, value)
    return made


# Checking an operator's actions -----------------------------------------------------------------------------------


def check_actions(checks: Checks, design: Design, actions: Sequence[Action], workload: Sequence[Load]) -> None:
    """Note each action that AWS would refuse after the actions before it; a refused action changes nothing.

    Actions that already have a problem, such as an unknown name, are skipped. Actions from `heal_at` on are checked
    although they are never carried out, so that a plan is valid for any `heal_at`.
    """
    bad = [index for index in range(len(actions)) if _is_bad(checks, f"{checks.path}.actions[{index}].")]
    sound = [(index, action) for index, action in enumerate(actions) if index not in bad]
    for index, action in sorted(sound, key=lambda entry: entry[1].at):
        inner = Checks(f"{checks.path}.actions[{index}]")
        if action.kind == "redrive":
            _check_redrive(inner, design, action)
        elif action.kind == "change" and _check_setting(inner, design, action):
            _check_value(inner, design, action, workload)
        if action.kind == "change" and not inner.problems:
            design = design_after(design, action.target, action.setting, action.value)
        checks.problems.extend(inner.problems)


def _is_bad(checks: Checks, path: str) -> bool:
    return any(problem.path.startswith(path) for problem in checks.problems)


def _check_redrive(checks: Checks, design: Design, action: Action) -> None:
    targets = [queue.redrive.dead_letter_queue for queue in design.queues if queue.redrive is not None]
    if action.target not in targets:
        checks.refuse("target", action.target, "must be the dead-letter queue of a queue of the design", "MV-1")


def _check_setting(checks: Checks, design: Design, action: Action) -> bool:
    """Note a setting that the target does not have; return True if the target has it."""
    known = _settings_of(design, action.target)
    if action.setting not in known:
        return checks.one_of("setting", action.setting, known)
    if action.setting == "max_receive_count" and design.queue(action.target).redrive is None:
        checks.refuse("setting", action.setting, f"needs a redrive policy, and {action.target} has none", "DLQ-1")
        return False
    return True


def _settings_of(design: Design, target: str) -> tuple[str, ...]:
    """Return the settings of everything with this name; a queue and a function may share a name."""
    owners = (
        (OF_QUEUES, [queue.name for queue in design.queues]),
        (OF_FUNCTIONS, [function.name for function in design.functions]),
        (OF_MAPPINGS, [mapping.name for mapping in design.mappings]),
    )
    return tuple(setting for settings, names in owners if target in names for setting in settings)


def _check_value(checks: Checks, design: Design, action: Action, workload: Sequence[Load]) -> None:
    after = design_after(design, action.target, action.setting, action.value)
    for problem in _refused(after, action):
        own = problem.path.rpartition(".")[2] == action.setting
        must = problem.must if own else f"{problem.path}{problem.value and f' = {problem.value}'}: {problem.must}"
        checks.problems.append(Problem(f"{checks.path}.value", repr(action.value), must, problem.rule))
    if action.setting == "maximum_message_size" and not checks.problems:
        sent = max((largest(load) for load in workload if load.queue == action.target), default=0)
        if sent > after.queue(action.target).maximum_message_size:
            checks.refuse("value", action.value, f"must be at least {sent}, which the workload sends", "SZ-3")


def _refused(design: Design, action: Action) -> Iterator[Problem]:
    """Yield AWS's objections to a design after a change; EC-11 only where the change is one of the mapping itself."""
    names = [f"mappings[{index}]" for index, mapping in enumerate(design.mappings) if mapping.name == action.target]
    for problem in problems_of(
        Parts(design.queues, design.functions, design.mappings, design.account, design.era, design.resources)
    ):
        if problem.rule != _VISIBILITY_RULE or (action.setting in OF_MAPPINGS and problem.path in names):
            yield problem


# Designs in force -------------------------------------------------------------------------------------------------


def designs_in_force(design: Design, events: Iterable[Event]) -> list[tuple[int, Design]]:
    """Return each design that was in force in a run, with the index of the event that put it in force.

    A change of a queue or a function takes effect at once; a change of a mapping when its pollers are replaced, at the
    first `PollersChanged` that the change caused (EC-21). Faults on a mapping do not change the design.
    """
    found, pending = [(0, design)], dict[int | None, Operated]()
    for index, event in enumerate(events):
        match event:
            case Operated(kind="change", fault="") if event.setting in OF_MAPPINGS:
                pending[index] = event
                continue
            case Operated(kind="change", fault=""):
                change = event
            case PollersChanged() if event.cause in pending:
                change = pending.pop(event.cause)
            case _:
                continue
        value: object = ast.literal_eval(change.value)
        design = design_after(design, change.target, change.setting, value)
        found.append((index, design))
    return found
