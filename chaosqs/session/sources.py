"""Where designs come from: a template, a value in a Python file, a design or scenario as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign, InvalidInput
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.json import Json, structure
from chaosqs.model.scenario import Scenario
from chaosqs.session.files import named
from chaosqs.session.handlers import importable
from chaosqs.session.python_file import attribute_of, module_of
from chaosqs.session.wording import relative_to, with_relative_paths
from chaosqs.templates.cloudformation import read_template


@attrs.frozen
class Source:
    """A design, and what its file says besides."""

    name: str
    """How the user calls it: the file, relative to the root directory."""
    path: Path
    design: Design
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Of a scenario: how its functions behave. Its workload, faults and luck are for the search to draw."""
    origins: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Where values of the design stand, by path: `functions[0].reserved_concurrency` comes from
    `template.yaml:41 ReservedConcurrentExecutions: 2`."""
    assumptions: tuple[str, ...] = ()
    """What the file does not tell, each as a sentence."""
    invariants: tuple[Invariant, ...] = ()
    """Those that a Python file defines beside its design."""
    scenario: Scenario | None = None
    """All that the file says, where it holds a scenario."""

    def behaved(self, given: Mapping[str, Behaviour]) -> dict[str, Behaviour]:
        """Return the behaviours that are given for its functions, by name: the project's, then the file's own."""
        names = [function.name for function in self.design.functions]
        return {name: behaviour for name, behaviour in {**self.behaviours, **given}.items() if name in names}


def read_source(given: str, *, base: Path, root: Path) -> Source:
    """Return the design that a path stands for, which is relative to `base`; its name is relative to `root`.

    Its real handlers can be imported from then on. Raises `InvalidDesign` where the file has no design, or one that AWS
    would refuse.
    """
    source = _read(given, base, root)
    importable(root, source.behaviours)
    return source


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
    except InvalidInput as error:
        raise InvalidDesign(with_relative_paths(root, str(error))) from None


def _of_template(name: str, path: Path, root: Path) -> Source:
    imported = read_template(path)
    paths = _paths_by_name(imported.design)
    origins: dict[str, str] = {}
    for field, origin in imported.origins.items():
        part = next((start for start in paths if field.startswith(start)), "")
        origins[paths.get(part, "") + field.removeprefix(part)] = with_relative_paths(root, origin)
    return Source(name, path, imported.design, {}, origins, imported.assumptions)


def _paths_by_name(design: Design) -> dict[str, str]:
    """Return the path of each part of a design by how templates call it: `functions[0].` by `functions.worker.`."""
    queues = {f"queues.{queue.name}.": f"queues[{place}]." for place, queue in enumerate(design.queues)}
    functions = {f"functions.{one.name}.": f"functions[{place}]." for place, one in enumerate(design.functions)}
    mappings = {f"mappings.{one.name}.": f"mappings[{place}]." for place, one in enumerate(design.mappings)}
    return {**queues, **functions, **mappings}


def _of_json(name: str, path: Path, root: Path) -> Source:
    """Tell a scenario, a design, a counterexample and a template apart by their fields."""
    try:
        document: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return _of_template(name, path, root)  # which says what is wrong with it
    fields = document.keys() if isinstance(document, dict) else set[str]()
    if "violation" in fields:
        raise InvalidDesign(f"{name}: is a counterexample, no design. Replay it: chaosqs replay {name}")
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
