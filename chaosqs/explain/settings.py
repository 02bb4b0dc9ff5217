"""The settings of a design, and changes of them that may fix it: for each setting, candidate values."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import permutations
from math import log2
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.explanation import Change, SettingPath, Value

# The settings of a design: read one, change it, and know its candidate values ----------------------------------------

_Item = TypeVar("_Item")
_Read = Callable[[EventSourceMapping], Value]
_Write = Callable[[EventSourceMapping, Value], EventSourceMapping]


@attrs.frozen
class DesignSetting:
    """One setting of one part of a design."""

    setting: SettingPath
    path: str
    """Path in the design: `functions[0].reserved_concurrency`."""
    candidates: tuple[Value, ...]
    """Values to try, ascending."""
    read: Callable[[Design], Value]
    write: Callable[[Design, Value], Design]
    """Returns the design with another value. Raises `InvalidDesign` for values that AWS would refuse."""
    quiet: bool = False
    """True if it is reported only if it matters: for features that the design does not use, and other queues."""

    @property
    def name(self) -> str:
        """Name in the model: `reserved_concurrency`."""
        return self.setting.attribute


def rank(value: Value) -> float:
    """Return the sort key of a setting's value; None (no limit) comes last."""
    return float("inf") if value is None else value


_COUNTS = (1, 2, 3, 4, 5, 6, 8, 10, 20, 50, 100, 500, 900)
_SECONDS = (1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 3600, 43_200)
_FACTORS = (1, 2, 3, 6, 12)
"""Multiples of the function's timeout to try for visibility timeouts; AWS advises six."""
_MOST_GROWTH = 10
"""Multiple of the present visibility timeout up to which others are tried."""
LONGEST_RETENTION = 1_209_600
"""Maximum seconds that a queue keeps a message (RT-1)."""
_PERIODS = (60, 300, 3600, 86_400, 345_600, LONGEST_RETENTION)
_POLLERS = (2, 3, 5, 10, 20, 50, 100)  # PM-2
_MEMORY = (128, 256, 512, 1024, 1769, 3008, 10_240)


def design_settings(design: Design, mapping: EventSourceMapping) -> tuple[DesignSetting, ...]:
    """Return the settings that may affect a mapping: its own, its queues', its function's and the account's."""
    queue, function = design.queue(mapping.queue), design.function(mapping.function)
    return (
        *_queue_settings(design.queues.index(queue), queue, function.timeout),
        _absent_redrive_setting(design, queue)
        if queue.redrive is None
        else _dead_letter_setting(design, queue.redrive),
        *_function_settings(design.functions.index(function), function),
        *_mapping_settings(design.mappings.index(mapping), mapping),
        *_account_settings(),
    )


def _queue_settings(index: int, queue: Queue, timeout: int) -> Iterable[DesignSetting]:
    setting = partial(_queue_setting, index, queue.name)
    most = max(timeout * _FACTORS[-1], queue.visibility_timeout * _MOST_GROWTH)
    visibilities = sorted({*(timeout * factor for factor in _FACTORS), *_below(_SECONDS, most)})
    yield setting(
        "visibility_timeout",
        visibilities,
        lambda q: q.visibility_timeout,
        lambda q, v: attrs.evolve(q, visibility_timeout=v),
    )
    if queue.redrive is not None:
        redrive = queue.redrive
        yield setting(
            "redrive.max_receive_count",
            (*_COUNTS, 1000),
            lambda q: redrive.max_receive_count if q.redrive is None else q.redrive.max_receive_count,
            lambda q, v: attrs.evolve(q, redrive=attrs.evolve(redrive, max_receive_count=v)),
        )
    yield setting(
        "retention_period", _PERIODS, lambda q: q.retention_period, lambda q, v: attrs.evolve(q, retention_period=v)
    )
    yield setting("delay", (0, 1, 5, 30, 60, 900), lambda q: q.delay, lambda q, v: attrs.evolve(q, delay=v))
    yield setting(
        "receive_wait_time",
        (0, 1, 5, 20),
        lambda q: q.receive_wait_time,
        lambda q, v: attrs.evolve(q, receive_wait_time=v),
    )


def _below(values: Iterable[int], most: int) -> tuple[int, ...]:
    return tuple(value for value in values if value <= most)


def _queue_setting(  # noqa: PLR0917 - each is a part of the setting
    index: int,
    owner: str,
    name: str,
    candidates: Iterable[int],
    read: Callable[[Queue], Value],
    write: Callable[[Queue, int], Queue],
) -> DesignSetting:
    def written(design: Design, value: Value) -> Design:
        return attrs.evolve(design, queues=_with(design.queues, index, write(design.queues[index], _number(value))))

    return DesignSetting(
        SettingPath("queue", owner, name.rpartition(".")[2]),
        f"queues[{index}].{name}",
        tuple(candidates),
        lambda d: read(d.queues[index]),
        written,
    )


def _dead_letter_setting(design: Design, redrive: Redrive) -> DesignSetting:
    """Return the setting for the retention period of the dead-letter queue."""
    index = design.queues.index(design.queue(redrive.dead_letter_queue))

    def written(design: Design, value: Value) -> Design:
        queue = attrs.evolve(design.queues[index], retention_period=_number(value))
        return attrs.evolve(design, queues=_with(design.queues, index, queue))

    return DesignSetting(
        SettingPath("queue", redrive.dead_letter_queue, "retention_period"),
        f"queues[{index}].retention_period",
        _PERIODS,
        lambda d: d.queues[index].retention_period,
        written,
        quiet=True,
    )


def _absent_redrive_setting(design: Design, queue: Queue) -> DesignSetting:
    """Return the setting for the max_receive_count of a new redrive policy to a new queue; None: no policy."""
    index, name = design.queues.index(queue), dead_letter_name(design, queue.name)

    def written(design: Design, value: Value) -> Design:
        others = tuple(other for other in design.queues if other.name != name)
        redrive = None if value is None else Redrive(name, value)
        added = () if value is None else (Queue(name, retention_period=LONGEST_RETENTION),)
        return attrs.evolve(
            design, queues=(*_with(others, index, attrs.evolve(others[index], redrive=redrive)), *added)
        )

    def read(design: Design) -> Value:
        redrive = design.queues[index].redrive
        return None if redrive is None else redrive.max_receive_count

    candidates = (1, 2, 5, 10, 50, None)
    setting = SettingPath("queue", queue.name, "redrive")
    return DesignSetting(setting, f"queues[{index}].redrive", candidates, read, written, quiet=True)


def dead_letter_name(design: Design, queue: str) -> str:
    """Return a name for a dead-letter queue of a queue that no queue of the design has."""
    stem, fifo = (queue.removesuffix(".fifo"), ".fifo") if queue.endswith(".fifo") else (queue, "")
    taken = [other.name for other in design.queues]
    names = (f"{stem}-dlq{'' if number == 1 else number}{fifo}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _function_settings(index: int, function: Function) -> Iterable[DesignSetting]:
    def setting(
        name: str,
        candidates: Iterable[Value],
        read: Callable[[Function], Value],
        write: Callable[[Function, Value], Function],
    ) -> DesignSetting:
        def written(design: Design, value: Value) -> Design:
            return attrs.evolve(design, functions=_with(design.functions, index, write(design.functions[index], value)))

        setting = SettingPath("function", function.name, name)
        return DesignSetting(
            setting, f"functions[{index}].{name}", tuple(candidates), lambda d: read(d.functions[index]), written
        )

    timeouts = _below(_SECONDS, 900)  # LX-1
    yield setting("timeout", timeouts, lambda f: f.timeout, lambda f, v: attrs.evolve(f, timeout=_number(v)))
    yield setting("memory", _MEMORY, lambda f: f.memory, lambda f, v: attrs.evolve(f, memory=_number(v)))
    yield setting(
        "reserved_concurrency",
        (0, *_COUNTS, None),
        lambda f: f.reserved_concurrency,
        lambda f, v: attrs.evolve(f, reserved_concurrency=v),
    )


def _mapping_settings(index: int, mapping: EventSourceMapping) -> Iterable[DesignSetting]:
    setting = partial(_mapping_setting, index, mapping.name)
    yield setting(
        "batch_size",
        (*range(1, 11), 100, 1000, 10_000),
        lambda m: m.batch_size,
        lambda m, v: attrs.evolve(m, batch_size=_number(v)),
    )
    yield setting(
        "maximum_batching_window",
        (0, 1, 5, 20, 60, 300),
        lambda m: m.maximum_batching_window,
        lambda m, v: attrs.evolve(m, maximum_batching_window=_number(v)),
    )
    yield setting(
        "maximum_concurrency",
        (*_COUNTS[1:], 1000, None),
        lambda m: m.maximum_concurrency,
        lambda m, v: attrs.evolve(m, maximum_concurrency=v),
    )
    yield setting(
        "report_batch_item_failures",
        (False, True),
        lambda m: m.report_batch_item_failures,
        lambda m, v: attrs.evolve(m, report_batch_item_failures=bool(v)),
    )
    yield from _optional_settings(index, mapping)


def _optional_settings(index: int, mapping: EventSourceMapping) -> Iterable[DesignSetting]:
    """Yield the settings for optional features of a mapping; filters only if it has some."""
    pollers = _mapping_setting(
        index,
        mapping.name,
        "provisioned_pollers",
        (*_POLLERS, None),
        lambda m: None if m.provisioned_pollers is None else m.provisioned_pollers[1],
        _with_pollers(mapping.provisioned_pollers),
    )
    yield attrs.evolve(pollers, quiet=mapping.provisioned_pollers is None)
    if mapping.filters:
        yield _mapping_setting(
            index,
            mapping.name,
            "filters",
            (0, len(mapping.filters)),
            lambda m: len(m.filters),
            lambda m, v: attrs.evolve(m, filters=mapping.filters[:v]),
        )


def _mapping_setting(  # noqa: PLR0917 - each is a part of the setting
    index: int, owner: str, name: str, candidates: Iterable[Value], read: _Read, write: _Write
) -> DesignSetting:
    def written(design: Design, value: Value) -> Design:
        return attrs.evolve(design, mappings=_with(design.mappings, index, write(design.mappings[index], value)))

    setting = SettingPath("mapping", owner, name)
    return DesignSetting(
        setting, f"mappings[{index}].{name}", tuple(candidates), lambda d: read(d.mappings[index]), written
    )


def _with_pollers(given: tuple[int, int] | None) -> _Write:
    """Return the function that sets the maximum of provisioned pollers; the minimum stays, but never exceeds it."""
    least = 2 if given is None else given[0]

    def write(mapping: EventSourceMapping, most: Value) -> EventSourceMapping:
        return attrs.evolve(mapping, provisioned_pollers=None if most is None else (min(least, most), most))

    return write


def _account_settings() -> Iterable[DesignSetting]:
    yield DesignSetting(
        SettingPath("account", "", "concurrency"),
        "account.concurrency",
        (1, 2, 3, 5, 10, 50, 110, 200, 500, 1000, 3000, 10_000),
        lambda d: d.account.concurrency,
        lambda d, v: attrs.evolve(d, account=attrs.evolve(d.account, concurrency=_number(v))),
    )
    yield DesignSetting(
        SettingPath("account", "", "other_traffic"),
        "account.other_traffic",
        (0, 1, 10, 100, 500, 900, 990, 995, 998, 999, 1000),
        lambda d: d.account.other_traffic,
        lambda d, v: attrs.evolve(d, account=attrs.evolve(d.account, other_traffic=_number(v))),
    )


def _number(value: Value) -> int:
    assert value is not None, "only concurrency can be without a limit"
    return value


def _with(items: tuple[_Item, ...], index: int, item: _Item) -> tuple[_Item, ...]:
    return (*items[:index], item, *items[index + 1 :])


# Candidate changes for fixes -----------------------------------------------------------------------------------------

_UNLIMITED = 1000
"""Value that counts as no limit when the sizes of changes are compared."""
_NEW_LIMIT_SIZE = 0.25
"""Size of a change that adds a limit."""
_WORTH: Mapping[str, tuple[Value, ...]] = {
    "visibility_timeout": (),
    "max_receive_count": (2, 3, 5, 10, 20, 50),
    "redrive": (5, 10),
    "retention_period": (345_600, LONGEST_RETENTION),
    "timeout": (),
    "reserved_concurrency": (3, 5, 10, 20, 50, 100, None),
    "batch_size": (1, 2, 5, 10),
    "maximum_batching_window": (0, 1, 5),
    "report_batch_item_failures": (True,),
    "filters": (0,),
}
"""Values to try of the settings that fixes change; empty: multiples of the function's timeout. Other settings help only
by accident, have costs that no run shows, or cannot be changed by the team."""
_ONLY_UP = ("max_receive_count", "retention_period", "report_batch_item_failures")
"""Settings that are not decreased: giving up sooner or reporting less is not a fix."""
_IN_SECONDS = ("visibility_timeout", "retention_period", "timeout", "maximum_batching_window")


@attrs.frozen
class Candidate:
    """One or two settings with another value."""

    changes: tuple[Change, ...]
    write: Callable[[Design], Design] = attrs.field(repr=False)
    """Returns the design with the change. Raises `InvalidDesign` for values that AWS would refuse."""
    size: float
    """Size of the change: the binary logarithm of the ratio."""


def with_changes(design: Design, changes: Sequence[Change]) -> Design | None:
    """Return a design with the changes of a fix, in the order that AWS accepts; None if it fits none of them."""
    known = {each.setting: each for mapping in design.mappings for each in design_settings(design, mapping)}
    for ordered in permutations(changes):
        found = design
        try:
            for change in ordered:
                found = known[change.setting].write(found, change.after)
        except (InvalidDesign, KeyError):
            continue
        return found
    return None


def redesigned(design: Design, candidate: Candidate) -> Design | None:
    """Return a design with a change; None if AWS would refuse it."""
    try:
        return candidate.write(design)
    except InvalidDesign:
        return None


def candidate_values(
    design: Design, mapping: EventSourceMapping, edges: Mapping[SettingPath, Sequence[Value]] | None = None
) -> Iterator[list[Candidate]]:
    """Yield, for each setting that may help and each direction, its changes, the smallest first.

    `edges`: for each setting, further values to try, at which the counterexample begins to hold.
    """
    timeout = design.function(mapping.function).timeout
    for setting in design_settings(design, mapping):
        more = (edges or {}).get(setting.setting, ())
        if setting.name == "maximum_concurrency":
            yield _limits(design, mapping, setting, more)
        elif setting.name in _WORTH:
            worth = _WORTH[setting.name] or tuple(timeout * factor for factor in _FACTORS)
            value = setting.read(design)
            found = (*worth, *(_rounded(setting, value, edge) for edge in more))
            yield _values(setting, value, [other for other in found if rank(other) > rank(value)])
            if setting.name not in _ONLY_UP:
                yield _values(setting, value, [other for other in found if rank(other) < rank(value)])


def _rounded(setting: DesignSetting, value: Value, edge: Value) -> Value:
    """Return the value to try for an edge: for seconds the next candidate beyond it, else the edge itself."""
    if setting.name not in _IN_SECONDS:
        return edge
    beyond = [
        other
        for other in setting.candidates
        if value is not None
        and edge is not None
        and other is not None
        and (other >= edge > value or other <= edge < value)
    ]
    return min(beyond, key=lambda other: abs(rank(other) - rank(edge)), default=edge)


def both(first: list[Candidate], second: list[Candidate]) -> list[Candidate]:
    """Return each pair of a change of one setting and a change of another, the smallest first."""
    pairs = [
        Candidate((*one.changes, *other.changes), _after(one.write, other.write), one.size + other.size)
        for one in first
        for other in second
    ]
    return sorted(pairs, key=lambda pair: pair.size)


def _after(one: Callable[[Design], Design], other: Callable[[Design], Design]) -> Callable[[Design], Design]:
    """Return two changes as one, in the order that AWS accepts (EC-11: visibility timeout first, then the timeout)."""

    def write(design: Design) -> Design:
        try:
            return other(one(design))
        except InvalidDesign:
            return one(other(design))

    return write


def _limits(
    design: Design, mapping: EventSourceMapping, setting: DesignSetting, more: Sequence[Value]
) -> list[Candidate]:
    """Return changes of the maximum concurrency of all mappings of the function: the largest that fits, then less."""
    siblings = [other for other in design.mappings_of(mapping.function) if other.enabled]
    room = min(1000, max(2, design.concurrency_limit(mapping.function) // len(siblings)))
    fitting = [value for value in sorted({room, 2, *(other for other in more if other)}, reverse=True) if value <= room]
    return [
        Candidate(_limits_of(design, mapping.function, value), _limiting(mapping.function, value), _NEW_LIMIT_SIZE)
        for value in fitting
        if value != setting.read(design)
    ]


def _limits_of(design: Design, function: str, value: int) -> tuple[Change, ...]:
    """Return the changes on each mapping of a function; a limit excludes provisioned pollers (EC-6)."""
    changes: list[Change] = []
    for mapping in design.mappings_of(function):
        if mapping.maximum_concurrency != value:
            path = SettingPath("mapping", mapping.name, "maximum_concurrency")
            changes.append(Change(path, mapping.maximum_concurrency, value))
        if mapping.provisioned_pollers is not None:
            path = SettingPath("mapping", mapping.name, "provisioned_pollers")
            changes.append(Change(path, mapping.provisioned_pollers[1], None))
    return tuple(changes)


def _limiting(function: str, value: int) -> Callable[[Design], Design]:
    def write(design: Design) -> Design:
        limited = (
            attrs.evolve(mapping, maximum_concurrency=value, provisioned_pollers=None)
            if mapping.function == function
            else mapping
            for mapping in design.mappings
        )
        return attrs.evolve(design, mappings=tuple(limited))

    return write


def _values(setting: DesignSetting, value: Value, others: Iterable[Value]) -> list[Candidate]:
    """Return the changes of a setting from its value to each of the others, the smallest first, each once."""
    found = [
        Candidate((Change(setting.setting, value, other),), _writing(setting, other), _size(value, other))
        for other in sorted(dict.fromkeys(others), key=rank)
    ]
    return sorted(found, key=lambda candidate: candidate.size)


def _size(value: Value, other: Value) -> float:
    if value is None:
        return _NEW_LIMIT_SIZE
    return abs(log2(min(rank(other), _UNLIMITED) + 1) - log2(value + 1))


def _writing(setting: DesignSetting, value: Value) -> Callable[[Design], Design]:
    return lambda design: setting.write(design, value)
