"""The search does not trust the simulator: what runs in two ways proves nothing, and is no finding."""

import pytest

from chaosqs.errors import NotDeterministic
from chaosqs.invariants import CONSERVATION
from chaosqs.model.behaviour import Behaviour
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from tests.search.designs import MAPPING, ROOMY


def test_a_handler_that_contradicts_itself_ends_the_search() -> None:
    """The error names the first event that differs, and carries the scenario."""
    moody = {"worker": Behaviour(handler="tests.search.moody_handlers:handle")}
    with pytest.raises(NotDeterministic, match=r"differ at event \d+:\n  InvocationEnded\(") as raised:
        search(ROOMY, MAPPING, CONSERVATION, behaviours=moody, profile=QUICK)
    assert any("while simulating Scenario(" in note for note in raised.value.__notes__)
