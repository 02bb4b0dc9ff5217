"""One run of a scenario in which an alternative takes the place of a function's event source mappings."""

import attrs

from chaosqs.comparison.polling import Polling
from chaosqs.comparison.pushing import Pushing
from chaosqs.comparison.simulation import AlternativeSimulation, Road
from chaosqs.comparison.streaming import Streaming
from chaosqs.errors import InvalidScenario
from chaosqs.model.alternative import (
    Alternative,
    RateLimitedFront,
    SelfPolling,
    Stream,
    check_replacement,
    taken_over,
    with_replacement,
)
from chaosqs.model.events import DeadLettered, Deleted, Event, Expired, InvocationEnded
from chaosqs.model.figures import Happened, Note
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks


@attrs.frozen
class Journey:
    """A run of an alternative."""

    history: History
    """History of the run; its scenario lacks the mappings that the alternative has replaced."""
    notes: tuple[Note, ...]
    """Facts about messages for which histories have no event."""


def journey(scenario: Scenario, alternative: Alternative) -> Journey:
    """Run a scenario with an alternative in it; raise `InvalidScenario` if the alternative does not fit."""
    checks = Checks("")
    check_replacement(checks, scenario, alternative)
    if checks.problems:
        raise InvalidScenario(checks.problems)
    simulation = AlternativeSimulation.of(with_replacement(scenario, alternative))
    simulation.diverted, simulation.road = taken_over(scenario.design, alternative), _road(alternative, simulation)
    simulation.road.start()
    history = simulation.run()
    drained = None if history.drained_at_ms is None else _drained(history.events, simulation.notes)
    return Journey(attrs.evolve(history, drained_at_ms=drained), tuple(simulation.notes))


def _road(alternative: Alternative, simulation: AlternativeSimulation) -> Road:
    match alternative:
        case SelfPolling():
            return Polling(alternative, simulation)
        case RateLimitedFront():
            return Pushing(alternative, simulation)
        case Stream():
            return Streaming(alternative, simulation)


def _drained(events: tuple[Event, ...], notes: list[Note]) -> int:
    """Return when the last message was gone; invocations without messages do not count."""
    moments = [event.at for event in events if isinstance(event, Deleted | DeadLettered | Expired)]
    moments += [event.at for event in events if isinstance(event, InvocationEnded) and event.messages]
    moments += [note.at for note in notes if note.what is not Happened.REFUSED]
    return max(moments, default=0)
