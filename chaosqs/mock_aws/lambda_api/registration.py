"""Deployment of callables of the test's own process as functions."""

from collections.abc import Mapping, Sequence

from chaosqs.errors import InvalidInput, Problem
from chaosqs.lambda_.execution_environment import Handler
from chaosqs.mock_aws.lambda_api import mapping_lifecycle
from chaosqs.mock_aws.lambda_api.code import InProcess
from chaosqs.mock_aws.lambda_api.errors import LambdaError
from chaosqs.mock_aws.lambda_api.functions import deploy, reserve
from chaosqs.mock_aws.lambda_api.names import mapping_arn
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import Configuration, Deployed, Mapped
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.values import Checks


def register(
    region: LambdaRegion,
    asked: Function,
    handler: Handler,
    variables: Mapping[str, str],
    mappings: Sequence[EventSourceMapping],
) -> str:
    """Deploy a callable as a function, with the mappings of a design, and return its ARN. Raises `InvalidInput`."""
    _check(asked, handler)
    code = InProcess(handler)
    name = f"{code.module.replace('.', '/')}.{code.content.decode()}"
    configuration = Configuration(
        handler=name, timeout=asked.timeout, memory=asked.memory, variables=tuple(variables.items())
    )
    function = deploy(region, asked.name, configuration, code)
    try:
        reserve(region, asked.name, asked.reserved_concurrency)
    except LambdaError as error:
        raise InvalidInput(
            [Problem("reserved_concurrency", repr(asked.reserved_concurrency), error.message, "LC-4")]
        ) from None
    for mapping in mappings:
        _connect(region, function, mapping)
    return region.arn(asked.name)


def _check(asked: Function, handler: object) -> None:
    checks = Checks("")
    checks.name("name", asked.name, r"[A-Za-z0-9_-]{1,64}", "must be 1 to 64 letters, digits, - and _")
    checks.whole("timeout", asked.timeout, 1, 900, "seconds", "LX-1")
    checks.whole("memory", asked.memory, 128, 10_240, "MB", "LX-3")
    if asked.reserved_concurrency is not None:
        checks.whole("reserved_concurrency", asked.reserved_concurrency, 0, None, "executions", "LC-3")
    if not callable(handler):
        checks.refuse("handler", handler, "must be a callable that takes an event and a context")
    if checks.problems:
        raise InvalidInput(checks.problems)


def _connect(region: LambdaRegion, function: Deployed, mapping: EventSourceMapping) -> None:
    """Add a mapping of the design, which polls at once, as if the design had been deployed before."""
    resource = region.sqs.queues[mapping.queue]
    known = [
        mapped for mapped in region.mappings.values() if mapped.resource is resource and mapped.function is function
    ]
    if known:
        return
    uuid = region.new_id(b"mapping")
    arn = mapping_arn(region.sqs.name, region.sqs.account, uuid)
    mapped = Mapped(uuid, arn, resource, function, "", mapping, region.now)
    mapping_lifecycle.adopt(region, mapped)
