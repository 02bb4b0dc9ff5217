"""Versions and aliases of functions, so that a mapping may point at them (EC-25)."""

from __future__ import annotations

import attrs

from chaosqs.simulator.control.configuration import present
from chaosqs.simulator.control.deployed import Alias, Deployed, Version
from chaosqs.simulator.control.errors import conflict, not_found
from chaosqs.simulator.control.names import Named, named
from chaosqs.simulator.control.paging import page
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.operations.parameters import Parameters, text


def publish(region: LambdaRegion, function: Deployed, description: str) -> Version:
    """Make a version of what `$LATEST` is now; where nothing has changed since the last one, that one stays."""
    latest = function.latest
    configuration = attrs.evolve(latest.configuration, description=description or latest.configuration.description)
    last = function.versions.get(str(function.published))
    if last is not None and last.code is latest.code and last.configuration == configuration:
        return last
    function.published += 1
    number = str(function.published)
    version = Version(function.name, number, configuration, latest.code, latest.modified_at, region.new_id(b"revision"))
    function.versions[number] = version
    return version


def publish_version(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Publish a version."""
    function = _function(region, parameters)
    return present(region, function, publish(region, function, text(parameters, "Description") or ""))


def list_versions_by_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List `$LATEST` and what was published."""
    function = _function(region, parameters)
    versions = (function.latest, *function.versions.values())
    return page([present(region, function, version) for version in versions], parameters, "Versions")


def create_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create an alias of one version; a second version with a weight is not simulated."""
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    if name in function.aliases:
        raise conflict(f"Alias already exists: {region.arn(function.name, name)}")
    version = _version(region, function, text(parameters, "FunctionVersion") or "")
    alias = Alias(name, version, text(parameters, "Description") or "", region.new_id(b"revision"))
    function.aliases[name] = alias
    return _present(region, function, alias)


def get_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return an alias."""
    return _present(region, *_alias(region, parameters))


def list_aliases(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List the aliases of a function, or of one version."""
    function, version = _function(region, parameters), text(parameters, "FunctionVersion")
    found = [alias for alias in function.aliases.values() if version in (None, alias.version)]
    return page([_present(region, function, alias) for alias in found], parameters, "Aliases")


def update_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Have an alias mean another version: for a mapping from its next batch on (EC-25)."""
    function, alias = _alias(region, parameters)
    version, description = text(parameters, "FunctionVersion"), text(parameters, "Description")
    alias.version = alias.version if version is None else _version(region, function, version)
    alias.description = alias.description if description is None else description
    alias.revision = region.new_id(b"revision")
    return _present(region, function, alias)


def delete_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Delete an alias."""
    function, alias = _alias(region, parameters)
    del function.aliases[alias.name]
    return {}


def _function(region: LambdaRegion, parameters: Parameters) -> Deployed:
    return region.find(Named(named(text(parameters, "FunctionName") or "").name))[0]


def _version(region: LambdaRegion, function: Deployed, number: str) -> str:
    region.find(Named(function.name, number))
    return number


def _alias(region: LambdaRegion, parameters: Parameters) -> tuple[Deployed, Alias]:
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    if name not in function.aliases:
        raise not_found(f"Cannot find alias arn: {region.arn(function.name, name)}")
    return function, function.aliases[name]


def _present(region: LambdaRegion, function: Deployed, alias: Alias) -> dict[str, object]:
    return {
        "AliasArn": region.arn(function.name, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }
