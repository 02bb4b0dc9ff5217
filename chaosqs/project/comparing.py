"""Comparison of a design with its alternatives: run the same workload on each, and put the figures side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import attrs

from chaosqs.comparison.run import journey
from chaosqs.errors import InvalidInput, InvalidScenario, briefly
from chaosqs.model.alternative import KINDS, Alternative, RateLimitedFront, SelfPolling, Stream, check_replacement
from chaosqs.model.design import Design
from chaosqs.model.figures import Figures, figures
from chaosqs.model.json import Json
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks
from chaosqs.project.child import Child, has_handlers
from chaosqs.project.discovery import Source, read_object, structured
from chaosqs.project.runs import scenario_of
from chaosqs.project.samples import found_messages
from chaosqs.project.settings import read_settings
from chaosqs.project.wording import relative_to
from chaosqs.report.comparison import Comparison
from chaosqs.search.messages import sampled
from chaosqs.simulation.run import simulate
from chaosqs.strategies.messages import MessageSource

Choice: TypeAlias = Scenario | Design | Alternative
"""A candidate for a comparison with a scenario: another scenario with the same workload, another design for the same
scenario, or an alternative to the mappings of one function."""

AS_IT_IS = "event source mapping"


@briefly
def compare(
    scenario: Scenario, alternatives: Mapping[str, Choice] | Sequence[Choice] = (), *, name: str = AS_IT_IS
) -> Comparison:
    """Run a scenario as it is and with each alternative, and return the figures side by side.

    `alternatives` maps names to a `SelfPolling`, `RateLimitedFront` or `Stream`, which replaces the mappings of its
    function, to a `Design`, which replaces the scenario's, or to a whole `Scenario` with the same workload. A sequence
    of these is named by their kinds. `name` is the name of the scenario as it is. The result is a pure function of the
    arguments. Raises `InvalidScenario` with the problems of all alternatives.
    """
    choices = alternatives if isinstance(alternatives, Mapping) else _named(alternatives)
    checks = Checks("")
    scenarios = {known: _scenario(checks, scenario, known, choice) for known, choice in choices.items()}
    if name in choices:
        checks.refuse(f"alternatives[{name!r}]", None, "must have another name than the scenario itself")
    if checks.problems:
        raise InvalidScenario(checks.problems)
    columns = [_figures(known, scenarios[known], choice) for known, choice in choices.items()]
    return Comparison((figures(name, simulate(scenario)), *columns))


_TITLES = {
    Scenario: "scenario",
    Design: "design",
    SelfPolling: "self-polling",
    RateLimitedFront: "rate-limited front",
    Stream: "stream",
}


def _named(choices: Sequence[Choice]) -> dict[str, Choice]:
    """Name each choice by its kind, and number the choices of a kind that occurs more than once."""
    titles = [_TITLES[type(choice)] for choice in choices]
    many, seen, names = Counter(titles), Counter[str](), list[str]()
    for title in titles:
        seen[title] += 1
        names.append(f"{title} {seen[title]}" if many[title] > 1 else title)
    return dict(zip(names, choices, strict=True))


def _scenario(checks: Checks, scenario: Scenario, name: str, choice: Choice) -> Scenario:
    """Return the scenario that a choice runs in, and note the choice's problems."""
    path = f"alternatives[{name!r}]"
    match choice:
        case Scenario():
            if choice.workload != scenario.workload:
                checks.refuse(path, None, "must have the same workload as the scenario that it is compared with")
            return choice
        case Design():
            return _with_design(checks, scenario, path, choice)
        case _:
            check_replacement(Checks(path, checks.problems), scenario, choice)
            return scenario


def _with_design(checks: Checks, scenario: Scenario, path: str, design: Design) -> Scenario:
    try:
        return attrs.evolve(scenario, design=design)
    except InvalidScenario as error:
        checks.problems.extend(attrs.evolve(problem, path=f"{path}: {problem.path}") for problem in error.problems)
        return scenario


def _figures(name: str, scenario: Scenario, choice: Choice) -> Figures:
    if isinstance(choice, Scenario | Design):
        return figures(name, simulate(scenario))
    done = journey(scenario, choice)
    return figures(name, done.history, done.notes, pushed=isinstance(choice, RateLimitedFront))


def compare_files(paths: Sequence[Path], root: Path) -> Comparison:
    """Compare the contents of files, each named by its file. The first is a scenario, whose workload all others get.

    Loads without messages get the project's own ones where a real handler polls their queue. Each other file holds a
    scenario, a design, or an alternative: an object with one entry, `self_polling`, `rate_limited_front` or `stream`,
    which holds the fields of the value. Raises `InvalidInput` with the file's name.
    """
    first, *others = paths
    scenario = scenario_of(read_object(first, root), first, root)
    choices: dict[str, Choice] = {}
    for path in others:
        if path.stem in {first.stem, *choices}:
            raise InvalidInput(f"{relative_to(root, path)}: another file has the same name: call each for its design")
        choices[path.stem] = _choice(path, root)
    known = _messages(scenario, first, root)
    workload = sampled(scenario.workload, known)
    for name, choice in choices.items():
        if isinstance(choice, Scenario) and choice.workload == scenario.workload:
            choices[name] = attrs.evolve(choice, workload=workload)
    done = compare(attrs.evolve(scenario, workload=workload), choices, name=first.stem)
    changed = [load.queue for load, own in zip(workload, scenario.workload, strict=True) if load != own]
    origins = [f"messages of {queue}: {known[queue].origin}" for queue in dict.fromkeys(changed)]
    return attrs.evolve(done, origins=tuple(origins))


def _messages(scenario: Scenario, path: Path, root: Path) -> dict[str, MessageSource]:
    """Return the project's own messages for the queues that real handlers poll, by queue name."""
    if not has_handlers(scenario.behaviours):
        return {}
    settings = read_settings(root)
    source = Source(relative_to(root, path), path, scenario.design, scenario.behaviours)
    child = Child(root, settings.handler_seconds)
    try:
        found = found_messages(source, scenario.behaviours, settings, child)
    finally:
        child.close()
    return found.sources(scenario.design, root)


def _choice(path: Path, root: Path) -> Choice:
    fields = read_object(path, root)
    kinds = [kind for kind in KINDS if kind in fields]
    if not kinds:
        if "queues" in fields:
            return structured(Design, fields, path, root)
        if fields.keys() & {"design", "violation"}:
            return scenario_of(fields, path, root)
        known = ", ".join(KINDS)
        raise InvalidInput(f"{relative_to(root, path)}: must hold a scenario, a design, or one of {known}")
    return _alternative(kinds[0], fields, path, root)


def _alternative(kind: str, fields: dict[str, Json], path: Path, root: Path) -> Alternative:
    others = [name for name in fields if name not in {kind, "chaosqs"}]
    inner = fields[kind]
    if others or not isinstance(inner, dict):
        raise InvalidInput(f"{relative_to(root, path)}: {kind}: must be an object, and the only entry of its file")
    version = {"chaosqs": fields["chaosqs"]} if "chaosqs" in fields else dict[str, Json]()
    return structured(KINDS[kind], version | inner, path, root)
