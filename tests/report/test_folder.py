"""Reports on disk: whole or not at all, the same bytes each time, and never in each other's way."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.errors import InvalidInput
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import from_json
from chaosqs.report.markdown import design_slug, slug, write_report
from tests.report.examples import EXPLANATION, patched, throttled

FOLDER = "template-orders-worker-no-dead-lettering-by-throttling"


def written(directory: Path) -> Path:
    found, history = throttled()
    return write_report(directory, attrs.evolve(found, explanation=EXPLANATION), history)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_folder_holds_the_report_and_the_scenario(tmp_path: Path) -> None:
    """Two files, and the second gives the counterexample back."""
    folder = written(tmp_path / "new" / "reports")
    assert folder == tmp_path / "new" / "reports" / FOLDER
    assert list(contents(folder)) == ["report.md", "scenario.json"]
    text = (folder / "scenario.json").read_text(encoding="utf-8")
    assert from_json(Counterexample, text) == attrs.evolve(throttled()[0], explanation=EXPLANATION)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    """A second run changes nothing, line ends are those of Unix, and nothing is left beside the folder."""
    first = contents(written(tmp_path / "reports"))
    second = contents(written(tmp_path / "reports"))
    assert first == second
    assert not any(b"\r" in content for content in first.values())
    assert [path.name for path in (tmp_path / "reports").iterdir()] == [FOLDER]


def test_an_older_report_is_replaced_and_other_files_stay(tmp_path: Path) -> None:
    """What the report writes is new, what a user put beside it is the user's."""
    folder = written(tmp_path)
    (folder / "report.md").write_text("old")
    (folder / "notes.txt").write_text("mine")
    written(tmp_path)
    assert (folder / "report.md").read_text(encoding="utf-8").startswith("# orders")
    assert (folder / "notes.txt").read_text() == "mine"


def test_a_patch_has_a_file_of_its_own(tmp_path: Path) -> None:
    """It is written byte for byte, and an old one goes away with the fix that it was of."""
    found, history = throttled()
    patch = "--- a/t.yaml\n+++ b/t.yaml\n@@ -1 +1 @@\n-BatchSize: 10\r\n+BatchSize: 1\r\n"
    mended = attrs.evolve(found, explanation=patched(patch))
    folder = write_report(tmp_path, mended, history)
    assert contents(folder)["fix.patch"] == patch.encode()
    assert list(contents(written(tmp_path))) == ["report.md", "scenario.json"]


def test_several_workers_may_write_the_same_report(tmp_path: Path) -> None:
    """The workers of xdist find the same counterexample at the same time; none fails, the folder is whole."""
    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(written, [tmp_path / "reports"] * 40))
    (folder,) = folders
    assert list(contents(folder)) == ["report.md", "scenario.json"]
    assert [path.name for path in (tmp_path / "reports").iterdir()] == [FOLDER]


def test_no_path_of_this_machine_is_in_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command names the directory as the project sees it, or at least not where the project lies."""
    outside = (written(tmp_path / "reports") / "report.md").read_text(encoding="utf-8")
    assert f"chaosqs replay reports/{FOLDER}/scenario.json" in outside
    assert str(tmp_path) not in outside
    monkeypatch.chdir(tmp_path)
    inside = (written(tmp_path / "out" / "reports") / "report.md").read_text(encoding="utf-8")
    assert f"chaosqs replay out/reports/{FOLDER}/scenario.json" in inside
    relative = (written(Path("here")) / "report.md").read_text(encoding="utf-8")
    assert f"chaosqs replay here/{FOLDER}/scenario.json" in relative


def test_a_file_in_the_way_is_said_to_be_in_the_way(tmp_path: Path) -> None:
    """Where the directory, or a parent of it, or the folder is a file, the message says what to do, in three lines."""
    (tmp_path / "file").write_text("")
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / FOLDER).write_text("")
    for directory in (tmp_path / "file", tmp_path / "file" / "reports", tmp_path / "reports"):
        with pytest.raises(InvalidInput, match="report-dir") as caught:
            written(directory)
        assert 1 <= len(str(caught.value).splitlines()) <= 3
    assert [path.name for path in (tmp_path / "reports").iterdir()] == [FOLDER]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_directory_without_permission_is_an_error_of_the_input(tmp_path: Path) -> None:
    """No traceback of ours for a directory that the user may not write."""
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidInput, match="Permission denied"):
        written(tmp_path)
    tmp_path.chmod(0o700)


def test_a_disk_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a file cannot be written, there is no folder with half a report."""

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(InvalidInput, match="No space left"):
        written(tmp_path / "reports")
    assert list((tmp_path / "reports").iterdir()) == []


@pytest.mark.parametrize(
    ("design", "expected"),
    [
        ("template.yaml", "template"),
        ("infra/template.yml", "infra-template"),
        ("cdk.out/Orders.template.json", "cdk-out-orders"),
        ("tests/designs.py:orders", "tests-designs-orders"),
        ("/home/somebody/project/main.tf", "main"),
        ("C:\\work\\template.yaml", "template"),
    ],
)
def test_a_design_is_called_after_its_file(design: str, expected: str) -> None:
    """The ending does not count, nor does where an absolute path lies."""
    assert design_slug(design) == expected


@given(st.text() | st.sampled_from(["", ".", "..", "../..", "/", "a" * 500, "注文", "CON", "\x00"]))
def test_a_slug_is_safe(text: str) -> None:
    """It is never empty, never a way out of the directory, never too long, and the same every time."""
    for result in (slug(text), design_slug(text)):
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", result)
        assert len(result) <= 60
    assert slug(text) == slug(text)


def test_names_that_lose_their_end_stay_apart() -> None:
    """Two long names that differ in their last letter, or names without any letter of ASCII, do not share a folder."""
    assert slug("a" * 100 + "b") != slug("a" * 100 + "c")
    assert slug("注文") != slug("配送")
    assert slug("注文-dlq") != slug("配送-dlq")
    assert slug("Bestellungen für Müller") == "bestellungen-fur-muller"
