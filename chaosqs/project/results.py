"""Answers a check: search; for a violation, also explain it, write its report and return the story."""

from datetime import date
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput, InvalidScenario, NotDeterministic
from chaosqs.importers.registry import importer_of
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from chaosqs.project.checks import Budget, Check
from chaosqs.project.discovery import portable
from chaosqs.project.exploration import counterexample
from chaosqs.project.settings import Accepted
from chaosqs.project.wording import brief, relative_to, with_relative_paths
from chaosqs.report.explanation import artefact
from chaosqs.report.markdown import REPORT, SCENARIO, write_report
from chaosqs.report.story import replay_command, story
from chaosqs.report.text import advice
from chaosqs.search.coverage import SOMETIMES
from chaosqs.search.finding import Finding
from chaosqs.search.meter import Meter

# The first fix of a counterexample as a patch of the design's template -----------------------------------------------


def with_patch(found: Counterexample, path: Path, root: Path) -> Counterexample:
    """Return a counterexample whose first fix has its patch, if there is one.

    There is none for a design from outside the root directory, and for a fix that violates another invariant.
    """
    fixes = found.explanation.fixes
    fix = next((fix for fix in fixes if fix.prevents), None)
    if fix is None or fix.breaks or not path.is_relative_to(root):
        return found
    name = path.relative_to(root).as_posix()
    patch = importer_of(path).patch(path, found.scenario.design, fix.changes, name)
    patched = tuple(attrs.evolve(each, patch=patch) if each is fix else each for each in fixes)
    return attrs.evolve(found, explanation=attrs.evolve(found.explanation, fixes=patched))


# The line of the user's file to look at first, for annotations of a pull request -------------------------------------


@attrs.frozen
class Location:
    """A file, and a line in it from 1; 0 if no line is known."""

    file: str
    line: int = 0


def location_of(counterexample: Counterexample) -> Location:
    """Return the line of the first setting that matters and has a known origin, else the design's file."""
    for setting in counterexample.explanation.settings:
        if setting.matters and setting.origin is not None:
            return Location(setting.origin.file, setting.origin.line)
    file, colon, _ = counterexample.design.rpartition(":")
    return Location(file if colon and file.endswith(".py") else counterexample.design)


def annotation(location: Location, title: str, message: str) -> str:
    """Return the workflow command that makes GitHub Actions show a message at a line of a pull request."""
    line = f",line={location.line}" if location.line else ""
    return f"::error file={_property(location.file)}{line},title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


# Answering a check ---------------------------------------------------------------------------------------------------

MORE_TIME = "--budget of chaosqs, --chaosqs-budget of pytest and budget of [tool.chaosqs] give it more"


@attrs.frozen
class Broken:
    """A violation: its story, and the place of its report."""

    sentence: str
    """The violation in one line."""
    story: str
    location: Location
    """The line of the design to look at first."""
    report: str = ""
    """The report's file, relative to the root directory; empty if it could not be written."""
    replay: str = ""
    """The command that replays the violation, for the root directory."""
    problem: str = ""
    """The reason why the report could not be written."""
    artefact: str = ""
    """The reason why it does not count: only one set of assumptions about AWS produces it; empty: it counts."""


@attrs.frozen
class Acceptance:
    """An entry of the project's settings that accepts a violation, and what is wrong with the entry."""

    reason: str
    until: str
    """The last day."""
    place: str
    """File and line of the entry."""
    problem: str = ""
    """The reason why the entry has to go, as a clause; empty: it is true."""


@attrs.frozen
class CheckResult:
    """The result of one check; it can be JSON, which xdist's workers send."""

    design: str
    mapping: str
    invariant: str
    status: Status = attrs.field(converter=Status)
    reason: str = ""
    """Reason for `not applicable`, `not exercised` and `artefact`; error for `inconclusive`."""
    exercised: int = 0
    cases: int = 0
    coverage: dict[str, int] = attrs.field(factory=dict[str, int])
    """Number of cases that reached each mark."""
    excused: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    """Marks that no case reached although they are possible in the design; users' marks begin with `sometimes `."""
    assumptions: tuple[str, ...] = ()
    """Assumptions about the design, each as a sentence."""
    canary: bool = False
    simulated: bool = True
    """False if nothing could be simulated, as for a handler that cannot be imported: `reason` says why."""
    broken: Broken | None = None
    failing: str = ""
    """The sentence that the mapping's real code never succeeded; empty: it did, or is a model."""
    accepted: Acceptance | None = None
    """The entry of the project's settings that accepts a violation of it; None: none does."""
    cut: str = ""
    """Parts that were left out, with the reason: `the time was over: 40 of 100 cases were tried`; empty: nothing."""


_SEEN = (Status.VIOLATED, Status.ARTEFACT)


def passes(found: CheckResult, *, strict: bool = False) -> bool:
    """Return True if a check passes; `strict`: only if it was exercised, every user's mark reached, and no artefact."""
    if found.canary:
        return found.status is Status.VIOLATED
    if found.accepted is not None and (found.accepted.problem or found.status in _SEEN):
        return not found.accepted.problem
    if strict and (found.status in {Status.NOT_EXERCISED, Status.ARTEFACT} or missed(found)):
        return False
    return found.status not in {Status.VIOLATED, Status.INCONCLUSIVE}


def acceptance(found: CheckResult, entry: Accepted, place: str, *, today: date) -> CheckResult:
    """Return the result of a check with an entry that accepts its violation.

    Such an entry has to go when its last day is over, and when the violation is gone. A search that was cut does not
    show that it is gone, nor does one without a verdict.
    """
    accepted = Acceptance(entry.reason, entry.until, place)
    if found.status in _SEEN:
        over = today > date.fromisoformat(entry.until)
        accepted = attrs.evolve(accepted, problem=f"it was accepted until {entry.until}, which is over" if over else "")
    elif found.status is Status.INCONCLUSIVE:
        return found
    elif not found.cut:
        accepted = attrs.evolve(accepted, problem=f"it is accepted, but {found.status}")
    return attrs.evolve(found, accepted=accepted)


def missed(found: CheckResult) -> list[str]:
    """Return the marks of the user's `chaosqs.sometimes` that no case reached."""
    return [mark.removeprefix(f"{SOMETIMES} ") for mark in found.unreached if mark.startswith(f"{SOMETIMES} ")]


def run_check(check: Check, budget: Budget, *, root: Path, reports: Path) -> CheckResult:
    """Run a check; the report of a violation is written to the directory `reports`."""
    if check.problem:
        return _not_simulated(check, check.problem)
    try:
        finding = check.search(budget)
    except InvalidScenario as error:
        return _not_simulated(check, str(error))
    except NotDeterministic as error:
        return _contradicted(check, error)
    verdict, meter = finding.verdict, budget.meter or Meter()
    why = _not_judged(finding, meter)
    if why:
        return _not_simulated(check, why)
    found = CheckResult(
        design=check.design,
        mapping=check.mapping,
        invariant=finding.invariant,
        status=verdict.status,
        reason=verdict.reason,
        exercised=verdict.exercised,
        cases=finding.cases,
        coverage=dict(finding.coverage),
        excused=verdict.excused,
        unreached=finding.unreached,
        assumptions=check.assumptions,
        canary=check.canary,
        failing=finding.failing,
        cut=f"{meter.why}: {finding.cut}" if finding.cut else "",
    )
    if finding.scenario is None or check.canary:
        return found
    broken = _broken(check, finding, budget, root, reports)
    status = Status.ARTEFACT if broken.artefact else found.status
    return attrs.evolve(found, status=status, reason=broken.artefact or found.reason, broken=broken)


def _not_judged(finding: Finding, meter: Meter) -> str:
    """Return why a finding says nothing about the design; empty if it does."""
    if finding.cut and not finding.cases:
        return f"{meter.why} before the first case was run\n{MORE_TIME}"
    if finding.refused and not finding.violated:
        return f"{finding.failing}\n{advice(finding.mapping, finding.failing)}"
    return ""


def _not_simulated(check: Check, reason: str) -> CheckResult:
    return CheckResult(
        check.design,
        check.mapping,
        check.invariant.name,
        Status.INCONCLUSIVE,
        reason,
        assumptions=check.assumptions,
        canary=check.canary,
        simulated=False,
    )


def _contradicted(check: Check, error: NotDeterministic) -> CheckResult:
    """Return the result of a search that was stopped because two runs of one scenario differ."""
    real = any(behaviour.handler is not None for behaviour in check.behaviours.values())
    blame = "does a handler keep or read anything outside of its modules?" if real else "that is a bug of chaosqs"
    return CheckResult(
        check.design,
        check.mapping,
        check.invariant.name,
        Status.INCONCLUSIVE,
        f"{error}\none scenario ran in two ways: {blame}",
        assumptions=check.assumptions,
        canary=check.canary,
    )


def _broken(check: Check, finding: Finding, budget: Budget, root: Path, reports: Path) -> Broken:
    history, meter = finding.history, budget.meter or Meter()
    assert history is not None, f"{finding} has no history"
    explained = counterexample(
        check.design,
        finding,
        check.invariant,
        behaviours=check.behaviours,
        profile=budget.profile,
        origins=check.origins,
        messages=check.messages,
        meter=meter.next(),
        unexplained=budget.unexplained,
        causes=check.causes,
    )
    meter.waiting -= 1
    if check.origins:  # only templates have them
        explained = with_patch(explained, check.path, root)
    try:
        return written(explained, history, root, reports)
    except InvalidInput as error:  # show the story even if its report cannot be written
        return Broken(
            explained.violation.text,
            story(explained, history),
            location_of(explained),
            problem=brief(with_relative_paths(root, str(error))),
            artefact=artefact(explained.explanation),
        )


def written(explained: Counterexample, history: History, root: Path, reports: Path) -> Broken:
    """Write the report of a counterexample and return its summary. Raises `InvalidInput` as `write_report`."""
    behaviours = portable(explained.scenario.behaviours, root)
    explained = attrs.evolve(explained, scenario=attrs.evolve(explained.scenario, behaviours=behaviours))
    folder = relative_to(root, write_report(reports, explained, history))
    scenario = f"{folder}/{SCENARIO}"
    return Broken(
        explained.violation.text,
        story(explained, history, replay=scenario),
        location_of(explained),
        f"{folder}/{REPORT}",
        replay_command(scenario),
        artefact=artefact(explained.explanation),
    )
