"""Patches of templates: applied and read again they are the changed design, and nothing else has changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from chaosqs.importers.cloudformation.patching import edited, patch_of
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.model.design_changes import design_after
from chaosqs.model.explanation import Change, SettingPath, Value

MAPPING = "orders→worker"
SAM = """\
Transform: AWS::Serverless-2016-10-31
Parameters:
  Seconds: {Type: Number, Default: 20}
Globals:
  Function:
    MemorySize: 256
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: orders  # as the producer knows it
      VisibilityTimeout: 30 # seconds
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: '3'}
  Dead:
    Type: AWS::SQS::Queue
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: worker
      Timeout: !Ref Seconds
      ReservedConcurrentExecutions: 2
      Events:
        Orders:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
            BatchSize: 10

  # something else
  Topic:
    Type: AWS::SNS::Topic
"""
CFN = """\
{
\t"Resources": {
\t\t"Orders": {
\t\t\t"Type": "AWS::SQS::Queue",
\t\t\t"Properties": {
\t\t\t\t"QueueName": "orders", "VisibilityTimeout": 30
\t\t\t}
\t\t},
\t\t"Worker": {
\t\t\t"Type": "AWS::Lambda::Function",
\t\t\t"Properties": {"Description": "a café", "FunctionName": "worker", "Timeout": 30}
\t\t},
\t\t"Mapping": {
\t\t\t"Type": "AWS::Lambda::EventSourceMapping",
\t\t\t"Properties": {
\t\t\t\t"EventSourceArn": {"Fn::GetAtt": ["Orders", "Arn"]},
\t\t\t\t"FunctionName": {"Ref": "Worker"}
\t\t\t}
\t\t}
\t}
}"""


def to(name: str, attribute: str, value: Value) -> Change:
    """Return a change of one setting to a value; what it was before counts for nothing here."""
    if name == "orders":
        return Change(SettingPath("queue", name, attribute), None, value)
    return Change(SettingPath("function" if name == "worker" else "mapping", name, attribute), None, value)


SETTINGS = {
    "SAM": [
        to("orders", "visibility_timeout", 180),
        to("orders", "max_receive_count", 10),
        to("orders", "delay", 7),
        to("worker", "reserved_concurrency", 20),
        to("worker", "reserved_concurrency", None),
        to("worker", "memory", 512),
        to(MAPPING, "batch_size", 1),
        to(MAPPING, "maximum_concurrency", 2),
        to(MAPPING, "report_batch_item_failures", value=True),
    ],
    "CFN": [
        to("orders", "visibility_timeout", 180),
        to("worker", "timeout", 20),
        to("worker", "reserved_concurrency", 5),
        to(MAPPING, "batch_size", 1),
        to(MAPPING, "maximum_concurrency", 2),
        to(MAPPING, "report_batch_item_failures", value=True),
    ],
}


def applied(patch: str, text: str) -> str:
    """Apply a unified diff, refusing what does not fit."""
    old, new, done = text.splitlines(keepends=True), list[str](), 0
    body = re.sub(r"\n\\ No newline at end of file\n", "", patch)
    for start, hunk in re.findall(r"^@@ -(\d+)[^\n]*@@\n((?:[ +-][^\n]*\n?)*)", body, re.MULTILINE):
        new += old[done : int(start) - 1]
        done = int(start) - 1
        for line in hunk.splitlines(keepends=True):
            if line[0] in " -":
                assert old[done] == line[1:]
                done += 1
            new += [line[1:]] if line[0] in " +" else []
    return "".join([*new, *old[done:]])


def check(path: Path, changes: Sequence[Change]) -> str:
    """Patch a template, and read the result again; return the patch."""
    text, design = path.read_bytes().decode(), read_template(path).design
    patch = patch_of(path, design, changes, "infra/template.yaml")
    assert patch.startswith("--- a/infra/template.yaml\n+++ b/infra/template.yaml\n@@ -")
    expected = design
    for change in changes:
        expected = design_after(expected, change.setting.name, change.setting.attribute, change.after)
    path.write_bytes(applied(patch, text).encode())
    assert read_template(path).design == expected
    path.write_bytes(text.encode())
    return patch


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "whole"])
@pytest.mark.parametrize(("kind", "change"), [(kind, change) for kind, all_ in SETTINGS.items() for change in all_])
def test_a_patched_template_reads_as_the_changed_design(
    tmp_path: Path, kind: str, change: Change, ends: str, last: str
) -> None:
    """YAML and JSON, values that stand there and values that do not, whatever ends the lines and the file."""
    text = (SAM if kind == "SAM" else CFN).rstrip("\n") + ("\n" if last else "")
    path = tmp_path / ("template.yaml" if kind == "SAM" else "template.json")
    path.write_bytes(text.replace("\n", ends).encode())
    patch = check(path, [change])
    changed = [line for line in patch.split("\n")[2:] if line.startswith(("+", "-"))]
    assert len(changed) <= 4


def test_several_changes_make_one_patch(tmp_path: Path) -> None:
    """A fix of two settings, in two resources, is one patch."""
    path = tmp_path / "template.yaml"
    path.write_text(SAM, encoding="utf-8")
    patch = check(path, [SETTINGS["SAM"][0], SETTINGS["SAM"][7]])
    assert patch.count("@@ -") == 2


def test_the_patch_as_a_reviewer_sees_it(tmp_path: Path) -> None:
    """Comments stay, the indentation is that of its neighbours, and no other line is touched."""
    path = tmp_path / "template.yaml"
    path.write_text(SAM, encoding="utf-8")
    inserted = check(path, [to(MAPPING, "maximum_concurrency", 2)])
    assert (
        "             BatchSize: 10\n+            ScalingConfig:\n+              MaximumConcurrency: 2\n \n" in inserted
    )
    replaced = check(path, [to("orders", "visibility_timeout", 180)])
    assert "-      VisibilityTimeout: 30 # seconds\n+      VisibilityTimeout: 180 # seconds\n" in replaced
    assert "maxReceiveCount: '10'}" in check(path, [to("orders", "max_receive_count", 10)])


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("", "", to("worker", "timeout", 25)),
        ("VisibilityTimeout: 30", "VisibilityTimeout: !Ref Seconds", to("orders", "visibility_timeout", 60)),
        ("maxReceiveCount: '3'", "maxReceiveCount: !Ref Seconds", to("orders", "max_receive_count", 5)),
        ("BatchSize: 10", "Enabled: !If [Big, true, false]", to("elsewhere", "batch_size", 5)),
        ("", "", to("orders", "visibility_timeout", 3)),
    ],
)
def test_what_hangs_on_something_else_gets_no_patch(tmp_path: Path, old: str, new: str, change: Change) -> None:
    """A parameter, a part that is not there, a value that AWS refuses: no patch, and no error."""
    path = tmp_path / "template.yaml"
    path.write_text(SAM.replace(old, new), encoding="utf-8")
    assert patch_of(path, read_template(path).design, [change], "t.yaml") == ""


def test_a_template_that_has_changed_meanwhile_gets_no_patch(tmp_path: Path) -> None:
    """The patch is of the design that was judged, or there is none."""
    path = tmp_path / "template.yaml"
    path.write_text(SAM, encoding="utf-8")
    design = read_template(path).design
    path.write_text(SAM.replace("BatchSize: 10", "BatchSize: 9"), encoding="utf-8")
    assert patch_of(path, design, [to(MAPPING, "batch_size", 1)], "t.yaml") == ""
    path.unlink()
    assert patch_of(path, design, [to(MAPPING, "batch_size", 1)], "t.yaml") == ""


@pytest.mark.parametrize(
    ("text", "keys", "value", "expected"),
    [
        ("a:\n  b: 1\n", "a.c.d", 2, "a:\n  b: 1\n  c:\n    d: 2\n"),
        ("a:\n  b:\n    c: 1\n", "a.d", 2, "a:\n  d: 2\n  b:\n    c: 1\n"),
        ("a:\n- b: {c: 1}\n", "a.b", 2, None),
        ("a: {}", "a.b", 2, "a: {b: 2}"),
        ("a:\n  b: |\n    text\n", "a.b", 2, None),
        ("a: &x {b: 1}\nc: *x\n", "c.b", 2, None),
        ("a:\n", "a.b", 2, None),
        ("a: {b: 1, c: 2, d: 3}", "a.c", None, "a: {b: 1, d: 3}"),
        ("a: {b: 1, c: 2}", "a.c", None, "a: {b: 1}"),
        ("a:\n  b:\n    c: 1\n  d: 2\n", "a.b", None, "a:\n  d: 2\n"),
        ("a:\n  b: 1\n", "a.b", None, None),
        ("a:\n  b: 1\n", "a.c", None, "a:\n  b: 1\n"),
        ("é: 1\n😀: {b: 'é', c: 2}\n", "😀.c", 3, "é: 1\n😀: {b: 'é', c: 3}\n"),
        ('{"😀": "\\ud83d\\ude00", "a": 1}', "a", 2, None),
        ("a: x\n", "a", True, "a: true\n"),
        ("a: 1\n", "a", ("x",), None),
    ],
)
def test_edits_leave_everything_else_alone(
    text: str, keys: str, value: int | tuple[str, ...] | None, expected: str | None
) -> None:
    """What can be edited in place is, and what cannot is left alone."""
    assert edited(text, keys.split("."), value) == expected
