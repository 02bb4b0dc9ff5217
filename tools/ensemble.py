"""Sample assumption sets that fit all measurements, and write chaosqs/project/ensemble.json (`make ensemble`).

A candidate is a walk's step from one that fits, or that misses one row: some assumptions that a row bears on are drawn
anew around their value, those that no row bears on over their whole range. Cheap rows come first; a candidate that
misses two rows is dropped. The candidates that miss one row, or none, are the members that would be chosen without that
row: their share that fits it is what a leave-one-out table tells. A seed draws each walk, and the first `SEEDS` of 20
seeds judge a candidate, so the same code writes the same file.

Errors and throttles do not meet in any row, and C7 costs more than all other rows together: what errors cost a mapping
is judged apart, by A12 and C7 for a few pairs of its two assumptions, and each member has one pair that fits.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.project.settings import ENSEMBLE
from tests.calibration.designs import under
from tests.calibration.rows import ROWS

SEEDS = range(6)
MEMBERS = 30
CANDIDATES = 24
"""Candidates of each walk."""
WALKS = (13, 14, 15)
"""Seeds of the walks."""
FACTOR = 1.6
"""A step draws an assumption between its value divided and multiplied by this."""
SHARE = 0.25
"""Share of the assumptions that a step draws anew."""
FROM_NEAR = 0.2
"""Share of the steps that begin at any candidate that misses at most one row."""
MAYBE_NONE = ("last_retry",)
"""Assumptions that no row pins, of a mechanism that may not exist: half of the members have 0."""
THROTTLED = ("C4", "A13", "A17", "A1", "C2", "C10", "C3")
"""Rows that tell how far an assumption about throttles can move."""
ROWS_OF: dict[str, tuple[str, ...]] = {
    "receive_latency": ("C6", "C4", "C9", "C1", "A2"),
    "invoke_latency": ("C6", "C4", "C9", "C1", "A2"),
    "delete_latency": ("C9", "C4", "C1", "C3"),
    "latency_spread": ("C6", "C4", "C9", "C1"),
    "cold_start": ("A2", "C4", "C9", "C1"),
    "long_poll": ("C5",),
    "throttle_retry": THROTTLED,
    "throttle_retry_limit": THROTTLED,
    "last_retry": THROTTLED,
    "throttle_reaction": THROTTLED,
    "held_batches": THROTTLED,
    "receive_after_giving_up": THROTTLED,
    "throttled_growth": THROTTLED,
    "partial_receives": ("C2", "C9", "C1"),
    "low_traffic_wait": ("A14",),
    "let_go_on_error": ("A12", "C7"),
    "let_go_in_proportion": ("A12", "C7"),
}
"""Assumptions that rows bear on, each with these rows, the cheapest first."""
ORDER = ("C5", "A2", "A3", "A8", "A14", "C4", "C6", "A13", "A17", "A1", "C2", "C9", "A4", "C10", "C1", "C3", "A5")
"""Rows that some assumption bears on, the cheapest first."""
APART = ("let_go_on_error", "let_go_in_proportion")
PAIRS = ((0, 16), (50, 0), (0, 40), (0, 25), (30, 10), (0, 80))
"""Values of these from one end of A12's range to the other, the default first; C7 judges each."""
Fit = dict[str, float]


def judge(assumptions: Assumptions, rows: Iterable[str], most: int) -> tuple[Fit, list[str]]:
    """Return the figures of some rows, and the rows that are missed; stop when more than `most` are."""
    got: Fit = {}
    missed: list[str] = []
    with under(assumptions, SEEDS):
        for row in rows:
            for figure in (each for each in ROWS if each.row == row and (row == "C7" or not each.slow)):
                name = f"{row} {figure.configuration}: {figure.name}"
                try:
                    got[name] = round(figure.got(), 3)
                except (StopIteration, TypeError, ZeroDivisionError):
                    got[name] = math.nan
                if not figure.low <= got[name] <= figure.high:
                    missed.append(row)
                    break
            if len(missed) > most:
                break
    return got, missed


def _range(name: str) -> tuple[int, int]:
    metadata = getattr(attrs.fields(Assumptions), name).metadata
    return metadata["low"], metadata["high"]


def _between(chance: random.Random, low: float, high: float) -> int:
    """Draw evenly on a logarithmic scale."""
    return round(math.exp(chance.uniform(math.log(low + 1), math.log(high + 1))) - 1)


def step(chance: random.Random, base: Assumptions) -> Assumptions:
    """Return a candidate near an assumption set that fits."""
    drawn: dict[str, int] = {}
    for field in attrs.fields(Assumptions):
        low, high = _range(field.name)
        value: int = getattr(base, field.name)
        if field.name in APART or field.name == "long_poll":  # C5 leaves hardly any other value
            continue
        if field.name in MAYBE_NONE:
            drawn[field.name] = _between(chance, low, high) if chance.random() < 1 / 2 else 0
        elif field.name not in ROWS_OF or high - low == 1:
            drawn[field.name] = _between(chance, low, high)
        elif chance.random() < SHARE:
            near, far = max(low, value / FACTOR), min(high, max(value, 1) * FACTOR)
            drawn[field.name] = min(high, max(low, _between(chance, near, far)))
    return attrs.evolve(base, **drawn)


def _distance(one: Assumptions, other: Assumptions) -> float:
    total = 0.0
    for name in ROWS_OF:
        low, high = _range(name)
        first, second = (math.log(getattr(each, name) + 1) for each in (one, other))
        total += ((first - second) / math.log((high + 1) / (low + 1))) ** 2
    return math.sqrt(total)


def spread(found: Sequence[Assumptions], count: int) -> list[Assumptions]:
    """Return up to `count` of the assumption sets, each as far as possible from those before it."""
    chosen = list(found[:1])
    rest = list(found[1:])
    while rest and len(chosen) < count:
        farthest = max(rest, key=lambda each: min(_distance(each, one) for one in chosen))
        chosen.append(farthest)
        rest.remove(farthest)
    return chosen


def sample(seed: int, count: int) -> dict[Assumptions, tuple[Fit, list[str]]]:
    """Return those of a walk's candidates that miss at most one row, the default first."""
    chance, usual = random.Random(seed), Assumptions()
    kept = {usual: judge(usual, ORDER, 1)}
    fitting = [usual]
    for tried in range(count):
        near = chance.random() < FROM_NEAR
        candidate = step(chance, chance.choice(list(kept) if near else fitting))
        got, missed = judge(candidate, ORDER, 1)
        if len(missed) > 1:
            continue
        kept[candidate] = got, missed
        if not missed:
            fitting.append(candidate)
        print("walk", seed, tried, len(fitting), missed, flush=True)
    return kept


def pairs() -> dict[Assumptions, list[str]]:
    """Return assumptions about errors, each with the rows of A12 and C7 that it misses."""
    found = [attrs.evolve(Assumptions(), **dict(zip(APART, pair, strict=True))) for pair in PAIRS]
    return {each: judge(each, ("A12", "C7"), 0)[1] for each in found}


def sensitivity(name: str) -> tuple[int, str, int, str]:
    """Return how far one assumption can move down and up before a row falls out, and which; "" at the range's end."""
    usual, rows = Assumptions(), ROWS_OF[name]
    value: int = getattr(usual, name)

    def first_miss(moved: int) -> str:
        missed = judge(attrs.evolve(usual, **{name: moved}), rows, 0)[1]
        return missed[0] if missed else ""

    low, high = _range(name)
    down, up = _edge(first_miss, value, low), _edge(first_miss, value, high)
    return *down, *up


def _edge(first_miss: Callable[[int], str], good: int, end: int) -> tuple[int, str]:
    row = first_miss(end) if end != good else ""
    if not row:
        return end, ""
    bad = end
    for _ in range(3):
        between = round(math.sqrt((good + 1) * (bad + 1))) - 1
        if between in (good, bad):
            break
        found = first_miss(between)
        if found:
            bad, row = between, found
        else:
            good = between
    return good, row


def left_out(kept: dict[Assumptions, tuple[Fit, list[str]]], row: str) -> dict[str, int]:
    """Return how many members that are chosen without a row fit it."""
    chosen = spread([each for each, (_, missed) in kept.items() if set(missed) <= {row}], MEMBERS)
    return {"members": len(chosen), "hits": sum(not kept[each][1] for each in chosen)}


def _apart() -> tuple[dict[Assumptions, list[str]], dict[str, tuple[int, str, int, str]]]:
    """Return what does not need the candidates: the pairs, and the sensitivity of each assumption."""
    found = pairs()
    print("pairs", list(found.values()), flush=True)
    return found, {name: sensitivity(name) for name in ROWS_OF}


def main(count: int = CANDIDATES) -> int:
    """Write the ensemble, its fits, the leave-one-out table and the sensitivity."""
    usual = Assumptions()
    with ProcessPoolExecutor(1 + len(WALKS)) as pool:
        apart, walks = pool.submit(_apart), [pool.submit(sample, seed, count) for seed in WALKS]
        kept = {each: found for walk in walks for each, found in walk.result().items()}
        errors, moved = apart.result()
    fitting = [each for each, missed in errors.items() if not missed]
    members = spread([each for each, (_, missed) in kept.items() if not missed], MEMBERS)
    fits = [kept[each][0] for each in members]
    members = [
        attrs.evolve(each, **{name: getattr(fitting[place % len(fitting)], name) for name in APART})
        for place, each in enumerate(members)
    ]
    document = {
        "seeds": len(SEEDS),
        "members": [
            {
                "assumptions": {
                    field.name: getattr(each, field.name)
                    for field in attrs.fields(Assumptions)
                    if getattr(each, field.name) != getattr(usual, field.name)
                },
                "fit": fit,
            }
            for each, fit in zip(members, fits, strict=True)
        ],
        "left_out": {
            **{row: left_out(kept, row) for row in ORDER},
            "C7": {"members": len(errors), "hits": len(fitting)},
        },
        "sensitivity": moved,
    }
    ENSEMBLE.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n")
    print(len(members), "members of", len(kept), "candidates")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
