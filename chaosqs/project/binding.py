"""The user's code in a run: the handler that each function has, or the reason why the function is modelled.

A template names handlers and variables; `[tool.chaosqs.functions.NAME]` overrides what it says.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.importers.protocol import Code, Written, module_file
from chaosqs.lambda_.handler_loading import probe
from chaosqs.lambda_.service_calls import moto_is_installed
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function, Resource
from chaosqs.model.json import from_json, to_json
from chaosqs.project.child import Child, has_handlers
from chaosqs.project.discovery import Source, behaviour_of
from chaosqs.project.settings import FILE, FunctionSettings, Settings
from chaosqs.project.wording import relative_to, with_relative_paths

# Settings of the project in place of what the template says -----------------------------------------------------------


def bound(source: Source, settings: Settings, root: Path) -> Source:
    """Return a design with the code that the project's settings give its functions.

    Raises `InvalidInput` for a directory or a handler that is not there.
    """
    code, behaviours = dict(source.code), dict(source.behaviours)
    for function in source.design.functions:
        own = code.get(function.name, Code())
        name = next((name for name in (function.name, own.alias) if name in settings.functions), None)
        if name is None:
            continue
        given = settings.functions[name]
        code[function.name] = changed = _changed(own, name, given, root)
        if given.behaviour is not None:
            behaviours[function.name] = given.behaviour
        elif changed.handler:
            behaviours[function.name] = behaviour_of(changed)
        elif function.name in behaviours:  # a scenario's own handler
            behaviours[function.name] = _with_variables(behaviours[function.name], given.environment)
    if settings.setup:
        setup = str(root / settings.setup)
        real = {name: known for name, known in behaviours.items() if known.handler is not None}
        behaviours |= {name: attrs.evolve(known, setup=known.setup or setup) for name, known in real.items()}
    return attrs.evolve(source, code=code, behaviours=behaviours)


def _with_variables(behaviour: Behaviour, variables: Mapping[str, str]) -> Behaviour:
    return attrs.evolve(behaviour, environment={**behaviour.environment, **variables})


def _changed(code: Code, name: str, given: FunctionSettings, root: Path) -> Code:
    """Return the code of a function with its settings in place of what the template says."""
    if given.behaviour is not None:
        return attrs.evolve(
            code, handler="", root=None, inline="", modelled=f"[tool.chaosqs.functions.{name}] gives a model"
        )
    settled = tuple(f"unknown-{variable}" for variable in given.environment)
    notes = tuple(note for note in code.notes if not note.endswith(settled))
    code = attrs.evolve(code, environment={**code.environment, **given.environment}, notes=notes)
    if not given.handler and not given.code:
        return code
    handler = _handler(given.handler) or code.handler or code.named
    if not handler:
        raise _refusal(name, "code", given.code, f"needs handler, too: {code.modelled or 'no file names one'}")
    directory = root / given.code if given.code else code.root or root
    if not directory.is_dir():
        raise _refusal(name, "code", given.code, "is not a directory of the project")
    module = handler.partition(":")[0]
    if module_file(directory, module) is None:
        file = relative_to(root, directory.joinpath(*module.split(".")))
        raise _refusal(name, "handler", given.handler or handler, f"{file}.py is not there")
    return attrs.evolve(code, handler=handler, root=Path(os.path.normpath(directory)), inline="", modelled="")


def _handler(text: str) -> str:
    """Return `package.module:function` for a handler that is written in this way or as in a template."""
    if not text or ":" in text:
        return text
    module, _, function = text.rpartition(".")
    return f"{module.replace('/', '.')}:{function}"


def _refusal(name: str, field: str, value: str, problem: str) -> InvalidInput:
    return InvalidInput(f"{FILE}, [tool.chaosqs.functions.{name}]: {field} = {value!r}: {problem}")


def refuse_unknown_functions(settings: Settings, sources: Iterable[Source]) -> None:
    """Raise `InvalidInput` for settings of a function that no design has."""
    designs = tuple(sources)
    known = dict.fromkeys(function.name for source in designs for function in source.design.functions)
    aliases = {code.alias for source in designs for code in source.code.values()}
    unknown = [name for name in settings.functions if name not in known and name not in aliases]
    if unknown:
        there = ", ".join(known) or "none"
        raise InvalidInput(f"[tool.chaosqs.functions.{unknown[0]}]: no design has this function; there are {there}")


# The functions of a run, for its header -------------------------------------------------------------------------------


@attrs.frozen
class Binding:
    """A function of a design, as a run has it."""

    function: str
    queues: tuple[str, ...]
    """Names of the queues that its mappings poll."""
    handler: str = ""
    """File and name of its handler, `app/charge.py, handler`; empty if it is modelled."""
    modelled: str = ""
    """The reason why it is modelled."""
    problem: str = ""
    """The reason why its handler cannot be loaded."""
    messages: str = ""
    """Origin of its messages, as a clause: `bodies from events/order.json`."""
    services: str = ""
    """The services of AWS that answer it, and those that do not, as a clause."""
    notes: tuple[str, ...] = ()
    """Sentences on what is assumed about its code and its variables."""

    def lines(self) -> Iterator[str]:
        """Yield the lines of the header: mostly one."""
        failed = f"{self.handler} CANNOT BE RUN: not judged, and modelled where other mappings are judged"
        code = failed if self.problem else self.handler or f"modelled: {self.modelled}"
        parts = [part for part in (code, self.messages, self.services) if part]
        yield f"  {', '.join(self.queues)} → {self.function}: {' · '.join(parts)}"
        yield from (f"    {line}" for line in (*self.problem.splitlines(), *self.notes))


def bindings(source: Source, given: Mapping[str, Behaviour], root: Path) -> tuple[Binding, ...]:
    """Return the functions of a design as they run, with the behaviours that the settings give."""
    behaviours = source.behaved(given)
    return tuple(
        _binding(function.name, source, behaviours.get(function.name), root) for function in source.design.functions
    )


def _binding(name: str, source: Source, behaviour: Behaviour | None, root: Path) -> Binding:
    queues = tuple(mapping.queue for mapping in source.design.mappings_of(name))
    code = source.code.get(name, Code())
    if behaviour is None or behaviour.handler is None:
        why = "its behaviour is given" if behaviour else code.modelled or "no file names its handler"
        return Binding(name, queues, modelled=with_relative_paths(root, code.modelled or why))
    module, _, function = behaviour.handler.partition(":")
    file = None if behaviour.inline else module_file(Path(behaviour.code or root), module)
    shown = relative_to(root, file) if file else "inline code" if behaviour.inline else module
    notes = tuple(with_relative_paths(root, note) for note in (*code.notes, *_shared_files(file)))
    problem = source.broken.get(name, "")
    messages = "" if problem else _origins(source, queues)
    used = () if problem else services_used(behaviour, source.design)
    services = f"{', '.join(used)} answered by moto" if used else ""
    return Binding(name, queues, f"{shown}, {function}", "", problem, messages, services, notes)


_TEMPORARY = re.compile(r"""["']/tmp\b|^\s*(?:import|from) tempfile\b""", re.MULTILINE)
_MOST_FILES = 50


def _shared_files(handler: Path | None) -> Iterator[str]:
    """Yield a note if code beside a handler uses `/tmp`: on Lambda each environment has its own (LX-4)."""
    for file in sorted(handler.parent.glob("*.py"))[:_MOST_FILES] if handler else ():
        with suppress(OSError, UnicodeDecodeError):
            text = file.read_text(encoding="utf-8")
            found = _TEMPORARY.search(text)
            if found:
                line = text.count("\n", 0, found.end()) + 1
                yield f"{file}:{line}: uses /tmp, which is the machine's here: all environments and runs share it"
                return


def _origins(source: Source, queues: Iterable[str]) -> str:
    """Return where the messages of some queues come from, as a clause; made-up bodies are not samples."""
    origins = [source.messages[queue].origin if queue in source.messages else "made-up bodies" for queue in queues]
    return ", ".join(dict.fromkeys(origins))


def header(designs: Mapping[str, Iterable[Binding]], given: Mapping[str, str]) -> list[str]:
    """Return the lines at the top of a run: the functions of each design, and what `given` says of its parameters."""
    return [
        line
        for name, functions in designs.items()
        for line in (_title(name, given.get(name, "")), *(line for each in functions for line in each.lines()))
    ]


def _title(name: str, given: str) -> str:
    return f"chaosqs: {name}" + (f" · {given}" if given else "")


# Other services of AWS ------------------------------------------------------------------------------------------------


def services_used(behaviour: Behaviour, design: Design) -> tuple[str, ...]:
    """Return the services whose resources a function's variables name, each once: `DynamoDB`."""
    values = behaviour.environment.values()
    used = [each for each in design.resources if any(_names(value, each.name) for value in values)]
    return tuple(dict.fromkeys(each.type.split("::")[1] for each in used))


def _names(value: str, name: str) -> bool:
    """Return True if a variable is the name of a resource, or its ARN."""
    return value == name or (value.startswith("arn:") and value.endswith((f":{name}", f"/{name}")))


@attrs.frozen
class _Made:
    """Resources to make in the child."""

    resources: tuple[Resource, ...]
    refused: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Reasons why some cannot be made, by name."""


def refused(source: Source, given: Mapping[str, Behaviour], child: Child) -> Mapping[str, str]:
    """Return the reasons why the resources of a design cannot be made, by name, if it has real handlers."""
    asked = _Made(source.design.resources)
    if not asked.resources or not moto_is_installed() or not has_handlers(source.behaved(given)):
        return {}
    text = to_json(asked)
    return from_json(_Made, child.run(made, text, group="") if child.separate else made(text)).refused


def made(text: str) -> str:
    """Make resources, as a job of the child, and return which of them cannot be made."""
    from chaosqs.wire.resources import refusals  # noqa: PLC0415 - moto is an extra

    asked = from_json(_Made, text)
    return to_json(attrs.evolve(asked, refused=refusals(asked.resources)))


def without(source: Source, refused: Mapping[str, str]) -> Source:
    """Return a design without the resources that cannot be made, which become notes."""
    if not refused:
        return source
    kept = tuple(each for each in source.design.resources if each.name not in refused)
    written = {
        name: attrs.evolve(source.resources.get(name, Written(name, source.name)), problem=problem)
        for name, problem in refused.items()
    }
    notes = [f"{each.where}: {each.what} is left out: {each.problem}" for each in written.values()]
    return attrs.evolve(
        source,
        design=attrs.evolve(source.design, resources=kept),
        resources={**source.resources, **written},
        assumptions=(*source.assumptions, *notes),
    )


def _unmade(source: Source, name: str, behaviour: Behaviour) -> str:
    """Return why a function cannot be judged: its variables name a resource that neither template nor setup makes."""
    used = behaviour.environment.values()
    for resource, written in source.resources.items():
        if written.problem and not behaviour.setup and any(_names(value, resource) for value in used):
            return (
                f"{name} uses {written.what}, which cannot be made: {written.problem}\n"
                f"{written.where}: mend it there, or make it in a setup function ([tool.chaosqs] setup)"
            )
    return ""


def without_unanswered(source: Source) -> Source:
    """Return a design in which functions are modelled that use services that nothing answers, as moto is missing."""
    if moto_is_installed():
        return source
    code, behaviours = dict(source.code), dict(source.behaviours)
    for name, behaviour in source.behaviours.items():
        used = services_used(behaviour, source.design)
        if behaviour.handler is not None and used:
            del behaviours[name]
            why = f"it uses {', '.join(used)}: pip install 'chaosqs[aws]' to run its code"
            code[name] = attrs.evolve(code.get(name, Code()), handler="", root=None, modelled=why)
    return attrs.evolve(source, code=code, behaviours=behaviours)


# Handlers that cannot be loaded ---------------------------------------------------------------------------------------


def unloadable(source: Source, given: Mapping[str, Behaviour], child: Child) -> dict[str, str]:
    """Return the reasons why handlers of a design cannot be loaded, by function. The child runs the project's code."""
    broken: dict[str, str] = {}
    for name, behaviour in source.behaved(given).items():
        if behaviour.handler is None:
            continue
        problem = _unmade(source, name, behaviour)
        problem = problem or _problem(_Loading(source.design.function(name), behaviour), child)
        if problem:
            setting = problem.replace("(Behaviour.environment)", f"([tool.chaosqs.functions.{name}])")
            broken[name] = with_relative_paths(child.root, setting)
    return broken


@attrs.frozen
class _Loading:
    """A handler to load in the child."""

    function: Function
    behaviour: Behaviour


def _problem(loading: _Loading, child: Child) -> str:
    if not child.separate:
        return probe(loading.function, loading.behaviour)
    try:
        return child.run(probed, to_json(loading), group="loading")
    except SimulationError as error:
        return "\n".join([str(error), *getattr(error, "__notes__", ())])


def probed(text: str) -> str:
    """Load a handler, as a job of the child, and return the reason why it cannot be loaded; empty if it can."""
    loading = from_json(_Loading, text)
    return probe(loading.function, loading.behaviour)
