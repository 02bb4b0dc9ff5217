"""Setup functions prepare each run: data in the services of the design, and stubs for what moto lacks."""

from __future__ import annotations

import textwrap
from pathlib import Path

import attrs
import pytest

import chaosqs
from chaosqs.errors import EscapedSimulation, InvalidInput, InvalidScenario
from chaosqs.mock_aws.aws import aws
from chaosqs.model.events import ServiceCalled
from chaosqs.model.scenario import Scenario
from chaosqs.simulation.run import simulate
from tests.lambda_.service_handlers import client
from tests.lambda_.test_other_services import TABLE, scenario

GOOD = """
    import boto3
    import chaosqs

    def prepare():
        tables = boto3.client("dynamodb", region_name="us-east-1")
        tables.put_item(TableName="orders", Item={"id": {"S": "seed"}})
        chaosqs.stub("braket:SearchDevices", lambda parameters: {"devices": [dict(parameters)]})
"""


def prepared(directory: Path, code: str, name: str = "prepare") -> Scenario:
    """Return a scenario whose runs begin with a setup function that has this code."""
    file = directory / "world.py"
    file.write_text(textwrap.dedent(code), encoding="utf-8")
    calm = scenario("asks_model", TABLE)
    own = attrs.evolve(calm.behaviours["worker"], setup=f"{file}:{name}")
    return attrs.evolve(calm, behaviours={**calm.behaviours, "worker": own})


def test_each_run_begins_with_the_data_and_the_stubs_of_the_setup_function(tmp_path: Path) -> None:
    """A stubbed call takes its time, and is in the history as any other."""
    history = simulate(prepared(tmp_path, GOOD), verify=True)
    assert dict(history.effects[0].values) == {"devices": '[{"filters": []}]', "found": True}
    calls = [(event.service, event.operation) for _, event in history.each(ServiceCalled)]
    assert calls == [("braket", "SearchDevices"), ("dynamodb", "GetItem")]
    times = [event.at for _, event in history.each(ServiceCalled)]
    assert times[0] < times[1]


STUBS = {
    "raises": ("def broken(given):\n    return given['missing']", r"its stub raises KeyError: 'missing'", 4),
    "exits": ("def broken(given):\n    raise SystemExit(3)", "its stub raises SystemExit: 3", 4),
    "takes no parameters": ("def broken():\n    return {}", r"its stub raises TypeError: broken\(\) takes 0", 3),
    "is async": ("async def broken(given):\n    return {}", "its answer must be a dict.*not of type coroutine", 3),
    "answers nothing": ("def broken(given):\n    pass", "its answer must be a dict.*not None", 3),
}


@pytest.mark.parametrize(("stub", "why", "line"), STUBS.values(), ids=STUBS.keys())
def test_a_broken_stub_ends_the_run_with_file_and_line(tmp_path: Path, stub: str, why: str, line: int) -> None:
    """The line is one of the stub, also if it is called or answers wrongly."""
    code = f"import chaosqs\n\n{stub}\n\ndef prepare():\n    chaosqs.stub('braket:SearchDevices', broken)\n"
    with pytest.raises(EscapedSimulation, match=rf"(?s)service_handlers\.py:\d+: {why}[^\n]*\n\S*world\.py:{line}$"):
        simulate(prepared(tmp_path, code))


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("async def prepare(): ...", r"must be a plain function, not an async one\n\S*world\.py:1$"),
        ("async def other(): ...\nprepare = lambda: other()", r"must be a plain function, not an async one\n\S*:2$"),
        ("def prepare():\n    yield", r"must be a plain function, not a generator\n\S*world\.py:1$"),
        ("def prepare():\n    raise SystemExit(2)", r"raises SystemExit: 2\n\S*world\.py:2$"),
        ("raise SystemExit(2)", r"cannot be imported: SystemExit: 2\n\S*world\.py:1$"),
        ("def prepare(world): ...", r"must take no argument\n\S*world\.py:1$"),
        ("def prepare():\n    1 / 0", r"raises ZeroDivisionError: division by zero\n\S*world\.py:2$"),
        ("x = 1", r"has no function 'prepare'\n\S*world\.py:1$"),
        ("def prepare(:", r"cannot be imported: SyntaxError.*\n\S*world\.py:1$"),
    ],
)
def test_a_setup_function_that_cannot_be_used_is_named_with_file_and_line(tmp_path: Path, code: str, why: str) -> None:
    with pytest.raises(InvalidScenario, match=why):
        simulate(prepared(tmp_path, code))


def test_a_setup_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    scenario = prepared(tmp_path, GOOD)
    (tmp_path / "world.py").unlink()
    with pytest.raises(InvalidScenario, match=r"there is no such file\n\S*world\.py$"):
        simulate(scenario)


def test_an_answer_is_a_dict_as_boto3_returns_it() -> None:
    with aws(), pytest.raises(InvalidInput, match=r"must be a dict, as boto3 .*, or a function .*, not None"):
        chaosqs.stub("braket:SearchDevices", None)


def test_a_stub_needs_a_world() -> None:
    with pytest.raises(InvalidInput, match=r"needs a world.*\n.*setup"):
        chaosqs.stub("braket:SearchDevices", {})


def test_stubs_answer_in_aws_too() -> None:
    with aws():
        chaosqs.stub("braket:SearchDevices", {"devices": []})
        assert client("braket").search_devices(filters=[]) == {"devices": []}


@pytest.mark.parametrize("target", ["sqs:SendMessage", "braket", "braket:", "https://example.com"])
def test_a_stub_names_an_operation(target: str) -> None:
    with aws(), pytest.raises(InvalidInput, match="service:Operation"):
        chaosqs.stub(target, {})
