"""What may be set about an event source mapping of a queue, and what Lambda says where it may not (ledger 9)."""

from __future__ import annotations

import attrs

from chaosqs.model.design import EventSourceMapping, Queue
from chaosqs.model.event_filter import parse
from chaosqs.model.filter_rules import InvalidPattern
from chaosqs.simulator.control.errors import LambdaError, invalid
from chaosqs.simulator.operations.parameters import Parameters, integer, sequence, structure, text, texts

_NOT_FOR_QUEUES = (  # EC-10
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "SourceAccessConfigurations",
    "StartingPosition",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
)
_REPORTING = "ReportBatchItemFailures"
_PER_RECEIVE = 10
_MOST_FILTERS = 5
_POLLERS = (2, 200)
"""How many provisioned pollers there are, where it is not said (EC-6)."""


def configured(before: EventSourceMapping, parameters: Parameters, queue: Queue, timeout: int) -> EventSourceMapping:
    """Return a mapping with what a request sets; what it leaves out stays. Raises `LambdaError` (EC-1 … EC-11)."""
    for name in _NOT_FOR_QUEUES:
        if parameters.get(name) not in (None, [], {}):
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")  # Assumed wording
    batch, window = integer(parameters, "BatchSize"), integer(parameters, "MaximumBatchingWindowInSeconds")
    types, enabled = parameters.get("FunctionResponseTypes"), parameters.get("Enabled")
    after = attrs.evolve(
        before,
        batch_size=before.batch_size if batch is None else batch,
        maximum_batching_window=before.maximum_batching_window if window is None else window,
        maximum_concurrency=_maximum_concurrency(before, parameters),
        provisioned_pollers=_pollers(before, parameters),
        filters=_filters(before, parameters),
        enabled=before.enabled if enabled is None else bool(enabled),
        report_batch_item_failures=(
            before.report_batch_item_failures if types is None else _REPORTING in texts(parameters, _TYPES)
        ),
    )
    _check(after, queue, timeout)
    return after


_TYPES = "FunctionResponseTypes"


def metrics(before: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """Return which metrics are published (EC-9)."""
    given = parameters.get("MetricsConfig")
    return before if given is None else tuple(texts(structure(given), "Metrics"))


def _maximum_concurrency(before: EventSourceMapping, parameters: Parameters) -> int | None:
    """Read `ScalingConfig`: `{}` removes the limit, nothing keeps it (EC-5)."""
    given = parameters.get("ScalingConfig")
    return before.maximum_concurrency if given is None else integer(structure(given), "MaximumConcurrency")


def _pollers(before: EventSourceMapping, parameters: Parameters) -> tuple[int, int] | None:
    """Read `ProvisionedPollerConfig`: `{}` turns them off, nothing keeps them (EC-6)."""
    given = parameters.get("ProvisionedPollerConfig")
    if given is None:
        return before.provisioned_pollers
    low, high = integer(structure(given), "MinimumPollers"), integer(structure(given), "MaximumPollers")
    if low is None and high is None:
        return None
    return (_POLLERS[0] if low is None else low, _POLLERS[1] if high is None else high)


def _filters(before: EventSourceMapping, parameters: Parameters) -> tuple[str, ...]:
    given = parameters.get("FilterCriteria")
    if given is None:
        return before.filters
    patterns = tuple(text(structure(entry), "Pattern") or "" for entry in sequence(structure(given), "Filters"))
    if len(patterns) > _MOST_FILTERS:  # EC-8; Assumed wording
        raise invalid(f"Number of filters exceeds the limit of {_MOST_FILTERS}.")
    for pattern in patterns:
        try:
            parse(pattern)
        except InvalidPattern as error:
            raise invalid("Invalid filter pattern definition.") from error  # EC-24
    return patterns


def _check(mapping: EventSourceMapping, queue: Queue, timeout: int) -> None:
    for refused in (_batch(mapping, queue), _scaling(mapping), _visibility(queue, timeout)):
        if refused is not None:
            raise refused


def _batch(mapping: EventSourceMapping, queue: Queue) -> LambdaError | None:
    if queue.fifo and mapping.maximum_batching_window:  # EC-4; Assumed wording
        return invalid("Batching window is not supported for FIFO queues.")
    if queue.fifo and mapping.batch_size > _PER_RECEIVE:  # EC-1; Assumed wording
        return invalid(f"Maximum batch size for FIFO queues is {_PER_RECEIVE}.")
    if mapping.batch_size > _PER_RECEIVE and not mapping.maximum_batching_window:  # EC-3
        return invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return None


def _scaling(mapping: EventSourceMapping) -> LambdaError | None:
    pollers = mapping.provisioned_pollers
    if pollers is None:
        return None
    if mapping.maximum_concurrency is not None:  # EC-6, MC-6; Assumed wording
        return invalid("ScalingConfig and ProvisionedPollerConfig are mutually exclusive.")
    if min(pollers) < _POLLERS[0]:  # EC-6; Assumed wording
        return invalid(
            f"MinimumPollers and MaximumPollers must be at least {_POLLERS[0]} for Amazon SQS event sources."
        )
    if pollers[0] > pollers[1]:  # EC-6; Assumed wording
        return invalid("MaximumPollers must be greater than or equal to MinimumPollers.")
    return None


def _visibility(queue: Queue, timeout: int) -> LambdaError | None:
    if queue.visibility_timeout >= timeout:
        return None
    return invalid(  # EC-11
        f"Queue visibility timeout: {queue.visibility_timeout} seconds is less than Function timeout: {timeout} seconds"
    )
