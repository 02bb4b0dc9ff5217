from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

HERE = Path(__file__).parent
ORDERS = HERE / "orders.template.json"


def test_what_the_cdk_writes_becomes_the_design() -> None:
    """A `*.template.json` of cdk.out is read: queue, dead-letter queue, function behind an alias, and mapping."""
    assert read_template(ORDERS).design == Design(
        queues=(
            Queue("Orders6F8D2A11", visibility_timeout=90, redrive=Redrive("OrdersDlq0A3C9E55", 4)),
            Queue("OrdersDlq0A3C9E55", retention_period=1_209_600),
        ),
        functions=(Function("Worker2B7D4C10", timeout=15, memory=256, provisioned_concurrency=3),),
        mappings=(EventSourceMapping("Orders6F8D2A11", "Worker2B7D4C10", batch_size=5, maximum_concurrency=7),),
    )


def test_lines_of_json_are_kept() -> None:
    """Origins of a JSON template name the line of the key, as those of YAML do."""
    origins = read_template(ORDERS).origins
    path = "queues.Orders6F8D2A11.redrive.max_receive_count"
    assert str(origins[path]) == f"{ORDERS}:13 maxReceiveCount: 4"
    assert str(origins["functions.Worker2B7D4C10.timeout"]) == f"{ORDERS}:44 Timeout: 15"


def test_nothing_is_said_about_parts_that_do_not_matter() -> None:
    """The CDK's own metadata, conditions on the Region and its bootstrap parameter leave no assumption."""
    assert read_template(ORDERS).assumptions == ()


def test_the_slow_parser_reads_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where PyYAML has no libyaml, JSON with tabs and surrogate escapes is read all the same."""
    tabs = tmp_path / "tabs.template.json"
    tabs.write_text(json.dumps(json.loads(ORDERS.read_text(encoding="utf-8")), indent="\t"), encoding="utf-8")
    fast = read_template(tabs)
    monkeypatch.setattr(yaml, "__with_libyaml__", False)
    slow = read_template(tabs)
    assert slow == fast
    assert slow.design == read_template(ORDERS).design


def test_a_large_template_is_read_in_seconds(tmp_path: Path) -> None:
    """One megabyte of JSON, CloudFormation's limit, takes a few seconds at the most."""
    template = json.loads(ORDERS.read_text(encoding="utf-8"))
    allow = {"Effect": "Allow", "Action": ["sqs:SendMessage"], "Resource": {"Fn::Join": ["", ["arn:", {"Ref": "X"}]]}}
    for number in range(1_000):
        template["Resources"][f"Role{number}"] = {"Type": "AWS::IAM::Role", "Properties": {"P": [allow] * 10}}
    large = tmp_path / "large.template.json"
    large.write_text(json.dumps(template), encoding="utf-8")
    assert large.stat().st_size > 1_000_000
    begin = time.process_time()
    assert read_template(large).design == read_template(ORDERS).design
    assert time.process_time() - begin < 10
