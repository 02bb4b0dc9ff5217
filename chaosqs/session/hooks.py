"""What chaosqs does in a session of pytest in which it was asked for."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvariantViolated
from chaosqs.model.json import from_json, to_json
from chaosqs.session.nodes import Group, Leaf, Question
from chaosqs.session.outcome import Told
from chaosqs.session.place import annotation
from chaosqs.session.summary import details, summary

_KEY = "chaosqs_told"
"""The attribute of a test report that has what its item told, as JSON: xdist sends it along."""


@attrs.define(eq=False)
class Hooks:
    """The hooks of one session."""

    leaves: Sequence[Leaf]
    notices: Sequence[str]
    """What the summary says besides."""
    told: dict[str, Told] = attrs.field(factory=dict[str, Told])
    """What came of each item, by its id, as the reports come in."""

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Add our items to those that the session finds."""
        report = yield
        if isinstance(collector, pytest.Session) and report.passed and self.leaves:
            report.result.append(Group.over(collector, self.leaves))
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Give the report what the item told."""
        report = yield
        if isinstance(item, Question) and call.when == "call" and item.told is not None:
            report.__dict__[_KEY] = to_json(item.told)
            _dress(report, item.told, call.excinfo, item.config.rootpath)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what an item told, in whatever process it ran."""
        text: object = report.__dict__.get(_KEY)
        if isinstance(text, str):
            self.told[report.nodeid] = from_json(Told, text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Say what was judged, how often it could have failed, and what was assumed."""
        if config.getoption("collectonly"):
            return
        told = [self.told[leaf.node_id] for leaf in self.leaves if leaf.node_id in self.told]
        lines = [
            *summary([each.answer for each in told if each.answer is not None]),
            *(each.line for each in told if each.line),
            *self.notices,
        ]
        if lines:
            terminalreporter.ensure_newline()
            terminalreporter.section("chaosqs")
        for line in lines:
            terminalreporter.write_line(line)
        if os.environ.get("GITHUB_ACTIONS"):
            for each in told:
                if each.failure is not None:
                    terminalreporter.write_line(annotation(each.place, "chaosqs", each.headline))


def _dress(
    report: pytest.TestReport, told: Told, excinfo: pytest.ExceptionInfo[BaseException] | None, root: Path
) -> None:
    """Let a failure show the story and no traceback; its headline is what summaries and JUnit show.

    An item that passes says what its search saw.
    """
    if told.skipped:
        report.longrepr = (str(root / told.place.file), told.place.line, f"Skipped: {told.skipped}")
    elif excinfo is not None and isinstance(excinfo.value, InvariantViolated):
        shown = excinfo.getrepr(style="value")
        if shown.reprcrash is not None:
            shown.reprcrash.path = str(root / told.place.file)
            shown.reprcrash.lineno = told.place.line
            shown.reprcrash.message = told.headline
        report.longrepr = shown
    elif told.answer is not None:
        report.sections.append(("chaosqs", details(told.answer)))
