"""Search budgets by name, shared by the command line, configuration files and tests."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import attrs

from chaosqs.model.behaviour import Behaviour

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
    schedules: int | None = None
    """Cases under scheduling policies, if handlers are real code; None: half of `max_examples`."""
    explain_simulations: int | None = None
    """Simulations that the explanation of one violation may use; None: no limit."""
    messages: int = 150
    """Maximum messages of a load; drawn ones have at most 60."""


QUICK = Profile("quick", max_examples=100, shrink_simulations=2_000, draws=200, trials=200, seed=0)
CI = Profile("ci", max_examples=400, shrink_simulations=2_000, draws=200, trials=400, seed=0)
DEEP = Profile("deep", max_examples=20_000, shrink_simulations=4_000, draws=1_000, trials=2_000, seed=None)
PROFILES = (QUICK, CI, DEEP)

_HANDLER_BUDGETS = {"quick": (100, 10, 200, 40, 200, 12), "ci": (400, 200, 500, 100, 1_500, 20)}
"""By profile: cases, cases under scheduling policies, simulations of each pass of the shrinker, draws and trials,
simulations of an explanation, and messages of a load."""


def for_behaviours(profile: Profile, behaviours: Mapping[str, Behaviour]) -> Profile:
    """Return the profile with the budget for real code, if a behaviour has a directory of code, as a template's has.

    Such code makes clients and calls of AWS, so that its runs cost 20 to 100 times more.
    """
    if profile.name not in _HANDLER_BUDGETS or not any(behaviour.code for behaviour in behaviours.values()):
        return profile
    cases, schedules, shrinking, trials, explaining, messages = _HANDLER_BUDGETS[profile.name]
    return attrs.evolve(
        profile,
        max_examples=min(profile.max_examples, cases),
        schedules=schedules,
        shrink_simulations=min(profile.shrink_simulations, shrinking),
        draws=min(profile.draws, trials),
        trials=min(profile.trials, trials),
        explain_simulations=explaining,
        messages=messages,
    )


def profile_named(name: str) -> Profile:
    """Return the profile with a name. Raises ValueError with the names of all profiles if there is none."""
    for profile in PROFILES:
        if profile.name == name:
            return profile
    raise ValueError(f"no profile is called {name!r}: there are {', '.join(profile.name for profile in PROFILES)}")
