"""A Serverless Framework file → a design, with the origins of its values. Nothing is executed or fetched.

The file is compiled to the template that the framework would deploy, and that is read as CloudFormation.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.markup import Table, parse, read_document, text_of_file
from chaosqs.importers.cloudformation.patching import PROPERTIES, Form, Value, patch_with
from chaosqs.importers.cloudformation.reader import imported_from, read_template
from chaosqs.importers.protocol import Imported, NoDesign
from chaosqs.importers.serverless.stack import EVENT_KEYS, FUNCTION_KEYS, Stack
from chaosqs.importers.serverless.variables import Variables, text_at
from chaosqs.model.design import Design
from chaosqs.model.explanation import Change, Origin
from chaosqs.model.json import Json

_CODE = (".ts", ".js", ".cjs", ".mjs")
_PACKAGED = ".serverless/cloudformation-template-update-stack.json"
_USUAL = re.compile(r"serverless\.(?:ya?ml|json|[cm]?js|ts)")
_SECTIONS = {"service", "provider", "functions", "constructs", "Resources", "AWSTemplateFormatVersion"}
_SECTION = re.compile(
    r"^[\"']?(service|provider|functions|constructs|Resources|AWSTemplateFormatVersion)[\"']?\s*:", re.MULTILINE
)


def recognises(path: Path) -> bool:
    """Return True for a file of the Serverless Framework: one with its usual name, or with its sections."""
    if path.name.endswith(_CODE):
        return _USUAL.fullmatch(path.name) is not None
    try:
        text = text_of_file(path)
    except InvalidDesign:
        return _USUAL.fullmatch(path.name) is not None
    found = _json_keys(text) if path.suffix == ".json" else set(_SECTION.findall(text))
    if found & {"Resources", "AWSTemplateFormatVersion"}:
        return False
    return ("provider" in found and len(found) > 1) or _USUAL.fullmatch(path.name) is not None


def _json_keys(text: str) -> set[str]:
    try:
        document: Json = json.loads(text)
    except (ValueError, RecursionError):
        return set()
    return set(document) & _SECTIONS if isinstance(document, dict) else set()


def read_serverless(path: Path, *, options: Mapping[str, str] = {}) -> Imported:
    """Read a file; `options` are those of the command line, such as `stage`.

    Raises `NoDesign` for a file without a mapping from a queue to a function, and `InvalidDesign` with file and line
    for a file that cannot be read, values of a wrong kind, and everything that AWS would refuse to deploy.
    """
    if path.name.endswith(_CODE):
        return _packaged(path)
    return read_text(text_of_file(path), path, options)


def _packaged(path: Path) -> Imported:
    """Return the design of what the framework packaged from code; code itself is not executed."""
    packaged = path.parent / _PACKAGED
    if not packaged.is_file():
        raise NoDesign(f"{path}: is code, which is not executed. Run `sls package`, and {_PACKAGED} is read instead.")
    found = read_template(packaged)
    note = f"{path} is code, which is not executed: {_PACKAGED} was read instead, as old as it is"
    return attrs.evolve(found, assumptions=(*found.assumptions, note))


def read_text(text: str, path: Path, options: Mapping[str, str] = {}) -> Imported:
    """Read a file's text as if it were in the file; raises as `read_serverless`."""
    variables = Variables(path, _root(text, path), options)
    try:
        return _read(path, variables)
    except RecursionError:
        raise InvalidDesign(f"{path}: its variables are nested too deeply. Nest fewer.") from None


def _root(text: str, path: Path) -> Table:
    give = "Give a Serverless Framework file with service, provider and functions."
    if not text.strip():
        raise InvalidDesign(f"{path}: is empty. {give}")
    root = parse(text, str(path))
    if not isinstance(root, Table):
        raise InvalidDesign(f"{path}:{root.line}: is not a mapping. {give}")
    return root


def _read(path: Path, variables: Variables) -> Imported:
    root = variables.root
    name = text_at(variables, root, "provider", "name") or text_at(variables, root, "provider")
    if name not in {"", "aws"}:
        raise NoDesign(f"{path}: its provider is {name[:40]}, not aws")
    stack, project = Stack(variables), _Project({str(path): variables})
    template = stack.template()
    try:
        found = imported_from(path, template, {}, project.table_of)
    except NoDesign:
        told = "".join(f"\n{note}" for note in [*stack.left_out, *variables.notes][:2])
        raise NoDesign(f"{path}: maps no SQS queue to a function: no function has an event sqs.{told}") from None
    except InvalidDesign as error:
        problems = [attrs.evolve(each, where=project.located(each.where)) for each in error.problems]
        raise InvalidDesign(problems or project.located(str(error))) from None
    return _in_words(found, stack, project)


@attrs.frozen
class _Project:
    """The files of the framework that were read, by path."""

    read: dict[str, Variables]

    def table_of(self, path: Path) -> Table:
        """Return the template of another file of the project."""
        if not recognises(path) or path.name.endswith(_CODE):
            return read_document(path)
        first = next(iter(self.read.values()))
        variables = Variables(path, _root(text_of_file(path), path), first.options)
        self.read[str(path)] = variables
        return Stack(variables).template()

    def located(self, text: str) -> str:
        """Return a text with the lines of included files as such."""
        for file, variables in self.read.items():
            if file in text:
                pattern = re.compile(rf"{re.escape(file)}:(\d{{8,}})")
                text = pattern.sub(partial(_where, variables), text)
        return text

    def origin(self, path: str, origin: Origin) -> Origin:
        """Return the origin of a value in the file that has it, by its key there."""
        file, _, line = self.located(f"{origin.file}:{origin.line}").rpartition(":")
        key, colon, shown = origin.text.partition(":")
        key = key if path.startswith("queues.") else _SPELLED.get(key, key)
        return Origin(file, int(line), f"{key}{colon}{shown}")


def _where(variables: Variables, found: re.Match[str]) -> str:
    return variables.where(int(found[1]))


def _in_words(found: Imported, stack: Stack, project: _Project) -> Imported:
    """Return what was read, with lines and keys of the file itself in place of those of the template."""
    others = [each for one in found.design.functions for each in stack.other_events.get(one.name, ())]
    keys = {path: stack.keys.get(keys[1], ()) for path, keys in found.keys.items() if len(keys) > 1}
    assumed = [_spoken(each, stack) for each in (*found.assumptions, *stack.variables.notes)]
    return attrs.evolve(
        found,
        origins={path: project.origin(path, origin) for path, origin in found.origins.items()},
        assumptions=tuple(map(project.located, assumed)),
        notes=tuple(map(project.located, (*found.notes, *stack.left_out, *others))),
        code={
            name: attrs.evolve(each, notes=tuple(map(project.located, each.notes))) for name, each in found.code.items()
        },
        resources={
            name: attrs.evolve(each, where=project.located(each.where)) for name, each in found.resources.items()
        },
        keys={path: own for path, own in keys.items() if own},
    )


def _spoken(text: str, stack: Stack) -> str:
    """Return a sentence with the file's names of a mapping and its property."""
    start, colon, rest = text.partition(": ")
    if start not in stack.events:
        return text
    name, space, end = rest.partition(" ")
    return f"{stack.events[start]}{colon}{_SPELLED.get(name, name)}{space}{end}"


_SPELLED = {
    **{theirs: ours for ours, theirs in {**FUNCTION_KEYS, **EVENT_KEYS}.items()},
    "FunctionName": "function",
    "MaximumConcurrency": "maximumConcurrency",
    "FunctionResponseTypes": "functionResponseType",
    "FilterCriteria": "filterPatterns",
    "ProvisionedPollerConfig": "provisionedPollerConfig",
    "ProvisionedConcurrentExecutions": "provisionedConcurrency",
}
"""The framework's keys by CloudFormation's properties."""


# Patches --------------------------------------------------------------------------------------------------------------

_SETTINGS: Mapping[str, str] = {
    "timeout": "timeout",
    "memory": "memorySize",
    "reserved_concurrency": "reservedConcurrency",
    "batch_size": "batchSize",
    "maximum_batching_window": "maximumBatchingWindow",
    "maximum_concurrency": "maximumConcurrency",
    "report_batch_item_failures": "functionResponseType",
}
"""Keys of the settings of functions and events that fixes change."""


def _setting(change: Change) -> tuple[tuple[str, ...], Value | None] | None:
    attribute = change.setting.attribute
    value: Value | None = change.after
    if change.setting.kind == "queue":
        keys = PROPERTIES.get(attribute)
        return (keys, value) if keys else None
    key = _SETTINGS.get(attribute)
    if attribute == "report_batch_item_failures":
        value = "ReportBatchItemFailures" if value else None
    return ((key,), value) if key else None


def patch_of(path: Path, design: Design, changes: Sequence[Change], name: str) -> str:
    """Return changes of a design as a unified diff of its file, under the name `name`; empty if there is none."""
    return patch_with(Form(read_text, _setting), path, design, changes, name)
