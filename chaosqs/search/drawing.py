"""Hypothesis as a library: run a function on drawn values until it stops, quietly, inside or outside of other tests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, currently_in_test_context, given, seed, settings
from hypothesis.errors import FailedHealthCheck, Flaky, Unsatisfiable
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import NotDeterministic, SimulationError

_Value = TypeVar("_Value")

_SUPPRESSED = (
    HealthCheck.too_slow,  # a slow machine is no bug, and a large workload no mistake
    HealthCheck.data_too_large,  # Hypothesis then draws a smaller plan
    HealthCheck.large_base_example,  # grows with the design: one load and one behaviour for each part
)
_SEARCH = (Phase.generate, Phase.target)


class Stop(Exception):
    """Raised by the function to say: this value is what the search is for."""


def hunt(
    strategy: SearchStrategy[_Value],
    function: Callable[[_Value], None],
    *,
    max_examples: int,
    random_seed: int,
    shrinking: bool = False,
) -> bool:
    """Call a function on drawn values until it raises `Stop`; then, if `shrinking`, on smaller ones, the smallest last.

    Return whether it raised. Raises `NotDeterministic` where one value gave two answers, `SimulationError` where
    nothing could be drawn, and what the function raises otherwise.
    """
    options = _settings(max_examples, (*_SEARCH, Phase.shrink) if shrinking else _SEARCH)
    return _in_no_other_test(lambda: _hunt(strategy, function, options, random_seed))


def draws(strategy: SearchStrategy[_Value], number: int) -> list[_Value]:
    """Return so many values of a strategy, or all where it has fewer; always the same ones."""
    drawn: list[_Value] = []
    options = _settings(number, (Phase.generate,))
    _in_no_other_test(lambda: _hunt(strategy, drawn.append, options, 0))
    return drawn


def _settings(max_examples: int, phases: tuple[Phase, ...]) -> settings:
    return settings(
        max_examples=max_examples,
        database=None,  # a search has a memory of its own
        phases=phases,
        deadline=None,  # virtual time is what counts here
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=_SUPPRESSED,
    )


def _hunt(
    strategy: SearchStrategy[_Value], function: Callable[[_Value], None], options: settings, random_seed: int
) -> bool:
    @options
    @seed(random_seed)
    @given(strategy)
    def case(value: _Value) -> None:
        function(value)

    try:
        case()
    except Stop:
        return True
    except Flaky as error:
        raise NotDeterministic(f"one scenario was judged in two ways: {error}") from error
    except (Unsatisfiable, FailedHealthCheck) as error:
        raise SimulationError(f"no scenarios could be drawn: {error}") from error
    return False


def _in_no_other_test(run: Callable[[], bool]) -> bool:
    """Run here, or, where a test of Hypothesis's runs here already, in a thread of its own: it forbids nesting."""
    if not currently_in_test_context():
        return run()
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(run).result()
