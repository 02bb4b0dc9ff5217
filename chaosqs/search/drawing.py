"""Hypothesis as a library: call a function on drawn values until it stops, without output, also inside other tests."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, currently_in_test_context, given, seed, settings
from hypothesis.errors import FailedHealthCheck, Flaky, Unsatisfiable
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import NotDeterministic, SimulationError

_Value = TypeVar("_Value")

_SUPPRESSED = (
    HealthCheck.too_slow,  # a slow machine or a large workload is not a mistake
    HealthCheck.data_too_large,  # Hypothesis then draws a smaller plan
    HealthCheck.large_base_example,  # grows with the design: one load and one behaviour for each part
)
_SEARCH = (Phase.generate, Phase.target)
_CONSTANTS: dict[str, object] = {
    "_get_local_constants": getattr(providers, "Constants", None),  # makes an empty set of constants
    "CONSTANTS_CACHE": LRUCache[object, object](1024),  # not the one of other tests, which may draw them
}


class Stop(Exception):
    """Raised by the function when the search has found its value."""


def hunt(
    strategy: SearchStrategy[_Value],
    function: Callable[[_Value], None],
    *,
    max_examples: int,
    random_seed: int,
    shrinking: bool = False,
) -> bool:
    """Call a function on drawn values until it raises `Stop`; then, if `shrinking`, on smaller ones, the smallest last.

    Return True if it raised. Raises `NotDeterministic` if one value gave two results, `SimulationError` if nothing
    could be drawn, and every other exception of the function.
    """
    options = _settings(max_examples, (*_SEARCH, Phase.shrink) if shrinking else _SEARCH)
    return _in_no_other_test(lambda: _hunt(strategy, function, options, random_seed))


def draws(strategy: SearchStrategy[_Value], number: int, random_seed: int = 0) -> list[_Value]:
    """Return a number of values of a strategy, or all if it has fewer; the same values for the same seed."""
    drawn: list[_Value] = []
    options = _settings(number, (Phase.generate,))
    _in_no_other_test(lambda: _hunt(strategy, drawn.append, options, random_seed))
    return drawn


def _settings(max_examples: int, phases: tuple[Phase, ...]) -> settings:
    return settings(
        max_examples=max_examples,
        database=None,  # searches store scenarios by themselves (`database.py`)
        phases=phases,
        deadline=None,  # only virtual time matters
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
        with _no_constants_of_modules():
            case()
    except Stop:
        return True
    except Flaky as error:
        raise NotDeterministic(f"one scenario was judged in two ways: {error}") from error
    except (Unsatisfiable, FailedHealthCheck) as error:
        raise SimulationError(f"no scenarios could be drawn: {error}") from error
    return False


@contextmanager
def _no_constants_of_modules() -> Generator[None]:
    """Keep Hypothesis from drawing constants that it reads in the source of loaded modules.

    What a seed draws would depend on the modules that happen to be loaded, and reading them takes a second or two.
    """
    names = providers.__dict__
    theirs = {name: names[name] for name in _CONSTANTS if name in names}
    if len(theirs) == len(_CONSTANTS):  # Hypothesis may name them differently one day
        names.update(_CONSTANTS)
    try:
        yield
    finally:
        names.update(theirs)


def _in_no_other_test(run: Callable[[], bool]) -> bool:
    """Run in this thread, or in a new one if a Hypothesis test runs in this one: Hypothesis forbids nested tests."""
    if not currently_in_test_context():
        return run()
    with ThreadPoolExecutor(max_workers=1) as other:
        return other.submit(run).result()
