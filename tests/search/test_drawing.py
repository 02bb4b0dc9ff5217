"""Draws depend on the seed and the strategy, and on nothing else in the process."""

import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from chaosqs.search.drawing import draws


def test_constants_of_loaded_modules_are_not_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hypothesis draws those of local modules otherwise, so that one more import changes what a seed draws."""
    before = draws(st.integers(), 300)
    constants = ", ".join(str(123_456_789_000 + number) for number in range(200))
    (tmp_path / "full_of_constants.py").write_text(f"NUMBERS = [{constants}]\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert len(importlib.import_module("full_of_constants").NUMBERS) == 200
    assert draws(st.integers(), 300) == before
