"""Fixtures of the plugin's tests.

The modules imported here stay loaded: pytester forgets what a test loads. Hypothesis takes a while to load, and what
is put into botocore must be there once.
"""

import attrs
import hypothesis
import pytest

from chaosqs import user_code
from chaosqs.lambda_ import handlers
from chaosqs.model.explanation import Explanation, Origin
from chaosqs.project import exploration, planning, pytest_hooks
from chaosqs.search import profiles
from chaosqs.wire import botocore_hook, other_services
from tests.plugin.projects import BROKEN, ROOMY, SOUND
from tests.project.kept import RESERVED

_ = (hypothesis, handlers, pytest_hooks, planning, user_code, botocore_hook, other_services)  # they stay loaded


@pytest.fixture(autouse=True)
def _one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search in this process, where a test may have changed something."""
    monkeypatch.setattr(planning, "cores", lambda: 1)


@pytest.fixture
def broken(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project whose template is broken."""
    (pytester.path / "template.yaml").write_text(BROKEN, encoding="utf-8")
    return pytester


@pytest.fixture
def sound(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project whose template keeps all promises."""
    (pytester.path / "template.yaml").write_text(SOUND, encoding="utf-8")
    return pytester


@pytest.fixture
def roomy(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project whose function never runs out of executions."""
    (pytester.path / "template.yaml").write_text(ROOMY, encoding="utf-8")
    return pytester


@pytest.fixture
def briefly_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explain counterexamples in no time, for tests that ask for no more than one setting."""

    def explain(*_: object, origins: dict[str, Origin], **__: object) -> Explanation:
        return Explanation((attrs.evolve(RESERVED, origin=origins.get("functions[0].reserved_concurrency")),))

    monkeypatch.setattr(exploration, "explain", explain)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave everything as it is, but less thorough."""
    quick = attrs.evolve(profiles.QUICK, shrink_simulations=30, draws=5, trials=5)
    monkeypatch.setattr(profiles, "PROFILES", (quick,))
