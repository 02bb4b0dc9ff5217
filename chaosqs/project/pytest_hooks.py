"""What chaosqs does in a session of pytest in which it was asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import pytest

from chaosqs.errors import InvalidInput, InvariantViolated, SimulationError
from chaosqs.model.json import from_json, to_json
from chaosqs.model.verdict import Status
from chaosqs.project.checks import Check
from chaosqs.project.planning import Options, Plan, plan
from chaosqs.project.replay import (
    FOLDER,
    Outcome,
    Replayed,
    corpus_of,
    files_of,
    kept_in,
    read_counterexample,
    replayed,
    replayed_today,
)
from chaosqs.project.results import CheckResult, Location, annotation, missed, passes
from chaosqs.project.summary import details, summary
from chaosqs.project.wording import first_line, last_line, relative_to, spelt
from chaosqs.report.text import mapping_text, title_of

# What one item tells pytest, and how the process that prints the summary learns it. ----------------------------------


@attrs.frozen
class ItemResult:
    """What came of one item; JSON can hold it, so it travels from xdist's workers."""

    location: Location
    headline: str = ""
    """One line, for summaries."""
    failure: str | None = None
    """What a failed item shows; None: it passes."""
    skipped: str = ""
    """Why it was not asked at all; empty: it was."""
    answer: CheckResult | None = None
    line: str = ""
    """What else the summary says."""
    report: str = ""
    """The report; empty where there is none."""

    @property
    def properties(self) -> list[tuple[str, object]]:
        """What JUnit and other reports keep of it."""
        found: list[tuple[str, object]] = []
        if self.answer is not None:
            found += [("chaosqs.verdict", str(self.answer.status)), ("chaosqs.cases", self.answer.cases)]
        if self.report:
            found.append(("chaosqs.report", self.report))
        return found


def result(found: CheckResult, *, strict: bool) -> ItemResult:
    """Return what an answer means for its item."""
    title = title_of(found.invariant)
    location = found.broken.location if found.broken else Location(found.design)
    if not found.simulated and not strict:
        return ItemResult(location, skipped=found.reason, answer=found)
    if passes(found, strict=strict):
        return ItemResult(location, answer=found)
    if found.broken:
        failure = found.broken.story + (found.broken.problem or f"  Report          {found.broken.report}")
        return ItemResult(
            location, f"{title}: {found.broken.sentence}", failure, answer=found, report=found.broken.report
        )
    return ItemResult(location, *_without_story(found, title), answer=found)


def _without_story(found: CheckResult, title: str) -> tuple[str, str]:
    """Return headline and text for a failure that is no violation."""
    if found.canary:
        sentence = f"the search found nothing in {found.cases:,} cases of a design that is broken on purpose"
        return f"{title}: {sentence}", f"{found.design}: {title}: {sentence}: do not rely on this installation."
    if found.status is Status.INCONCLUSIVE:
        headline = f"{title}: {found.status}: {last_line(found.reason)}"
        return headline, f"{found.design}: {title} is {found.status}, as judging it failed:\n{found.reason}"
    headline = f"{title}: {_shortfall(found)}"
    where = f"{found.design}: {mapping_text(found.mapping)}" if found.mapping else found.design
    return headline, f"{where}: {headline} (strict: that counts as a failure)"


def _shortfall(found: CheckResult) -> str:
    """Return what a strict project misses in an answer that is otherwise none to complain of."""
    if not found.simulated:
        return f"not simulated: {found.reason}"
    if found.status is Status.NOT_EXERCISED:
        return f"{found.status}: {found.reason}"
    marks = missed(found)
    assert marks, f"{found} fails although it holds"
    return f"{found.status}, but no case of {found.cases:,} reached {', '.join(marks)}"


# Questions as pytest's nodes: `chaosqs::template.yaml::orders→worker::at-least-once-delivery`. -----------------------

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle

ROOT = "chaosqs"
"""The name of the node above all of ours; it stands where others have a file."""

_Node = TypeVar("_Node", "Group", "InvariantItem")


@attrs.frozen
class PlannedItem:
    """One item to be: its name in parts, the file that it is about, and what to do."""

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
        """Return the node above all."""
        root = _node(cls, session, ROOT, session.config.rootpath, nodeid=ROOT)
        root.planned_items = planned_items
        return root

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield an item for each name that ends here, and a group for each part with which others go on."""
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
    """One question; it passes when the answer is the one hoped for."""

    planned_item: PlannedItem
    result: ItemResult | None = None

    @classmethod
    def about(cls, parent: pytest.Collector, planned_item: PlannedItem) -> InvariantItem:
        """Return the item of a leaf."""
        item = _node(cls, parent, planned_item.parts[-1], planned_item.path)
        item.planned_item = planned_item
        item.add_marker(pytest.mark.chaosqs)
        return item

    def runtest(self) -> None:
        """Ask the question."""
        result = self.result = self.planned_item.run()
        self.user_properties += result.properties
        if result.skipped:
            pytest.skip(result.skipped)
        if result.failure is not None:
            raise InvariantViolated(result.failure)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Show an error of a run as its message, whatever `--tb` says; any other without the values of variables."""
        del style
        if isinstance(excinfo.value, (InvalidInput, SimulationError)):
            shown = excinfo.getrepr(style="value", chain=False)
            for entry in shown.reprtraceback.reprentries:
                entry.lines = [*entry.lines, *getattr(excinfo.value, "__notes__", ())]
            return shown
        return excinfo.getrepr(style="short", showlocals=False)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the file, no line, and how the report calls the item."""
        return self.path, None, " ".join(self.planned_item.parts)


def _node(kind: type[_Node], parent: pytest.Collector, name: str, path: Path, nodeid: str | None = None) -> _Node:
    """Return a node below another; without an id of its own it gets its parent's and its name."""
    return kind.from_parent(parent, name=name, path=path, nodeid=nodeid)  # pyright: ignore[reportUnknownMemberType] - pytest's


# From what pytest was asked to the items that it gets. ---------------------------------------------------------------


@attrs.frozen
class Items:
    """The items of a session, and what its summary says besides."""

    planned_items: tuple[PlannedItem, ...]
    notices: tuple[str, ...] = ()


def items(options: Options, *, judge: bool, replay: str | None, selected: tuple[str, ...]) -> Items:
    """Return the items: first the counterexamples that are kept, then one a question if designs are to be judged.

    `replay`: a counterexample, or a folder of them; then nothing else is run unless designs are to be judged, too.
    `selected`: ids of items, or what they begin with; empty: all. Raises `InvalidInput` where something is wrong.
    """
    planned = plan(options) if judge else None
    corpus = corpus_of(options.root)
    planned_items = [_kept(path, corpus, options.root) for path in kept_in(corpus)] if planned else []
    planned_items += [_planned_item(check, planned) for check in planned.checks] if planned else []
    if replay is not None:
        planned_items += _replays(Path(os.path.normpath(options.here / replay)), corpus, options.root)
    once = {planned_item.node_id: planned_item for planned_item in planned_items}.values()
    return Items(_selected(once, selected), planned.notices if planned else ())


def _planned_item(check: Check, planned: Plan) -> PlannedItem:
    return PlannedItem(tuple(map(spelt, check.parts)), check.path, partial(_ask, check, planned))


def _ask(check: Check, planned: Plan) -> ItemResult:
    return result(planned.answer(check), strict=planned.strict)


def _replays(given: Path, corpus: Path, root: Path) -> list[PlannedItem]:
    """Return the items of a file or folder; what lies in the corpus is run as what is kept there."""
    found = files_of(given, root)
    if found == [given]:
        read_counterexample(given, root)  # so that a file that is none is refused before anything runs
    kept = [_kept(path, corpus, root) for path in found if path.is_relative_to(corpus)]
    return kept + [_replay(path, root) for path in found if not path.is_relative_to(corpus)]


def _kept(path: Path, corpus: Path, root: Path) -> PlannedItem:
    parts = (FOLDER, spelt(path.relative_to(corpus).as_posix()))
    return PlannedItem(parts, path, partial(_result, path, root, replayed_today))


def _replay(path: Path, root: Path) -> PlannedItem:
    return PlannedItem(("replay", spelt(relative_to(root, path))), path, partial(_result, path, root, replayed))


def _result(path: Path, root: Path, run: Callable[[Path, Path], Replayed]) -> ItemResult:
    try:
        again = run(path, root)
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
    """Tell whether an id is the given one or begins with it; `->` may stand for the arrow."""
    there, wanted = node_id.replace("→", "->"), given.replace("→", "->")
    return there == wanted or there.startswith(f"{wanted}::")


# ---------------------------------------------------------------------------------------------------------------------

_KEY = "chaosqs_told"
"""The attribute of a test report that has what its item told, as JSON: xdist sends it along."""


@attrs.define(eq=False)
class Hooks:
    """The hooks of one session."""

    planned_items: Sequence[PlannedItem]
    notices: Sequence[str]
    """What the summary says besides."""
    result: dict[str, ItemResult] = attrs.field(factory=dict[str, ItemResult])
    """What came of each item, by its id, as the reports come in."""

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add our items to those that the session finds."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.planned_items:
            report.result.append(Group.over(collector, self.planned_items))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report what the item told."""
        report = yield
        if isinstance(item, InvariantItem) and call.when == "call" and item.result is not None:
            report.__dict__[_KEY] = to_json(item.result)
            _dress(report, item.result, call.excinfo, item.config.rootpath)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what an item told, in whatever process it ran."""
        text: object = report.__dict__.get(_KEY)
        if isinstance(text, str):
            self.result[report.nodeid] = from_json(ItemResult, text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say what was judged, how often it could have failed, and what was assumed."""
        if config.getoption("collectonly"):
            return
        result = [
            self.result[planned_item.node_id]
            for planned_item in self.planned_items
            if planned_item.node_id in self.result
        ]
        lines = [
            *summary([each.answer for each in result if each.answer is not None]),
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


def _dress(
    report: pytest.TestReport, result: ItemResult, excinfo: pytest.ExceptionInfo[BaseException] | None, root: Path
) -> None:
    """Let a failure show the story and no traceback; its headline is what summaries and JUnit show.

    An item that passes says what its search saw.
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
    elif result.answer is not None:
        report.sections.append(("chaosqs", details(result.answer)))
