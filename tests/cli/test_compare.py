"""`chaosqs compare`: files side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Run

DESIGN = {
    "queues": [{"name": "orders", "visibility_timeout": 180}],
    "functions": [{"name": "worker", "timeout": 30, "reserved_concurrency": 5}],
    "mappings": [{"queue": "orders", "function": "worker", "maximum_concurrency": 5}],
}
SCENARIO = {
    "chaosqs": 1,
    "design": {**DESIGN, "mappings": [{"queue": "orders", "function": "worker"}]},
    "workload": [{"queue": "orders", "count": 100}],
    "behaviours": {"worker": {"seconds_per_message": 2}},
}
FILES: dict[str, object] = {
    "reserved.json": SCENARIO,
    "maximum.json": DESIGN,
    "polling.json": {
        "chaosqs": 1,
        "self_polling": {"queue": "orders", "function": "worker", "chains": 5, "reserve": 25},
    },
    "front.json": {"rate_limited_front": {"function": "worker", "requests_per_second": 2.5, "burst": 5}},
    "stream.json": {"stream": {"function": "worker", "shards": 5}},
    "more/reserved.json": SCENARIO,
    "longer.json": {**SCENARIO, "workload": [{"queue": "orders", "count": 101}]},
    "nothing.json": {},
    "two.json": {"stream": {"function": "worker", "shards": 5}, "self_polling": {}},
    "flat.json": {"stream": 5},
    "unknown.json": {"stream": {"function": "worker", "shards": 5, "chains": 5}},
    "missing.json": {"stream": {"function": "worker"}},
    "newer.json": {"chaosqs": 99, "stream": {"function": "worker", "shards": 5}},
    "nobody.json": {"stream": {"function": "nobody", "shards": 5}},
    "negative.json": {"stream": {"function": "worker", "shards": -1}},
}


@pytest.fixture
def compared(run: Run) -> Run:
    """Return what runs the command in a directory with these files."""
    for name, value in FILES.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(json.dumps(value), encoding="utf-8")
    return run


def test_files_stand_side_by_side(compared: Run) -> None:
    """A scenario, a design and the three alternatives, each named for its file."""
    result = compared("compare", "reserved.json", "maximum.json", "polling.json", "front.json", "stream.json")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "|  | reserved | maximum | polling | front | stream |"
    assert lines[2] == "| messages sent | 100 | 100 | 100 | 100 | 100 |"
    assert any(line.startswith("| lost to the caller | – | – | – |") for line in lines)


def test_json_has_the_same_figures(compared: Run) -> None:
    """For programs; and one scenario alone can be shown, too."""
    result = compared("compare", "reserved.json", "stream.json", "--json")
    assert result.exit_code == 0
    columns = json.loads(result.stdout)["columns"]
    assert [column["name"] for column in columns] == ["reserved", "stream"]
    assert columns[1]["throttles"] == 0
    assert compared("compare", "reserved.json").exit_code == 0


def test_a_loss_is_no_failure(compared: Run) -> None:
    """A comparison judges nothing: its exit status is 0 whatever becomes of the messages."""
    result = compared("compare", "reserved.json", "front.json", "--json")
    assert json.loads(result.stdout)["columns"][1]["lost_to_the_caller"] > 0
    assert result.exit_code == 0


WRONG: dict[tuple[str, ...], str] = {
    (): "Missing argument",
    ("nowhere.json",): "nowhere.json: cannot be read",
    ("maximum.json",): "maximum.json: ",
    ("stream.json", "reserved.json"): "stream.json: ",
    ("reserved.json", "nowhere.json"): "nowhere.json: cannot be read",
    ("reserved.json", "more/reserved.json"): "more/reserved.json: another file has the same name",
    ("reserved.json", "reserved.json"): "reserved.json: another file has the same name",
    ("reserved.json", "longer.json"): "alternatives['longer']: must have the same workload",
    ("reserved.json", "nothing.json"): "nothing.json: must hold a scenario, a design, or one of self_polling",
    ("reserved.json", "two.json"): "must be an object, and the only entry of its file",
    ("reserved.json", "flat.json"): "flat.json: stream: must be an object",
    ("reserved.json", "unknown.json"): "unknown.json: chains: unknown field",
    ("reserved.json", "missing.json"): "missing.json: shards: is required",
    ("reserved.json", "newer.json"): "newer.json: chaosqs = 99: must be a schema that this version reads, 1 to 3",
    ("reserved.json", "nobody.json"): "alternatives['nobody'].function = 'nobody': must name a function",
    ("reserved.json", "negative.json"): "alternatives['negative'].shards = -1: must be a whole number",
}


@pytest.mark.parametrize(("files", "said"), WRONG.items(), ids=[" ".join(files) or "none" for files in WRONG])
def test_what_cannot_be_compared_is_said_in_few_words(compared: Run, files: tuple[str, ...], said: str) -> None:
    """Exit status 2, one to three lines, no traceback."""
    result = compared("compare", *files)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert 1 <= len([line for line in result.stderr.splitlines() if line.strip()]) <= 3


REAL = {
    **SCENARIO,
    "workload": [{"queue": "orders", "count": 3}],
    "behaviours": {"worker": {"handler": "app:handler", "code": "src"}},
}
SEEN = """
import json

def handler(event, context):
    for record in event["Records"]:
        json.loads(record["body"])["amount"]
"""


def test_real_handlers_get_the_projects_own_messages(compared: Run) -> None:
    """In each column, with a line that says whence; a load with messages of its own keeps them."""
    for name, text in {
        "src/app.py": SEEN,
        "events/order.json": '{"id": "o-1", "amount": 2}',
        "real.json": json.dumps(REAL),
        "again.json": json.dumps({**REAL, "seed": 2}),
        "own.json": json.dumps({**REAL, "workload": [{"queue": "orders", "messages": [{"body": "{}"}]}], "until": 200}),
    }.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    result = compared("compare", "real.json", "again.json", "maximum.json")
    assert result.exit_code == 0, result.output
    assert "| processed | 3 | 3 | 3 |" in result.stdout
    assert result.stdout.endswith("|\n\nmessages of orders: bodies from events/order.json\n")
    own = compared("compare", "own.json")
    assert "| processed | 0 |" in own.stdout
    assert "messages of" not in own.stdout
