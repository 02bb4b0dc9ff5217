"""The worst that users can call their things."""

from __future__ import annotations

from typing import get_args

import attrs
from hypothesis import strategies as st

from chaosqs.model.events import DeadLettered, Event, Sent, Throttled
from chaosqs.model.explanation import (
    AssumptionRate,
    AssumptionVerdict,
    AtAPrice,
    Change,
    Ensemble,
    EnsembleWord,
    Evidence,
    Explanation,
    Fix,
    LoadSensitivity,
    Origin,
    Part,
    PointOfNoReturn,
    Premise,
    PremiseKind,
    Price,
    Rarer,
    ResourceKind,
    Setting,
    SettingPath,
    Side,
    Threshold,
    Toll,
    Unknown,
    VerdictWord,
)
from chaosqs.model.faults import FaultPlan, Window

NAMES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["", "\n\n\n", "a" * 500, "→", "a→b→c", "\x1b[2J", "注文" * 100, "```", "\u202e", "word " * 100]),
)
COUNTS = st.integers(0, 10**6)
VALUES = st.none() | st.booleans() | COUNTS
MAYBE = VALUES | st.builds(Unknown, NAMES)
GROWTHS = st.none() | st.floats(-1, 100)
PATHS = st.builds(SettingPath, st.sampled_from(get_args(ResourceKind)), NAMES, NAMES)
EVIDENCE = st.tuples(COUNTS, COUNTS).map(lambda found: Evidence(min(found), max(found), "larger_loads"))
THRESHOLDS = st.builds(Threshold, st.sampled_from(get_args(Side)), VALUES, EVIDENCE, COUNTS, COUNTS, COUNTS)
SETTINGS = st.builds(
    Setting,
    PATHS,
    MAYBE,
    st.lists(THRESHOLDS, max_size=3).map(tuple),
    st.none() | st.builds(Origin, NAMES, COUNTS, NAMES),
    st.none() | st.builds(LoadSensitivity, COUNTS, EVIDENCE, COUNTS, EVIDENCE),
    st.none() | st.builds(Rarer, st.sampled_from(get_args(Side)), VALUES, EVIDENCE, EVIDENCE),
    st.none()
    | st.builds(
        AtAPrice,
        st.sampled_from(get_args(Side)),
        VALUES,
        st.lists(st.sampled_from(get_args(Toll)), min_size=1, max_size=3).map(tuple),
    ),
    st.lists(VALUES, max_size=3).map(tuple),
)
PREMISES = st.builds(
    Premise,
    st.sampled_from(sorted({*get_args(PremiseKind)} - {"duration"})),
    NAMES,
    NAMES,
    COUNTS,
    COUNTS,
    EVIDENCE,
    COUNTS,
)
FIXES = st.builds(
    Fix,
    st.lists(st.builds(Change, PATHS, MAYBE, VALUES), max_size=3).map(tuple),
    EVIDENCE,
    st.builds(Price, GROWTHS, GROWTHS, GROWTHS),
    st.sampled_from(((), ("MC-1",))),
    st.lists(NAMES, max_size=2).map(tuple),
    NAMES,
    st.none() | EVIDENCE,
    COUNTS,
    st.booleans(),
    COUNTS,
)
FAULTS = st.builds(
    FaultPlan,
    st.lists(st.lists(NAMES, max_size=2), max_size=2),
    windows=st.lists(st.builds(Window, NAMES, NAMES, st.floats(0, 9), st.floats(0, 9)), max_size=1),
)
ASSUMPTIONS = st.builds(AssumptionVerdict, NAMES, COUNTS, st.sampled_from(get_args(VerdictWord)))
ENSEMBLES = st.builds(
    Ensemble,
    st.sampled_from(get_args(EnsembleWord)),
    COUNTS,
    COUNTS,
    COUNTS,
    st.none() | EVIDENCE,
    st.none() | EVIDENCE,
    st.lists(st.builds(AssumptionRate, NAMES, COUNTS, EVIDENCE), max_size=4).map(tuple),
    st.lists(NAMES, max_size=3).map(tuple),
    COUNTS,
)
EXPLANATIONS = st.builds(
    Explanation,
    st.lists(SETTINGS, max_size=12).map(tuple),
    st.lists(PREMISES, max_size=3).map(tuple),
    faults=st.lists(FAULTS, max_size=3).map(tuple),
    rate=st.none() | EVIDENCE,
    fixes=st.lists(FIXES, max_size=9).map(tuple),
    assumptions=st.none() | st.lists(ASSUMPTIONS, max_size=3).map(tuple),
    point_of_no_return=st.none()
    | st.builds(PointOfNoReturn, EVIDENCE, st.none() | COUNTS, st.none() | st.integers(-9, 99), st.none() | COUNTS),
    unfinished=st.lists(st.sampled_from(get_args(Part)), unique=True).map(tuple),
    own_bug=st.booleans(),
    outdated=st.booleans(),
    cause=NAMES,
    ensemble=st.none() | ENSEMBLES,
)


def hostile(event: Event, name: str) -> Event:
    """Return an event in which all names are a user's worst."""
    match event:
        case Sent():
            return attrs.evolve(event, queue=name)
        case DeadLettered():
            return attrs.evolve(event, target=name)
        case Throttled():
            return attrs.evolve(event, reason=name, fault=name)
        case _:
            return event
