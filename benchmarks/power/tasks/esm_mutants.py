"""Mutants of the event source mapping: how pollers scale, gather, invoke, retry and delete."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import attrs

from benchmarks.power.mutation import Mutation, mutant
from benchmarks.power.task import pipeline
from chaosqs.esm import mapping as esm_mapping
from chaosqs.esm import receive_loop
from chaosqs.esm.machines.batching import MOST_PER_RECEIVE, Batcher
from chaosqs.esm.machines.scaling import Scaling, ScalingLimits, scaling_limits
from chaosqs.esm.mapping import Deleting, Mapping
from chaosqs.esm.poller_fleet import Latency, Poller
from chaosqs.esm.receive_loop import ReceiveFaults, ReceiveLoop
from chaosqs.kernel.context import InjectedFault
from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.lambda_.machines.sqs_event import Payload
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.event_filter import Match, Pattern, matches
from chaosqs.model.events import InvocationEnded, Released, ReleaseReason
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Receipt, body_of
from chaosqs.sqs.service import Service

# pyright: reportPrivateUsage=false

# The original functions, for defects that wrap them.
_answered, _release = Mapping._answered, Mapping._release
_retire, _throttle = Mapping.retire, Mapping._throttle
_delete = Deleting.delete
_due = Batcher.due
_fail = ReceiveFaults.fail
_grow = Scaling.grow
_pause = Latency.pause
_receive = Service.receive


def _batch_lost_without_answer(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    if why in {"service error", "no answer"}:
        self.service.delete(self.mapping.queue, poller.receipts)
    _release(self, poller, why, cause, fault)


def _batch_over_its_size(self: Service, name: str, maximum: int) -> list[Receipt]:
    return _receive(self, name, max(maximum, MOST_PER_RECEIVE))


def _failed_receive_counts(self: ReceiveFaults, poller: Poller, injected: InjectedFault) -> int | None:
    due, first = _fail(self, poller, injected), self.state.machine.head()
    if due is not None and first is not None:
        first.receive_count += 1
    return due


def _failure_list_ignored(self: Deleting, poller: Poller, _failed: tuple[int, ...], cause: int) -> None:
    _delete(self, poller, (), cause)


def _failure_list_inverted(self: Deleting, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
    assert poller.request is not None
    _delete(self, poller, tuple(set(poller.request.messages) - set(failed)) if failed else (), cause)


def _filter_matches_everything(_patterns: Sequence[Pattern], _body: str, _metadata: object) -> Match:
    return Match.MATCHED


def _filtered_not_deleted(
    self: ReceiveLoop, _poller: Poller, receipts: Sequence[Receipt], _index: int
) -> list[Receipt]:
    return [receipt for receipt in receipts if matches(self._patterns, body_of(receipt.message)) is Match.MATCHED]


def _gathered_batch_lost_on_disable(self: Mapping) -> None:
    for poller in self.fleet.pollers:
        self.service.delete(self.mapping.queue, poller.held)
        poller.held, poller.batcher = [], None
    _retire(self)


def _gives_up_at_first_throttle(self: Mapping, poller: Poller, request: Request, refused: Refused, fault: str) -> None:
    poller.gives_up = self.context.now
    _throttle(self, poller, request, refused, fault)


def _growth_stops(self: Scaling, *, throttled: bool) -> bool:
    return self.pollers < self.scaling_limits.start and _grow(self, throttled=throttled)


def _maximum_concurrency_ignored(mapping: EventSourceMapping, era: str) -> ScalingLimits:
    return scaling_limits(attrs.evolve(mapping, maximum_concurrency=None), era)


def _partial_success_kept(self: Deleting, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
    assert poller.request is not None
    _delete(self, poller, poller.request.messages if failed else (), cause)


def _payload_cut_ignored(_self: Payload, _size: int) -> bool:
    return True


def _pollers_stay(_self: Scaling) -> None:
    return None


def _poller_gone_after_service_error(
    self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = ""
) -> None:
    if why not in {"service error", "no answer"}:
        return _release(self, poller, why, cause, fault)
    assert poller.request is not None
    messages, poller.request, poller.receipts = poller.request.messages, None, ()
    self.context.record(Released(self.context.now, cause, self.mapping.name, poller.number, messages, why, fault))
    self.carried -= 1
    return None


def _receive_not_counted_after_throttle(
    self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = ""
) -> None:
    for receipt in poller.receipts if why == "throttled" else ():
        receipt.message.receive_count -= 1
    _release(self, poller, why, cause, fault)


def _retries_of_one_mapping_only(self: Latency, poller: Poller) -> int:
    return _pause(self, poller) if poller.task.startswith("orders") else 3_600_000


def _success_not_deleted(self: Deleting, poller: Poller, _failed: tuple[int, ...], _cause: int) -> None:
    self.done(poller)


def _throttled_batch_lost(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    if why == "throttled":
        self.service.delete(self.mapping.queue, poller.receipts)
    _release(self, poller, why, cause, fault)


def _throttled_batch_shown_at_once(
    self: Mapping, poller: Poller, request: Request, refused: Refused, fault: str
) -> None:
    poller.gives_up = self.context.now
    _throttle(self, poller, request, refused, fault)
    for receipt in request.receipts:
        self.service.change_visibility(self.state, receipt, 0)


def _timeout_deletes(self: Mapping, poller: Poller, event: InvocationEnded, index: int) -> None:
    if event.outcome == "timed_out":
        step = partial(self.deleting.delete, poller, (), index)
        self.context.event_queue.at(self.context.now + self.latency.delete(poller), step, poller.task)
    else:
        _answered(self, poller, event, index)


def _window_closes_early(self: Batcher) -> int | None:
    return self._latest if self.held else None


def _window_closes_late(self: Batcher) -> int | None:
    right, self.window = self.window, 2 * self.window
    due = _due(self)
    self.window = right
    return due


TASKS = (
    mutant(
        "batch-lost-without-answer",  # EP-13, LX-11
        "A batch that a poller lets go without an answer of its function is gone from the queue.",
        Mutation(Mapping, "_release", _batch_lost_without_answer),
        "no-loss-after-send",
        Scenario(pipeline(), [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["service_error"]])),
        given=True,
    ),
    mutant(
        "batch-over-its-size",  # EC-1
        "Pollers ask for ten messages at a time, whatever the batch size.",
        Mutation(Service, "receive", _batch_over_its_size),
        "batches-within-limits",
        Scenario(pipeline(mapping=EventSourceMapping("orders", "worker", batch_size=5)), [Burst("orders", 6)]),
    ),
    mutant(
        "failed-receive-counts",  # EF-8, RX-7
        "A receive that failed counts as one of the first message in line.",
        Mutation(ReceiveFaults, "fail", _failed_receive_counts),
        "conservation",
        Scenario(pipeline(), [Burst("orders", 1)], faults=FaultPlan(messages=[["failed_receive"]])),
    ),
    mutant(
        "failure-list-ignored",  # EF-2, section 10.3
        "What a function reports as failed is deleted although its mapping reads the answer.",
        Mutation(Deleting, "delete", _failure_list_ignored),
        "reported-failures-kept",
        Scenario(
            pipeline(mapping=EventSourceMapping("orders", "worker", report_batch_item_failures=True)),
            [Burst("orders", 1)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "failure-list-inverted",  # Section 10.3
        "Of a batch with failures those are deleted that failed, and the others stay.",
        Mutation(Deleting, "delete", _failure_list_inverted),
        "at-least-once-delivery",
        Scenario(
            pipeline(mapping=EventSourceMapping("orders", "worker", report_batch_item_failures=True)),
            [Burst("orders", 1)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "filter-matches-everything",  # FL-2
        "A filter lets every message pass.",
        Mutation(receive_loop, "matches", _filter_matches_everything),
        "filtered-never-delivered",
        Scenario(
            pipeline(
                mapping=EventSourceMapping(
                    "orders", "worker", filters=('{"body": {"message": [{"numeric": [">", 3]}]}}',)
                )
            ),
            [Burst("orders", 1)],
        ),
    ),
    mutant(
        "filtered-not-deleted",  # FL-2
        "A message that matches no filter is left to its visibility timeout, not deleted.",
        Mutation(ReceiveLoop, "_filtered", _filtered_not_deleted),
        "drains-after-healing",
        Scenario(
            pipeline(
                mapping=EventSourceMapping(
                    "orders", "worker", filters=('{"body": {"message": [{"numeric": [">", 3]}]}}',)
                )
            ),
            [Burst("orders", 1)],
        ),
    ),
    mutant(
        "gathered-batch-lost-on-disable",  # EC-23
        "What the pollers have gathered is gone when their mapping is disabled.",
        Mutation(Mapping, "retire", _gathered_batch_lost_on_disable),
        "no-loss-after-send",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=120),
                mapping=EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=30),
            ),
            behaviours={"worker": Behaviour()},
        ),
    ),
    mutant(
        "gives-up-at-first-throttle",  # ES-8
        "A poller gives a throttled batch up at once instead of trying again until visibility is over.",
        Mutation(Mapping, "_throttle", _gives_up_at_first_throttle),
        "no-dead-lettering-by-throttling",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=180, redrive=Redrive("orders-dlq", 1)),
                Function("worker", timeout=5, reserved_concurrency=2),
            ),
            behaviours={"worker": Behaviour()},
        ),
    ),
    mutant(
        "growth-stops",  # ES-2
        "A mapping never has more pollers than it began with.",
        Mutation(Scaling, "grow", _growth_stops),
        "drains-after-healing",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)),
                mapping=EventSourceMapping("orders", "worker", batch_size=1),
            ),
            behaviours={"worker": Behaviour(seconds_per_batch=4)},
        ),
    ),
    mutant(
        "maximum-concurrency-ignored",  # MC-1
        "The pollers of a mapping scale past its maximum concurrency.",
        Mutation(esm_mapping, "scaling_limits", _maximum_concurrency_ignored),
        "concurrency-within-its-limits",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=30),
                mapping=EventSourceMapping("orders", "worker", maximum_concurrency=3),
            ),
            [Burst("orders", 4, over=1)],
            {"worker": Behaviour(seconds_per_batch=1)},
        ),
    ),
    mutant(
        "partial-success-kept",  # Section 10.3
        "One reported failure keeps its whole batch in the queue.",
        Mutation(Deleting, "delete", _partial_success_kept),
        "no-second-processing",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 5)),
                mapping=EventSourceMapping("orders", "worker", report_batch_item_failures=True),
            ),
            [Burst("orders", 2)],
            {"worker": Behaviour(poison=[0])},
        ),
    ),
    mutant(
        "payload-cut-ignored",  # EP-4, EP-8
        "A batch is not cut where its payload is full.",
        Mutation(Payload, "fits", _payload_cut_ignored),
        "batches-within-limits",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=60),
                mapping=EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=5),
            )
        ),
    ),
    mutant(
        "poller-gone-after-service-error",  # LX-11, EP-13
        "A poller that got a service error, or no answer, never polls again.",
        Mutation(Mapping, "_release", _poller_gone_after_service_error),
        "drains-after-healing",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=30),
                mapping=EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2),
            ),
            [Burst("orders", 1)],
            {"worker": Behaviour()},
            FaultPlan(messages=[["service_error", "service_error"]]),
        ),
        given=True,
    ),
    mutant(
        "pollers-stay",  # ES-5
        "A mapping keeps all its pollers, however long nothing comes.",
        Mutation(Scaling, "idle_limit", _pollers_stay),
        "polling-as-documented",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=180),
                Function("worker", timeout=30),
                EventSourceMapping("orders", "worker", batch_size=1),
            ),
        ),
    ),
    mutant(
        "receive-not-counted-after-throttle",  # ES-9
        "A receive whose batch was throttled up to the end of its visibility is not counted.",
        Mutation(Mapping, "_release", _receive_not_counted_after_throttle),
        "conservation",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=5),
                Function("worker", timeout=5, reserved_concurrency=1),
                EventSourceMapping("orders", "worker", batch_size=1),
            ),
            [Burst("orders", 3)],
            {"worker": Behaviour(seconds_per_batch=2)},
        ),
    ),
    mutant(
        "retries-of-one-mapping-only",  # LC-3, ES-8
        "Of the mappings of a function only the first one's throttled batches are tried again.",
        Mutation(Latency, "pause", _retries_of_one_mapping_only),
        "no-starvation",
        Scenario(
            Design(
                [Queue("orders", visibility_timeout=30), Queue("returns", visibility_timeout=30)],
                [Function("worker", timeout=5, reserved_concurrency=1)],
                [
                    EventSourceMapping("orders", "worker", batch_size=1),
                    EventSourceMapping("returns", "worker", batch_size=1),
                ],
            ),
            behaviours={"worker": Behaviour(seconds_per_batch=1)},
        ),
        mapping="returns→worker",
    ),
    mutant(
        "success-not-deleted",  # EF-1
        "Nothing is deleted after a success, so that every message comes back for ever.",
        Mutation(Deleting, "delete", _success_not_deleted),
        "drains-after-healing",
        Scenario(pipeline(Queue("orders", visibility_timeout=30)), [Burst("orders", 1)]),
    ),
    mutant(
        "throttled-batch-lost",  # ES-8
        "What a poller gives up after throttles is gone from the queue.",
        Mutation(Mapping, "_release", _throttled_batch_lost),
        "no-loss-after-send",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=5),
                Function("worker", timeout=5, reserved_concurrency=1),
                EventSourceMapping("orders", "worker", batch_size=1),
            )
        ),
    ),
    mutant(
        "throttled-batch-shown-at-once",  # ES-8, EC-15
        "A throttled batch is given back to the queue, where it is visible at once.",
        Mutation(Mapping, "_throttle", _throttled_batch_shown_at_once),
        "conservation",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)),
                Function("worker", timeout=5, reserved_concurrency=2),
            )
        ),
    ),
    mutant(
        "timeout-deletes",  # EF-2, LX-9
        "A batch whose invocation timed out is deleted.",
        Mutation(Mapping, "_answered", _timeout_deletes),
        "at-least-once-delivery",
        Scenario(pipeline(), [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=5)}),
    ),
    mutant(
        "window-closes-early",  # EP-4
        "A batch is handed over as soon as it has a message, whatever the batching window.",
        Mutation(Batcher, "due", _window_closes_early),
        "batches-within-limits",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=60),
                mapping=EventSourceMapping("orders", "worker", batch_size=25, maximum_batching_window=5),
            )
        ),
    ),
    mutant(
        "window-closes-late",  # EP-4
        "A batching window is open for twice as long as it says.",
        Mutation(Batcher, "due", _window_closes_late),
        "batches-within-limits",
        Scenario(
            pipeline(
                Queue("orders", visibility_timeout=180),
                mapping=EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=60),
            ),
            [Burst("orders", 1)],
        ),
    ),
)
