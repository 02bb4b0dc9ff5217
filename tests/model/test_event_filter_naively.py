"""Event filters against a naive reading of the same patterns, which shares no code with the machine.

To the naive reader a pattern is a disjunction of paths with rules, and a body is the worlds in which each of its arrays
is but one of its elements.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import TypeAlias

from hypothesis import event, given, settings
from hypothesis import strategies as st

from chaosqs.model.event_filter import Match, matches, parse
from chaosqs.model.json import Json

World: TypeAlias = dict[tuple[str, ...], Json]
Wanted: TypeAlias = dict[tuple[str, ...], list[Json]]


def worlds(value: Json, path: tuple[str, ...] = ()) -> Iterator[World]:
    """Yield what a body is where each of its arrays is but one of its elements: a value for each path to a leaf."""
    if isinstance(value, list):
        for element in value or [{}]:
            yield from worlds(element, path)
    elif isinstance(value, dict):
        for parts in product(*(list(worlds(item, (*path, key))) for key, item in value.items())):
            yield {index: leaf for part in parts for index, leaf in part.items()}
    else:
        yield {path: value}


def alternatives(pattern: dict[str, Json], path: tuple[str, ...] = ()) -> Iterator[Wanted]:
    """Yield the ways in which a pattern can be satisfied, each as rules for paths."""
    options: list[list[Wanted]] = []
    for key, value in pattern.items():
        if key == "$or" and isinstance(value, list):
            options.append([way for branch in value if isinstance(branch, dict) for way in alternatives(branch, path)])
        elif isinstance(value, dict):
            options.append(list(alternatives(value, (*path, key))))
        elif isinstance(value, list):
            options.append([{(*path, key): value}])
    for ways in product(*options):
        yield {index: rules for way in ways for index, rules in way.items()}


def spelt(value: Json) -> str:
    return json.dumps(value)


def numeric(leaf: Json, terms: list[Json]) -> bool:
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    allowed = {"=": leaf == terms[1], "<": leaf < number(terms[1]), "<=": leaf <= number(terms[1])}
    allowed |= {">": leaf > number(terms[1]), ">=": leaf >= number(terms[1])}
    return allowed[str(terms[0])] and (len(terms) == 2 or numeric(leaf, terms[2:]))


def number(value: Json) -> float:
    assert isinstance(value, int | float)
    return value


def listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


STRINGS: Mapping[str, Callable[[str, str], bool]] = {
    "prefix": lambda leaf, wanted: leaf[: len(wanted)] == wanted,
    "suffix": lambda leaf, wanted: leaf[len(leaf) - len(wanted) :] == wanted if wanted else True,
    "equals-ignore-case": lambda leaf, wanted: leaf.upper() == wanted.upper(),
}


def satisfied(rule: Json, leaf: Json) -> bool:
    """Whether a rule holds for a value that is there."""
    if not isinstance(rule, dict):
        return spelt(rule) == spelt(leaf)
    ((name, operand),) = rule.items()
    if name == "exists":
        return operand is True
    if name == "numeric":
        return numeric(leaf, listed(operand))
    if name == "anything-but" and isinstance(operand, dict):
        ((inner, values),) = operand.items()
        return not any(satisfied({inner: value}, leaf) for value in listed(values))
    if name == "anything-but":
        return all(spelt(value) != spelt(leaf) for value in listed(operand))
    return isinstance(leaf, str) and STRINGS[name](leaf, str(operand))


def naive(pattern: dict[str, Json], body: Json) -> bool:
    """Whether there is a world, and a way, in which all rules hold."""
    absent: Json = {"exists": False}
    return any(
        all(
            any(satisfied(rule, world[index]) for rule in rules) if index in world else absent in rules
            for index, rules in way.items()
        )
        for world in worlds(body)
        for way in alternatives(pattern)
    )


Values: TypeAlias = st.SearchStrategy[Json]


def either(*values: Values) -> Values:
    return st.one_of(*values)


def lists(values: Values, *, least: int = 1, most: int = 2) -> Values:
    return st.lists(values, min_size=least, max_size=most)


def operators(values: Values, *names: str) -> Values:
    return st.dictionaries(st.sampled_from(names), values, min_size=1, max_size=1)


words: Values = st.sampled_from(["a", "A", "ab", "B", ""])
numbers: Values = st.sampled_from([1, 0, 2, -1, 1.0, 1.5])
leaves = either(st.none(), st.booleans(), words, numbers)
one_bound: Values = st.builds(lambda *terms: [*terms], st.sampled_from(["=", "<", "<=", ">", ">="]), numbers)
two_bounds: Values = st.sampled_from(
    [[low, 0, high, top] for low in (">", ">=") for high in ("<", "<=") for top in (1, 2)]
)
negated = operators(either(words, lists(words)), *STRINGS)
rules = lists(
    either(
        leaves,
        operators(st.booleans(), "exists"),
        operators(words, *STRINGS),
        operators(either(words, numbers, lists(words), lists(numbers), negated), "anything-but"),
        operators(either(one_bound, two_bounds), "numeric"),
    )
)
branches = lists(st.dictionaries(st.sampled_from(["c", "d"]), rules, min_size=1), least=2, most=3)


def shapes(depth: int) -> st.SearchStrategy[dict[str, Json]]:
    """Patterns of one key or two; `p` and `q` hold objects, and `$or` has keys that nothing beside it has."""
    options: dict[str, Values] = {"a": rules, "b": rules}
    if depth:
        options |= {"p": shapes(depth - 1), "q": shapes(depth - 1), "$or": branches}
    chosen = st.lists(st.sampled_from([*options]), min_size=1, max_size=2, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: options[key] for key in keys}))


def bodies(depth: int) -> Values:
    """Objects whose keys `p` and `q` hold objects or arrays of objects, and whose other keys hold leaves or arrays."""
    plain = either(leaves, lists(leaves, least=0, most=3))
    if not depth:
        return st.fixed_dictionaries({"a": plain}, optional={"b": plain, "c": plain, "d": plain})
    inner = either(bodies(depth - 1), lists(bodies(depth - 1), least=0))
    return st.fixed_dictionaries({"a": plain, "p": inner}, optional={"b": plain, "c": plain, "d": plain, "q": inner})


@settings(max_examples=300)
@given(shapes(2), bodies(2))
def test_FL_8_a_pattern_keeps_what_a_naive_reading_keeps(pattern: dict[str, Json], body: Json) -> None:
    """Compiled and naive reading agree on every pattern and body."""
    kept = matches([parse(json.dumps({"body": pattern}))], json.dumps(body)) is Match.MATCHED
    event(f"kept: {kept}")
    assert kept == naive(pattern, body)
