"""`LambdaApi`: Lambda in process, as operations on functions and event source mappings in virtual time."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs

from chaosqs.lambda_.waits import Waits
from chaosqs.mock_aws.lambda_api import functions, invoking, mappings
from chaosqs.mock_aws.lambda_api.errors import not_served
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.sqs.api.parameters import Parameters
from chaosqs.sqs.api.region import ACCOUNT
from chaosqs.sqs.api.sqs import Sqs

# All operations -------------------------------------------------------------------------------------------------------

Operation: TypeAlias = Callable[[LambdaRegion, Parameters], dict[str, object]]

OPERATIONS: Mapping[str, Operation] = {
    "CreateAlias": functions.create_alias,
    "CreateEventSourceMapping": mappings.create_event_source_mapping,
    "CreateFunction": functions.create_function,
    "DeleteEventSourceMapping": mappings.delete_event_source_mapping,
    "DeleteFunction": functions.delete_function,
    "DeleteFunctionConcurrency": functions.delete_function_concurrency,
    "DeleteFunctionEventInvokeConfig": invoking.delete_function_event_invoke_config,
    "GetAlias": functions.get_alias,
    "GetEventSourceMapping": mappings.get_event_source_mapping,
    "GetFunction": functions.get_function,
    "GetFunctionConcurrency": functions.get_function_concurrency,
    "GetFunctionConfiguration": functions.get_function_configuration,
    "GetFunctionEventInvokeConfig": invoking.get_function_event_invoke_config,
    "GetFunctionRecursionConfig": functions.get_function_recursion_config,
    "Invoke": invoking.invoke,
    "ListAliases": functions.list_aliases,
    "ListEventSourceMappings": mappings.list_event_source_mappings,
    "ListFunctionEventInvokeConfigs": invoking.list_function_event_invoke_configs,
    "ListFunctions": functions.list_functions,
    "ListTags": functions.list_tags,
    "ListVersionsByFunction": functions.list_versions_by_function,
    "PublishVersion": functions.publish_version,
    "PutFunctionConcurrency": functions.put_function_concurrency,
    "PutFunctionEventInvokeConfig": invoking.put_function_event_invoke_config,
    "PutFunctionRecursionConfig": functions.put_function_recursion_config,
    "TagResource": functions.tag_resource,
    "UntagResource": functions.untag_resource,
    "UpdateAlias": functions.update_alias,
    "UpdateEventSourceMapping": mappings.update_event_source_mapping,
    "UpdateFunctionCode": functions.update_function_code,
    "UpdateFunctionConfiguration": functions.update_function_configuration,
    "UpdateFunctionEventInvokeConfig": invoking.update_function_event_invoke_config,
}


@attrs.define(eq=False)
class LambdaApi:
    """Lambda for every Region, with the SQS that it polls."""

    sqs: Sqs
    waits: Waits
    regions: dict[str, LambdaRegion] = attrs.field(factory=dict[str, LambdaRegion])

    def region(self, name: str) -> LambdaRegion:
        """Return one Region; it is created on first use."""
        region = self.regions.get(name)
        if region is None:
            accounts = self.sqs.accounts
            region = LambdaRegion(accounts.context, self.waits, accounts.region(ACCOUNT, name))
            self.regions[name] = region
        return region

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> dict[str, object]:
        """Carry out one operation and return its result, both in botocore's shapes. Raises `LambdaError`."""
        found = OPERATIONS.get(operation)
        if found is None:
            raise not_served(operation)
        return found(self.region(region), parameters)

    def busy(self) -> list[str]:
        """Return reasons why it is busy: mappings that change, carry batches or have messages; running functions."""
        return [reason for region in self.regions.values() for reason in _busy(region)]

    def close(self) -> None:
        """End running handlers, and remove unpacked code."""
        for region in self.regions.values():
            region.handlers.close()
            for package in region.packages:
                package.close()


def _busy(region: LambdaRegion) -> list[str]:
    reasons: list[str] = []
    if region.engine.running:
        reasons.append(f"{region.engine.running} invocations run")
    if region.waiting:
        reasons.append(f"{region.waiting} asynchronous events wait or run")
    for mapped in region.mappings.values():
        name, stored = mapped.settings.name, mapped.resource.state.machine.stored
        if mapped.state not in ("Enabled", "Disabled"):
            reasons.append(f"the mapping {name} is {mapped.state}")
        elif mapped.carried:
            reasons.append(f"the mapping {name} carries {mapped.carried} batches")
        elif stored and mapped.poller is not None:
            reasons.append(f"{mapped.resource.address.name} has {stored} messages")
    return reasons
