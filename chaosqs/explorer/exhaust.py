"""Small-scope exhaustion: every placement of a few faults and pauses in a small world, so that a pass is a proof.

How the plans are built, and which are left out because a run stands for them: `chaosqs.explorer.frontier`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explorer.exhaustion import Bound, Exhaustion
from chaosqs.explorer.finding import Finding
from chaosqs.explorer.frontier import Frontier
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.explorer.shrink import without_end
from chaosqs.explorer.sweep import Trial, finding
from chaosqs.invariants import DEFAULT, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.fault import Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst, arrivals

MESSAGES, FAULTS, PAUSES, MAX_RUNS = 2, 2, 0, 20_000
"""The bound where nobody says another."""
_MOST_MESSAGES = 100


def exhaust(  # noqa: PLR0913 - each is a part of the question, and all but one have an answer
    start: Design | Scenario,
    mapping: str = "",
    *,
    name: str = "design",
    invariants: Sequence[Invariant] = DEFAULT,
    behaviours: Mapping[str, Behaviour] | None = None,
    messages: int | None = None,
    faults: int = FAULTS,
    pauses: int = PAUSES,
    max_runs: int = MAX_RUNS,
) -> Exhaustion:
    """Try every placement of up to so many `faults` and `pauses` in a small world, the fewest and simplest first.

    Of a design: a burst of 1 up to so many `messages` (2), in one message group on a FIFO queue, comes to the queue of
    the mapping (`orders→worker`; needed only where there are several), and luck is calm; functions that have no entry
    in `behaviours` behave as `Behaviour()`. Of a scenario: all is as it says, its luck and its faults included. The
    result is a proof within this bound, unless `max_runs` simulations are spent before; then nothing counts as kept.
    Raises `InvalidInput` for a mapping that the design does not have and for numbers out of range, `NotDeterministic`
    where the simulator contradicts itself, and what the simulator raises.
    """
    _check(start, messages, faults, pauses, max_runs)
    design = start.design if isinstance(start, Scenario) else start
    place = _place(design, mapping)
    worlds = _worlds(start, place, behaviours or {}, messages or MESSAGES)
    most = max(len(arrivals(world.workload)) for world in worlds)
    bound = Bound(most, faults, pauses, max_runs)
    walk = Frontier(bound, [Trial(Oracle(invariant, place.queue)) for invariant in invariants])
    if place.enabled:
        walk.walk([_lasting(world, bound) for world in worlds])
    return _exhaustion(name, place, walk)


def _check(start: Design | Scenario, messages: int | None, faults: int, pauses: int, max_runs: int) -> None:
    """Refuse a bound that means nothing."""
    numbers = {"messages": (messages, 1), "faults": (faults, 0), "pauses": (pauses, 0), "max_runs": (max_runs, 1)}
    for field, (value, least) in numbers.items():
        if value is not None and value < least:
            raise InvalidInput(f"{field} = {value}: must be {least} or more")
    if (messages or 0) > _MOST_MESSAGES:
        raise InvalidInput(f"messages = {messages}: must be {_MOST_MESSAGES} or less, as all are tried one by one")
    if messages is not None and isinstance(start, Scenario):
        raise InvalidInput(f"messages = {messages}: a scenario has a workload of its own")


def _place(design: Design, mapping: str) -> EventSourceMapping:
    places = [place for place in design.mappings if mapping in {"", place.name}]
    if len(places) == 1:
        return places[0]
    names = ", ".join(place.name for place in design.mappings) or "none"
    raise InvalidInput(f"mapping = {mapping!r}: must be one of the design's: {names}")


def _worlds(
    start: Design | Scenario, place: EventSourceMapping, given: Mapping[str, Behaviour], messages: int
) -> list[Scenario]:
    """Return what plans are tried in."""
    if isinstance(start, Scenario):
        return [attrs.evolve(start, behaviours={**start.behaviours, **given})]
    groups = 1 if start.queue(place.queue).fifo else 0
    return [Scenario(start, [Burst(place.queue, count, groups=groups)], given) for count in range(1, messages + 1)]


def _lasting(world: Scenario, bound: Bound) -> Scenario:
    """Return a world that lasts as long as the worst plan can take: one end for all, so that histories compare."""
    worst = attrs.evolve(
        world.faults,
        messages=(*world.faults.messages, *[("timeout",)] * bound.faults),
        sends=(*world.faults.sends, *["lost_send"] * bool(bound.faults)),
        pauses=(*world.faults.pauses, *[Pause(world.design.mappings[0].name, 1, 1)] * bound.pauses),
    )
    until = ending(attrs.evolve(world, faults=worst)).until
    return attrs.evolve(world, until=max(until or 0, world.until or 0))


def _exhaustion(name: str, place: EventSourceMapping, walk: Frontier) -> Exhaustion:
    """Return what came of a walk."""
    done = Exhaustion(
        design=name,
        mapping=place.name,
        bound=walk.bound,
        runs=walk.runs,
        histories=len(walk.digests),
        same_call=walk.same_call,
        complete=walk.complete if place.enabled else walk.bound.depth,
        kinds=tuple(walk.kinds),
    )
    return attrs.evolve(done, findings=tuple(_finding(trial, place, done.stopped) for trial in walk.trials))


def _finding(trial: Trial, place: EventSourceMapping, stopped: str) -> Finding:
    """Return what was found about one invariant; where the walk was `stopped`, that is why nothing holds."""
    oracle, scenario = trial.oracle, trial.tally.violating
    name = oracle.invariant.name
    if not place.enabled:
        return Finding(place.name, name, Verdict(name, Status.NOT_APPLICABLE, f"{place.name} is switched off"), 0)
    if scenario is not None:
        fitted = ending(scenario)
        smallest = without_end(fitted if oracle.violated(fitted) else scenario, oracle)
        return finding(trial, place.name, smallest)
    found = finding(trial, place.name)
    if not stopped or found.verdict.status not in {Status.HOLDS, Status.NOT_EXERCISED}:
        return found
    return attrs.evolve(found, verdict=Verdict(name, Status.INCONCLUSIVE, f"{stopped}: no proof"))
