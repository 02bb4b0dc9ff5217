"""Whether a verdict hangs on what AWS does not document: each assumption at the ends of its range, one by one."""

from __future__ import annotations

import attrs

from chaosqs.explorer.panel import Panel
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.scenario import Scenario


def hanging(panel: Panel) -> tuple[str, ...]:
    """Return, as texts, the assumptions that decide: at an end of the range the invariant would hold.

    `throttle_retry 2,000 ms (holds at 100 ms)`.
    """
    found: list[str] = []
    for field in attrs.fields(Assumptions):
        now = getattr(panel.scenarios[0].assumptions, field.name)
        unit = field.metadata["unit"]
        ends = [end for end in (field.metadata["low"], field.metadata["high"]) if end != now]
        good = [f"{end:,} {unit}" for end in ends if not _violated(panel, field.name, end)]
        if good:
            found.append(f"{field.name} {now:,} {unit} (holds at {' and '.join(good)})")
    return tuple(found)


def _violated(panel: Panel, name: str, value: int) -> bool:
    """Tell whether the invariant is violated in any world of the panel, with another value of one assumption."""

    def changed(world: Scenario) -> Scenario:
        return attrs.evolve(world, assumptions=attrs.evolve(world.assumptions, **{name: value}))

    answers = [panel.oracle.variation(changed(world)) for world in panel.scenarios]
    return any(answer is None or answer.violated for answer in answers)
