"""Values of a strategy: many, drawn once, and the simplest."""

from collections.abc import Callable
from typing import TypeVar

from hypothesis import HealthCheck, Phase, find, given, settings
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


def simplest(strategy: SearchStrategy[_Value], wanted: Callable[[_Value], bool] = lambda _: True) -> _Value:
    """Return the simplest value that is wanted; without Hypothesis's explanation, which draws a hundred more."""
    phases = [phase for phase in Phase if phase is not Phase.explain]
    return find(strategy, wanted, settings=settings(max_examples=2000, phases=phases, database=None))
