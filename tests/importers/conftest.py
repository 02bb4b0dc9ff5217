from __future__ import annotations

from pathlib import Path

import pytest

from tests.importers.helpers import Read, read_text


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    monkeypatch.chdir(tmp_path)
    return read_text
