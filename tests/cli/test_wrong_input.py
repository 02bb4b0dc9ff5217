"""Whatever is wrong with an input: exit status 2, one to three lines on stderr, no traceback, nothing written."""

from pathlib import Path

import pytest

from tests.cli.running import Run

FILES = {
    "cut.json": '{"design": {"queues": [',
    "foreign.json": '{"name": "something"}',
    "newer.json": '{"chaosqs": 99, "violation": {}, "design": "x"}',
    "list.json": "[]",
    "deep.json": "[" * 100_000,
    "binary.json": "\0\1",
    "empty.yaml": "",
    "other.yaml": "services: {}",
    "broken.yaml": "Resources: [",
    "designs.py": "orders = 3",
    "folder/x": "",
}
NO_JSON_OF_OURS = ("nowhere.json", "cut.json", "foreign.json", "newer.json", "list.json", "deep.json", "binary.json")
NO_DESIGN = ("nowhere.yaml", "empty.yaml", "other.yaml", "broken.yaml", "cut.json", "newer.json", "folder")
NO_PYTHON = ("designs.py", "designs.py:orders", "designs.py:returns")
WRONG = [
    *((verb, name) for verb in ("run", "replay", "explain", "report") for name in (*NO_JSON_OF_OURS, "folder")),
    *((verb, name) for verb in ("import", "explore") for name in (*NO_DESIGN, *NO_PYTHON)),
    ("explore", "template.yaml", "--profile", "fast"),
    ("explore", "template.yaml", "--max-examples", "0"),
    ("explore", "template.yaml", "--budget", "0"),
    ("explore", "template.yaml", "--budget", "soon"),
    ("exhaust", "template.yaml", "--budget", "1 day"),
    ("explore", "template.yaml", "--report-dir", "designs.py"),
    ("run", "cut.json", "--seeds", "0"),
    ("campaign",),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_it_is_refused_in_few_words(run: Run, arguments: tuple[str, ...]) -> None:
    """What is wrong and where; a user who sees a traceback thinks that the program is broken."""
    for name, text in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    before = set(Path.cwd().rglob("*"))
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    said = [line for line in result.stderr.splitlines() if line.strip()]
    assert 1 <= len(said) <= 3, said
    assert "Traceback" not in result.stderr
    assert str(Path.cwd()) not in result.stderr
    assert {path for path in Path.cwd().rglob("*") if "__pycache__" not in path.parts} == before


def test_a_slip_in_the_table_is_refused(run: Run) -> None:
    """`[tool.chaosqs]` is an input, too."""
    Path("pyproject.toml").write_text("[tool.chaosqs]\nfoo = 1\n", encoding="utf-8")
    result = run("explore", "template.yaml")
    assert result.exit_code == 2
    assert "pyproject.toml, [tool.chaosqs]: foo: unknown field" in result.stderr
