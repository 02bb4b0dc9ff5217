"""Where designs come from: found, configured, written in Python or as JSON."""

from pathlib import Path

import pytest

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from tests.plugin.projects import SOUND

DESIGN = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])
PYTHON = """
from chaosqs import Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Scenario
import beside

orders = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])
busy = Scenario(orders, [Burst("orders", 3)], {"worker": Behaviour(seconds_per_batch=beside.SECONDS)})
number = 3
"""
BRIEFLY = "--chaosqs-max-examples=1"


def designs(pytester: pytest.Pytester, *arguments: str) -> set[str]:
    """Return the names of the designs that would be judged."""
    result = pytester.runpytest("--chaosqs", "--collect-only", "-q", *arguments)
    return {line.split("::")[1] for line in result.outlines if line.startswith("chaosqs::")}


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", ["template.yaml", "template.yml", "cdk.out/Orders.template.json"])
def test_templates_are_found_by_themselves(pytester: pytest.Pytester, name: str) -> None:
    """SAM's and CloudFormation's usual name, and what CDK synthesises (JSON is YAML, and the other way round here)."""
    write(pytester.path / name, SOUND)
    assert designs(pytester) == {name}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["serverless.yml"], "serverless.yml is not judged: maps no SQS queue to a function: no function has an event"),
        (["serverless.ts"], "serverless.ts is not judged: is code, which is not executed. Run `sls package`, and"),
        (["main.tf"], "main.tf is not judged: maps no SQS queue to a Lambda function."),
        (["b.tf.json", "a.tf.json"], "a.tf.json and 1 more are not judged: this version reads Terraform in HCL only"),
    ],
)
def test_other_formats_are_named_and_no_failure(sound: pytest.Pytester, names: list[str], said: str) -> None:
    """One line says what was seen and cannot be read, and what to do."""
    for name in names:
        write(sound.path / name, "service: orders\n")
    result = sound.runpytest("--chaosqs", BRIEFLY, "-k", "conservation")
    assert result.ret == 0
    assert len([line for line in result.outlines if line.startswith(said)]) == 1


@pytest.mark.parametrize("text", ["{}", '{"name": "{{cookiecutter.name}}"}', '{"Resources": {}}'])
def test_a_json_file_that_is_no_design_is_named(sound: pytest.Pytester, text: str) -> None:
    """`template.json` may be anything; that it is no design is no failure."""
    write(sound.path / "template.json", text)
    result = sound.runpytest("--chaosqs", BRIEFLY, "-k", "conservation")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["template.json is not judged: *"])


@pytest.mark.parametrize("slip", ["VisibilityTimeout: 3", "VisibilityTimeout: soon", "VisibilityTimeout: [3"])
def test_a_template_that_aws_would_refuse_is_refused(sound: pytest.Pytester, slip: str) -> None:
    """It is meant to be deployed, so a slip in it is said with its line, not passed over."""
    write(sound.path / "template.yaml", SOUND.replace("VisibilityTimeout: 180", slip))
    result = sound.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: chaosqs: template.yaml:*"])
    assert str(sound.path) not in result.stderr.str()
    assert len([line for line in result.errlines if line.strip()]) <= 3


def test_a_design_in_python(pytester: pytest.Pytester) -> None:
    """`path.py:attribute` is a design or a scenario; the file may import what lies beside it."""
    write(pytester.path / "tests" / "designs.py", PYTHON)
    write(pytester.path / "tests" / "beside.py", "SECONDS = 2\n")
    pytester.makepyprojecttoml(
        '[tool.pytest.ini_options]\n[tool.chaosqs]\ndesigns = ["tests/designs.py:orders", "tests/designs.py:busy"]\n'
    )
    assert designs(pytester) == {"tests/designs.py:orders", "tests/designs.py:busy"}
    assert designs(pytester, "chaosqs::tests/designs.py:busy") == {"tests/designs.py:busy"}
    assert pytester.runpytest("--chaosqs", BRIEFLY).ret == 0


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("returns", "tests/designs.py: defines no 'returns'"),
        ("number", "tests/designs.py:number: must be a Design or a Scenario, not int"),
    ],
)
def test_a_value_that_is_no_design_is_refused(pytester: pytest.Pytester, attribute: str, said: str) -> None:
    """The message names the file and the value."""
    write(pytester.path / "tests" / "designs.py", PYTHON)
    write(pytester.path / "tests" / "beside.py", "SECONDS = 2\n")
    result = pytester.runpytest(f"--chaosqs-design=tests/designs.py:{attribute}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: chaosqs: {said}"])


@pytest.mark.parametrize("text", ["1 / 0", "import nowhere", "raise SystemExit(3)", "def", "\0"])
def test_a_file_that_cannot_be_imported_is_refused(pytester: pytest.Pytester, text: str) -> None:
    """Whatever the user's code raises becomes one line."""
    write(pytester.path / "designs.py", text)
    result = pytester.runpytest("--chaosqs-design=designs.py:orders")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: chaosqs: designs.py: cannot be imported: *"])
    assert "Traceback" not in result.stderr.str()


@pytest.mark.parametrize("value", [DESIGN, Scenario(DESIGN)])
def test_a_design_as_json(pytester: pytest.Pytester, value: Design | Scenario) -> None:
    """A design, or the scenario that has it, as chaosqs writes them."""
    write(pytester.path / "orders.json", to_json(value))
    assert designs(pytester, "--chaosqs-design=orders.json") == {"orders.json"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"violation": {}}', "is a counterexample, not a design. Replay it: chaosqs replay orders.json"),
        ('{"queues": 3}', "orders.json: queues: must be an array"),
        ('{"queues": [], "chaosqs": 99}', "must be a schema that this version reads, 1 to 3"),
        ('{"queues": [', "orders.json"),
    ],
)
def test_json_that_is_no_design_is_refused(pytester: pytest.Pytester, text: str, said: str) -> None:
    """The message names the file and the field."""
    write(pytester.path / "orders.json", text)
    result = pytester.runpytest("--chaosqs-design=orders.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: chaosqs: *{said}*"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"violation": ', "is cut off: its JSON ends at line 1"),
        ('{"queues": []}', "is not a counterexample"),
        ('{"violation": {}, "chaosqs": 99}', "must be a schema that this version reads, 1 to 3"),
        ("[]", "must hold a JSON object"),
        ("[" * 100_000, "is not JSON that can be read"),
    ],
)
def test_a_file_that_is_no_counterexample_is_refused(pytester: pytest.Pytester, text: str, said: str) -> None:
    """Cut off, foreign or newer: said in three lines at the most, before anything runs."""
    write(pytester.path / "found.json", text)
    result = pytester.runpytest("--chaosqs-replay=found.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: chaosqs: found.json: *{said}*"])
    assert len([line for line in result.errlines if line.strip()]) <= 3


def test_what_was_assumed_is_said_once(pytester: pytest.Pytester) -> None:
    """What the template leaves open stands in the summary, once for each design."""
    text = SOUND.replace("Timeout: 30", "Timeout: !Ref Patience").replace(
        "Resources:", "Parameters:\n  Patience:\n    Type: Number\nResources:"
    )
    write(pytester.path / "template.yaml", text)
    result = pytester.runpytest("--chaosqs", BRIEFLY)
    assert len([line for line in result.outlines if line.startswith("template.yaml: assumed: ")]) == 1
