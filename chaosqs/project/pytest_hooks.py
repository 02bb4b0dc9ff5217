"""The pytest hooks and items of sessions with `--chaosqs` or a replay."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from itertools import groupby
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import pytest

from chaosqs.errors import InvalidInput, InvariantViolated, SimulationError
from chaosqs.model.json import from_json, to_json
from chaosqs.model.verdict import Status
from chaosqs.project.checks import Check
from chaosqs.project.child import Child, has_handlers
from chaosqs.project.planning import Known, Options, Plan, plan
from chaosqs.project.replay import (
    FOLDER,
    Outcome,
    behaviours_today,
    corpus_of,
    files_of,
    kept_in,
    read_counterexample,
    replayed,
    replayed_today,
)
from chaosqs.project.results import CheckResult, Location, annotation, missed, passes
from chaosqs.project.session import Display, interruptible
from chaosqs.project.settings import read_settings
from chaosqs.project.summary import details, summary
from chaosqs.project.wording import first_line, last_line, relative_to, spelt
from chaosqs.report.text import mapping_text, title_of

# The result of one item ----------------------------------------------------------------------------------------------


@attrs.frozen
class ItemResult:
    """The result of one item; it can be JSON, which xdist's workers send."""

    location: Location
    headline: str = ""
    """One line, for summaries."""
    failure: str | None = None
    """The text of a failed item; None: it passes."""
    skipped: str = ""
    """Reason why the item is skipped; empty: it is not."""
    accepted: str = ""
    """Reason why the violation is accepted: the item is an expected failure; empty: it is not."""
    check_result: CheckResult | None = None
    line: str = ""
    """A further line of the summary."""
    report: str = ""
    """The report's file; empty if there is none."""

    @property
    def properties(self) -> list[tuple[str, object]]:
        """Properties for JUnit and other reports."""
        found: list[tuple[str, object]] = []
        if self.check_result is not None:
            found += [("chaosqs.verdict", str(self.check_result.status)), ("chaosqs.cases", self.check_result.cases)]
        if self.report:
            found.append(("chaosqs.report", self.report))
        return found


def result(found: CheckResult, *, strict: bool) -> ItemResult:
    """Return the result of the item of a check."""
    title = title_of(found.invariant)
    location = found.broken.location if found.broken else Location(found.design)
    entry = found.accepted
    report = found.broken.report if found.broken else ""
    if passes(found, strict=strict):
        accepted = f"accepted until {entry.until}: {entry.reason}" if entry and found.broken else ""
        return ItemResult(location, check_result=found, report=report, accepted=accepted)
    wrong = f"{entry.problem} ({entry.place})" if entry and entry.problem else ""
    if found.broken:
        failure = found.broken.story + (found.broken.problem or f"  Report          {report}")
        failure += f"\n  Accepted        {wrong}" if wrong else ""
        return ItemResult(location, f"{title}: {found.broken.sentence}", failure, check_result=found, report=report)
    if wrong:
        text = f"{title}: {wrong}\nRemove the entry: a violation that comes back must not be accepted unseen."
        return ItemResult(location, f"{title}: {wrong}", text, check_result=found)
    return ItemResult(location, *_without_story(found, title), check_result=found)


def _without_story(found: CheckResult, title: str) -> tuple[str, str]:
    """Return the headline and text of a failure other than a violation."""
    if found.canary:
        sentence = f"the search found nothing in {found.cases:,} cases of a design that is broken on purpose"
        return f"{title}: {sentence}", f"{found.design}: {title}: {sentence}: do not rely on this installation."
    if not found.simulated:
        return f"{title}: not judged: {found.reason.splitlines()[0]}", found.reason
    if found.status is Status.INCONCLUSIVE:
        headline = f"{title}: {found.status}: {last_line(found.reason)}"
        return headline, f"{found.design}: {title} is {found.status}, as judging it failed:\n{found.reason}"
    headline = f"{title}: {_shortfall(found)}"
    where = f"{found.design}: {mapping_text(found.mapping)}" if found.mapping else found.design
    return headline, f"{where}: {headline} (strict: that counts as a failure)"


def _shortfall(found: CheckResult) -> str:
    """Return the reason why a check without a violation fails only because the project is strict."""
    if found.status is Status.NOT_EXERCISED:
        return f"{found.status}: {found.reason}"
    marks = missed(found)
    assert marks, f"{found} fails although it holds"
    return f"{found.status}, but no case of {found.cases:,} reached {', '.join(marks)}"


# Checks as pytest nodes: `chaosqs::template.yaml::orders→worker::at-least-once-delivery` -----------------------------

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

ROOT = "chaosqs"
"""Name of the root of chaosqs's nodes; it takes the place of a file's name in their ids."""

_Node = TypeVar("_Node", "Group", "InvariantItem")


@attrs.frozen
class PlannedItem:
    """An item before collection: its name in parts, its file, and the function that runs it."""

    parts: tuple[str, ...]
    path: Path
    run: Callable[[], ItemResult]

    @property
    def node_id(self) -> str:
        """The id of the item."""
        return "::".join((ROOT, *self.parts))


class Group(pytest.Collector):
    """All items whose names begin with the same parts."""

    planned_items: Sequence[PlannedItem] = ()
    depth = 0

    @classmethod
    def over(cls, session: pytest.Session, planned_items: Sequence[PlannedItem]) -> Group:
        """Return the root node."""
        root = _node(cls, session, ROOT, session.config.rootpath, nodeid=ROOT)
        root.planned_items = planned_items
        return root

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each name that ends at this depth, and a group for each next part of the other names."""
        for part, group in groupby(self.planned_items, key=lambda planned_item: planned_item.parts[self.depth]):
            planned_items = tuple(group)
            if len(planned_items[0].parts) == self.depth + 1:
                yield InvariantItem.about(self, planned_items[0])
            else:
                yield self._below(part, planned_items)

    def _below(self, part: str, planned_items: Sequence[PlannedItem]) -> Group:
        group = _node(Group, self, part, planned_items[0].path)
        group.planned_items, group.depth = planned_items, self.depth + 1
        group.add_marker(pytest.mark.chaosqs)
        return group


class InvariantItem(pytest.Item):
    """One check or replay as a pytest item."""

    planned_item: PlannedItem
    result: ItemResult | None = None

    @classmethod
    def about(cls, parent: pytest.Collector, planned_item: PlannedItem) -> InvariantItem:
        """Return the item of a planned item."""
        item = _node(cls, parent, planned_item.parts[-1], planned_item.path)
        item.planned_item = planned_item
        item.add_marker(pytest.mark.chaosqs)
        return item

    def runtest(self) -> None:
        """Run the check or replay."""
        result = self.result = self.planned_item.run()
        self.user_properties += result.properties
        if result.skipped:
            pytest.skip(result.skipped)
        if result.accepted:
            pytest.xfail(result.accepted)
        if result.failure is not None:
            raise InvariantViolated(result.failure)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Show chaosqs's own errors as their messages, whatever `--tb` says; other errors without local variables."""
        del style
        if isinstance(excinfo.value, (InvalidInput, SimulationError)):
            shown = excinfo.getrepr(style="value", chain=False)
            if shown.reprcrash is not None:
                shown.reprcrash.message = first_line(excinfo.value)
            for entry in shown.reprtraceback.reprentries:
                entry.lines = [*entry.lines, *getattr(excinfo.value, "__notes__", ())]
            return shown
        # A violation's story has no frames, and to lay out those that nobody sees takes pytest half a second.
        return excinfo.getrepr(style="value" if isinstance(excinfo.value, InvariantViolated) else "short")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file, no line, and the item's name in reports."""
        return self.path, None, " ".join(self.planned_item.parts)


def _node(kind: type[_Node], parent: pytest.Collector, name: str, path: Path, nodeid: str | None = None) -> _Node:
    """Return a child node; its default id is its parent's id and its name."""
    return kind.from_parent(parent, name=name, path=path, nodeid=nodeid)  # pyright: ignore[reportUnknownMemberType] - pytest's


# Planning the items of a session -------------------------------------------------------------------------------------


@attrs.frozen
class Items:
    """The items of a session, and further lines of its summary."""

    planned_items: tuple[PlannedItem, ...]
    child: Child
    """The child process in which items run real handlers."""
    notices: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    """Lines at the top of the session: the code that runs."""
    planned: Plan | None = None
    """The plan of the checks; None: nothing is searched."""


def items(options: Options, *, judge: bool, replay: str | None, selected: tuple[str, ...], runs: bool = True) -> Items:
    """Return the items of a session: with `judge`, the counterexamples of the corpus, then one for each check.

    `replay`: a counterexample, or a folder of them, to run last. `selected`: ids of items or first parts of ids;
    empty: all. `runs`: False if the items are only listed; then no handler is loaded. Raises `InvalidInput` for wrong
    options, files or ids.
    """
    root = options.root
    planned = plan(options, None if runs else Known()) if judge else None
    child = planned.child if planned else Child(root, read_settings(root).handler_seconds)
    corpus = corpus_of(root)
    planned_items = [_kept(path, corpus, root, child) for path in kept_in(corpus)] if planned else []
    explained: dict[tuple[str, str], str] = {}
    planned_items += [_planned_item(check, planned, explained) for check in planned.checks] if planned else []
    if replay is not None:
        planned_items += _replays(Path(os.path.normpath(options.here / replay)), corpus, root, child)
    once = {planned_item.node_id: planned_item for planned_item in planned_items}.values()
    notices, header = (planned.notices, planned.header) if planned and runs else ((), ())
    return Items(_selected(once, selected), child, notices, header, planned)


def _planned_item(check: Check, planned: Plan, explained: dict[tuple[str, str], str]) -> PlannedItem:
    return PlannedItem(tuple(map(spelt, check.parts)), check.path, partial(_run_check, check, planned, explained))


def _run_check(check: Check, planned: Plan, explained: dict[tuple[str, str], str]) -> ItemResult:
    """Run a check. What keeps a mapping from being judged is told by the first of its items; the others are skipped.

    `explained`: the items that told it, by design and mapping.
    """
    mapping = check.design, check.mapping
    if planned.skips(check):
        return ItemResult(Location(check.design), skipped="not judged: interrupted")
    if mapping in explained:
        return ItemResult(Location(check.design), skipped=f"not judged: the item of {explained[mapping]} says why")
    try:
        found = planned.run(check)
    except (InvalidInput, SimulationError):
        explained[mapping] = check.invariant.name
        raise
    if not found.simulated:
        explained[mapping] = check.invariant.name
    return result(found, strict=planned.strict)


def _replays(given: Path, corpus: Path, root: Path, child: Child) -> list[PlannedItem]:
    """Return the items of a file or folder; files in the corpus run as its items do, on the current design."""
    found = files_of(given, root)
    if found == [given]:
        read_counterexample(given, root)  # refuse any other file before anything runs
    kept = [_kept(path, corpus, root, child) for path in found if path.is_relative_to(corpus)]
    return kept + [_replay(path, root, child) for path in found if not path.is_relative_to(corpus)]


def _kept(path: Path, corpus: Path, root: Path, child: Child) -> PlannedItem:
    parts = (FOLDER, spelt(path.relative_to(corpus).as_posix()))
    return PlannedItem(parts, path, partial(_run_replay, _Replay(path, root, today=True), child))


def _replay(path: Path, root: Path, child: Child) -> PlannedItem:
    parts = ("replay", spelt(relative_to(root, path)))
    return PlannedItem(parts, path, partial(_run_replay, _Replay(path, root, today=False), child))


@attrs.frozen
class _Replay:
    """The replay of a counterexample."""

    path: Path
    root: Path
    today: bool
    """True if it runs on the current design."""


def _run_replay(replay: _Replay, child: Child) -> ItemResult:
    """Run a replay, in the child if it may run real handlers."""
    if not child.separate or not _may_run_handlers(replay):
        return _result(replay)
    return from_json(ItemResult, child.run(replay_again, to_json(replay), group=str(replay.path)))


def _may_run_handlers(replay: _Replay) -> bool:
    """Return whether the counterexample has real handlers, or the present design has."""
    try:
        found = read_counterexample(replay.path, replay.root)
        return has_handlers(found.scenario.behaviours) or has_handlers(behaviours_today(found, replay.root))
    except InvalidInput:  # told as the item's result
        return False


def replay_again(text: str) -> str:
    """Run a replay, as a job of the child, and return its result as JSON."""
    return to_json(_result(from_json(_Replay, text)))


def _result(replay: _Replay) -> ItemResult:
    path, root = replay.path, replay.root
    try:
        again = replayed_today(path, root) if replay.today else replayed(path, root)
    except InvalidInput as error:
        return ItemResult(Location(relative_to(root, path)), first_line(error), str(error), line=first_line(error))
    if again.outcome is Outcome.FIXED:
        return ItemResult(again.location, line=again.headline)
    headline = f"{again.outcome}: {again.counterexample.violation.text}"
    return ItemResult(again.location, headline, f"{again.said}\n\n{again.text}", line=again.headline)


def _selected(planned_items: Iterable[PlannedItem], selected: tuple[str, ...]) -> tuple[PlannedItem, ...]:
    everything = tuple(planned_items)
    if not selected:
        return everything
    for given in selected:
        if not any(_matches(planned_item.node_id, given) for planned_item in everything):
            raise InvalidInput(f"not found: {given}\n`pytest --chaosqs --collect-only -q -m {ROOT}` lists the ids.")
    return tuple(
        planned_item for planned_item in everything if any(_matches(planned_item.node_id, given) for given in selected)
    )


def _matches(node_id: str, given: str) -> bool:
    """Return True if an id is the given one or begins with its parts; `->` may stand for the arrow."""
    there, wanted = node_id.replace("→", "->"), given.replace("→", "->")
    return there == wanted or there.startswith(f"{wanted}::")


# The hooks -----------------------------------------------------------------------------------------------------------

_KEY = "chaosqs_result"
"""Attribute of test reports with the item's result as JSON, which xdist sends along."""


@attrs.define(eq=False)
class Hooks:
    """The hooks of one session."""

    planned_items: Sequence[PlannedItem]
    child: Child
    """The child process in which items run real handlers."""
    notices: Sequence[str]
    """Further lines of the summary."""
    header: Sequence[str] = ()
    """Lines at the top of the session."""
    planned: Plan | None = None
    """The plan of the checks; None: nothing is searched."""
    stopped: list[str] = attrs.field(factory=list[str])
    """Names of the signals that ended the session; empty: none has."""
    result: dict[str, ItemResult] = attrs.field(factory=dict[str, ItemResult])
    """Results of the items that are reported so far, by id."""

    def __attrs_post_init__(self) -> None:
        """Let a signal end the searches."""
        if self.planned is not None:
            self.stopped = self.planned.allowance.stopped

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Share the time among the mappings of the items that will run, and show what goes on."""
        if self.planned is None or session.config.getoption("collectonly"):
            return
        own = {item.nodeid for item in session.items if isinstance(item, InvariantItem)}
        names = {"::".join((ROOT, *map(spelt, check.parts))): check for check in self.planned.checks}
        self.planned.begin([check for name, check in names.items() if name in own])
        workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
        self.planned.allowance.groups = ceil(self.planned.allowance.groups / workers)
        reporter: object = session.config.pluginmanager.get_plugin("terminalreporter")
        if isinstance(reporter, pytest.TerminalReporter) and session.config.option.verbose >= 0:
            self.planned.displays.append(Display(partial(_write, reporter), live=bool(reporter.isatty)))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Let Ctrl-C and SIGTERM cut an item short: what it found is reported, and the session ends."""
        if not isinstance(item, InvariantItem):
            return (yield)
        with interruptible(self.stopped):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, bool, bool]:
        """End the session after a signal, once all is told of the mappings that were searched."""
        done = yield
        if self.stopped and not (isinstance(item, InvariantItem) and isinstance(nextitem, InvariantItem)):
            item.session.shouldstop = f"interrupted ({self.stopped[0]})"
        return done

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: object) -> object:
        """Let one worker of xdist run all items that share a search; other items are spread as xdist would."""
        if self.planned is None or config.getoption("dist") not in _DISTRIBUTED:
            return None
        base: object = vars(import_module("xdist.scheduler"))["LoadScopeScheduling"]
        assert isinstance(base, type), base
        return type("MappingScheduling", (base,), {"_split_scope": staticmethod(unit_of)})(config, log)

    def pytest_report_header(self) -> list[str]:
        """Return the code that runs, function by function."""
        return list(self.header)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add chaosqs's items to those that the session collects."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.planned_items:
            report.result.append(Group.over(collector, self.planned_items))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the item's result to its report."""
        report = yield
        if isinstance(item, InvariantItem) and call.when == "call" and item.result is not None:
            report.__dict__[_KEY] = to_json(item.result)
            _dress(report, item.result, call.excinfo, item.config.rootpath)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store an item's result, whichever process it ran in."""
        text: object = report.__dict__.get(_KEY)
        if isinstance(text, str):
            self.result[report.nodeid] = from_json(ItemResult, text)

    def pytest_unconfigure(self) -> None:
        """End the child processes."""
        self.child.close() if self.planned is None else self.planned.close()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Write the summary of the session, and annotations on GitHub Actions."""
        if config.getoption("collectonly"):
            return
        result = [
            self.result[planned_item.node_id]
            for planned_item in self.planned_items
            if planned_item.node_id in self.result
        ]
        lines = [
            *summary([each.check_result for each in result if each.check_result is not None]),
            *(each.line for each in result if each.line),
            *self.notices,
        ]
        if lines:
            terminalreporter.ensure_newline()
            terminalreporter.section("chaosqs")
        for line in lines:
            terminalreporter.write_line(line)
        if os.environ.get("GITHUB_ACTIONS"):
            for each in result:
                if each.failure is not None:
                    terminalreporter.write_line(annotation(each.location, "chaosqs", each.headline))


_DISTRIBUTED = ("load", "worksteal", "loadgroup")
"""Modes of xdist that may give the items of one mapping to several workers."""
_PARTS_OF_CHECK = 4
"""Parts of the id of an item that shares its search with others: root, design, mapping, invariant."""


def unit_of(node_id: str) -> str:
    """Return the unit of an item that one worker of xdist runs: its mapping, its group of xdist, or the item alone."""
    parts = node_id.split("::")
    if parts[0] == ROOT:
        return "::".join(parts[:-1]) if len(parts) == _PARTS_OF_CHECK else node_id
    return node_id.rpartition("@")[2] if node_id.rfind("@") > node_id.rfind("]") else node_id


def _write(reporter: pytest.TerminalReporter, text: str) -> None:
    """Write a text to the terminal while an item runs, whose output pytest captures."""
    capture = reporter.config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        reporter.ensure_newline()
        reporter.write(text, flush=True)


def _dress(
    report: pytest.TestReport, result: ItemResult, excinfo: pytest.ExceptionInfo[BaseException] | None, root: Path
) -> None:
    """Make a failure show its story without a traceback, and its headline in summaries and JUnit.

    A report of an item that passes gets the counts of its search.
    """
    if result.skipped:
        report.longrepr = (str(root / result.location.file), result.location.line, f"Skipped: {result.skipped}")
    elif excinfo is not None and isinstance(excinfo.value, InvariantViolated):
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash is not None:
            shown.reprcrash.path = str(root / result.location.file)
            shown.reprcrash.lineno = result.location.line
            shown.reprcrash.message = result.headline
        report.longrepr = shown
    elif result.check_result is not None:
        report.sections.append(("chaosqs", details(result.check_result)))
