"""The checked-in gallery has a page for every invariant, and none that tells where it was made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chaosqs.invariants import ALL
from tools.gallery_bugs import BUGS, EXAMPLES, write_page
from tools.gallery_designs import MISTAKES

ROOT = Path(__file__).parents[1]
REPORTS = ROOT / "reports"
FAMILIES = (
    "bounded-retries",
    "downstream-concurrency-up-to-",
    "exactly-once-",
    "oldest-message-within-",
    "throttle-rate-up-to-",
)
INVARIANTS = tuple(dict.fromkeys([*(each.name for each in ALL), *FAMILIES]))
BROKEN = [name for mistake in MISTAKES for name in mistake.breaks]


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_every_invariant_has_a_page_in_the_index(invariant: str) -> None:
    """One of its own, or one of its family, which has figures in its names; and the page is there."""
    index = (REPORTS / "README.md").read_text(encoding="utf-8")
    pages = [
        page for name, page in re.findall(r"^\| \[(.+?)\]\((.+?)\)", index, re.MULTILINE) if _is_of(invariant, name)
    ]
    assert pages, f"no page of reports/README.md shows how {invariant} breaks: see tools/gallery_designs.py"
    assert all((REPORTS / page).is_file() for page in pages)


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_every_invariant_is_written_anew(invariant: str) -> None:
    """`make gallery` makes a page for it, out of a design that breaks it or of the history of a fixture."""
    assert any(_is_of(invariant, name) for name in (*BROKEN, *BUGS, *EXAMPLES))


def test_no_page_is_of_a_design_and_of_a_bug() -> None:
    """Either some design breaks a invariant, or it is our own bug."""
    assert not set(BROKEN) & set(BUGS)


@pytest.mark.parametrize("name", BUGS)
def test_page_of_a_bug_says_so_first(name: str, tmp_path: Path) -> None:
    """Before anything else: no design is to blame, and where to go with it."""
    page = (write_page(tmp_path, name) / "report.md").read_text(encoding="utf-8")
    first = " ".join(page.splitlines()[2:6])
    assert first.startswith("**No design violates this invariant**")
    assert "report it" in first
    assert "```mermaid" in page


def test_no_page_names_a_path_of_this_machine() -> None:
    """Not of where the checkout lies, nor of anybody's home."""
    machine = re.compile(rf"{re.escape(str(ROOT))}|/home/|/Users/|/tmp/|/root/|/private/|[A-Z]:\\")
    found = {
        path.relative_to(ROOT).as_posix(): machine.findall(path.read_text(encoding="utf-8"))
        for path in sorted(REPORTS.rglob("*"))
        if path.is_file()
    }
    assert [name for name, paths in found.items() if paths] == []


def _is_of(invariant: str, name: str) -> bool:
    return name == invariant or (invariant in FAMILIES and name.startswith(invariant))
