"""Functions: created, shown, listed, changed, deleted."""

from __future__ import annotations

from chaosqs.simulator.control import polling
from chaosqs.simulator.control.code import Code, unpack
from chaosqs.simulator.control.configuration import changed, present
from chaosqs.simulator.control.deployed import Configuration, Deployed, Version
from chaosqs.simulator.control.errors import conflict, invalid, not_served
from chaosqs.simulator.control.names import LATEST, Named, named
from chaosqs.simulator.control.paging import page
from chaosqs.simulator.control.region import LambdaRegion
from chaosqs.simulator.control.versions import publish
from chaosqs.simulator.operations.parameters import Parameters, structure, text


def create_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create a function from a zip of Python code. Assumed: it is active at once."""
    name = named(text(parameters, "FunctionName") or "").name
    if name in region.functions:
        raise conflict(f"Function already exist: {name}")
    if text(parameters, "PackageType") == "Image":
        raise invalid("chaosqs runs Python code in a zip, no container images.")
    if not (text(parameters, "Runtime") and text(parameters, "Handler")):
        message = "Runtime and Handler are mandatory parameters for functions created with deployment package."
        raise invalid(message)
    configuration = changed(Configuration(), parameters)
    function = deploy(region, name, configuration, _code(region, structure(parameters.get("Code"))))
    version = publish(region, function, "") if parameters.get("Publish") else function.latest
    return present(region, function, version)


def deploy(region: LambdaRegion, name: str, configuration: Configuration, code: Code) -> Deployed:
    """Add a function, or replace the one that has the name."""
    before = region.functions.get(name)
    version = _version(region, name, configuration, code)
    if before is None:
        region.functions[name] = before = Deployed(name, version, lines=region.lines.setdefault(name, []))
    before.latest = version
    region.redeploy()
    return before


def _version(region: LambdaRegion, name: str, configuration: Configuration, code: Code) -> Version:
    return Version(name, LATEST, configuration, code, region.now, region.new_id(b"revision"))


def _code(region: LambdaRegion, given: Parameters) -> Code:
    """Return the code that a request brings."""
    content = given.get("ZipFile")
    if not isinstance(content, bytes):
        raise invalid("chaosqs takes code as a ZipFile only: it has no S3 and no images.")
    package = unpack(content)
    region.packages.append(package)
    return package


def get_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return a function with all that is known about it."""
    function, version = region.find(_wanted(parameters))
    shown: dict[str, object] = {
        "Configuration": present(region, function, version),
        "Code": {"RepositoryType": "S3", "Location": f"https://chaosqs.invalid/{function.name}"},
    }
    if function.reserved is not None:
        shown["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
    return shown


def get_function_configuration(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return the configuration of a function or of a version."""
    return present(region, *region.find(_wanted(parameters)))


def list_functions(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List functions by name; with `ALL` every version of them."""
    shown: list[dict[str, object]] = []
    for name in sorted(region.functions):
        function = region.functions[name]
        versions = list(function.versions.values()) if text(parameters, "FunctionVersion") == "ALL" else []
        shown.extend(present(region, function, version) for version in (function.latest, *versions))
    return page(shown, parameters, "Functions")


def update_function_code(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Replace the code: environments begin anew, and what runs ends with the code that it has."""
    function, latest = region.find(Named(_wanted(parameters).name))
    code = _code(region, parameters)
    if not parameters.get("DryRun"):
        function.latest = _version(region, function.name, latest.configuration, code)
    version = publish(region, function, "") if parameters.get("Publish") else function.latest
    return present(region, function, version)


def update_function_configuration(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Change the configuration; mappings do not look at a new timeout (EC-11)."""
    function, latest = region.find(Named(_wanted(parameters).name))
    deploy(region, function.name, changed(latest.configuration, parameters), latest.code)
    return present(region, function, function.latest)


def delete_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Delete a function with all its versions. Assumed: its mappings stay, and do not poll any more."""
    wanted = _wanted(parameters)
    if wanted.qualifier:
        raise not_served("DeleteFunction with a Qualifier")
    function, _ = region.find(wanted)
    del region.functions[function.name]
    for mapped in region.mappings.values():
        if mapped.function is function:
            polling.stop(mapped)
    region.redeploy()
    return {"StatusCode": 204}


def _wanted(parameters: Parameters) -> Named:
    return named(text(parameters, "FunctionName") or "", text(parameters, "Qualifier"))
