"""Reads the designs of a project: from templates, values in Python files, and designs or scenarios as JSON."""

import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TypeAlias, TypeVar

import attrs

from chaosqs.errors import InvalidDesign, InvalidInput
from chaosqs.importers.protocol import Code, NoDesign, Written
from chaosqs.importers.registry import IMPORTERS, UNREAD, importer_of
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import LAYERS, Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.model.explanation import Origin
from chaosqs.model.json import Json, migrated, parsed, structure
from chaosqs.model.scenario import Scenario
from chaosqs.project.wording import first_line, relative_to, with_relative_paths
from chaosqs.strategies.messages import MessageSource

# Reading JSON files of chaosqs ---------------------------------------------------------------------------------------

_Value = TypeVar("_Value")


def read_object(path: Path, root: Path) -> dict[str, Json]:
    """Return the fields of a JSON object, migrated to the current schema.

    Raises `InvalidInput` with the file's name if the file holds no object, or one of a newer schema.
    """
    with named(relative_to(root, path)):
        document = parsed(_text(path))
        if not isinstance(document, dict):
            raise InvalidInput("must hold a JSON object")
        return migrated(document)


def structured(kind: type[_Value], fields: dict[str, Json], path: Path, root: Path) -> _Value:
    """Return the value that the fields describe. Raises `InvalidInput` with the file's name on each line."""
    with named(relative_to(root, path)):
        return structure(kind, fields)


@contextmanager
def named(file: str) -> Generator[None]:
    """Prefix each line of an `InvalidInput` with the file's name."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is not text: byte {error.start + 1} is not UTF-8") from None


# Real handlers: where their code is ----------------------------------------------------------------------------------
#
# In memory the directories of code are absolute paths; files have them relative to the project's root directory.
# Handlers without a directory are imported from the project's, as pytest does.


def importable(root: Path, behaviours: Mapping[str, Behaviour]) -> None:
    """Append the project's directory to `sys.path` if a behaviour has a real handler."""
    if str(root) not in sys.path and any(behaviour.handler is not None for behaviour in behaviours.values()):
        sys.path.append(str(root))


def behaviour_of(code: Code) -> Behaviour:
    """Return the behaviour of a function whose handler is there."""
    root = str(code.root or "")
    return Behaviour(handler=code.handler, code=root, inline=code.inline, environment=code.environment)


def located(behaviours: Mapping[str, Behaviour], root: Path) -> dict[str, Behaviour]:
    """Return behaviours with absolute paths, of which relative ones are relative to the root directory."""
    return _moved(behaviours, lambda path: os.path.normpath(root / path))


def portable(behaviours: Mapping[str, Behaviour], root: Path) -> dict[str, Behaviour]:
    """Return behaviours as files have them: paths in the root directory are relative to it."""
    return _moved(behaviours, lambda path: relative_to(root, Path(path)))


def _moved(behaviours: Mapping[str, Behaviour], move: Callable[[str], str]) -> dict[str, Behaviour]:
    """Return behaviours with other paths of code and of packages beside it."""
    moved: dict[str, Behaviour] = {}
    for name, behaviour in behaviours.items():
        variables = dict(behaviour.environment)
        if behaviour.code and LAYERS in variables:
            variables[LAYERS] = os.pathsep.join(map(move, variables[LAYERS].split(os.pathsep)))
        code = move(behaviour.code) if behaviour.code else ""
        path, _, function = behaviour.setup.rpartition(":")
        setup = f"{move(path)}:{function}" if path else ""
        moved[name] = attrs.evolve(behaviour, code=code, environment=variables, setup=setup)
    return moved


# Values in Python files, for designs that are written in Python: `tests/designs.py:orders` ---------------------------


def value_in(path: Path, attribute: str, *, shown: str, root: Path) -> object:
    """Import a file and return one of its values; it may import modules from its own and the root directory.

    Raises `InvalidDesign`, naming the file as `shown`, if it cannot be imported or has no such value.
    """
    return attribute_of(module_of(path, shown=shown, root=root), attribute, shown=shown)


def attribute_of(module: ModuleType, attribute: str, *, shown: str) -> object:
    """Return a value of a module. Raises `InvalidDesign`, naming its file as `shown`, if it has no such value."""
    if hasattr(module, attribute):
        value: object = getattr(module, attribute)
        return value
    public = ", ".join(name for name in vars(module) if not name.startswith("_")) or "nothing"
    raise InvalidDesign(f"{shown}: defines no {attribute!r}\nIt defines {public}.")


def module_of(path: Path, *, shown: str, root: Path) -> ModuleType:
    """Import a file, anew each time. Raises as `value_in`."""
    if not path.is_file():
        raise InvalidDesign(f"{shown}: there is no such file")
    name = f"_chaosqs_design_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidDesign(f"{shown}: is not a Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and attrs look up their module there
    with _importable(root, path.parent):
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's own code may raise anything
            raise InvalidDesign(f"{shown}: cannot be imported: {type(error).__name__}: {first_line(error)}") from None
    return module


@contextmanager
def _importable(*directories: Path) -> Generator[None]:
    """Append some directories to `sys.path` within the context."""
    added = [str(directory) for directory in directories if str(directory) not in sys.path]
    sys.path.extend(added)
    try:
        yield
    finally:
        for directory in added:
            sys.path.remove(directory)


# Reading a design ----------------------------------------------------------------------------------------------------


@attrs.frozen
class Source:
    """A design, with the other contents of its file."""

    name: str
    """The user's name for the design: its file, relative to the root directory."""
    path: Path
    design: Design
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Behaviours of functions: those of a scenario, and the handlers that a template names. A scenario's workload,
    faults and seed are not used: the search draws them."""
    code: Mapping[str, Code] = attrs.field(factory=dict[str, Code])
    """The code of the functions according to the file, by function name."""
    broken: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Reasons why handlers cannot be loaded, by function name."""
    origins: Mapping[str, Origin] = attrs.field(factory=dict[str, Origin])
    """Sources of the design's values, by path: `functions[0].reserved_concurrency` comes from
    `template.yaml:41 ReservedConcurrentExecutions: 2`."""
    assumptions: tuple[str, ...] = ()
    """Assumptions about values that are not in the file, each as a sentence."""
    invariants: tuple[Invariant, ...] = ()
    """Invariants that a Python file defines next to its design."""
    scenario: Scenario | None = None
    """The whole scenario, if the file holds one."""
    given: str = ""
    """Values that another file gives its parameters, as a clause."""
    resources: Mapping[str, Written] = attrs.field(factory=dict[str, Written])
    """The resources of other services in the file, by name, also those that the design leaves out."""
    messages: Mapping[str, MessageSource] = attrs.field(factory=dict[str, MessageSource])
    """Sources of the messages of real handlers, by queue name."""

    def behaved(self, given: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
        """Return the fixed behaviours of the design's functions, by name; `given` ones replace the file's own.

        A handler that is given has the variables of the file, too.
        """
        names = [function.name for function in self.design.functions]
        merged = {name: self._with_variables(name, behaviour) for name, behaviour in given.items()}
        return {name: behaviour for name, behaviour in {**self.behaviours, **merged}.items() if name in names}

    def _with_variables(self, name: str, given: Behaviour) -> Behaviour:
        code = self.code.get(name)
        if code is None or given.handler is None:
            return given
        return attrs.evolve(given, environment={**code.environment, **given.environment})


def read_source(given: str, *, base: Path, root: Path) -> Source:
    """Return the design at a path, which is relative to `base`; the design's name is relative to `root`.

    Afterwards, its real handlers can be imported. Raises `InvalidDesign` if the file has no design, or one that AWS
    would refuse.
    """
    source = _read(given, base, root)
    behaviours, scenario = located(source.behaviours, root), source.scenario
    importable(root, behaviours)
    if scenario is not None:
        scenario = attrs.evolve(scenario, behaviours=behaviours)
    return attrs.evolve(source, behaviours=behaviours, scenario=scenario)


def _read(given: str, base: Path, root: Path) -> Source:
    file, colon, attribute = given.rpartition(":")
    if colon and file.endswith(".py"):
        path, name = base / file, relative_to(root, base / file)
        module = module_of(path, shown=name, root=root)
        source = _of_value(f"{name}:{attribute}", path, attribute_of(module, attribute, shown=name))
        own = tuple(value for value in vars(module).values() if isinstance(value, Invariant))
        return attrs.evolve(source, invariants=own)
    path, name = base / given, relative_to(root, base / given)
    if path.suffix == ".py":
        raise InvalidDesign(f"{name}: say which of its values is the design, as in {name}:orders")
    try:
        return _of_json(name, path, root) if path.suffix == ".json" else _of_template(name, path, root)
    except NoDesign as error:
        raise NoDesign(with_relative_paths(root, str(error))) from None
    except InvalidInput as error:
        raise InvalidDesign(with_relative_paths(root, str(error))) from None


def _of_template(name: str, path: Path, root: Path) -> Source:
    imported = importer_of(path).read(path)
    paths = _paths_by_name(imported.design)
    origins: dict[str, Origin] = {}
    for field, origin in imported.origins.items():
        part = next((start for start in paths if field.startswith(start)), "")
        origins[paths.get(part, "") + field.removeprefix(part)] = _relative(root, origin)
    behaviours = {name: behaviour_of(code) for name, code in imported.code.items() if code.handler}
    assumptions = tuple(with_relative_paths(root, each) for each in (*imported.assumptions, *imported.notes))
    source = Source(name, path, imported.design, behaviours, imported.code, {}, origins, assumptions)
    written = {
        name: attrs.evolve(each, where=with_relative_paths(root, each.where))
        for name, each in imported.resources.items()
    }
    return attrs.evolve(source, resources=written, given=imported.given)


def _relative(root: Path, origin: Origin) -> Origin:
    """Return an origin with paths within the root directory written relative to it."""
    return Origin(with_relative_paths(root, origin.file), origin.line, with_relative_paths(root, origin.text))


def _paths_by_name(design: Design) -> dict[str, str]:
    """Return the path of each part of a design by its path in templates: `functions[0].` by `functions.worker.`."""
    queues = {f"queues.{queue.name}.": f"queues[{location}]." for location, queue in enumerate(design.queues)}
    functions = {f"functions.{one.name}.": f"functions[{location}]." for location, one in enumerate(design.functions)}
    mappings = {f"mappings.{one.name}.": f"mappings[{location}]." for location, one in enumerate(design.mappings)}
    return {**queues, **functions, **mappings}


def _of_json(name: str, path: Path, root: Path) -> Source:
    """Read a JSON file as a scenario, design or template, by its fields. Raises `InvalidDesign` for anything else."""
    try:
        document: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return _of_template(name, path, root)  # raises with the reason
    fields = document.keys() if isinstance(document, dict) else set[str]()
    if "violation" in fields:
        raise InvalidDesign(f"{name}: is a counterexample, not a design. Replay it: chaosqs replay {name}")
    if "Resources" in fields or not fields & {"design", "queues"}:
        return _of_template(name, path, root)
    with named(name):
        value = structure(Scenario if "design" in fields else Design, document)
    return _of_value(name, path, value)


def _of_value(name: str, path: Path, value: object) -> Source:
    match value:
        case Design():
            return Source(name, path, value)
        case Scenario():
            return Source(name, path, value.design, value.behaviours, scenario=value)
        case _:
            raise InvalidDesign(f"{name}: must be a Design or a Scenario, not {type(value).__name__}")


# A design as Python code, with the source of each value as a comment -------------------------------------------------

_NAMES = (
    "Account",
    "Behaviour",
    "Design",
    "EventSourceMapping",
    "Function",
    "Queue",
    "Redrive",
    "RedriveAllow",
    "Resource",
)

Part: TypeAlias = Queue | Function | EventSourceMapping
"""A part of a design."""


def as_python(source: Source, root: Path) -> str:
    """Return the source of a module that defines the design as `design`, and its handlers as `behaviours`."""
    lines = [*_design(source.design, source.origins), *_behaviours(source, root)]
    names = [name for name in _NAMES if any(f"{name}(" in line for line in lines)]
    head = [f"# Read from {source.name}.", *(f"# Assumed: {sentence}" for sentence in source.assumptions)]
    head += [f"# Parameters: {source.given}"] * bool(source.given)
    head += [f"# {sentence}" for sentence in _of_code(source, root)]
    return "\n".join([*head, f"from chaosqs import {', '.join(names)}", "", *lines, ""])


def _of_code(source: Source, root: Path) -> Iterator[str]:
    """Yield what is assumed about the code of functions, and the reasons why functions are modelled."""
    for name, code in source.code.items():
        if code.modelled:
            yield with_relative_paths(root, f"{name} is modelled: {code.modelled}")
        yield from (with_relative_paths(root, note) for note in code.notes)


def _behaviours(source: Source, root: Path) -> Iterator[str]:
    """Yield the lines that define the behaviours of functions whose handlers the file names."""
    if source.behaviours:
        yield "behaviours = {"
        for name, behaviour in portable(source.behaviours, root).items():
            yield f"    {name!r}: {behaviour!r},"
        yield "}"


def _design(design: Design, origins: Mapping[str, Origin]) -> Iterator[str]:
    yield "design = Design("
    kinds: dict[str, tuple[Part, ...]] = {
        "queues": design.queues,
        "functions": design.functions,
        "mappings": design.mappings,
    }
    for kind, parts in kinds.items():
        if parts:
            yield f"    {kind}=["
            for location, part in enumerate(parts):
                yield from _part(part, f"{kind}[{location}]", origins)
            yield "    ],"
    if design.resources:
        yield "    resources=["
        yield from (f"        {resource!r}," for resource in design.resources)
        yield "    ],"
    if design.account != Account():
        yield f"    account={design.account!r},"
    if design.era != attrs.fields(Design).era.default:
        yield f"    era={design.era!r},"
    yield ")"


def _part(part: Part, path: str, origins: Mapping[str, Origin]) -> Iterator[str]:
    """Yield one part: the fields that a file sets, and those that are not at their defaults."""
    yield f"        {type(part).__name__}("
    for field in attrs.fields(type(part)):
        value: object = getattr(part, field.name)
        location = f"{path}.{field.name}"
        came = [str(origin) for of, origin in origins.items() if of == location or of.startswith(f"{location}.")]
        if came or (value != field.default and field.name != "fifo"):  # `fifo` follows from the name
            yield f"            {field.name}={value!r},{'  # ' if came else ''}{' · '.join(came)}"
    yield "        ),"


# Finding the designs of a project that names none: templates in its root directory, else in others --------------------

_DEPTH = 3
"""Levels of directories below the root that are searched."""
_NOT_SEARCHED = {"node_modules", "venv", "env", "site-packages", "build", "dist", "tests", "test", "reports"}
"""Directories with copies or fixtures, beside hidden ones and the assets of CDK."""
_LARGEST = 1_000_000
"""Bytes of the largest file that is searched: CloudFormation's limit of a template."""


@attrs.frozen
class Found:
    """The designs of a root directory."""

    sources: tuple[Source, ...]
    notices: tuple[str, ...]
    """Files that cannot be judged, with the reason, one line each."""


def discover(root: Path) -> Found:
    """Return the designs of files with the usual names; without any, those of files in other directories.

    Raises `InvalidDesign` for an invalid template.
    """
    usual = _sources(_files(root), root)
    found = usual if usual.sources else _sources(_units(_elsewhere(root)), root)
    return Found(found.sources, (*usual.notices, *_other_formats(root)))


def _sources(paths: Iterable[Path], root: Path) -> Found:
    sources: list[Source] = []
    notices: list[str] = []
    for path in paths:
        name = path.relative_to(root).as_posix()
        try:
            sources.append(read_source(name, base=root, root=root))
        except NoDesign as error:
            notices.append(f"{name} is not judged: {_without(name, str(error))}")
    return Found(tuple(sources), tuple(notices))


def _files(root: Path) -> list[Path]:
    """Return the files that some importer would read, each once."""
    patterns = [pattern for importer in IMPORTERS for pattern in importer.patterns]
    return _units(dict.fromkeys(path for pattern in patterns for path in sorted(root.glob(pattern))))


def _units(paths: Iterable[Path]) -> list[Path]:
    """Return some files, without those that belong to the design of another one."""
    found = list(paths)
    for importer in IMPORTERS:
        if importer.units is not None:
            own = [path for path in found if path.name.endswith(importer.suffixes)]
            kept = set(importer.units(own))
            found = [path for path in found if path in kept or path not in own]
    return found


def _elsewhere(root: Path) -> Iterator[Path]:
    """Yield the files of any name that have a mark of some importer, in the root directory and below it."""
    for folder, folders, files in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        kept = [name for name in folders if name not in _NOT_SEARCHED and not name.startswith((".", "asset."))]
        folders[:] = sorted(kept) if depth < _DEPTH else []
        yield from (path for name in sorted(files) if _has_mark(path := Path(folder, name)))


def _has_mark(path: Path) -> bool:
    suited = [each for each in IMPORTERS if each.marks and path.name.endswith(each.suffixes)]
    try:
        if not suited or path.stat().st_size > _LARGEST:
            return False
        marks = [mark for each in suited if each.recognises(path) for mark in each.marks]
        text = path.read_text(encoding="utf-8", errors="replace") if marks else ""
    except OSError:
        return False
    return any(mark in text for mark in marks)


def _without(name: str, message: str) -> str:
    return message.removeprefix(f"{name}: ").splitlines()[0]


def _other_formats(root: Path) -> list[str]:
    notices: list[str] = []
    for pattern, instead in UNREAD.items():
        names = [path.name for path in sorted(root.glob(pattern))]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            verb = "is" if len(names) == 1 else "are"
            notices.append(f"{names[0]}{more} {verb} not judged: {instead}")
    return notices
