"""Functions: create, show, list, change, delete; reserved concurrency, versions and aliases; callables as functions."""

from collections.abc import Mapping, Sequence

import attrs

from chaosqs.errors import InvalidInput, Problem
from chaosqs.lambda_.execution_environment import Handler
from chaosqs.lambda_.output import Lines
from chaosqs.mock_aws.lambda_api.code import Code, InProcess, sha256, unpack
from chaosqs.mock_aws.lambda_api.errors import LambdaError, conflict, invalid, not_found, not_served, not_valid, stale
from chaosqs.mock_aws.lambda_api.mappings import adopt, stop
from chaosqs.mock_aws.lambda_api.region import LambdaRegion
from chaosqs.mock_aws.lambda_api.resources import (
    LATEST,
    Alias,
    Configuration,
    Deployed,
    Mapped,
    Named,
    Version,
    mapping_arn,
    merged_tags,
    named,
    page,
)
from chaosqs.model.design import RECURSIVE_LOOPS, EventSourceMapping, Function
from chaosqs.model.values import Checks, one_of
from chaosqs.sqs.api.parameters import Parameters, integer, structure, text, text_map, texts

# The configuration of a function: read from a request, and shown as Lambda shows it -----------------------------------

_LONGEST, _LARGEST = 900, 10_240
_SHOWN = (
    "Architectures",
    "DeadLetterConfig",  # of asynchronous invocations only (LX-18)
    "Description",
    "EphemeralStorage",
    "KMSKeyArn",
    "LoggingConfig",
    "Role",
    "Runtime",
    "SnapStart",
    "TracingConfig",
)
_NOT_SERVED = ("CapacityProviderConfig", "DurableConfig", "PublishTo", "TenancyConfig")
"""Parameters for another kind of function, which chaosqs does not run."""


def _check_kind(operation: str, parameters: Parameters) -> None:
    for name in _NOT_SERVED:
        if parameters.get(name):
            raise not_served(f"{operation} with {name}")


def changed(before: Configuration, parameters: Parameters) -> Configuration:
    """Return a configuration with a request's settings applied; raise `LambdaError` (LX-1 … LX-3)."""
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
    group = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"}
    shown: dict[str, object] = {
        **settings.shown,
        "FunctionName": function.name,
        "FunctionArn": region.arn(function.name, qualifier),
        "Handler": settings.handler,
        "CodeSize": len(version.code.content),
        "Timeout": settings.timeout,
        "MemorySize": settings.memory,
        "LastModified": region.iso(version.modified_at),
        "CodeSha256": sha256(version.code),
        "Version": version.number,
        "RevisionId": version.revision,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "SnapStart": {"ApplyOn": "None", **structure(settings.shown.get("SnapStart")), "OptimizationStatus": "Off"},
        "LoggingConfig": {**group, **structure(settings.shown.get("LoggingConfig"))},
    }
    if settings.variables:
        shown["Environment"] = {"Variables": dict(settings.variables)}
    return shown


# Reserved concurrency (LC-3 … LC-5) -----------------------------------------------------------------------------------

_UNRESERVED_MINIMUM = 100


def put_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Reserve executions for a function; 0 switches it off (LC-3, LC-5)."""
    function, _ = region.find(_name(parameters))
    amount = integer(parameters, "ReservedConcurrentExecutions") or 0
    reserve(region, function.name, amount)
    return {"ReservedConcurrentExecutions": amount}


def reserve(region: LambdaRegion, name: str, amount: int | None) -> None:
    """Set a function's reservation, or remove it with None; 100 executions must stay unreserved (LC-4)."""
    others = sum(other.reserved or 0 for other in region.functions.values() if other.name != name)
    if amount is not None and others + amount > region.concurrency - _UNRESERVED_MINIMUM:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{_UNRESERVED_MINIMUM}]."
        )
    region.functions[name].reserved = amount
    region.redeploy()


def get_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return a function's reservation; empty if it has none."""
    function, _ = region.find(_name(parameters))
    return {} if function.reserved is None else {"ReservedConcurrentExecutions": function.reserved}


def delete_function_concurrency(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Remove a reservation."""
    function, _ = region.find(_name(parameters))
    reserve(region, function.name, None)
    return {}


def _name(parameters: Parameters) -> Named:
    return Named(named(text(parameters, "FunctionName") or "").name)


# Recursive loops (LX-16, LX-20) ---------------------------------------------------------------------------------------


def put_function_recursion_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Set whether the guard against recursive loops drops invocations of a function."""
    function = _function(region, parameters)
    wanted = one_of(RECURSIVE_LOOPS, text(parameters, "RecursiveLoop"))
    if wanted is None:
        must = "Value null at 'recursiveLoop' failed to satisfy constraint: Member must not be null"
        raise not_valid(f"1 validation error detected: {must}")
    function.recursive_loop = wanted
    region.redeploy()
    return {"RecursiveLoop": wanted}


def get_function_recursion_config(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return what the guard against recursive loops does with a function."""
    return {"RecursiveLoop": _function(region, parameters).recursive_loop}


# Versions and aliases, which a mapping may invoke (EC-25) -------------------------------------------------------------


def publish(region: LambdaRegion, function: Deployed, description: str) -> Version:
    """Publish the present `$LATEST` as a version; if nothing has changed since the last version, return that one."""
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
    _check_kind("PublishVersion", parameters)
    _check_revision(parameters, function.latest.revision)
    given, known = text(parameters, "CodeSha256"), sha256(function.latest.code)
    if given and given != known:
        raise invalid(
            f"CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({known}). "
            "Please try again with the CodeSHA256 in $LATEST."
        )
    return present(region, function, publish(region, function, text(parameters, "Description") or ""))


def _check_revision(parameters: Parameters, revision: str) -> None:
    """Refuse a change of a revision that is not the latest; without `RevisionId` there is no check."""
    if text(parameters, "RevisionId") not in {None, "", revision}:
        raise stale(  # Assumed wording
            "The RevisionId provided does not match the latest RevisionId. "
            "Call the GetFunction/GetAlias API to retrieve the latest RevisionId"
        )


def list_versions_by_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List `$LATEST` and the published versions of a function."""
    function = _function(region, parameters)
    versions = (function.latest, *function.versions.values())
    return page([present(region, function, version) for version in versions], parameters, "Versions")


def create_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create an alias of one version; weighted routing to a second version is not simulated."""
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    if name in function.aliases:
        raise conflict(f"Alias already exists: {region.arn(function.name, name)}")
    return _point(region, function, name, parameters)


def update_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Point an alias at another version; mappings invoke that one from their next batch on (EC-25)."""
    function, name, alias = _alias(region, parameters)
    _check_revision(parameters, alias.revision)
    return _point(region, function, name, parameters)


def get_alias(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return one alias."""
    function, name, alias = _alias(region, parameters)
    return _present_alias(region, function, name, alias)


def list_aliases(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List the aliases of a function by name, only those of one version if the request names it."""
    function, number = _function(region, parameters), text(parameters, "FunctionVersion")
    found = [
        _present_alias(region, function, name, alias)
        for name, alias in sorted(function.aliases.items())
        if number in (None, alias.version)
    ]
    return page(found, parameters, "Aliases")


def _alias(region: LambdaRegion, parameters: Parameters) -> tuple[Deployed, str, Alias]:
    function, name = _function(region, parameters), text(parameters, "Name") or ""
    alias = function.aliases.get(name)
    if alias is None:
        raise not_found(f"Cannot find alias arn: {region.arn(function.name, name)}")
    return function, name, alias


def _point(region: LambdaRegion, function: Deployed, name: str, parameters: Parameters) -> dict[str, object]:
    if structure(structure(parameters.get("RoutingConfig")).get("AdditionalVersionWeights")):
        raise not_served("RoutingConfig of aliases")
    before, description = function.aliases.get(name), text(parameters, "Description")
    number = text(parameters, "FunctionVersion") or ("" if before is None else before.version)
    region.find(Named(function.name, number))
    if description is None:
        description = "" if before is None else before.description
    alias = Alias(number, description, region.new_id(b"revision"))
    function.aliases[name] = alias
    return _present_alias(region, function, name, alias)


def _present_alias(region: LambdaRegion, function: Deployed, name: str, alias: Alias) -> dict[str, object]:
    return {
        "AliasArn": region.arn(function.name, name),
        "Name": name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    }


def _function(region: LambdaRegion, parameters: Parameters) -> Deployed:
    return region.find(Named(named(text(parameters, "FunctionName") or "").name))[0]


# Tags of functions and mappings ---------------------------------------------------------------------------------------


def list_tags(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return the tags of a function or mapping."""
    return {"Tags": dict(_tagged(region, parameters).tags)}


def tag_resource(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Add tags to a function or mapping, or change them."""
    resource = _tagged(region, parameters)
    resource.tags = merged_tags(resource.tags, text_map(parameters, "Tags"))
    return {}


def untag_resource(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Remove tags from a function or mapping; keys that it does not have are ignored."""
    resource = _tagged(region, parameters)
    for key in texts(parameters, "TagKeys"):
        resource.tags.pop(key, None)
    return {}


def _tagged(region: LambdaRegion, parameters: Parameters) -> Deployed | Mapped:
    arn = text(parameters, "Resource") or ""
    for mapped in region.mappings.values():
        if mapped.arn == arn:
            return mapped
    if ":event-source-mapping:" in arn:
        raise not_found("The resource you requested does not exist.")
    wanted = named(arn)
    if wanted.qualifier:
        message = "Tags on function aliases and versions are not supported. Please specify either a function ARN"
        raise invalid(f"{message} or an event source mapping ARN.")  # Assumed wording
    return region.find(wanted)[0]


# Operations on functions ----------------------------------------------------------------------------------------------


def create_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Create a function from a zip of Python code. Assumed: it is active at once."""
    name = named(text(parameters, "FunctionName") or "").name
    if name in region.functions:
        raise conflict(f"Function already exist: {name}")
    _check_kind("CreateFunction", parameters)
    tags = merged_tags({}, text_map(parameters, "Tags"))
    if text(parameters, "PackageType") == "Image":
        raise invalid("chaosqs runs Python code in a zip, not container images.")
    if not (text(parameters, "Runtime") and text(parameters, "Handler")):
        message = "Runtime and Handler are mandatory parameters for functions created with deployment package."
        raise invalid(message)
    configuration = changed(Configuration(), parameters)
    function = deploy(region, name, configuration, _code(region, structure(parameters.get("Code"))))
    function.tags = tags
    version = publish(region, function, "") if parameters.get("Publish") else function.latest
    return present(region, function, version)


def deploy(region: LambdaRegion, name: str, configuration: Configuration, code: Code) -> Deployed:
    """Add a function, or replace the one of the same name."""
    before = region.functions.get(name)
    version = _version(region, name, configuration, code)
    if before is None:
        region.functions[name] = before = Deployed(name, version, logs=region.logs.setdefault(name, Lines()))
    before.latest = version
    region.redeploy()
    return before


def _version(region: LambdaRegion, name: str, configuration: Configuration, code: Code) -> Version:
    return Version(name, LATEST, configuration, code, region.now, region.new_id(b"revision"))


def _code(region: LambdaRegion, given: Parameters) -> Code:
    """Unpack and return the code of a request."""
    content = given.get("ZipFile")
    if not isinstance(content, bytes):
        raise invalid("chaosqs takes code as a ZipFile only: it has no S3 and no images.")
    package = unpack(content)
    region.packages.append(package)
    return package


def get_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return a function: configuration, code location and reservation."""
    function, version = region.find(_wanted(parameters))
    shown: dict[str, object] = {
        "Configuration": present(region, function, version),
        "Code": {"RepositoryType": "S3", "Location": f"https://chaosqs.invalid/{function.name}"},
    }
    if function.tags:
        shown["Tags"] = dict(function.tags)
    if function.reserved is not None:
        shown["Concurrency"] = {"ReservedConcurrentExecutions": function.reserved}
    return shown


def get_function_configuration(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Return the configuration of a function or of a version."""
    return present(region, *region.find(_wanted(parameters)))


def list_functions(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """List functions by name, with `ALL` also their versions."""
    shown: list[dict[str, object]] = []
    for name in sorted(region.functions):
        function = region.functions[name]
        versions = list(function.versions.values()) if text(parameters, "FunctionVersion") == "ALL" else []
        shown.extend(present(region, function, version) for version in (function.latest, *versions))
    return page(shown, parameters, "Functions")


def update_function_code(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Replace the code. Later invocations get new environments; running ones end with the old code."""
    function, latest = region.find(Named(_wanted(parameters).name))
    _check_kind("UpdateFunctionCode", parameters)
    _check_revision(parameters, latest.revision)
    code, architectures = _code(region, parameters), parameters.get("Architectures")
    configuration = latest.configuration
    if architectures:
        shown = {**configuration.shown, "Architectures": architectures}
        configuration = attrs.evolve(configuration, shown=shown)
    if not parameters.get("DryRun"):
        function.latest = _version(region, function.name, configuration, code)
    version = publish(region, function, "") if parameters.get("Publish") else function.latest
    return present(region, function, version)


def update_function_configuration(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Change the configuration; a new timeout is not checked against mapped queues (EC-11)."""
    function, latest = region.find(Named(_wanted(parameters).name))
    _check_kind("UpdateFunctionConfiguration", parameters)
    _check_revision(parameters, latest.revision)
    deploy(region, function.name, changed(latest.configuration, parameters), latest.code)
    return present(region, function, function.latest)


def delete_function(region: LambdaRegion, parameters: Parameters) -> dict[str, object]:
    """Delete a function with all its versions. Assumed: its mappings stay, but stop polling."""
    wanted = _wanted(parameters)
    if wanted.qualifier:
        raise not_served("DeleteFunction with a Qualifier")
    function, _ = region.find(wanted)
    del region.functions[function.name]
    for mapped in region.mappings.values():
        if mapped.function is function:
            stop(mapped)
    region.redeploy()
    return {"StatusCode": 204}


def _wanted(parameters: Parameters) -> Named:
    return named(text(parameters, "FunctionName") or "", text(parameters, "Qualifier"))


# Deployment of callables of the test's own process --------------------------------------------------------------------


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
    function.recursive_loop = asked.recursive_loop
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
    adopt(region, mapped)
