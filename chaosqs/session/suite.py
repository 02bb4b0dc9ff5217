"""The regression suite that ships with the package, for projects without a design of their own.

It asks about the reference designs, about all designs that can be generated, and, as a canary, about a design that
is known to be broken: a search that finds nothing there would find nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import attrs
from hypothesis.strategies import SearchStrategy

from chaosqs import designs as reference
from chaosqs import invariants
from chaosqs.explorer.finding import Finding
from chaosqs.explorer.search import search_designs
from chaosqs.invariants import Invariant
from chaosqs.model.design import Design
from chaosqs.session.questions import Budget, Question, questions_about
from chaosqs.session.sources import Source, read_source
from chaosqs.strategies import designs

PLACE = Path(reference.__file__).parent
SOUND = ("maximum_concurrency.yaml", "two_queues.yaml", "unreserved.yaml")
"""Reference designs that keep every promise."""
BROKEN = "over_polling.yaml"
"""A design in which messages are dead-lettered by throttling."""


def suite() -> tuple[Question, ...]:
    """Return the questions of the regression suite."""
    sound = [_renamed(name, "reference") for name in SOUND]
    broken = [_renamed(BROKEN, "canary")]
    canary = questions_about(broken, {}, (invariants.NO_DEAD_LETTERING_BY_THROTTLING,))
    return (
        _every_design(
            invariants.NO_DEAD_LETTERING_BY_THROTTLING,
            partial(designs, dead_letter_queues=True, maximum_concurrency_fits=True),
        ),
        _every_design(invariants.AT_LEAST_ONCE_DELIVERY, designs),
        *questions_about(sound, {}),
        *(attrs.evolve(question, canary=True) for question in canary),
    )


def _renamed(name: str, kind: str) -> Source:
    return attrs.evolve(read_source(name, base=PLACE, root=PLACE), name=f"{kind}/{name}")


def _every_design(invariant: Invariant, drawn: Callable[[], SearchStrategy[Design]]) -> Question:
    return Question("every-design", "", invariant, PLACE / "__init__.py", partial(_search, drawn, invariant))


def _search(drawn: Callable[[], SearchStrategy[Design]], invariant: Invariant, budget: Budget) -> Finding:
    return search_designs(
        drawn(), invariant, profile=budget.profile, max_examples=budget.max_examples, seed=budget.seed
    )
