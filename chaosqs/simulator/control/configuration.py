"""The configuration of a function: read from a request, and shown as Lambda shows it."""

from __future__ import annotations

import attrs

from chaosqs.simulator.control.code import sha256
from chaosqs.simulator.control.deployed import Configuration, Deployed, Version
from chaosqs.simulator.control.errors import not_valid
from chaosqs.simulator.control.names import LATEST
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.parameters import Parameters, integer, structure, text, text_map

_LONGEST, _LARGEST = 900, 10_240
_SHOWN = (
    "Architectures",
    "DeadLetterConfig",  # of asynchronous invocations only (LX-18)
    "Description",
    "EphemeralStorage",
    "Role",
    "Runtime",
    "TracingConfig",
)


def changed(before: Configuration, parameters: Parameters) -> Configuration:
    """Return a configuration with what a request sets; raises `LambdaError` (LX-1 … LX-3)."""
    timeout, memory = integer(parameters, "Timeout"), integer(parameters, "MemorySize")
    _within("timeout", timeout, _LONGEST)  # LX-2: the model's own limit is that of managed instances
    _within("memorySize", memory, _LARGEST)
    environment = parameters.get("Environment")
    return attrs.evolve(
        before,
        handler=text(parameters, "Handler") or before.handler,
        timeout=timeout or before.timeout,
        memory=memory or before.memory,
        variables=(
            before.variables if environment is None else tuple(text_map(structure(environment), "Variables").items())
        ),
        shown={**before.shown, **{name: parameters[name] for name in _SHOWN if parameters.get(name) is not None}},
    )


def _within(name: str, value: int | None, most: int) -> None:
    if value is not None and value > most:
        raise not_valid(
            f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
            f"Member must have value less than or equal to {most}"
        )


def present(region: LambdaRegion, function: Deployed, version: Version) -> dict[str, object]:
    """Return the configuration of a version in botocore's shape. Assumed: all changes hold at once."""
    settings, qualifier = version.configuration, "" if version.number == LATEST else version.number
    shown: dict[str, object] = {
        **settings.shown,
        "FunctionName": function.name,
        "FunctionArn": region.arn(function.name, qualifier),
        "Handler": settings.handler,
        "CodeSize": len(version.code.content),
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "LastModified": region.world.iso(version.modified_at),
        "CodeSha256": sha256(version.code),
        "Version": version.number,
        "RevisionId": version.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }
    if settings.variables:
        shown["Environment"] = {"Variables": dict(settings.variables)}
    return shown
