"""The fix of a counterexample as a patch of the user's own template."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import Change, Evidence, Explanation, Fix, SettingPath
from chaosqs.model.scenario import Scenario
from chaosqs.project.discovery import read_source
from chaosqs.project.results import with_patch
from tests.report.examples import throttled

CHANGE = Change(SettingPath("mapping", "orders→worker", "maximum_concurrency"), None, 2)
FIX = Fix((CHANGE,), Evidence(0, 10, "larger_loads"))


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return the over-polling reference design as a project's own template."""
    path = tmp_path / "infra" / "template.yaml"
    path.parent.mkdir()
    shipped = Path(__file__).parents[2] / "chaosqs" / "designs" / "over_polling.yaml"
    path.write_bytes(shipped.read_bytes())
    return path


def found(template: Path, *fixes: Fix) -> Counterexample:
    design = read_source(str(template), base=template.parent, root=template.parent).design
    return attrs.evolve(throttled()[0], scenario=Scenario(design), explanation=Explanation(fixes=fixes))


def test_the_patch_is_of_the_first_fix_and_of_the_file_as_the_project_sees_it(template: Path) -> None:
    """The names in it are relative to the root directory, so it applies there."""
    root = template.parents[1]
    patch = with_patch(found(template, FIX), template, root).explanation.patch
    assert patch.startswith("--- a/infra/template.yaml\n+++ b/infra/template.yaml\n")
    assert "+              MaximumConcurrency: 2\n" in patch
    assert str(root) not in patch


def test_a_fix_that_breaks_another_invariant_is_no_patch(template: Path) -> None:
    """Nobody is handed a patch that mends one thing and breaks another; changes that do not help are passed over."""
    root = template.parents[1]
    broken = attrs.evolve(FIX, breaks=("no-second-processing",))
    assert with_patch(found(template, broken), template, root).explanation.patch == ""
    assert with_patch(found(template), template, root).explanation.patch == ""
    smaller = Change(SettingPath("mapping", "orders→worker", "batch_size"), 10, 1)
    useless = Fix((smaller,), Evidence(3, 10, "larger_loads"))
    assert "MaximumConcurrency" in with_patch(found(template, useless, FIX), template, root).explanation.patch


def test_a_design_from_elsewhere_gets_no_patch(template: Path, tmp_path: Path) -> None:
    """Neither a file outside the root directory nor one that is no template is patched."""
    outside, root = found(template, FIX), tmp_path / "other"
    assert with_patch(outside, template, root) == outside
    assert with_patch(outside, template.with_suffix(".py"), template.parent) == outside
