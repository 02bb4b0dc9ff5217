"""Assumptions about AWS, drawn: each at its measured default, or at one of the ends of its range."""

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.assumptions import Assumptions

_MOST_CHANGED = 3


def ends() -> list[tuple[str, int]]:
    """Return the name of each assumption with each end of its range, in the order of their definition."""
    return [
        (field.name, end)
        for field in attrs.fields(Assumptions)
        for end in (field.metadata["low"], field.metadata["high"])
        if end != field.default
    ]


def assumptions() -> SearchStrategy[Assumptions]:
    """Return a strategy for assumptions; the simplest are the measured defaults, and at most three are changed."""
    others = st.lists(st.sampled_from(ends()), max_size=_MOST_CHANGED, unique_by=lambda entry: entry[0])
    return others.map(lambda chosen: attrs.evolve(Assumptions(), **dict(chosen)))
