"""Violations that a project accepts until a day: what holds, what is over, and what is written wrongly."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from chaosqs.errors import InvalidInput
from chaosqs.model.json import from_json, to_json
from chaosqs.model.verdict import Status
from chaosqs.project.planning import Options, plan
from chaosqs.project.pytest_hooks import result
from chaosqs.project.results import Acceptance, Broken, CheckResult, Location, acceptance, passes
from chaosqs.project.settings import Accepted, read_settings
from chaosqs.project.summary import summary
from tests.plugin.projects import SOUND

ENTRY = Accepted("orders->worker", "no-loss-after-send", "ticket 123", "2026-12-31")
PLACE = "pyproject.toml:3, [[tool.chaosqs.accept]]"
BROKEN = Broken("Message 1 was lost.", "story\n", Location("template.yaml", 7), "reports/x/report.md")
TOML = """
[tool.chaosqs]
[[tool.chaosqs.accept]]
mapping = "orders→worker"
invariant = "no-loss-after-send"
reason = "ticket 123"
until = 2026-12-31

[[ tool.chaosqs.accept ]]
mapping = "orders→worker"
invariant = "conservation"
reason = "ticket 124"
until = "2027-01-31"
"""


def found(status: Status, *, cut: str = "") -> CheckResult:
    broken = BROKEN if status in {Status.VIOLATED, Status.ARTEFACT} else None
    return CheckResult(
        "template.yaml", "orders→worker", "no-loss-after-send", status, cases=40, broken=broken, cut=cut, reason="why"
    )


def judged(status: Status, *, today: date = date(2026, 12, 31), cut: str = "") -> CheckResult:
    return acceptance(found(status, cut=cut), ENTRY, PLACE, today=today)


def test_an_accepted_violation_passes_until_the_day_is_over() -> None:
    """The last day included; the item is an expected failure with the reason, and the summary lists it."""
    done = judged(Status.VIOLATED)
    assert passes(done)
    item = result(done, strict=True)
    assert (item.accepted, item.failure) == ("accepted until 2026-12-31: ticket 123", None)
    assert "accepted until 2026-12-31: template.yaml: orders → worker: no loss after send: ticket 123" in summary(
        [done]
    )


def test_a_day_that_is_over_fails_with_the_story() -> None:
    """The entry's line is told."""
    done = judged(Status.VIOLATED, today=date(2027, 1, 1))
    assert not passes(done)
    failure = result(done, strict=False).failure
    assert failure is not None
    assert failure.startswith("story\n")
    assert failure.endswith(f"it was accepted until 2026-12-31, which is over ({PLACE})")


@pytest.mark.parametrize("status", [Status.HOLDS, Status.NOT_EXERCISED, Status.NOT_APPLICABLE])
def test_what_is_not_violated_is_not_accepted(status: Status) -> None:
    """An entry that stays would accept the violation when it comes back."""
    done = judged(status)
    assert not passes(done)
    headline = f"no loss after send: it is accepted, but {status} ({PLACE})"
    assert result(done, strict=False).headline == headline
    assert f"NOT ACCEPTED: template.yaml: orders → worker: {headline}" in summary([done])


def test_a_search_that_was_cut_does_not_show_that_a_violation_is_gone() -> None:
    """Nor does one without a verdict, which fails for itself."""
    done = judged(Status.HOLDS, cut="the time was over: 40 of 100 cases were tried")
    assert passes(done)
    assert any("no loss after send, not seen in 40 cases: ticket 123" in line for line in summary([done]))
    assert judged(Status.INCONCLUSIVE).accepted is None


def test_entries_are_read_with_days_of_toml_or_as_text(tmp_path: Path) -> None:
    """Each is matched to its own check only, and told by its line."""
    (tmp_path / "pyproject.toml").write_text(TOML, encoding="utf-8")
    (tmp_path / "template.yaml").write_text(SOUND, encoding="utf-8")
    first, second = read_settings(tmp_path).accept
    assert (first.until, second.until) == ("2026-12-31", "2027-01-31")
    assert first.about("x.yaml", "orders→worker", "no-loss-after-send")
    assert not first.about("x.yaml", "orders→worker", "conservation")
    planned = plan(Options(tmp_path, tmp_path))
    assert planned.accept == (first, second)


REFUSED = {
    "no day": ("until = 2026-12-31", "until = 'soon'", 7, "until = 'soon': must be a day such as 2026-12-31"),
    "no such day": ("until = 2026-12-31", "until = '2026-02-30'", 7, "until = '2026-02-30': must be a day that exists"),
    "a moment": ("until = 2026-12-31", "until = 2026-12-31T10:00:00", 7, "must be a day such as 2026-12-31"),
    "no reason": ('"ticket 123"', '" "', 6, "reason: must say why the violation is accepted"),
    "missing": ('reason = "ticket 123"', "", 3, "reason"),
    "unknown key": ('reason = "ticket 123"', 'why = "ticket 123"', 6, "why: unknown field"),
    "no mapping": ('"orders→worker"', '"orders"', 4, "mapping = 'orders': must be written queue→function"),
    "twice": ('"conservation"', '"no-loss-after-send"', 9, "accepts what an entry before it accepts"),
    "other mapping": (
        '"orders→worker"', '"bills→worker"', 4, "mapping = 'bills→worker': must be one of the mappings: orders→worker"
    ),
    "other invariant": ('"conservation"', '"no-panic"', 11, "invariant = 'no-panic': must be one that is judged"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_entry_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    """So that it does not accept anything by accident, or nothing in silence."""
    (tmp_path / "pyproject.toml").write_text(TOML.replace(old, new, 1), encoding="utf-8")
    (tmp_path / "template.yaml").write_text(SOUND, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        plan(Options(tmp_path, tmp_path))
    told = str(refused.value).splitlines()
    assert any(each.startswith(f"pyproject.toml:{line}, [[tool.chaosqs.accept]]: ") and said in each for each in told)


def test_entries_of_other_designs_are_kept_where_one_is_named(tmp_path: Path) -> None:
    """A session about one design says nothing about the others."""
    (tmp_path / "pyproject.toml").write_text(TOML.replace("orders→", "bills→"), encoding="utf-8")
    (tmp_path / "template.yaml").write_text(SOUND, encoding="utf-8")
    assert len(plan(Options(tmp_path, tmp_path, ("template.yaml",))).accept) == 2


def test_an_acceptance_travels_from_a_worker() -> None:
    """As xdist's workers send results."""
    done = judged(Status.VIOLATED)
    assert done.accepted == Acceptance("ticket 123", "2026-12-31", PLACE)
    assert from_json(CheckResult, to_json(done)) == done


def test_an_accepted_artefact_passes_as_a_violation_does() -> None:
    """It was seen, so the entry need not go; when its day is over it must."""
    assert passes(judged(Status.ARTEFACT), strict=True)
    assert not passes(judged(Status.ARTEFACT, today=date(2027, 1, 1)))
