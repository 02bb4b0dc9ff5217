"""Search budgets by name, shared by the command line, configuration files and tests."""

from typing import Literal, TypeAlias

import attrs

ProfileName: TypeAlias = Literal["quick", "ci", "deep"]


@attrs.frozen
class Profile:
    """The budget of a search and of what explains its result."""

    name: str
    max_examples: int
    """Cases that the search of one invariant on one mapping draws, unless it finds a violation earlier."""
    shrink_simulations: int
    """Simulations that each pass of the shrinker may use."""
    draws: int
    """Seeds from which the rate of a counterexample is counted."""
    trials: int
    """Scenarios in which a fix must prove itself."""
    seed: int | None
    """Seed of the search where the user gives none; None: a new one each time."""


QUICK = Profile("quick", max_examples=100, shrink_simulations=2_000, draws=200, trials=200, seed=0)
CI = Profile("ci", max_examples=400, shrink_simulations=2_000, draws=200, trials=400, seed=0)
DEEP = Profile("deep", max_examples=20_000, shrink_simulations=4_000, draws=1_000, trials=2_000, seed=None)
PROFILES = (QUICK, CI, DEEP)


def profile_named(name: str) -> Profile:
    """Return the profile with a name. Raises ValueError with the names of all profiles if there is none."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise ValueError(f"no profile is called {name!r}: there are {', '.join(profile.name for profile in PROFILES)}")
