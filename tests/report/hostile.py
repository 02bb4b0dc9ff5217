"""The worst that users can call their things."""

from __future__ import annotations

import attrs
from hypothesis import strategies as st

from chaosqs.model.counterexample import Explanation, Fix, PointOfNoReturn, Rate, Setting
from chaosqs.model.event import DeadLettered, Event, Sent, Throttled

NAMES = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["", "\n\n\n", "a" * 500, "→", "a→b→c", "\x1b[2J", "注文" * 100, "```", "\u202e", "word " * 100]),
)
COUNTS = st.integers(0, 10**6)
GROWTHS = st.none() | st.floats(-1, 100)
EXPLANATIONS = st.builds(
    Explanation,
    settings=st.lists(st.builds(Setting, NAMES, NAMES, NAMES, st.booleans(), NAMES, NAMES), max_size=12).map(tuple),
    faults=st.lists(NAMES, max_size=9).map(tuple),
    rate=st.none() | st.integers(0, 1000).map(lambda violated: Rate(violated, 1000)) | st.just(Rate(0, 0)),
    fixes=st.lists(
        st.builds(
            Fix,
            NAMES,
            COUNTS,
            COUNTS,
            GROWTHS,
            latency=GROWTHS,
            concurrency=GROWTHS,
            breaks=st.lists(NAMES, max_size=2).map(tuple),
        ),
        max_size=9,
    ).map(tuple),
    point_of_no_return=st.none()
    | st.builds(PointOfNoReturn, st.none() | COUNTS, NAMES, COUNTS, COUNTS, st.none() | COUNTS),
    patch=NAMES,
    own_bug=st.booleans(),
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
