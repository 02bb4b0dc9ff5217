"""The code and the variables of functions, as the template gives them. Files are looked for, and never run.

Paths are relative to the template's directory: the project's for SAM, `cdk.out` for the CDK. The metadata of a
function names its asset directory there.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from chaosqs.importers.cloudformation.intrinsics import resolve, resolved_parts
from chaosqs.importers.cloudformation.markup import Entry, Items, Leaf, Table, described, shortened, text_of
from chaosqs.importers.cloudformation.naming import Names
from chaosqs.importers.cloudformation.reading import Part, Reading
from chaosqs.importers.cloudformation.scope import LAYER, SAM_FUNCTION, SAM_LAYER, Absent, Resource, Unknown
from chaosqs.importers.protocol import Code, module_file
from chaosqs.model.behaviour import LAYERS

_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]+")  # as AWS demands (API Reference, Environment)
_MODULE = re.compile(r"[\w-]+(\.[\w-]+)*")
_ASSET_PATH, _ASSET_PROPERTY, _DOCKERFILE = "aws:asset:path", "aws:asset:property", "aws:asset:dockerfile-path"


class _Modelled(Exception):
    """Raised with the reason why a function has to be modelled."""


def code_of(part: Part, resource: Resource, resources: Iterable[Resource], reading: Reading) -> Code:
    """Return the code of a function among the template's resources, or the reason why it has to be modelled."""
    runtime = _text(part, "Runtime", reading)
    if runtime and not runtime.startswith("python"):
        return Code(modelled=f"its Runtime is {shortened(runtime, 40)}", alias=resource.logical_id)
    notes = list[str]()
    variables = dict(_variables(part, reading, notes))
    named = ""
    try:
        named = _handler(part, reading)
        inline = _inline(part, named, reading)
        root, shown = (None, "") if inline else _root(part, resource, reading)
        if root is not None:
            _refuse_missing(named, root, shown)
    except _Modelled as found:
        return Code("", None, "", variables, str(found), tuple(notes), resource.logical_id, named)
    there, missing = _layers(part, resources, reading)
    if there:
        variables[LAYERS] = os.pathsep.join([*there, *filter(None, [variables.get(LAYERS)])])
    if missing:
        notes.append(f"{part.name}: layers are not read: install the packages of {', '.join(missing)} for the tests")
    return Code(named, root, inline, variables, "", tuple(notes), resource.logical_id, named)


def _text(part: Part, key: str, reading: Reading) -> str:
    entry = part.properties.get(key)
    value = resolve(entry.node, reading.scope) if entry else Absent()
    return "" if isinstance(value, Absent | Unknown) else text_of(value) or ""


# Location of the code ------------------------------------------------------------------------------------------------


def _root(part: Part, resource: Resource, reading: Reading) -> tuple[Path, str]:
    """Return the directory of a function's code, and its path as written. Raises `_Modelled`."""
    if _text(part, "PackageType", reading) == "Image" or resource.metadata.get(_DOCKERFILE):
        raise _Modelled("it is a container image")
    base = _base(reading)
    shown = _asset(resource, "Code") or _written(part, resource, reading, base)
    root = os.path.normpath(base / shown)
    if os.path.isdir(root):  # noqa: PTH112 - without an error for impossible paths
        return Path(root), shown
    there = "is not a directory" if os.path.lexists(root) else "is not there"
    raise _Modelled(f"its code {shortened(shown)} {there}")


def _inline(part: Part, named: str, reading: Reading) -> str:
    """Return the source that a template has itself; empty if it has none. Raises `_Modelled` if it cannot be run."""
    entry = part.properties.get("InlineCode")
    code = part.properties.get("Code")
    value = resolve(code.node, reading.scope) if code is not None and entry is None else Absent()
    entry = value.get("ZipFile") if isinstance(value, Table) else entry
    source = resolve(entry.node, reading.scope) if entry is not None else Absent()
    match source:
        case Absent():
            return ""
        case Unknown(reason=reason):
            raise _Modelled(f"its inline code {reason}")
        case Leaf(text=text) if named.startswith("index:"):
            return text
        case Leaf():
            raise _Modelled(f"its inline code is the module index, and its Handler is {named.replace(':', '.')}")
        case Items() | Table():
            raise _Modelled("its inline code is not text")


def _base(reading: Reading) -> Path:
    """Return the template's directory."""
    return Path(os.path.abspath(reading.file)).parent  # noqa: PTH100 - `resolve` would follow links


def _asset(resource: Resource, key: str) -> str:
    """Return the directory that the CDK names as the asset of a property; empty if it names none."""
    path, of = resource.metadata.get(_ASSET_PATH), resource.metadata.get(_ASSET_PROPERTY)
    if path is None or (of is not None and text_of(of.node) != key):
        return ""
    return text_of(path.node) or ""


def _written(part: Part, resource: Resource, reading: Reading, base: Path) -> str:
    """Return the path of the code as the template gives it. Raises `_Modelled` if it gives none."""
    key = "CodeUri" if resource.kind == SAM_FUNCTION else "Code"
    entry = part.properties.get(key)
    value = resolve(entry.node, reading.scope) if entry else Absent()
    match value:
        case Leaf(text=text) if not text.startswith("s3:"):
            return text
        case Leaf(text=text):
            raise _Modelled(f"its code is in S3 ({shortened(text)})")
        case Table(entries=entries):
            return _in_table(entries, reading, base)
        case Unknown(reason=reason):
            raise _Modelled(f"its {key} {reason}")
        case Absent() if resource.kind == SAM_FUNCTION:
            return "."  # as `sam build` takes it
        case Absent() | Items():
            raise _Modelled(f"it has no {key}")


def _in_table(entries: Mapping[str, Entry], reading: Reading, base: Path) -> str:
    """Return the asset directory of code that is given by keys of S3. Raises `_Modelled` if it is not there."""
    if "ImageUri" in entries:
        raise _Modelled("it is a container image")
    found = next((entries[key] for key in ("S3Key", "Key") if key in entries), None)
    value = resolve(found.node, reading.scope) if found else Absent()
    key = value.text if isinstance(value, Leaf) else ""
    asset = f"asset.{key.removesuffix('.zip')}"  # the CDK's name, where its metadata is switched off
    if key and os.path.isdir(base / asset):  # noqa: PTH112 - without an error for impossible paths
        return asset
    raise _Modelled(f"its code is in S3 ({shortened(key)})" if key else "its code is in S3")


def _handler(part: Part, reading: Reading) -> str:
    """Return `package.module:function` for the template's `Handler`. Raises `_Modelled` if it has none."""
    text = _text(part, "Handler", reading)
    name, _, function = text.rpartition(".")
    module = name.replace("/", ".")  # as Lambda's runtime imports it
    if not _MODULE.fullmatch(module) or not function.isidentifier():
        raise _Modelled(f"its Handler {shortened(text)!r} is not module.function" if text else "it has no Handler")
    return f"{module}:{function}"


def _refuse_missing(handler: str, root: Path, shown: str) -> None:
    """Raise `_Modelled` if the file of a handler is not there."""
    module = handler.partition(":")[0]
    if module_file(root, module) is None:
        raise _Modelled(f"{os.path.normpath(Path(shown, *module.split('.')))}.py is not there")


# Layers ---------------------------------------------------------------------------------------------------------------


def _layers(part: Part, resources: Iterable[Resource], reading: Reading) -> tuple[list[str], list[str]]:
    """Return the directories of packages in a function's layers, and the names of layers that are not there."""
    entry = part.properties.get("Layers")
    value = resolve(entry.node, reading.scope) if entry else Absent()
    known = {each.logical_id: each for each in resources if each.kind in {SAM_LAYER, LAYER}}
    there, missing = list[str](), list[str]()
    for layer in resolved_parts(value, reading.scope) if isinstance(value, Items) else ():
        name = layer.hint if isinstance(layer, Unknown) else text_of(layer) or ""
        directory = _packages(known[name], reading) if name in known else ""
        (there if directory else missing).append(directory or shortened(name))
    return there, missing


def _packages(layer: Resource, reading: Reading) -> str:
    """Return the directory of a layer that Lambda would have as /opt/python; empty if it is not there."""
    part = Part("", layer.logical_id, layer.properties, layer.line)
    written = _text(part, "ContentUri" if layer.kind == SAM_LAYER else "Content", reading)
    shown = _asset(layer, "Content") or written
    if not shown:
        return ""
    content = _base(reading) / shown
    builds = layer.metadata.get("BuildMethod")  # `sam build` moves what it builds into `python`
    directories = [content / "python", *([content] if builds else [])]
    return next((str(each) for each in directories if os.path.isdir(each)), "")  # noqa: PTH112 - as above


# Its variables --------------------------------------------------------------------------------------------------------


def _variables(part: Part, reading: Reading, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the variables of a function's configuration; one that cannot be told gets a placeholder and a note."""
    environment = reading.table(part, "Environment", "environment")
    variables = reading.table(environment, "Variables", "environment") if environment else None
    for name, entry in variables.properties.entries.items() if variables else ():
        value, where = resolve(entry.node, reading.scope), reading.where(entry.line)
        if not _VARIABLE.fullmatch(name):
            notes.append(f"{where}: variable {shortened(name)!r} is left out: AWS refuses its name")
            continue
        placeholder = f"unknown-{name}"
        match value:
            case Absent():
                pass
            case Leaf(value=None) | Items() | Table():
                notes.append(f"{where}: {name} is {described(value)} and must be text; it is set to {placeholder}")
                yield name, placeholder
            case Leaf(text=text):
                yield name, text
            case Unknown(reason=reason):
                notes.append(f"{where}: {name} {reason}; it is set to {placeholder}")
                yield name, placeholder


# Queues that variables name -------------------------------------------------------------------------------------------

_QUEUE = re.compile(
    r"(?:https?://sqs[.\w-]*/\d{12}/|arn:[\w-]+:sqs:[\w-]*:\d{12}:)([A-Za-z0-9_-]{1,75}(?:\.fifo)?)", re.ASCII
)


def queues_in(variables: Iterable[str], queues: Names) -> list[str]:
    """Return the names of queues that are in the values of variables: as a URL, as an ARN, or as a queue's name."""
    own = set(queues.of.values())
    found = list[str]()
    for value in variables:
        found += _QUEUE.findall(value)
        found += [value] if value in own else []
    return list(dict.fromkeys(found))
