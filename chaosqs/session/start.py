"""From what pytest was asked to the items that it gets."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explorer.replay import Outcome
from chaosqs.session.nodes import ROOT, Leaf
from chaosqs.session.outcome import Told, told
from chaosqs.session.planning import Options, Plan, plan
from chaosqs.session.questions import Question
from chaosqs.session.replaying import Replayed, read_counterexample, replayed
from chaosqs.session.wording import relative_to, spelt


@attrs.frozen
class Items:
    """The items of a session, and what its summary says besides."""

    leaves: tuple[Leaf, ...]
    notices: tuple[str, ...] = ()


def items(options: Options, *, judge: bool, replay: str | None, selected: tuple[str, ...]) -> Items:
    """Return the items: one a question if designs are to be judged, and one for a counterexample.

    `selected`: ids of items, or what they begin with; empty: all. Raises `InvalidInput` where something is wrong.
    """
    planned = plan(options) if judge else None
    leaves = [_leaf(question, planned) for question in planned.questions] if planned else []
    if replay is not None:
        leaves.append(_replay(options.here / replay, options.root))
    return Items(_selected(leaves, selected), planned.notices if planned else ())


def _leaf(question: Question, planned: Plan) -> Leaf:
    return Leaf(tuple(map(spelt, question.parts)), question.path, partial(_ask, question, planned))


def _ask(question: Question, planned: Plan) -> Told:
    return told(planned.answer(question), strict=planned.strict)


def _replay(path: Path, root: Path) -> Leaf:
    read_counterexample(path, root)  # so that a file that is none is refused before anything runs
    return Leaf(("replay", spelt(relative_to(root, path))), path, lambda: _told(replayed(path, root)))


def _told(again: Replayed) -> Told:
    line = f"{again.file}: {again.outcome}"
    if again.outcome is Outcome.FIXED:
        return Told(again.place, line=line)
    headline = f"{again.outcome}: {again.counterexample.violation.text}"
    return Told(again.place, headline, f"{again.outcome}\n\n{again.story}", line=line)


def _selected(leaves: Iterable[Leaf], selected: tuple[str, ...]) -> tuple[Leaf, ...]:
    everything = tuple(leaves)
    if not selected:
        return everything
    for given in selected:
        if not any(_matches(leaf.node_id, given) for leaf in everything):
            raise InvalidInput(f"not found: {given}\n`pytest --chaosqs --collect-only -q -m {ROOT}` lists the ids.")
    return tuple(leaf for leaf in everything if any(_matches(leaf.node_id, given) for given in selected))


def _matches(node_id: str, given: str) -> bool:
    """Tell whether an id is the given one or begins with it; `->` may stand for the arrow."""
    there, wanted = node_id.replace("→", "->"), given.replace("→", "->")
    return there == wanted or there.startswith(f"{wanted}::")
