"""The digest sees each field of each event."""

from __future__ import annotations

from copy import copy

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.search.designs import over_polling

HISTORY = simulate(Scenario(over_polling(), [Burst("orders", 12)], {"worker": Behaviour(29)}))
KINDS = sorted({type(event) for event in HISTORY.events}, key=lambda kind: kind.__name__)


def with_another(index: int, name: str) -> History:
    """Return the history in which one field of one event is another one."""
    event = HISTORY.events[index]
    changed = copy(event)
    object.__setattr__(changed, name, _other(getattr(event, name)))
    return attrs.evolve(HISTORY, events=(*HISTORY.events[:index], changed, *HISTORY.events[index + 1 :]))


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case tuple():
            return () if value else (99,)
        case _:
            return 99


TOLD = ("answer", "contents", "output", "place", "trace")
"""Fields that only explain an event, in the words of the user's code, which may differ from run to run."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_of_every_event_counts(kind: type) -> None:
    """Whatever is another one, be it by a millisecond, is another history."""
    index = next(index for index, event in enumerate(HISTORY.events) if isinstance(event, kind))
    names = [field.name for field in attrs.fields(type(HISTORY.events[index])) if field.name not in TOLD]
    assert [name for name in names if with_another(index, name).digest == HISTORY.digest] == []
