"""An event source mapping that is changed while it polls: new pollers take the place of old ones (EC-21, EC-23)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.simulator.mapping import Mapping


def succeed(mapping: Mapping, former: Sequence[Mapping]) -> None:
    """Start a mapping in the place of those that have retired, which finish what their pollers carry.

    Assumed: a mapping counts these batches too, so all its pollers together stay below the ceiling (ES-3, MC-1).
    """
    scaling, law = mapping.scaling, mapping.scaling.law

    def make_room() -> None:
        taken = sum(one.crew.busy for one in former)
        scaling.law = attrs.evolve(law, ceiling=max(0, law.ceiling - taken))

    def left() -> None:
        make_room()
        mapping.crew.grow_later()

    for one in former:
        one.crew.left = left
    if former:
        make_room()
        scaling.pollers = min(scaling.pollers, scaling.law.ceiling)
    mapping.start()
