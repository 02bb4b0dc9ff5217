"""Draw scenarios, simulate and judge them, shrink what violates an invariant, explain it, replay it."""

from chaosqs.explorer.exhaust import exhaust
from chaosqs.explorer.exhaustion import Bound, Exhaustion
from chaosqs.explorer.explain import explain
from chaosqs.explorer.exploration import Exploration, counterexample, explore
from chaosqs.explorer.finding import Finding
from chaosqs.explorer.profiles import CI, DEEP, PROFILES, QUICK, Profile, profile_named
from chaosqs.explorer.replay import Outcome, Replay, replay
from chaosqs.explorer.search import search, search_designs
from chaosqs.explorer.shrink import shrink

__all__ = [
    "CI",
    "DEEP",
    "PROFILES",
    "QUICK",
    "Bound",
    "Exhaustion",
    "Exploration",
    "Finding",
    "Outcome",
    "Profile",
    "Replay",
    "counterexample",
    "exhaust",
    "explain",
    "explore",
    "profile_named",
    "replay",
    "search",
    "search_designs",
    "shrink",
]
