"""What the search is measured on: a mistake that is known, the invariant that must show it, and the truth about it."""

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
    """One thing to find, or, for a green design, not to find: a row of a table under `tasks/`."""

    name: str
    """Lower-case words with dashes."""
    kind: str
    """One of `KINDS`."""
    why: str
    """What is wrong, in one sentence."""
    design: Design
    invariant: str
    """Name of the invariant that must be violated; of a green design, that must not. As `by_name` takes it."""
    mapping: str = attrs.field(default=attrs.Factory(_first_mapping, takes_self=True))
    """The mapping that is searched: `orders→worker`. By default the first of the design."""
    behaviours: Mapping[str, Behaviour] = _NO_BEHAVIOURS
    """Those that the search is given; the others are drawn."""
    smallest: Scenario | None = None
    """The known minimum, by hand or by enumeration; None where size is not measured."""
    start: Scenario | None = None
    """Of a schedule bug: the scenario that is right first-in first-out, and that is searched for schedules."""
    relevant: tuple[str, ...] = ()
    """The fields of the design that matter, as `Explanation.settings` names them: `reserved_concurrency`."""
    switch: Callable[[], AbstractContextManager[None]] = nullcontext
    """Turns the defect on for as long as it is open; of a design mistake, nothing."""
    self_test: str = ""
    """Of a harness mutant: the test of this repository that must fail while it is on, as pytest names it."""


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
