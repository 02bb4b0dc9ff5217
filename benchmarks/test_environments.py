"""The cost of an execution environment of real code: its import of the project's module, and its clients of boto3.

Figures are CPU time of whole runs with many environments, each with one invocation, divided by their number.
"""

from __future__ import annotations

import time
from pathlib import Path

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate

ENVIRONMENTS = 100
HANDLER = "import time\n\ndef handler(event, context):\n    time.sleep(1)\n"
FUNCTION = '''
def function_{0}(order, total=0, *, limit=None):
    """Add up an order."""
    for item in order.get("items", ()):
        total += item["price"] * item.get("count", 1)
    if limit is not None and total > limit:
        raise ValueError(f"{{total}} is over the limit")
    return {{"id": order["id"], "total": total}}
'''
DATACLASS = """
@dataclasses.dataclass
class Order{0}:
    id: str
    total: int = 0
    name: str | None = None
"""


def module_of_200_lines() -> str:
    """Return the source of a plain module: 20 functions and 2 dataclasses."""
    parts = ["import dataclasses\nimport json\nimport logging\nimport os\nlogger = logging.getLogger(__name__)\n"]
    parts += [FUNCTION.format(number) + "\n" for number in range(20)]
    parts += [DATACLASS.format(number) for number in range(2)]
    return "".join([*parts, HANDLER])


def milliseconds(folder: Path, source: str, repeats: int = 5) -> float:
    """Return the CPU milliseconds for each environment in the fastest of several runs."""
    folder.mkdir()
    (folder / "app.py").write_text(source, encoding="utf-8")
    design = Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(20, 20))],
    )
    behaviours = {"worker": Behaviour(handler="app:handler", code=str(folder))}
    scenario = Scenario(design, [Burst("orders", ENVIRONMENTS)], behaviours, until=60)
    taken: list[float] = []
    for _ in range(repeats):
        begun = time.process_time()
        history = simulate(scenario)
        taken.append(time.process_time() - begun)
        assert history.summary()["functions"]["worker"]["ConcurrentExecutions"] == ENVIRONMENTS
    return min(taken) / ENVIRONMENTS * 1000


def test_an_environment_costs_at_most_3_milliseconds(tmp_path: Path) -> None:
    """With a module of 200 lines, and everything else that one invocation costs."""
    source = module_of_200_lines()
    assert 195 <= source.count("\n") <= 205
    bare, module = milliseconds(tmp_path / "bare", HANDLER), milliseconds(tmp_path / "module", source)
    print(f"an environment and its invocation: {bare:.2f} ms; with a module of 200 lines: {module:.2f} ms")
    assert module <= 3


def test_what_clients_cost_an_environment(tmp_path: Path) -> None:
    """Clients and resources that the module makes, with the models of their services already read."""
    bare = milliseconds(tmp_path / "bare", f"import boto3\n{HANDLER}")
    made = {
        "boto3.client('sqs')": "boto3.client('sqs')",
        "boto3.client('dynamodb')": "boto3.client('dynamodb')",
        "boto3.resource('dynamodb')": "boto3.resource('dynamodb').Table('orders')",
        "boto3.Session().client('dynamodb')": "boto3.Session().client('dynamodb')",
    }
    for number, (name, call) in enumerate(made.items()):
        more = milliseconds(tmp_path / str(number), f"import boto3\nMADE = {call}\n{HANDLER}") - bare
        print(f"{name}: {more:.1f} ms more")
        assert more <= 30
