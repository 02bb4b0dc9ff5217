"""Replays counterexamples, as they are or on the current design of the project."""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.importers.registry import IMPORTERS
from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design
from chaosqs.model.explanation import Evidence, Explanation
from chaosqs.model.history import History
from chaosqs.model.values import Checks
from chaosqs.model.verdict import Status, Verdict
from chaosqs.project.binding import bound
from chaosqs.project.checks import known
from chaosqs.project.discovery import Source, importable, located, named, read_object, read_source, structured
from chaosqs.project.exploration import versions
from chaosqs.project.results import Location, location_of
from chaosqs.project.settings import read_settings
from chaosqs.project.wording import first_line, relative_to
from chaosqs.report.story import story
from chaosqs.search.database import transferred
from chaosqs.search.oracle import AloneOutcomes, attributed
from chaosqs.simulation.run import simulate

# The corpus: a folder of counterexamples that are replayed on the project's current design ---------------------------

FOLDER = "corpus"
"""The folder in a project's report directory that `pytest --chaosqs` runs first, with its subfolders."""


def corpus_of(root: Path) -> Path:
    """Return the corpus folder, which need not exist: in the configured report directory, not in one run's own."""
    return root / read_settings(root).report_dir / FOLDER


def kept_in(folder: Path) -> list[Path]:
    """Return the JSON files in a folder and its subfolders, in an order that is the same on any machine."""
    return sorted(folder.rglob("*.json"), key=lambda path: path.relative_to(folder).as_posix())


def files_of(path: Path, root: Path) -> list[Path]:
    """Return the counterexamples' files at a path, a file or a folder. Raises `InvalidInput` for an empty folder."""
    if not path.is_dir():
        return [path]
    found = kept_in(path)
    if not found:
        raise InvalidInput(f"{relative_to(root, path)}: has no counterexample: no file in it ends in .json")
    return found


# Reading a counterexample --------------------------------------------------------------------------------------------


def read_counterexample(path: Path, root: Path) -> Counterexample:
    """Read a counterexample. Raises `InvalidInput` with the file's name for a file that is none or an invalid one."""
    file, fields = relative_to(root, path), read_object(path, root)
    if "violation" not in fields:
        raise InvalidInput(f"{file}: is not a counterexample; give the scenario.json of a report")
    found = structured(Counterexample, fields, path, root)
    with named(file):
        known(found.invariant, found.design, root)
        refuse_unmapped(found.mapping, found.scenario.design, "its design")
        _refuse_miscounted(found)
    behaviours = located(found.scenario.behaviours, root)
    return attrs.evolve(found, scenario=attrs.evolve(found.scenario, behaviours=behaviours))


def refuse_unmapped(mapping: str, design: Design, called: str) -> None:
    """Raise `InvalidInput` if a design, named `called` in the message, has no mapping of that name."""
    there = [one.name for one in design.mappings]
    if mapping not in there:
        raise InvalidInput(f"{called} has no mapping {mapping!r}; there are {', '.join(there) or 'none'}")


def _refuse_miscounted(found: Counterexample) -> None:
    """Raise `InvalidInput` for impossible counts, such as more violations than trials."""
    checks = Checks("explanation")
    for field, counted in _counted(found.explanation):
        checks.whole(f"{field}.trials", counted.trials, 0, None)
        checks.whole(f"{field}.violations", counted.violations, 0, max(0, counted.trials))
    if checks.problems:
        raise InvalidInput(checks.problems)


def _counted(explanation: Explanation) -> Iterator[tuple[str, Evidence]]:
    """Yield all evidence of an explanation, with its path."""
    if explanation.rate is not None:
        yield "rate", explanation.rate
    if explanation.point_of_no_return is not None:
        yield "point_of_no_return.evidence", explanation.point_of_no_return.evidence
    for location, fix in enumerate(explanation.fixes):
        yield f"fixes[{location}].evidence", fix.evidence
        if fix.base is not None:
            yield f"fixes[{location}].base", fix.base
    for location, premise in enumerate(explanation.premises):
        yield f"premises[{location}].evidence", premise.evidence
    for location, setting in enumerate(explanation.settings):
        for number, threshold in enumerate(setting.thresholds):
            yield f"settings[{location}].thresholds[{number}].evidence", threshold.evidence
        if setting.rarer is not None:
            yield f"settings[{location}].rarer.present", setting.rarer.present
            yield f"settings[{location}].rarer.changed", setting.rarer.changed
        if setting.load is not None:
            yield f"settings[{location}].load.present", setting.load.present
            yield f"settings[{location}].load.changed", setting.load.changed


# Running a counterexample again --------------------------------------------------------------------------------------


class Outcome(StrEnum):
    """The outcome of a replay."""

    STILL_FAILS = "STILL FAILS"
    """The same history, event by event, and the same invariant violated."""
    CHANGED = "CHANGED"
    """The invariant is still violated, in a different history."""
    FIXED = "FIXED"
    """The invariant is no longer violated."""


@attrs.frozen
class Replay:
    """The result of a replay."""

    outcome: Outcome
    verdict: Verdict
    history: History
    counterexample: Counterexample
    """The counterexample with the violation of this run. If the history has changed, it has no explanation, because the
    old one was about the old history. If it is fixed, the counterexample is as it was found."""


def replay(counterexample: Counterexample) -> Replay:
    """Run a counterexample's scenario again and judge it by its invariant on its mapping.

    Raises ValueError for an invariant that is unknown or raises an exception, `NotDeterministic` if two runs differ.
    """
    invariant = by_name(counterexample.invariant)
    history = simulate(counterexample.scenario, verify=True)
    queue = counterexample.mapping.partition("→")[0] or None
    verdict = attributed(AloneOutcomes().settled(invariant, history), queue)
    if verdict.status is Status.INCONCLUSIVE:
        if verdict.unsettled:
            raise ValueError(f"{invariant.name} cannot be judged: {verdict.reason}")
        error = verdict.reason.strip().rpartition("\n")[2]  # the last line of a traceback
        raise ValueError(f"{invariant.name} cannot be judged, as it raises {error}")
    if verdict.status is not Status.VIOLATED:
        return Replay(Outcome.FIXED, verdict, history, counterexample)
    now = attrs.evolve(counterexample, violation=verdict.violations[0])
    if history.digest == counterexample.digest:
        return Replay(Outcome.STILL_FAILS, verdict, history, now)
    left_out = Explanation(outdated=counterexample.explanation != Explanation())
    now = attrs.evolve(now, digest=history.digest, versions=versions(), explanation=left_out)
    return Replay(Outcome.CHANGED, verdict, history, now)


def redesigned(counterexample: Counterexample, design: Design, behaviours: Mapping[str, Behaviour]) -> Counterexample:
    """Return a counterexample with its scenario transferred to another design. Raises as `transferred`."""
    return attrs.evolve(counterexample, scenario=transferred(counterexample.scenario, design, behaviours))


# Replaying files, for the command line and pytest --------------------------------------------------------------------

FIXED = Outcome.FIXED
"""The outcome of a replay in which the invariant is no longer violated."""

_SUFFIXES = (".py", ".json", *(suffix for importer in IMPORTERS for suffix in importer.suffixes))
_FILE = re.compile(rf"(?P<file>.+({'|'.join(map(re.escape, _SUFFIXES))}))(:.+)?")
"""Names of designs that were read from a file; `explore(design)` and the suite have other names."""


@attrs.frozen
class Replayed:
    """The result of replaying a counterexample's file."""

    file: str
    """The file, relative to the root directory."""
    outcome: Outcome
    counterexample: Counterexample
    """The counterexample as in `Replay`."""
    story: str
    """The story of this run, or, if the violation is gone, its former description."""
    design: str = ""
    """The file whose design it ran on; empty: its own design."""
    remarks: tuple[str, ...] = ()
    """Further facts, as sentences."""

    @property
    def said(self) -> str:
        """The outcome, with the design if it ran on the project's."""
        return f"{self.outcome} on {self.design} as it is now" if self.design else str(self.outcome)

    @property
    def headline(self) -> str:
        """The outcome in one line."""
        return f"{self.file}: {self.said}"

    @property
    def text(self) -> str:
        """The text below the headline."""
        return "\n".join([self.story, *(f"{remark}\n" for remark in self.remarks)])

    @property
    def location(self) -> Location:
        """The line of the user's file to look at first."""
        return location_of(self.counterexample)


def replayed(path: Path, root: Path, *, design: str = "") -> Replayed:
    """Run a counterexample again as it is, or on the design at the path `design`, which is relative to `root`.

    Raises `InvalidInput` as `read_counterexample` and `read_source`, if the scenario does not fit the design, and if
    the run reaches no verdict.
    """
    found, file = read_counterexample(path, root), relative_to(root, path)
    if design:
        source = read_source(design, base=root, root=root)
        with named(file):
            return _replayed(file, _again(_moved(source, found, root), root), design=source.name)
    with named(file):
        again = _again(found, root)
    return _replayed(file, again, remarks=(*_age(found, again), *_today(found, root)))


def replayed_today(path: Path, root: Path) -> Replayed:
    """Run a counterexample again on the current version of its design, or as it is if its design was not in a file.

    Raises `InvalidInput` as `replayed`; if the design no longer exists, the message says what to do.
    """
    found, file = read_counterexample(path, root), relative_to(root, path)
    if _file_of(found, root) is None:
        return replayed(path, root)
    try:
        source = _present_design(found, root)
        moved = _moved(source, found, root)
    except InvalidInput as error:
        raise InvalidInput(
            f"{file}: {first_line(error)}\n"
            "So it is unknown whether the violation still happens. If the design has moved, correct the field\n"
            '"design" of the file. If the design was removed, delete the file.'
        ) from None
    with named(file):
        return _replayed(file, _again(moved, root), design=source.name)


def present(path: Path, root: Path) -> Replay:
    """Run a counterexample again in order to report it. Raises `InvalidInput` as `replayed`, and if it is fixed."""
    found = read_counterexample(path, root)
    with named(relative_to(root, path)):
        again = _again(found, root)
        if again.outcome is Outcome.FIXED:
            raise InvalidInput(f"{again.outcome}: the invariant is not violated any more, so there is nothing to show")
        return again


def story_of(path: Path, root: Path) -> str:
    """Return the story of a counterexample, with the explanation in its file. Raises as `present`."""
    again = present(path, root)
    return story(again.counterexample, again.history, replay=relative_to(root, path))


def _present_design(found: Counterexample, root: Path) -> Source:
    """Return the current version of a counterexample's design. Raises `InvalidInput` if its file is gone."""
    file = _file_of(found, root)
    if file is not None and not (root / file).is_file():
        raise InvalidInput(f"there is no {file} in {root}, from which its design came")
    return read_source(found.design, base=root, root=root)


def behaviours_today(found: Counterexample, root: Path) -> dict[str, Behaviour]:
    """Return the fixed behaviours on the current version of a counterexample's design; raises `InvalidInput`."""
    return _present_design(found, root).behaved(read_settings(root).behaviours) if _file_of(found, root) else {}


def _file_of(found: Counterexample, root: Path) -> str | None:
    """Return the file of a design, if its name looks like a file's or such a file exists; None: it was in no file."""
    match = _FILE.fullmatch(found.design)
    name = match["file"] if match else found.design.partition(":")[0]
    return name if match or (root / name).is_file() else None


def _moved(source: Source, found: Counterexample, root: Path) -> Counterexample:
    """Return a counterexample on a design of the project, with the behaviours from the project's settings."""
    refuse_unmapped(found.mapping, source.design, source.name)
    if not any(mapping.enabled for mapping in source.design.mappings if mapping.name == found.mapping):
        raise InvalidInput(f"{found.mapping} is switched off in {source.name} as it is now")
    settings = read_settings(root)
    try:
        return redesigned(found, source.design, bound(source, settings, root).behaved(settings.behaviours))
    except InvalidInput as error:
        raise InvalidInput(f"does not fit {source.name} as it is now: {first_line(error)}") from None


def _again(found: Counterexample, root: Path) -> Replay:
    """Run a counterexample again. Raises `InvalidInput` if the run reaches no verdict."""
    importable(root, found.scenario.behaviours)
    try:
        return replay(found)
    except ValueError as error:
        raise InvalidInput(str(error)) from None
    except SimulationError as error:
        raise InvalidInput(f"comes to no verdict: {type(error).__name__}: {error}") from None


def _replayed(file: str, again: Replay, design: str = "", remarks: tuple[str, ...] = ()) -> Replayed:
    now = again.counterexample
    if again.outcome is Outcome.FIXED:
        idle = {Status.NOT_APPLICABLE, Status.NOT_EXERCISED}
        why = f"Nothing could break it now: {again.verdict.reason}.\n" if again.verdict.status in idle else ""
        result = f"It used to be: {now.violation.text}\n{why}"
    else:
        result = story(now, again.history, replay="" if design else file)
    return Replayed(file, again.outcome, now, result, design, remarks)


def _age(found: Counterexample, again: Replay) -> list[str]:
    """Return a remark if the outcome has changed and another version of chaosqs found the counterexample."""
    then, now = found.versions.get("chaosqs"), versions()["chaosqs"]
    if again.outcome is Outcome.STILL_FAILS or then in {None, now}:
        return []
    return [f"It was found with chaosqs {then}; this is chaosqs {now}."]


def _today(found: Counterexample, root: Path) -> list[str]:
    """Return a remark with the outcome on the current version of the design, if that has changed or is gone."""
    if _file_of(found, root) is None:
        return []
    try:
        moved = _moved(_present_design(found, root), found, root)
        if moved == found:
            return []
        return [f"On {found.design} as it is now: {_again(moved, root).outcome}."]
    except InvalidInput as error:
        return [f"It ran on the design as it was: {first_line(error)}."]
