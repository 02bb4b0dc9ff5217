"""One run of a scenario in which an alternative takes the place of a function's event source mappings."""

from __future__ import annotations

from typing import Protocol

import attrs

from chaosqs.comparison.polling import Polling
from chaosqs.comparison.pushing import Pushing
from chaosqs.comparison.simulation import Ground
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
from chaosqs.model.event import DeadLettered, Deleted, Event, Expired, InvocationEnded
from chaosqs.model.figures import Happened, Note
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks
from chaosqs.model.workload import Arrival
from chaosqs.simulation.run import World


class Road(Protocol):
    """How messages come to a function."""

    @property
    def busy(self) -> bool:
        """Whether something is left to do."""
        ...

    @property
    def idling(self) -> int:
        """How many invocations only look for something to do."""
        ...

    def start(self) -> None:
        """Begin, at the start of the run."""
        ...

    def send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        """Take messages that come at one moment."""
        ...


@attrs.define(eq=False)
class AlternativeWorld(World):
    """A world in which messages to some queues take another road."""

    road: Road | None = None
    diverted: tuple[str, ...] = ()

    def done(self) -> bool:
        """Tell whether nothing is left on this road either; those who look in vain are not waited for."""
        assert self.road is not None
        if self.to_come or self.service.to_come or self.road.busy or self.functions.running > self.road.idling:
            return False
        return not any(mapping.carried or mapping.state.machine.stored for mapping in self.mappings)

    def _send(self, batch: tuple[tuple[int, Arrival], ...]) -> None:
        assert self.road is not None
        diverted = tuple(entry for entry in batch if entry[1].queue in self.diverted)
        self.to_come -= len(diverted)
        super()._send(tuple(entry for entry in batch if entry[1].queue not in self.diverted))
        self.road.send(diverted)


@attrs.frozen
class Journey:
    """A run of an alternative."""

    history: History
    """Its scenario lacks the mappings that the alternative has replaced; it has no event for what `notes` tell."""
    notes: tuple[Note, ...]


def journey(scenario: Scenario, alternative: Alternative) -> Journey:
    """Run a scenario with an alternative in it. Raises `InvalidScenario` where it does not fit."""
    checks = Checks("")
    check_replacement(checks, scenario, alternative)
    if checks.problems:
        raise InvalidScenario(checks.problems)
    world = AlternativeWorld.of(with_replacement(scenario, alternative))
    assert isinstance(world, AlternativeWorld)
    functions, service = world.functions, world.service
    ground = Ground(scenario, world.event_queue, functions.streams, functions.record, service, functions)
    world.diverted, world.road = taken_over(scenario.design, alternative), _road(alternative, ground)
    world.road.start()
    history = world.run()
    drained = None if history.drained_at is None else _drained(history.events, ground.notes)
    return Journey(attrs.evolve(history, drained_at=drained), tuple(ground.notes))


def _road(alternative: Alternative, ground: Ground) -> Road:
    match alternative:
        case SelfPolling():
            return Polling(alternative, ground)
        case RateLimitedFront():
            return Pushing(alternative, ground)
        case Stream():
            return Streaming(alternative, ground)


def _drained(events: tuple[Event, ...], notes: list[Note]) -> int:
    """Return when the last message was gone; looking in vain, as chains do, is no work."""
    moments = [event.at for event in events if isinstance(event, Deleted | DeadLettered | Expired)]
    moments += [event.at for event in events if isinstance(event, InvocationEnded) and event.messages]
    moments += [note.at for note in notes if note.what is not Happened.REFUSED]
    return max(moments, default=0)
