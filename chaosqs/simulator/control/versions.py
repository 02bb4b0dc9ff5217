"""Versions and aliases of functions, so that a mapping may point at them (EC-25)."""

from __future__ import annotations

import attrs

from chaosqs.simulator.control.configuration import present
from chaosqs.simulator.control.deployed import Deployed, Version
from chaosqs.simulator.control.errors import conflict, not_found
from chaosqs.simulator.control.names import Named, named
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.parameters import Parameters, text


def publish(region: LambdaRegion, function: Deployed, description: str) -> Version:
    """Make a version of what `$LATEST` is now; where nothing has changed since the last one, that one stays."""
    latest = function.latest
    described = {"Description": description} if description else {}
    configuration = attrs.evolve(latest.configuration, shown={**latest.configuration.shown, **described})
    last = function.versions.get(str(len(function.versions)))
    if last is not None and last.code is latest.code and last.configuration == configuration:
        return last
    number = str(len(function.versions) + 1)
    version = Version(function.name, number, configuration, latest.code, latest.modified_at, region.new_id(b"revision"))
    function.versions[number] = version
    return version


def publish_version(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Publish a version."""
    function = _function(region, parameters)
    return present(region, function, publish(region, function, text(parameters, "Description") or ""))


def create_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create an alias of one version; a second version with a weight is not simulated."""
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    if name in function.aliases:
        raise conflict(f"Alias already exists: {region.arn(function.name, name)}")
    return _point(region, function, name, parameters)


def update_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Point an alias at another version: a mapping follows with its next batch (EC-25)."""
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    if name not in function.aliases:
        raise not_found(f"Cannot find alias arn: {region.arn(function.name, name)}")
    return _point(region, function, name, parameters)


def _point(region: LambdaRegion, function: Deployed, name: str, parameters: Parameters) -> dict[str, object]:
    number = text(parameters, "FunctionVersion") or function.aliases.get(name, "")
    region.find(Named(function.name, number))
    function.aliases[name] = number
    return {"AliasArn": region.arn(function.name, name), "Name": name, "FunctionVersion": number}


def _function(region: LambdaRegion, parameters: Parameters) -> Deployed:
    return region.find(Named(named(text(parameters, "FunctionName") or "").name))[0]
