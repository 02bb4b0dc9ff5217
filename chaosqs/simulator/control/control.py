"""`Control`: Lambda in process, as operations on functions and event source mappings in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from chaosqs.simulator.control import concurrency, functions, invoking, mappings, versions
from chaosqs.simulator.control.errors import not_served
from chaosqs.simulator.control.region import LambdaRegion, World
from chaosqs.simulator.operations.parameters import Parameters
from chaosqs.simulator.operations.region import ACCOUNT
from chaosqs.simulator.operations.sqs import Sqs

Operation: TypeAlias = Callable[[LambdaRegion, Parameters], dict[str, object]]

OPERATIONS: Mapping[str, Operation] = {
    "CreateAlias": versions.create_alias,
    "CreateEventSourceMapping": mappings.create_event_source_mapping,
    "CreateFunction": functions.create_function,
    "DeleteEventSourceMapping": mappings.delete_event_source_mapping,
    "DeleteFunction": functions.delete_function,
    "DeleteFunctionConcurrency": concurrency.delete_function_concurrency,
    "GetEventSourceMapping": mappings.get_event_source_mapping,
    "GetFunction": functions.get_function,
    "GetFunctionConcurrency": concurrency.get_function_concurrency,
    "GetFunctionConfiguration": functions.get_function_configuration,
    "Invoke": invoking.invoke,
    "ListEventSourceMappings": mappings.list_event_source_mappings,
    "ListFunctions": functions.list_functions,
    "PublishVersion": versions.publish_version,
    "PutFunctionConcurrency": concurrency.put_function_concurrency,
    "UpdateAlias": versions.update_alias,
    "UpdateEventSourceMapping": mappings.update_event_source_mapping,
    "UpdateFunctionCode": functions.update_function_code,
    "UpdateFunctionConfiguration": functions.update_function_configuration,
}


@attrs.define(eq=False)
class Control:
    """Lambda for every Region of one world, beside its SQS."""

    sqs: Sqs
    world: World
    regions: dict[str, LambdaRegion] = attrs.field(factory=dict[str, LambdaRegion])

    def region(self, name: str) -> LambdaRegion:
        """Return one Region, which is empty at first."""
        region = self.regions.get(name)
        if region is None:
            region = self.regions[name] = LambdaRegion(self.world, self.sqs.world.region(ACCOUNT, name))
        return region

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> dict[str, object]:
        """Carry out one operation and return its result, both in botocore's shapes. Raises `LambdaError`."""
        found = OPERATIONS.get(operation)
        if found is None:
            raise not_served(operation)
        return found(self.region(region), parameters)

    def busy(self) -> list[str]:
        """Say who has something to do: mappings that change, carry batches or have messages, functions that run."""
        return [reason for region in self.regions.values() for reason in _busy(region)]

    def close(self) -> None:
        """End what runs, and remove what was unpacked."""
        for region in self.regions.values():
            region.stage.close()
            for package in region.packages:
                package.close()


def _busy(region: LambdaRegion) -> list[str]:
    reasons: list[str] = []
    if region.engine.running:
        reasons.append(f"{region.engine.running} invocations run")
    if region.waiting:
        reasons.append(f"{region.waiting} asynchronous events wait or run")
    for mapped in region.mappings.values():
        name, stored = mapped.settings.name, mapped.hosted.line.machine.stored
        if mapped.state not in ("Enabled", "Disabled"):
            reasons.append(f"the mapping {name} is {mapped.state}")
        elif mapped.carried:
            reasons.append(f"the mapping {name} carries {mapped.carried} batches")
        elif stored and mapped.poller is not None:
            reasons.append(f"{mapped.hosted.address.name} has {stored} messages")
    return reasons
