"""The tasks of the benchmark: a known defect, the invariant that must show it, and the known smallest scenario."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario

KINDS = ("design mistake", "mutant", "schedule bug", "harness mutant", "green")

_NO_BEHAVIOURS: Mapping[str, Behaviour] = {}


def _first_mapping(task: Task) -> str:
    return task.design.mappings[0].name


@attrs.frozen(kw_only=True)
class Task:
    """A defect to find, or a sound (green) design in which none must be found: a row of a table under `tasks/`."""

    name: str
    """Lower-case words with dashes."""
    kind: str
    """One of `KINDS`."""
    why: str
    """The defect, in one sentence."""
    design: Design
    invariant: str
    """Name of the invariant, for `by_name`, that must be violated, or, for a green design, must not be."""
    mapping: str = attrs.field(default=attrs.Factory(_first_mapping, takes_self=True))
    """The searched mapping: `orders→worker`. By default the first of the design."""
    behaviours: Mapping[str, Behaviour] = _NO_BEHAVIOURS
    """Fixed behaviours, by function name; the search draws the others."""
    smallest: Scenario | None = None
    """The known minimum, by hand or by enumeration; None if size is not measured."""
    start: Scenario | None = None
    """For a schedule bug: the scenario in which schedules are searched; it is correct in first-in first-out order."""
    relevant: tuple[str, ...] = ()
    """The fields of the design that matter, as `Explanation.settings` names them: `reserved_concurrency`."""
    switch: Callable[[], AbstractContextManager[None]] = nullcontext
    """Turns the defect on within the context; a design mistake needs none."""
    self_test: str = ""
    """For a harness mutant: the pytest id of the test of this repository that must fail while it is on."""


_ORDERS, _WORKER, _ACCOUNT = Queue("orders"), Function("worker", timeout=5), Account()


def pipeline(
    queue: Queue = _ORDERS,
    function: Function = _WORKER,
    mapping: EventSourceMapping | None = None,
    account: Account = _ACCOUNT,
) -> Design:
    """Return a design of one queue, with its dead-letter queue if it has one, one function, and their mapping."""
    dead = [Queue(queue.redrive.dead_letter_queue)] if queue.redrive else []
    return Design([queue, *dead], [function], [mapping or EventSourceMapping(queue.name, function.name)], account)
