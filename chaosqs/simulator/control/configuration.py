"""The configuration of a function: read from a request, and shown as Lambda shows it."""

from __future__ import annotations

import attrs

from chaosqs.simulator.control.code import sha256
from chaosqs.simulator.control.deployed import Configuration, Deployed, Version
from chaosqs.simulator.control.errors import not_valid
from chaosqs.simulator.control.names import LATEST
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.parameters import Parameters, integer, structure, text, text_map, texts

_LONGEST, _LARGEST = 900, 10_240


def changed(before: Configuration, parameters: Parameters) -> Configuration:
    """Return a configuration with what a request sets; raises `LambdaError` (LX-1 … LX-3)."""
    timeout, memory = integer(parameters, "Timeout"), integer(parameters, "MemorySize")
    _within("timeout", timeout, _LONGEST)  # LX-2: the model's own limit is that of managed instances
    _within("memorySize", memory, _LARGEST)
    storage = integer(structure(parameters.get("EphemeralStorage")), "Size")
    environment = parameters.get("Environment")
    target = text(structure(parameters.get("DeadLetterConfig")), "TargetArn")
    return attrs.evolve(
        before,
        runtime=text(parameters, "Runtime") or before.runtime,
        role=text(parameters, "Role") or before.role,
        handler=text(parameters, "Handler") or before.handler,
        description=_kept(text(parameters, "Description"), before.description),
        timeout=timeout or before.timeout,
        memory=memory or before.memory,
        variables=(
            before.variables if environment is None else tuple(text_map(structure(environment), "Variables").items())
        ),
        dead_letter_target=_kept(target, before.dead_letter_target),
        tracing=text(structure(parameters.get("TracingConfig")), "Mode") or before.tracing,
        layers=tuple(texts(parameters, "Layers")) if parameters.get("Layers") is not None else before.layers,
        architectures=tuple(texts(parameters, "Architectures")) or before.architectures,
        ephemeral_storage=storage or before.ephemeral_storage,
    )


def _kept(given: str | None, before: str) -> str:
    return before if given is None else given


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
        "FunctionName": function.name,
        "FunctionArn": region.arn(function.name, qualifier),
        "Runtime": settings.runtime,
        "Role": settings.role,
        "Handler": settings.handler,
        "CodeSize": len(version.code.content),
        "Description": settings.description,
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "LastModified": region.world.iso(version.modified_at),
        "CodeSha256": sha256(version.code),
        "Version": version.number,
        "TracingConfig": {"Mode": settings.tracing},
        "RevisionId": version.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": settings.package_type,
        "Architectures": list(settings.architectures),
        "EphemeralStorage": {"Size": settings.ephemeral_storage},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
    }
    if settings.variables:
        shown["Environment"] = {"Variables": dict(settings.variables)}
    if settings.dead_letter_target:
        shown["DeadLetterConfig"] = {"TargetArn": settings.dead_letter_target}
    if settings.layers:
        shown["Layers"] = [{"Arn": arn, "CodeSize": 0} for arn in settings.layers]
    return shown
