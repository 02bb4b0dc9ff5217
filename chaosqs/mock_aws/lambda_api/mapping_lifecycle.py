"""The lifecycle of an event source mapping: its states, and when it polls (EC-21, EC-22, EC-23)."""

from functools import partial

import attrs

from chaosqs.esm.mapping import Mapping, start_after
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import Mapped
from chaosqs.model.design import DEFAULT_ERA, EventSourceMapping


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
    wait = region.context.assumptions.mapping_change
    region.context.event_queue.after(wait, partial(_settle, region, mapped, state))


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
