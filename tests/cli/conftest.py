"""Fixtures of the command line's tests: a directory with a broken design, and a counterexample of it."""

from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result

from chaosqs.cli import main
from chaosqs.model.explanation import Explanation, Origin
from chaosqs.project import exploration, planning
from chaosqs.project.planning import BROKEN, DESIGNS_DIR, SOUND
from tests.cli.running import Run
from tests.project.kept import RESERVED


def _explain(*_: object, origins: dict[str, Origin], **__: object) -> Explanation:
    return Explanation((attrs.evolve(RESERVED, origin=origins.get("functions[0].reserved_concurrency")),))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the command in a directory with `template.yaml` (broken) and `sound.yaml`.

    Counterexamples are explained in no time, by one setting only.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exploration, "explain", _explain)
    monkeypatch.setattr(planning, "cores", lambda: 1)  # in another process nothing would be changed
    (tmp_path / "template.yaml").write_bytes((DESIGNS_DIR / BROKEN).read_bytes())
    (tmp_path / "sound.yaml").write_bytes((DESIGNS_DIR / SOUND[0]).read_bytes())

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return call


@pytest.fixture
def counterexample(run: Run) -> Path:
    """Return the file of a counterexample to the promise that its design is known to break.

    It is searched for once; afterwards its report is copied.
    """
    if not _FOUND:
        assert run("explore", "template.yaml", "--max-examples=10").exit_code == 1
        (folder,) = Path("reports").glob("*-no-dead-lettering-by-throttling")
        _FOUND.update({path: path.read_bytes() for path in folder.iterdir()})
    for path, content in _FOUND.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return next(path for path in _FOUND if path.name == "scenario.json")


_FOUND: dict[Path, bytes] = {}
