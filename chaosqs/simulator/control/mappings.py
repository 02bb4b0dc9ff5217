"""CreateEventSourceMapping and its siblings, for queues."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.design import EventSourceMapping
from chaosqs.simulator.control import polling
from chaosqs.simulator.control.errors import conflict, in_use, invalid, not_found
from chaosqs.simulator.control.mapped import SETTLED, Mapped
from chaosqs.simulator.control.mapping_rules import configured, metrics
from chaosqs.simulator.control.names import mapping_arn, named
from chaosqs.simulator.control.paging import page
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.addresses import from_arn
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, text


def create_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create a mapping; it polls when it is `Enabled` (EC-21)."""
    arn = text(parameters, "EventSourceArn") or ""
    wanted = named(text(parameters, "FunctionName") or "")
    if not arn:
        raise invalid("Unrecognized event source.")
    if ":sqs:" not in arn:
        raise invalid(f"Unrecognized event source, must be kinesis, dynamodb stream or sqs: {arn}")  # Assumed wording
    function, version = region.find(wanted)
    hosted = _queue(region, arn)
    for other in region.mappings.values():
        if other.hosted is hosted and other.function is function and other.qualifier == wanted.qualifier:  # EC-13
            raise conflict(
                f'An event source mapping with SQS arn (" {arn} ") and function (" {wanted.name} ") already exists. '
                f"Please update or delete the existing mapping with UUID {other.uuid}"
            )
    blank = EventSourceMapping(hosted.address.name, function.name)
    settings = configured(blank, parameters, hosted.line.queue, version.configuration.timeout)
    uuid = region.new_id(b"mapping")
    mapped = Mapped(
        uuid,
        mapping_arn(region.sqs.name, region.sqs.account, uuid),
        hosted,
        function,
        wanted.qualifier,
        settings,
        region.now,
        metrics=metrics((), parameters),
    )
    polling.create(region, mapped)
    return present(region, mapped)


def _queue(region: LambdaRegion, arn: str) -> Hosted:
    """Return the queue of an ARN, as a test receive finds it (EC-12), of whatever account (EC-16)."""
    address = from_arn(arn)
    if address is None or address.region != region.sqs.name:
        raise invalid(f"The event source arn ({arn}) and function must be in the same region.")
    home = region.sqs.world.regions.get((address.account, address.region))
    hosted = None if home is None else home.queues.get(address.name)
    if hosted is None:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    return hosted


def get_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return one mapping."""
    return present(region, _find(region, parameters))


def list_event_source_mappings(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List mappings in the order of their creation, those of one queue or function where that is given."""
    arn, name = text(parameters, "EventSourceArn"), text(parameters, "FunctionName")
    found: Sequence[Mapped] = list(region.mappings.values())
    if arn is not None:
        found = [mapped for mapped in found if mapped.hosted.address.arn == arn]
    if name is not None:
        wanted = named(name)
        region.find(wanted)
        found = [m for m in found if m.function.name == wanted.name and wanted.qualifier in ("", m.qualifier)]
    shown = [present(region, mapped) for mapped in found]
    return page(shown, parameters, "EventSourceMappings")


def update_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Change a mapping; what is left out stays as it is (EC-5, EC-25)."""
    mapped = _find(region, parameters)
    if mapped.state not in SETTLED:
        raise in_use("Cannot update the event source mapping because it is in use.")
    function, qualifier, version = mapped.function, mapped.qualifier, mapped.version
    name = text(parameters, "FunctionName")
    if name is not None:
        wanted = named(name)
        (function, version), qualifier = region.find(wanted), wanted.qualifier
    before = attrs.evolve(mapped.settings, function=function.name)
    settings = configured(before, parameters, mapped.hosted.line.queue, version.configuration.timeout)
    mapped.function, mapped.qualifier = function, qualifier
    mapped.metrics = metrics(mapped.metrics, parameters)
    polling.update(region, mapped, settings)
    return present(region, mapped)


def delete_event_source_mapping(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Delete a mapping: it stops polling at once, and is gone in a while."""
    mapped = _find(region, parameters)
    if mapped.state not in SETTLED:
        raise in_use("Cannot delete the event source mapping because it is in use.")
    polling.delete(region, mapped)
    return present(region, mapped)


def _find(region: LambdaRegion, parameters: Parameters) -> Mapped:
    mapped = region.mappings.get(text(parameters, "UUID") or "")
    if mapped is None:
        raise not_found("The resource you requested does not exist.")
    return mapped


def present(region: LambdaRegion, mapped: Mapped) -> dict[str, object]:
    """Return a mapping as Lambda shows it: with the fields of a queue's, and what is set (ledger 12)."""
    settings = mapped.settings
    shown: dict[str, object] = {
        "UUID": mapped.uuid,
        "EventSourceMappingArn": mapped.arn,
        "EventSourceArn": mapped.hosted.address.arn,
        "FunctionArn": region.arn(mapped.function.name, mapped.qualifier),
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": settings.maximum_batching_window,
        "FunctionResponseTypes": ["ReportBatchItemFailures"] if settings.report_batch_item_failures else [],
        "LastModified": (region.world.epoch + mapped.modified_at) / 1000,
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
    if mapped.metrics:
        shown["MetricsConfig"] = {"Metrics": list(mapped.metrics)}
    return shown
