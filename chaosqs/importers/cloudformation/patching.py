"""Changes of a design → a patch of the template that it was read from.

An existing value is replaced, a missing one inserted. There is a patch only if the patched template reads as the
changed design; so there is none if the value depends on a parameter, a condition or another file.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from pathlib import Path

import attrs
import yaml

from chaosqs.errors import InvalidInput
from chaosqs.importers.cloudformation.markup import as_yaml, text_of_file
from chaosqs.importers.cloudformation.reader import read_text
from chaosqs.importers.protocol import Imported
from chaosqs.model.design import Design
from chaosqs.model.design_changes import design_after
from chaosqs.model.explanation import Change

# Editing one value of a text ------------------------------------------------------------------------------------------
#
# One value is set, inserted or removed; everything else stays the same, byte for byte. The parser's marks give the
# places. Anything but a plain value under plain keys (a reference, an alias, a condition) is not edited. The caller has
# to read the result again, to check its meaning.

Value = int | bool | str | tuple[str, ...]
"""A value that can be written: a number, a truth value, a text or a list of texts."""
_STANDARD = "tag:yaml.org,2002:"
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_INDENT = "  "


def edited(text: str, keys: Sequence[str], value: Value | None) -> str | None:
    """Return the text with a value set under a path of keys; with None as the value, the entry is removed.

    Returns None if the text cannot be edited in place.
    """
    plain = as_yaml(text)
    if len(plain) != len(text):
        return None
    root = yaml.compose(plain, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)
    return _Text(text, [0, *(found.end() for found in _BREAK.finditer(text))]).edited(root, keys, value)


@attrs.frozen
class _Text:
    """A text and the offsets of its lines."""

    text: str
    lines: list[int]

    def edited(self, root: yaml.Node | None, keys: Sequence[str], value: Value | None) -> str | None:
        node = root
        for depth, key in enumerate(keys):
            if isinstance(node, yaml.SequenceNode) and key.isdecimal() and int(key) < len(node.value):
                node = node.value[int(key)]
                continue
            if not isinstance(node, yaml.MappingNode) or node.tag != f"{_STANDARD}map":
                return None
            index = next((index for index, (name, _) in enumerate(node.value) if name.value == key), None)
            if index is None:
                return self.text if value is None else self._with(node, keys[depth:], value)
            name, inner = node.value[index]
            if self._at(inner.start_mark) < self._at(name.end_mark):  # an alias: its value is elsewhere, and shared
                return None
            if depth == len(keys) - 1:
                return self._without(node, index) if value is None else self._set(inner, value)
            node = inner
        return None

    def _at(self, mark: yaml.Mark) -> int:
        return self.lines[mark.line] + mark.column

    def _replaced(self, start: int, end: int, new: str) -> str:
        return self.text[:start] + new + self.text[end:]

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _line_end(self, offset: int) -> int:
        found = _BREAK.search(self.text, offset)
        return len(self.text) if found is None else found.start()

    def _set(self, node: yaml.Node, value: Value) -> str | None:
        """Replace a plain or quoted value."""
        if not isinstance(node, yaml.ScalarNode) or not node.tag.startswith(_STANDARD) or not node.value:
            return None
        if node.style not in _ON_A_LINE or isinstance(value, tuple):
            return None
        quote = node.style or ""
        return self._replaced(self._at(node.start_mark), self._at(node.end_mark), f"{quote}{_flow(value)}{quote}")

    def _with(self, node: yaml.MappingNode, keys: Sequence[str], value: Value) -> str | None:
        """Insert missing keys and a value into a mapping."""
        if node.flow_style:
            return self._with_flow(node, keys, value)
        indent = " " * node.value[0][0].start_mark.column
        block = [indent + line for line in _block(keys, value)]
        for name, inner in reversed(node.value):
            if _ends_on_a_line(inner) and self._at(inner.start_mark) >= self._at(name.end_mark):
                end = self._line_end(self._at(inner.end_mark))
                return self._replaced(end, end, "".join(self._newline + line for line in block))
        start = self._at(node.value[0][0].start_mark)
        return self._replaced(start, start, self._newline.join([*block, indent]).removeprefix(indent))

    def _with_flow(self, node: yaml.MappingNode, keys: Sequence[str], value: Value) -> str:
        quote = '"' if self.text.lstrip().startswith("{") or (node.value and node.value[0][0].style == '"') else ""
        new = _inline(keys, value, quote)
        if not node.value:
            return self._replaced(self._at(node.start_mark), self._at(node.end_mark), f"{{{new}}}")
        mark = node.value[0][0].start_mark
        start, before = self._at(mark), self.text[self.lines[mark.line] : self._at(mark)]
        return self._replaced(start, start, f"{new}, " if before.strip() else f"{new},{self._newline}{before}")

    def _without(self, node: yaml.MappingNode, index: int) -> str | None:
        """Remove an entry of a mapping; None for the only entry."""
        entries = node.value
        if len(entries) == 1:
            return None
        name, inner = entries[index]
        if node.flow_style and index + 1 < len(entries):
            return self._replaced(self._at(name.start_mark), self._at(entries[index + 1][0].start_mark), "")
        if node.flow_style:
            return self._replaced(self._at(entries[index - 1][1].end_mark), self._at(inner.end_mark), "")
        start = self._at(name.start_mark) - int(name.start_mark.column)
        last = _last_line(inner)
        if last is None or self.text[start : self._at(name.start_mark)].strip():
            return None
        return self._replaced(start, self.lines[last + 1] if last + 1 < len(self.lines) else len(self.text), "")


_ON_A_LINE = (None, "", "'", '"')
"""Styles of scalars that end with their text."""


def _ends_on_a_line(node: yaml.Node) -> bool:
    if isinstance(node, yaml.ScalarNode):
        return node.style in _ON_A_LINE
    return bool(getattr(node, "flow_style", False))


def _last_line(node: yaml.Node) -> int | None:
    """Return the line on which a node ends; for a block, that of its last part."""
    if _ends_on_a_line(node):
        return node.end_mark.line
    if isinstance(node, yaml.MappingNode) and node.value:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value:
        return _last_line(node.value[-1])
    return None


def _flow(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _block(keys: Sequence[str], value: Value) -> list[str]:
    """Return keys and a value as lines of a block."""
    if len(keys) > 1:
        return [f"{keys[0]}:", *(_INDENT + line for line in _block(keys[1:], value))]
    if isinstance(value, tuple):
        return [f"{keys[0]}:", *(f"{_INDENT}- {part}" for part in value)]
    return [f"{keys[0]}: {_flow(value)}"]


def _inline(keys: Sequence[str], value: Value, quote: str) -> str:
    """Return keys and a value as part of a line."""
    if len(keys) > 1:
        return f"{quote}{keys[0]}{quote}: {{{_inline(keys[1:], value, quote)}}}"
    if isinstance(value, tuple):
        return f"{quote}{keys[0]}{quote}: [{', '.join(quote + part + quote for part in value)}]"
    return f"{quote}{keys[0]}{quote}: {quote * isinstance(value, str)}{_flow(value)}{quote * isinstance(value, str)}"


# Patches --------------------------------------------------------------------------------------------------------------

PROPERTIES: Mapping[str, tuple[str, ...]] = {
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
"""Keys of the settings that fixes change, in CloudFormation and SAM."""


@attrs.frozen
class Form:
    """The spelling of a design's settings in one format."""

    read: Callable[[str, Path], Imported]
    """Reads a text as if it were in a file."""
    setting: Callable[[Change], tuple[tuple[str, ...], Value | None] | None]
    """Returns the keys of a changed setting below those of its part, and its new value, None if it is removed. Returns
    None for a setting that the format cannot change."""


def patch_of(path: Path, design: Design, changes: Sequence[Change], name: str) -> str:
    """Return changes of a design as a unified diff of its template, under the name `name`; empty if there is none."""
    return patch_with(Form(read_text, _setting), path, design, changes, name)


def patch_with(form: Form, path: Path, design: Design, changes: Sequence[Change], name: str) -> str:
    """Return a patch of a file of any form, as `patch_of`."""
    try:
        text = text_of_file(path)
        imported = form.read(text, path)
        expected = design
        for change in changes:
            expected = design_after(expected, change.setting.name, change.setting.attribute, change.after)
        new = _changed(form, text, imported.keys, changes)
        if imported.design != design or new is None or form.read(new, path).design != expected:
            return ""
    except InvalidInput:
        return ""
    return _diff(text, new, name)


def _changed(
    form: Form, text: str, keys_by_path: Mapping[str, tuple[str, ...]], changes: Sequence[Change]
) -> str | None:
    """Return the file's text with all changes, or None if one of them cannot be made."""
    new: str | None = text
    for change in changes:
        path = change.setting
        keys, own = keys_by_path.get(f"{path.kind}s.{path.name}"), form.setting(change)
        if new is None or not keys or not own:
            return None
        new = edited(new, (*keys, *own[0]), own[1])
    return new


def _setting(change: Change) -> tuple[tuple[str, ...], Value | None] | None:
    """Return the keys and the new value as CloudFormation spells them."""
    keys = PROPERTIES.get(change.setting.attribute)
    if keys is None:
        return None
    if change.setting.attribute == "report_batch_item_failures":
        return keys, ("ReportBatchItemFailures",) if change.after else None
    return keys, change.after


def _diff(old: str, new: str, name: str) -> str:
    lines = unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
