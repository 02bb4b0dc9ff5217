"""From what pytest was asked to the items that it gets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explorer.replay import Outcome
from chaosqs.session.corpus import FOLDER, corpus_of, files_of, kept_in
from chaosqs.session.counterexamples import read_counterexample
from chaosqs.session.nodes import ROOT, Leaf
from chaosqs.session.outcome import Told, told
from chaosqs.session.place import Place
from chaosqs.session.planning import Options, Plan, plan
from chaosqs.session.questions import Question
from chaosqs.session.replaying import Replayed, replayed, replayed_today
from chaosqs.session.wording import first_line, relative_to, spelt


@attrs.frozen
class Items:
    """The items of a session, and what its summary says besides."""

    leaves: tuple[Leaf, ...]
    notices: tuple[str, ...] = ()


def items(options: Options, *, judge: bool, replay: str | None, selected: tuple[str, ...]) -> Items:
    """Return the items: first the counterexamples that are kept, then one a question if designs are to be judged.

    `replay`: a counterexample, or a folder of them; then nothing else is run unless designs are to be judged, too.
    `selected`: ids of items, or what they begin with; empty: all. Raises `InvalidInput` where something is wrong.
    """
    planned = plan(options) if judge else None
    corpus = corpus_of(options.root)
    leaves = [_kept(path, corpus, options.root) for path in kept_in(corpus)] if planned else []
    leaves += [_leaf(question, planned) for question in planned.questions] if planned else []
    if replay is not None:
        leaves += _replays(Path(os.path.normpath(options.here / replay)), corpus, options.root)
    once = {leaf.node_id: leaf for leaf in leaves}.values()
    return Items(_selected(once, selected), planned.notices if planned else ())


def _leaf(question: Question, planned: Plan) -> Leaf:
    return Leaf(tuple(map(spelt, question.parts)), question.path, partial(_ask, question, planned))


def _ask(question: Question, planned: Plan) -> Told:
    return told(planned.answer(question), strict=planned.strict)


def _replays(given: Path, corpus: Path, root: Path) -> list[Leaf]:
    """Return the items of a file or folder; what lies in the corpus is run as what is kept there."""
    found = files_of(given, root)
    if found == [given]:
        read_counterexample(given, root)  # so that a file that is none is refused before anything runs
    kept = [_kept(path, corpus, root) for path in found if path.is_relative_to(corpus)]
    return kept + [_replay(path, root) for path in found if not path.is_relative_to(corpus)]


def _kept(path: Path, corpus: Path, root: Path) -> Leaf:
    parts = (FOLDER, spelt(path.relative_to(corpus).as_posix()))
    return Leaf(parts, path, partial(_told, path, root, replayed_today))


def _replay(path: Path, root: Path) -> Leaf:
    return Leaf(("replay", spelt(relative_to(root, path))), path, partial(_told, path, root, replayed))


def _told(path: Path, root: Path, run: Callable[[Path, Path], Replayed]) -> Told:
    try:
        again = run(path, root)
    except InvalidInput as error:
        return Told(Place(relative_to(root, path)), first_line(error), str(error), line=first_line(error))
    if again.outcome is Outcome.FIXED:
        return Told(again.place, line=again.headline)
    headline = f"{again.outcome}: {again.counterexample.violation.text}"
    return Told(again.place, headline, f"{again.said}\n\n{again.text}", line=again.headline)


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
