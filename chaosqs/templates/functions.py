"""A function of the design from the properties of an `AWS::Lambda::Function` or `AWS::Serverless::Function`."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.design import Function
from chaosqs.templates.addresses import function_published_by
from chaosqs.templates.reading import Part, Reading
from chaosqs.templates.resource import Resource


def read_function(part: Part, reading: Reading, resources: Iterable[Resource]) -> Function:
    """Return a function; an alias or version of it among the resources may bring provisioned concurrency."""
    plain = Function(part.name)
    reserved = "ReservedConcurrentExecutions"
    return Function(
        part.name,
        timeout=reading.whole(part, "Timeout", "timeout", plain.timeout),
        memory=reading.whole(part, "MemorySize", "memory", plain.memory),
        reserved_concurrency=reading.whole(part, reserved, "reserved_concurrency", None),
        provisioned_concurrency=_provisioned(part, reading, resources),
    )


def _provisioned(part: Part, reading: Reading, resources: Iterable[Resource]) -> int:
    field = "provisioned_concurrency"
    publishers = (each for each in resources if function_published_by(each, reading.scope) == part.name)
    parts = [part, *(attrs.evolve(part, properties=each.properties, line=each.line) for each in publishers)]
    configs = [reading.table(each, "ProvisionedConcurrencyConfig", field) for each in parts]
    key = "ProvisionedConcurrentExecutions"
    return sum(reading.whole(config, key, field, 0) for config in configs if config is not None)
