"""The fake reproduces measurements of real AWS and the implications of the seeds by one set of assumptions."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from tests.calibration import figures
from tests.calibration.figures import Figure
from tests.calibration.rows import ROWS


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
