"""The operator of a run: deploys, purges, moves dead letters back, changes settings.

The actions of one moment are one step of the event queue, in the order of the plan. An action that AWS would refuse,
because the same is in progress already, is neither done nor recorded (PQ-2, MV-3).
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby

import attrs

from chaosqs.esm.mapping import Mapping, MappingLifecycle, change_time
from chaosqs.kernel.context import SimulationContext
from chaosqs.lambda_.invocation import Lambda
from chaosqs.model.design import Design, Function
from chaosqs.model.design_changes import OF_FUNCTIONS, OF_MAPPINGS, design_after, queue_after
from chaosqs.model.events import Operated, PollersChanged
from chaosqs.model.faults import Action, FaultPlan
from chaosqs.model.time import milliseconds
from chaosqs.sqs.api.move_tasks import begin
from chaosqs.sqs.api.queues import may_purge
from chaosqs.sqs.api.region import QueueResource, Region
from chaosqs.sqs.api.settings import queue_of, settings_of
from chaosqs.sqs.machines.move_task import MoveTask

_NEW_ENVIRONMENTS = ("timeout", "memory")
"""Settings that are deployed. Assumed: a change of them needs new environments, as new code does."""


@attrs.define(eq=False)
class Operator:
    """Carries out the actions of a plan, in one run."""

    context: SimulationContext
    design: Design
    """The design with all changes so far, except those of queues, which the region has."""
    region: Region
    functions: Lambda
    deployed: dict[str, Function]
    """The functions as `functions` knows them."""
    lifecycle: MappingLifecycle
    to_come: int = 0
    """Number of steps of actions that are still to come."""
    tasks: list[MoveTask] = attrs.field(factory=list[MoveTask])
    """Message move tasks that the operator has begun."""
    settles: dict[str, list[int]] = attrs.field(factory=dict[str, list[int]])
    """Moments at which the changes of each mapping hold."""

    @property
    def busy(self) -> bool:
        """True if the run has to wait for an action or a message move task."""
        return self.to_come > 0 or any(task.active for task in self.tasks)

    def start(self, plan: FaultPlan) -> None:
        """Schedule the actions that come before the plan heals."""
        healed = None if plan.heal_at is None else milliseconds(plan.heal_at)
        actions = sorted(plan.actions, key=lambda action: action.at)
        for at, group in groupby(actions, key=lambda action: milliseconds(action.at)):
            if healed is None or at < healed:
                self._later(at, partial(self._act, tuple(group)))

    def waits_for(self, mapping: Mapping) -> bool:
        """Return whether a run waits for a mapping's queue: the mapping is enabled, or its pollers hold messages."""
        return self.lifecycle.settings[mapping.mapping.name].enabled or mapping.fleet.busy > 0

    def _later(self, due: int, step: Callable[[], None]) -> None:
        self.to_come += 1
        self.context.event_queue.at(due, partial(self._do, step))

    def _do(self, step: Callable[[], None]) -> None:
        step()
        self.to_come -= 1
        self.context.event_queue.may_be_over = True

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            match action.kind:
                case "redeploy":
                    self._operated(action)
                    self.functions.executions.renew(action.target)
                case "purge":
                    self._purge(action)
                case "redrive":
                    self._redrive(action)
                case _ if action.setting in OF_MAPPINGS:
                    settle = partial(self._settle, action, self._operated(action))
                    self._later(self._due(action.target), settle)
                case _ if action.setting in OF_FUNCTIONS:
                    self._change_function(action)
                case _:
                    self._change_queue(action)

    def _operated(self, action: Action) -> int:
        value = repr(action.value) if action.kind == "change" else ""
        return self.context.record(Operated(self.context.now, None, action.kind, action.target, action.setting, value))

    def _due(self, mapping: str) -> int:
        """Return the moment at which a change of a mapping that is made now holds; changes hold in their order."""
        earlier = self.settles.setdefault(mapping, [])
        wait = change_time(self.context.random, self.context.assumptions, mapping, len(earlier))
        earlier.append(max(self.context.now + wait, *earlier, 0))
        return earlier[-1]

    # Queues

    def _queue(self, name: str) -> QueueResource | None:
        """Return a queue as it is at this moment; None if a handler has deleted it."""
        resource = self.region.queues.get(name)
        if resource is not None:
            self.region.service.catch_up(resource.state)
        return resource

    def _purge(self, action: Action) -> None:
        resource = self._queue(action.target)
        if resource is not None and may_purge(resource, self.context.now):  # PQ-2
            resource.purged_at = self.context.now
            self.region.service.purge(resource.state, cause=self._operated(action))

    def _redrive(self, action: Action) -> None:
        resource = self._queue(action.target)
        active = [task.source for task in self.region.tasks if task.active]
        if resource is not None and resource.address.arn not in active:  # MV-3
            self.tasks.append(begin(self.region, resource, cause=self._operated(action)))

    def _change_queue(self, action: Action) -> None:
        resource = self._queue(action.target)
        if resource is not None:
            self._operated(action)
            queue = queue_after(queue_of(action.target, resource.settings), action.setting, action.value)
            resource.settings |= settings_of(queue, resource.address)
            resource.modified_at = self.context.now
            self.region.relink()

    # Functions and mappings

    def _change_function(self, action: Action) -> None:
        self._operated(action)
        self._changed(action)
        self.deployed[action.target] = self.design.function(action.target)
        if action.setting in _NEW_ENVIRONMENTS:
            self.functions.executions.renew(action.target)
        else:
            self.functions.executions.redeploy(self.design)

    def _settle(self, action: Action, cause: int) -> None:
        """Apply a change of a mapping, a while after it was made: its pollers retire, new ones start (EC-21)."""
        why = f"{action.setting} is {action.value!r} now"
        self.context.record(PollersChanged(self.context.now, cause, action.target, 0, why))
        self._changed(action)
        settings = next(mapping for mapping in self.design.mappings if mapping.name == action.target)
        self.lifecycle.change(action.target, settings)

    def _changed(self, action: Action) -> None:
        self.design = design_after(self.design, action.target, action.setting, action.value)
