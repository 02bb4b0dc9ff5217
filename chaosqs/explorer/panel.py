"""The draws of luck of one counterexample before which a change of its design must prove itself.

In the calm world everything is in step, so a pattern that chance would break can go on for ever. Where the violation
also happens by chance, settings are therefore judged under chance; only where it does not, in the calm world.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explorer.dials import Dial, Value
from chaosqs.explorer.oracle import Answer, Oracle
from chaosqs.explorer.order import ending
from chaosqs.model.counterexample import Rate
from chaosqs.model.scenario import Scenario

_LEAST_SHARE = 0.05
_ENOUGH = 3
"""With so many violations to be expected, none at all is no accident (95 %)."""


@attrs.frozen
class Panel:
    """The scenarios, those that violate the invariant first, and what they come to before any change."""

    oracle: Oracle
    scenarios: tuple[Scenario, ...]
    before: Answer

    def holds(self, dial: Dial, value: Value) -> bool | None:
        """Tell whether the invariant holds with another value, and at no other price; None: it cannot be simulated."""
        answers: list[Answer] = []
        for scenario in self.scenarios:
            try:
                design = dial.write(scenario.design, value)
            except InvalidInput:
                return None
            answer = self.oracle.redesigned(scenario, design)
            if answer is None or answer.violated:
                return None if answer is None else False
            answers.append(answer)
        return _together(answers).cures(self.before)


def panel_of(scenario: Scenario, oracle: Oracle, draws: int) -> tuple[Panel, Rate]:
    """Return the panel of a counterexample, and its rate over luck 0, 1, 2 … (so many draws)."""
    worlds = [attrs.evolve(ending(scenario), luck=luck) for luck in range(draws)]
    violating = [world for world in worlds if oracle.violated(world)]
    rate = Rate(len(violating), draws)
    by_chance = [world for world in violating if world.luck]
    if len(by_chance) < _LEAST_SHARE * draws:
        chosen = [ending(scenario)]
    else:
        size = ceil(_ENOUGH * draws / len(by_chance))
        others = [world for world in worlds if world.luck and not oracle.violated(world)]
        chosen = [*by_chance, *others][:size]
    return Panel(oracle, tuple(chosen), _together([oracle.answer(world) for world in chosen])), rate


def _together(answers: Iterable[Answer]) -> Answer:
    """Return what several runs come to, taken together: they are drained if each of them is."""
    known = tuple(answers)
    ends = [answer.drained for answer in known]
    return Answer(
        violated=any(answer.violated for answer in known),
        processed=sum(answer.processed for answer in known),
        expired=sum(answer.expired for answer in known),
        drained=None if None in ends else max((end for end in ends if end is not None), default=0),
    )
