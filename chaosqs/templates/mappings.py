"""A mapping of the design from the properties of an event source mapping, or of a SAM function's SQS event."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.templates.intrinsics import resolve
from chaosqs.templates.reading import Part, Reading
from chaosqs.templates.scope import Absent, Unknown
from chaosqs.templates.tree import Items, Leaf, Table, described

_REPORTS = "ReportBatchItemFailures"
_POLLERS = (2, 200)  # EC-6


def read_mapping(part: Part, queue: str, function: str, reading: Reading) -> EventSourceMapping:
    """Return a mapping between a queue and a function of the design."""
    plain = EventSourceMapping(queue, function)
    window, limit = "MaximumBatchingWindowInSeconds", "MaximumConcurrency"
    scaling = reading.table(part, "ScalingConfig", "maximum_concurrency")
    return EventSourceMapping(
        queue,
        function,
        batch_size=reading.whole(part, "BatchSize", "batch_size", plain.batch_size),
        maximum_batching_window=reading.whole(part, window, "maximum_batching_window", plain.maximum_batching_window),
        maximum_concurrency=reading.whole(scaling, limit, "maximum_concurrency", None) if scaling else None,
        report_batch_item_failures=_reports_failures(part, reading),
        filters=_filters(part, reading),
        enabled=reading.flag(part, "Enabled", "enabled", plain.enabled),
        provisioned_pollers=_pollers(part, reading),
    )


def _reports_failures(part: Part, reading: Reading) -> bool:
    key, field = "FunctionResponseTypes", "report_batch_item_failures"
    line = reading.line(part, key)
    reports = False
    for value in reading.items(part, key, field):
        match value:
            case Unknown(reason=reason):
                reading.assume(f"{part.name}: {key} {reason}; assumed not to report batch item failures")
            case Leaf(text=text) if text == _REPORTS:
                reading.came(part, field, key, text, line)
                reports = True
            case Leaf() | Items() | Table():
                reading.refuse(f"{part.path}.{field}", described(value), f"must be {_REPORTS} ({key})", line)
    return reports


def _filters(part: Part, reading: Reading) -> tuple[str, ...]:
    """Return the patterns; none at all where one cannot be told, for a message need match only one of them."""
    criteria = reading.table(part, "FilterCriteria", "filters")
    patterns: list[str] = []
    for value in reading.items(criteria, "Filters", "filters") if criteria else ():
        pattern = _pattern(value, reading)
        match pattern:
            case Unknown(reason=reason):
                reading.assume(f"{part.name}: a pattern of FilterCriteria {reason}; assumed no filters")
                return ()
            case Leaf(value=str(text)):
                patterns.append(text)
            case _:
                line = reading.line(part, "FilterCriteria")
                reading.refuse(f"{part.path}.filters", described(pattern), "must be JSON text (Pattern)", line)
    if patterns:
        reading.came(part, "filters", "FilterCriteria", ", ".join(patterns), reading.line(part, "FilterCriteria"))
    return tuple(patterns)


def _pattern(value: Leaf | Items | Table | Unknown, reading: Reading) -> Leaf | Items | Table | Unknown:
    entry = value.get("Pattern") if isinstance(value, Table) else None
    resolved = value if entry is None else resolve(entry.node, reading.scope)
    return Unknown("is left out") if isinstance(resolved, Absent) else resolved


def _pollers(part: Part, reading: Reading) -> tuple[int, int] | None:
    field = "provisioned_pollers"
    config = reading.table(part, "ProvisionedPollerConfig", field)
    if config is None or not config.properties.entries:
        return None
    low = reading.whole(config, "MinimumPollers", field, _POLLERS[0])
    high = reading.whole(config, "MaximumPollers", field, _POLLERS[1])
    shown = f"MinimumPollers {low}, MaximumPollers {high}"
    reading.came(part, field, "ProvisionedPollerConfig", shown, reading.line(part, "ProvisionedPollerConfig"))
    return low, high
