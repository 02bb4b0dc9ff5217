"""Changes of a design → a patch of the template that it was read from.

A value that stands there is replaced, one that is missing is inserted. The patch is given only where the patched
template reads as the changed design; where the value hangs on a parameter, a condition or another file, there is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

from chaosqs.errors import InvalidInput
from chaosqs.model.counterexample import Change
from chaosqs.model.design import Design
from chaosqs.model.operated import OF_FUNCTIONS, OF_QUEUES, design_after
from chaosqs.templates.cloudformation import read_template, read_text
from chaosqs.templates.document import text_of_file
from chaosqs.templates.editing import Value, edited

_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "visibility_timeout": ("VisibilityTimeout",),
    "retention_period": ("MessageRetentionPeriod",),
    "delay": ("DelaySeconds",),
    "receive_wait_time": ("ReceiveMessageWaitTimeSeconds",),
    "max_receive_count": ("RedrivePolicy", "maxReceiveCount"),
    "timeout": ("Timeout",),
    "memory": ("MemorySize",),
    "reserved_concurrency": ("ReservedConcurrentExecutions",),
    "batch_size": ("BatchSize",),
    "maximum_batching_window": ("MaximumBatchingWindowInSeconds",),
    "maximum_concurrency": ("ScalingConfig", "MaximumConcurrency"),
    "report_batch_item_failures": ("FunctionResponseTypes",),
    "provisioned_pollers": ("ProvisionedPollerConfig",),
}
"""Where CloudFormation and SAM have the settings that fixes change."""


def patch_of(path: Path, design: Design, changes: Sequence[Change], *, name: str) -> str:
    """Return changes of a design as a unified diff of its template, called `name` there; empty where there is none."""
    try:
        text, imported = text_of_file(path), read_template(path)
        expected = design
        for change in changes:
            expected = design_after(expected, change.target, change.setting, change.value)
        new = _changed(text, imported.keys, changes)
        if imported.design != design or new is None or read_text(new, path).design != expected:
            return ""
    except InvalidInput:
        return ""
    return _diff(text, new, name)


def _changed(text: str, places: Mapping[str, tuple[str, ...]], changes: Sequence[Change]) -> str | None:
    """Return the template's text with all changes, or None where one of them has no place in it."""
    new: str | None = text
    for change in changes:
        kind = (
            "queues" if change.setting in OF_QUEUES else "functions" if change.setting in OF_FUNCTIONS else "mappings"
        )
        keys, own = places.get(f"{kind}.{change.target}"), _PROPERTIES.get(change.setting)
        if new is None or not keys or not own:
            return None
        new = edited(new, (*keys, *own), _written(change))
    return new


def _written(change: Change) -> Value | None:
    """Return a value as CloudFormation spells it."""
    if change.setting == "report_batch_item_failures":
        return ("ReportBatchItemFailures",) if change.value else None
    return change.value


def _diff(old: str, new: str, name: str) -> str:
    lines = unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
