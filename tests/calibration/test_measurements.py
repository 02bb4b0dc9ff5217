"""The fake reproduces measurements of real AWS and the implications of the seeds by one set of assumptions."""

from __future__ import annotations

import json
import random

import pytest
from _pytest.mark.structures import ParameterSet

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.scenario import Scenario
from chaosqs.project.settings import ENSEMBLE, ensemble
from tests.calibration import figures
from tests.calibration.designs import one_mapping, under
from tests.calibration.figures import Figure
from tests.calibration.rows import ROWS
from tools.ensemble import ORDER, step


def _named(*, slow: bool) -> list[ParameterSet]:
    chosen = [figure for figure in ROWS if figure.slow is slow]
    return [pytest.param(figure, id=f"{index}-{figure.row}-{figure.name}") for index, figure in enumerate(chosen)]


@pytest.mark.parametrize("figure", _named(slow=False))
def test_a_figure_fits(figure: Figure) -> None:
    """The median of 20 seeds lies where the measurement says."""
    assert figure.low <= figure.got() <= figure.high


@pytest.mark.deep
@pytest.mark.parametrize("figure", _named(slow=True))
def test_a_figure_of_a_long_run_fits(figure: Figure) -> None:
    """The same for runs of 100,000 messages."""
    assert figure.low <= figure.got() <= figure.high


@pytest.mark.deep
def test_C8_another_era_misses_the_measurement() -> None:
    """The negative control: under the law of 2023 two minutes give far more than the 127 instances of 2018."""
    assert figures.after_minutes(30_000, 1, "2023-11") > 2 * 67


# The ensemble: `make ensemble` judged each member by six seeds --------------------------------------------------------

MEMBERS = ensemble()


def misses(member: Assumptions, *rows: str) -> list[str]:
    """Return the figures of some rows that a member misses."""
    with under(member, range(6)):
        figures_of = [figure for figure in ROWS if figure.row in rows and not figure.slow]
        return [figure.row for figure in figures_of if not figure.low <= figure.got() <= figure.high]


def test_the_ensemble_is_of_valid_and_different_assumptions_the_default_first() -> None:
    """Each is in its ranges, and no two are alike."""
    assert MEMBERS[0] == Assumptions()
    assert len(set(MEMBERS)) == len(MEMBERS) >= 10
    for member in MEMBERS:
        assert Scenario(one_mapping(), assumptions=member).assumptions == member


def test_the_figures_of_each_member_are_committed_and_fit() -> None:
    """Those of all rows that some assumption bears on, but for the slow ones and those of errors."""
    figures_of = {f"{each.row} {each.configuration}: {each.name}": each for each in ROWS if not each.slow}
    wanted = {name for name, figure in figures_of.items() if figure.row in ORDER}
    for member in json.loads(ENSEMBLE.read_text(encoding="utf-8"))["members"]:
        assert set(member["fit"]) == wanted
        assert all(figures_of[name].low <= got <= figures_of[name].high for name, got in member["fit"].items())


def test_a_walk_takes_the_same_steps_for_the_same_seed() -> None:
    """So `make ensemble` writes the same file; every step stays within the ranges."""
    steps = [step(random.Random(3), Assumptions()) for _ in range(2)]
    assert steps[0] == steps[1] != Assumptions()
    assert Scenario(one_mapping(), assumptions=steps[0]).assumptions == steps[0]


@pytest.mark.parametrize("member", MEMBERS[1:3], ids=["second", "third"])
def test_a_member_of_the_ensemble_fits_the_cheap_rows(member: Assumptions) -> None:
    """All rows are left to the long tests."""
    assert misses(member, "C4", "A13", "A17", "C2", "C10") == []


def test_an_assumption_that_is_moved_far_misses_a_row() -> None:
    """The negative control: the rows tell sets apart."""
    assert misses(Assumptions(throttle_retry=200), "C4", "A13", "A17", "C2", "C10")


@pytest.mark.deep
@pytest.mark.parametrize("place", range(1, len(MEMBERS)))
def test_each_member_of_the_ensemble_fits_all_rows(place: int) -> None:
    """Except C7, C8 and A10, which cost as much as all others; C7 and A12 judge what errors cost for the default."""
    assert misses(MEMBERS[place], *sorted({figure.row for figure in ROWS} - {"C7", "C8", "A10", "A12"})) == []
