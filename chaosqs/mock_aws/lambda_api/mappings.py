"""Event source mappings of queues: their states, their settings; create, show, list, change, delete."""

from collections.abc import Sequence
from functools import partial

import attrs

from chaosqs.esm.mapping import Mapping, change_time, start_after
from chaosqs.kernel.context import RandomStreams
from chaosqs.mock_aws.lambda_api.errors import LambdaError, conflict, in_use, invalid, not_found
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import (
    SETTLED,
    Deployed,
    Mapped,
    Named,
    Version,
    mapping_arn,
    merged_tags,
    named,
    page,
)
from chaosqs.model.design import DEFAULT_ERA, EventSourceMapping, Queue
from chaosqs.model.event_filter import InvalidPattern, parse
from chaosqs.sqs.api.parameters import Parameters, from_arn, integer, sequence, structure, text, text_map, texts
from chaosqs.sqs.api.region import EPOCH, QueueResource

# States, and when a mapping polls (EC-21, EC-22, EC-23) ---------------------------------------------------------------


def create(region: LambdaRegion, mapped: Mapped) -> None:
    """Add a mapping: it polls after a while, or never if it is created disabled (EC-22)."""
    region.mappings[mapped.uuid] = mapped
    mapped.state = "Disabled"
    if mapped.settings.enabled:
        mapped.state = "Creating"
        _later(region, mapped, "Enabled")


def adopt(region: LambdaRegion, mapped: Mapped) -> None:
    """Add a mapping that polls at once, as if it had been created before."""
    region.mappings[mapped.uuid] = mapped
    mapped.state = "Enabled" if mapped.settings.enabled else "Disabled"
    if mapped.settings.enabled:
        _start(region, mapped)


def update(region: LambdaRegion, mapped: Mapped, settings: EventSourceMapping) -> None:
    """Change a mapping: it polls by the new configuration, or not at all, after a while."""
    before, mapped.settings = mapped.settings, settings
    mapped.modified_at = region.now
    if before.enabled == settings.enabled:
        mapped.state = "Updating"
    elif settings.enabled:
        mapped.state = "Enabling"
    else:
        mapped.state = "Disabling"
        stop(mapped)
    _later(region, mapped, "Enabled" if settings.enabled else "Disabled")


def delete(region: LambdaRegion, mapped: Mapped) -> None:
    """Remove a mapping: it stops polling at once, and is gone after a while."""
    mapped.state = "Deleting"
    stop(mapped)
    _later(region, mapped, "")


def stop(mapped: Mapped) -> None:
    """Stop polling; the pollers finish the batches that they carry (Assumed: EC-23)."""
    if mapped.poller is not None:
        mapped.poller.retire()
        mapped.pollers += len(mapped.poller.fleet.pollers)
        mapped.former = [*(poller for poller in mapped.former if poller.fleet.busy), mapped.poller]
        mapped.poller = None


def _later(region: LambdaRegion, mapped: Mapped, state: str) -> None:
    wait = change_time(_CHANCE, region.context.assumptions, mapped.settings.name, next(region.changes))
    region.context.event_queue.after(wait, partial(_settle, region, mapped, state))


_CHANCE = RandomStreams(1)
"""Draws the times of changes: other chance is calm in `aws()`, but a test should meet quick and slow changes."""


def _settle(region: LambdaRegion, mapped: Mapped, state: str) -> None:
    mapped.state = state
    if not state:
        del region.mappings[mapped.uuid]
        return
    stop(mapped)
    if state == "Enabled":
        _start(region, mapped)


def _start(region: LambdaRegion, mapped: Mapped) -> None:
    settings, service = attrs.evolve(mapped.settings), region.sqs.service_of(mapped.resource)
    region.polled[id(settings)] = mapped
    mapped.poller = Mapping(region.context, service, region.engine, DEFAULT_ERA, settings, mapped.pollers)
    start_after(mapped.poller, mapped.former)


# Settings of a queue's mapping, and Lambda's errors for invalid ones (ledger 9) ---------------------------------------

_NOT_FOR_QUEUES = (  # EC-10
    "AmazonManagedKafkaEventSourceConfig",
    "BisectBatchOnFunctionError",
    "DestinationConfig",
    "DocumentDBEventSourceConfig",
    "LoggingConfig",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
    "ParallelizationFactor",
    "Queues",
    "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig",
    "SourceAccessConfigurations",
    "StartingPositionTimestamp",
    "Topics",
    "TumblingWindowInSeconds",
)
_REPORTING = "ReportBatchItemFailures"
_PER_RECEIVE = 10
_MOST_FILTERS = 5
_POLLERS = (2, 200)
"""Default minimum and maximum of provisioned pollers (EC-6)."""


def configured(before: EventSourceMapping, parameters: Parameters, queue: Queue, timeout: int) -> EventSourceMapping:
    """Return a mapping with a request's settings applied, others unchanged; raise `LambdaError` (EC-1 … EC-11)."""
    if parameters.get("StartingPosition") is not None:
        raise invalid("StartingPosition is not valid for SQS event sources.")  # recorded
    for name in _NOT_FOR_QUEUES:
        if parameters.get(name) not in (None, [], {}):
            raise _unsupported(name)
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


def _unsupported(name: str) -> LambdaError:
    return invalid(f"Unsupported {name} parameter for given event source mapping type.")  # seen of DestinationConfig


def key_arn(before: str, parameters: Parameters) -> str:
    """Return the ARN of the key that encrypts the filters: an empty one removes it, absence keeps it."""
    given = text(parameters, "KMSKeyArn")
    return before if given is None else given


def metrics(before: tuple[str, ...], parameters: Parameters) -> tuple[str, ...]:
    """Return the names of the published metrics (EC-9)."""
    given = parameters.get("MetricsConfig")
    return before if given is None else tuple(texts(structure(given), "Metrics"))


def _maximum_concurrency(before: EventSourceMapping, parameters: Parameters) -> int | None:
    """Return the limit by `ScalingConfig`: `{}` removes it, absence keeps it (EC-5)."""
    given = parameters.get("ScalingConfig")
    return before.maximum_concurrency if given is None else integer(structure(given), "MaximumConcurrency")


def _pollers(before: EventSourceMapping, parameters: Parameters) -> tuple[int, int] | None:
    """Return the pollers by `ProvisionedPollerConfig`: `{}` turns them off, absence keeps them (EC-6)."""
    given = parameters.get("ProvisionedPollerConfig")
    if given is None:
        return before.provisioned_pollers
    if text(structure(given), "PollerGroupName"):  # of Kafka only
        raise _unsupported("PollerGroupName")
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
    if queue.fifo and mapping.maximum_batching_window:  # EC-4
        return invalid("Batching window is not supported for FIFO queues")
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


# Operations on mappings -----------------------------------------------------------------------------------------------


def create_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create a mapping; it polls when it is `Enabled` (EC-21)."""
    arn = text(parameters, "EventSourceArn") or ""
    wanted = named(text(parameters, "FunctionName") or "")
    if not arn:
        raise invalid("Unrecognized event source.")
    if ":sqs:" not in arn:
        raise invalid(f"Unrecognized event source, must be kinesis, dynamodb stream or sqs: {arn}")  # Assumed wording
    function, version = _invoked(region, wanted)
    resource = _queue(region, arn)
    for other in region.mappings.values():
        if other.resource is resource and other.function is function and other.qualifier == wanted.qualifier:  # EC-13
            raise conflict(
                f'An event source mapping with SQS arn (" {arn} ") and function (" {wanted.name} ") already exists. '
                f"Please update or delete the existing mapping with UUID {other.uuid}"
            )
    blank = EventSourceMapping(resource.address.name, function.name)
    settings = configured(blank, parameters, resource.state.queue, version.configuration.timeout)
    uuid = region.new_id(b"mapping")
    mapped = Mapped(
        uuid,
        mapping_arn(region.sqs.name, region.sqs.account, uuid),
        resource,
        function,
        wanted.qualifier,
        settings,
        region.now,
        metrics=metrics((), parameters),
        key_arn=key_arn("", parameters),
        tags=merged_tags({}, text_map(parameters, "Tags")),
    )
    create(region, mapped)
    return present(region, mapped)


def _invoked(region: LambdaRegion, wanted: Named) -> tuple[Deployed, Version]:
    """Return the function and version that a mapping shall invoke; raise `LambdaError` if there is none (EC-26)."""
    try:
        return region.find(wanted)
    except LambdaError:
        raise invalid("Function does not exist") from None


def _queue(region: LambdaRegion, arn: str) -> QueueResource:
    """Return the queue of an ARN, in any account (EC-16); raise a test receive's error if it is missing (EC-12)."""
    address = from_arn(arn)
    if address is None or address.region != region.sqs.name:
        raise invalid(f"The event source arn ({arn}) and function must be in the same region.")
    home = region.sqs.accounts.regions.get((address.account, address.region))
    resource = None if home is None else home.queues.get(address.name)
    if resource is None:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    return resource


def get_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return one mapping."""
    return present(region, _find(region, parameters))


def list_event_source_mappings(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List mappings in the order of their creation, only those of one queue or function if the request names it.

    Encrypted filters are not shown.
    """
    arn, name = text(parameters, "EventSourceArn"), text(parameters, "FunctionName")
    found: Sequence[Mapped] = list(region.mappings.values())
    if arn is not None:
        found = [mapped for mapped in found if mapped.resource.address.arn == arn]
    if name is not None:
        wanted = named(name)
        region.find(wanted)
        found = [m for m in found if m.function.name == wanted.name and wanted.qualifier in ("", m.qualifier)]
    shown = [present(region, mapped) for mapped in found]
    for mapped, one in zip(found, shown, strict=True):
        if mapped.key_arn:
            one.pop("FilterCriteria", None)
    return page(shown, parameters, "EventSourceMappings")


def update_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Change a mapping; settings that the request leaves out stay (EC-5, EC-25)."""
    mapped = _find(region, parameters)
    if mapped.state not in SETTLED:
        raise in_use("Cannot update the event source mapping because it is in use.")
    function, qualifier, version = mapped.function, mapped.qualifier, mapped.version
    name = text(parameters, "FunctionName")
    if name is not None:
        wanted = named(name)
        (function, version), qualifier = _invoked(region, wanted), wanted.qualifier
    before = attrs.evolve(mapped.settings, function=function.name)
    settings = configured(before, parameters, mapped.resource.state.queue, version.configuration.timeout)
    mapped.function, mapped.qualifier = function, qualifier
    mapped.metrics, mapped.key_arn = metrics(mapped.metrics, parameters), key_arn(mapped.key_arn, parameters)
    update(region, mapped, settings)
    return present(region, mapped)


def delete_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Delete a mapping: it stops polling at once, and is gone after a while."""
    mapped = _find(region, parameters)
    if mapped.state not in SETTLED:
        raise in_use("Cannot delete the event source mapping because it is in use.")
    delete(region, mapped)
    return present(region, mapped)


def _find(region: LambdaRegion, parameters: Parameters) -> Mapped:
    mapped = region.mappings.get(text(parameters, "UUID") or "")
    if mapped is None:
        raise not_found("The resource you requested does not exist.")
    return mapped


def present(region: LambdaRegion, mapped: Mapped) -> dict[str, object]:
    """Return a mapping as Lambda shows it: the fields for a queue, and optional ones that are set (ledger 12)."""
    settings = mapped.settings
    shown: dict[str, object] = {
        "UUID": mapped.uuid,
        "EventSourceMappingArn": mapped.arn,
        "EventSourceArn": mapped.resource.address.arn,
        "FunctionArn": region.arn(mapped.function.name, mapped.qualifier),
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.maximum_batching_window,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.report_batch_item_failures else [],
        "LastModified": (EPOCH + mapped.modified_at) / 1000,
        "State": mapped.state,
        "StateTransitionReason": "USER_INITIATED",
    }
    if settings.maximum_concurrency is not None:
        shown["ScalingConfig"] = {"MaximumConcurrency": settings.maximum_concurrency}
    if settings.provisioned_pollers is not None:
        low, high = settings.provisioned_pollers
        shown["ProvisionedPollerConfig"] = {"MinimumPollers": low, "MaximumPollers": high}
    if settings.filters:
        shown["FilterCriteria"] = {"Filters": [{"Pattern": pattern} for pattern in settings.filters]}
    if mapped.key_arn:
        shown["KMSKeyArn"] = mapped.key_arn
    if mapped.metrics:
        shown["MetricsConfig"] = {"Metrics": list(mapped.metrics)}
    return shown
