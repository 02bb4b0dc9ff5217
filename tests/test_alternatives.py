"""The page that compares alternatives to event source mappings is the same each time, and the how-to page runs."""

from __future__ import annotations

import re
from pathlib import Path

from tools import alternatives

ROOT = Path(__file__).parents[1]


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    """So that `make check` can compare it with what is committed, byte for byte."""
    (line,) = alternatives.tell(tmp_path)
    page = (tmp_path / alternatives.FOLDER / "report.md").read_bytes()
    assert page == alternatives.page().encode()
    assert line in (ROOT / "reports" / "README.md").read_text(encoding="utf-8")


def test_the_program_of_the_how_to_page_runs() -> None:
    """As it stands."""
    text = (ROOT / "docs" / "comparing.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(program, "comparing.md", "exec"), {})  # noqa: S102 - our own page
