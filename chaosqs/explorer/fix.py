"""What prevents a counterexample: single changes of the design that survive every trial, the smallest change first.

The trials are the same for all changes: the counterexample with other luck, the calm worlds of the lattice with many
messages, and scenarios drawn as the search draws them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log2

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.explorer.dials import Dial, Value, dials, rank
from chaosqs.explorer.drawing import draws
from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Fix
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.scenario import Scenario
from chaosqs.strategies import scenarios

_LARGE_LOADS = (60, 40, 20, 10, 5)
_UNLIMITED = 1000
"""As what no limit counts when changes are compared."""


@attrs.frozen
class Change:
    """One setting with another value."""

    text: str
    design: Design
    size: float
    """How much it changes: the logarithm of the ratio; a limit that was not there before counts as little."""


def fixes(
    scenario: Scenario, mapping: EventSourceMapping, oracle: Oracle, given: Mapping[str, Behaviour], trials: int
) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, the smallest first; of each setting the smallest.

    On the counterexample itself, a change must also cost nothing else: see `Answer.cures`.
    """
    tests = list(trial_scenarios(scenario, mapping, given, trials))
    before = oracle.answer(ending(scenario))
    proven: list[tuple[float, Fix]] = []
    for ladder in _ladders(scenario.design, mapping):
        for change in ladder:
            after = oracle.redesigned(scenario, change.design)
            if after is not None and after.cures(before) and _survives(change.design, tests, oracle):
                drain = _relative(after.drained, before.drained)
                certain = _excludes(change.design, mapping, oracle)
                proven.append((change.size, Fix(change.text, 0, len(tests), drain, certain)))
                break
    return tuple(fix for _, fix in sorted(proven, key=lambda entry: entry[0]))


def _excludes(design: Design, mapping: EventSourceMapping, oracle: Oracle) -> bool:
    """Tell whether the rules themselves exclude the violation: mappings that fit are never throttled (MC-1, MC-3)."""
    throttling = oracle.invariant.name == NO_DEAD_LETTERING_BY_THROTTLING.name
    return throttling and design.maximum_concurrency_fits(mapping.function)


def trial_scenarios(
    scenario: Scenario, mapping: EventSourceMapping, given: Mapping[str, Behaviour], trials: int
) -> tuple[Scenario, ...]:
    """Return so many scenarios: a quarter the counterexample with other luck, a quarter calm worlds, the rest drawn."""
    own = [attrs.evolve(ending(scenario), luck=luck) for luck in range(max(1, trials // 4))]
    lattice = Lattice(scenario.design, mapping.queue, given)
    calm = [world for count in _LARGE_LOADS for world in lattice.worlds(count)][: trials // 4]
    drawn = draws(scenarios(scenario.design, queue=mapping.queue, behaviours=given), trials - len(own) - len(calm))
    return (*own, *calm, *drawn)


def _survives(design: Design, tests: list[Scenario], oracle: Oracle) -> bool:
    """Tell whether no test violates the invariant. One that does moves to the front: it may well do so again."""
    for place, test in enumerate(tests):
        answer = oracle.redesigned(test, design)
        if answer is None or answer.violated:
            tests.insert(0, tests.pop(place))
            return False
    return True


def _ladders(design: Design, mapping: EventSourceMapping) -> Iterator[list[Change]]:
    """Yield, for each setting that may help, its changes, the smallest first."""
    by_name = {dial.name: dial for dial in dials(design, mapping)}
    timeout = design.function(mapping.function).timeout
    yield _limits(design, mapping, by_name["maximum_concurrency"])
    yield _changes(design, by_name["reserved_concurrency"], (3, 5, 10, 20, 50, 100, None))
    if "max_receive_count" in by_name:
        yield _changes(design, by_name["max_receive_count"], (2, 3, 5, 10, 20, 50))
    yield _changes(design, by_name["visibility_timeout"], tuple(timeout * factor for factor in (2, 3, 6, 12)))
    yield _changes(design, by_name["timeout"], tuple(timeout * factor for factor in (2, 3, 6)))
    yield _changes(design, by_name["batch_size"], (5, 2, 1), up=False)
    yield _changes(design, by_name["batch_size"], (2, 5, 10))
    yield _changes(design, by_name["report_batch_item_failures"], (True,))


def _limits(design: Design, mapping: EventSourceMapping, dial: Dial) -> list[Change]:
    """A maximum concurrency for each mapping of the function: as much as fits, then less."""
    siblings = [other for other in design.mappings_of(mapping.function) if other.enabled]
    room = design.concurrency_limit(mapping.function) // len(siblings)
    values = [value for value in dict.fromkeys((min(1000, max(2, room)), 2)) if value != dial.read(design)]
    text = f"maximum_concurrency = {{}}{' on each mapping of ' + mapping.function if len(siblings) > 1 else ''}"
    return [Change(text.format(value), _limited(design, mapping.function, value), 0.25) for value in values]


def _limited(design: Design, function: str, value: int) -> Design:
    limited = (
        attrs.evolve(mapping, maximum_concurrency=value, provisioned_pollers=None)
        if mapping.function == function
        else mapping
        for mapping in design.mappings
    )
    return attrs.evolve(design, mappings=tuple(limited))


def _changes(design: Design, dial: Dial, values: tuple[Value, ...], *, up: bool = True) -> list[Change]:
    """Return the changes of a dial to larger (or smaller) values, as far as AWS would accept them."""
    value = dial.read(design)
    changes: list[Change] = []
    for other in values if value is not None else ():
        assert value is not None
        if (rank(other) > value) != up or other == value:
            continue
        try:
            changed = dial.write(design, other)
        except InvalidDesign:
            continue
        size = log2(min(rank(other), _UNLIMITED) + 1) - log2(value + 1)
        changes.append(Change(_text(dial, other), changed, abs(size)))
    return changes


def _text(dial: Dial, value: Value) -> str:
    return f"no {dial.name}" if value is None else f"{dial.name} = {value}"


def _relative(after: int | None, before: int | None) -> float | None:
    """Return by how much longer something takes; None where one of the two does not end."""
    return None if after is None or not before else round((after - before) / before, 3)
