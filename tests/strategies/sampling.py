"""Many values of a strategy, drawn once."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

_Value = TypeVar("_Value")


def sample(strategy: SearchStrategy[_Value], number: int = 800) -> list[_Value]:
    drawn: list[_Value] = []

    @settings(max_examples=number, phases=[Phase.generate], database=None, suppress_health_check=[HealthCheck.too_slow])
    @given(strategy)
    def draw(value: _Value) -> None:
        drawn.append(value)

    draw()
    return drawn
