"""Settings of the project's own tests: how Hypothesis searches, and that pytester tests the plugin."""

import gc

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]

# No deadline: a slow machine is no bug. The gates repeat the same examples, so that a failure means the
# change; `make deep` draws new ones.
settings.register_profile("house", deadline=None, derandomize=True)
settings.register_profile("house-deep", deadline=None, max_examples=2_000, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile; Hypothesis's own `--hypothesis-profile` comes later and wins."""
    deep = config.getoption("--chaosqs-profile", default=None) == "deep"
    settings.load_profile("house-deep" if deep else "house")


def pytest_collection_finish() -> None:
    """Leave out of garbage collection what was imported, and collect less often: searches spent a tenth of it there."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
