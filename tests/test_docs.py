"""The documentation is true: its programs run, its links lead somewhere, its generated pages are current."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import chaosqs
from tools import docs, fidelity

ROOT = Path(__file__).parents[1]
NO_RULES = {"D-2", "GH-1", "N-1", "SHA-256", "UTF-8"}
"""Words in the form of a rule's id that are not one: encodings, names in tests."""
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "reports").rglob("*.md")])


def programs(page: Path) -> list[str]:
    """Return the Python programs of a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


PROGRAMS = [
    program
    for page in ("README.md", "docs/invariants.md", "docs/faults.md", "docs/strategies.md", "docs/mock-aws.md")
    for program in programs(ROOT / page)
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_of_the_pages_run(program: str) -> None:
    """Each as it stands, and the tests in it pass."""
    names: dict[str, object] = {}
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102 - our own page
    tests = [value for name, value in names.items() if name.startswith("test_") and callable(value)]
    assert tests, "a program without a test shows nothing"
    for test in tests:
        test()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of every page names a file or folder that exists."""
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_generated_pages_are_the_present() -> None:
    """`make docs` would change nothing."""
    for name, page in docs.PAGES.items():
        assert (docs.REFERENCE / f"{name}.md").read_text(encoding="utf-8") == docs.HEAD + page(), (
            f"run `make docs`: {name}"
        )
    assert (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8") == docs.HEAD + fidelity.page()


def test_the_story_in_the_readme_is_what_the_gallery_tells() -> None:
    """The same message, the same settings, the same rate: nobody edits it by hand."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    report = next((ROOT / "reports").glob("over-polling-orders*/report.md")).read_text(encoding="utf-8")
    sentence = re.search(r"Message \d+ went to orders-dlq.*?\.", " ".join(readme.split()))
    assert sentence is not None
    assert sentence[0] in report


def test_public_names_exist_and_say_what_they_are() -> None:
    """Everything that the package exports can be imported, and has a docstring."""
    for name in chaosqs.__all__:
        assert getattr(chaosqs, name).__doc__, name
    assert sorted(chaosqs.__all__) == dir(chaosqs)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        chaosqs.nonsense  # noqa: B018 - to ask is the test


def test_the_rules_that_the_code_cites_are_in_the_ledger() -> None:
    """An id beside the code leads to a rule of docs/fidelity, and to nowhere else."""
    known = {rule["id"] for chapter in fidelity.CHAPTERS for rule in fidelity.rules(chapter)}
    cited = {
        rule
        for folder in ("chaosqs", "strategies", "tests")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for rule in re.findall(r"\b[A-Z]{1,3}-\d+\b", path.read_text(encoding="utf-8"))
    }
    assert cited - known <= NO_RULES


def test_the_pins_name_no_index() -> None:
    """Any mirror will do."""
    pins = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("constraints/*.txt"))]
    assert pins
    assert not any("://" in text or "--index" in text for text in pins)
