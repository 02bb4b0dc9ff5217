"""A promise of a project's own as an item of pytest."""

import pytest

from tests.plugin.projects import BRIEFLY

INVARIANTS = """
import chaosqs

@chaosqs.invariant("A promise with a mistake in it.")
def mistaken(history):
    return {}["seven"]

@chaosqs.invariant("Something happens.")
def something_happens(history):
    assert history.events
"""


def test_invariants_of_the_projects_own_are_items(sound: pytest.Pytester) -> None:
    """One that holds passes; one that fails itself fails, with its traceback, and is called inconclusive."""
    sound.makepyprojecttoml(
        "[tool.pytest.ini_options]\n[tool.chaosqs]\n"
        'invariants = ["promises.py:mistaken", "promises.py:something_happens"]\n'
    )
    (sound.path / "promises.py").write_text(INVARIANTS, encoding="utf-8")
    result = sound.runpytest("--chaosqs", BRIEFLY, "-k", "mistaken or something", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["*mistaken is inconclusive, as judging it failed:*", "*KeyError: 'seven'*", "*mistaken*INCONCLUSIVE*"]
    )
