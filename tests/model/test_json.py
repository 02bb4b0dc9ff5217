"""Values go to JSON and back unchanged; what does not fit is refused under its path."""

from __future__ import annotations

import json

import attrs
import pytest
from hypothesis import given

from chaosqs.errors import InvalidScenario
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.explanation import Change, Explanation, Setting, SettingPath, Unknown
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.json import Json, from_json, structure, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst, Steady
from tests.model.drawn import designs, scenarios
from tests.model.explained import EXPLANATION, explanations

DESIGN = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])


@given(scenarios)
def test_scenario_goes_there_and_back(scenario: Scenario) -> None:
    """Every scenario survives JSON."""
    assert from_json(Scenario, to_json(scenario)) == scenario


@given(designs)
def test_design_goes_there_and_back(design: Design) -> None:
    """Every design survives JSON, and equal values give equal text."""
    text = to_json(design)
    assert from_json(Design, text) == design
    assert to_json(from_json(Design, text)) == text


def test_counterexample_goes_there_and_back() -> None:
    """A counterexample with all its explanations survives JSON."""
    found = Counterexample(
        "template.yaml",
        "orders→worker",
        "no-dead-lettering-by-throttling",
        Violation("no-dead-lettering-by-throttling", "Message 4 …", 60_100, "orders", (3,), (4, 7)),
        Scenario(DESIGN, [Burst("orders", 6)], {"worker": Behaviour(5)}),
        "0123",
        {"chaosqs": "0.1.0"},
        EXPLANATION,
    )
    assert found.explanation.premises
    assert from_json(Counterexample, to_json(found)) == found


@given(explanations)
def test_explanation_goes_there_and_back(explanation: Explanation) -> None:
    """Every explanation survives JSON, and equal values give equal text."""
    text = to_json(explanation)
    assert from_json(Explanation, text) == explanation
    assert to_json(from_json(Explanation, text)) == text


def test_a_value_that_nobody_knows_is_an_object() -> None:
    """With its reason, where a number, a flag or null would stand."""
    setting = Setting(SettingPath("queue", "orders", "delay"), Unknown("Delay has no default"))
    assert json.loads(to_json(setting))["value"] == {"reason": "Delay has no default"}


@pytest.mark.parametrize(
    ("kind", "document", "problem"),
    [
        (SettingPath, {"kind": "topic", "name": "", "attribute": ""}, "kind: must be one of queue, function, mapping,"),
        (
            SettingPath,
            {"kind": ["queue"], "name": "", "attribute": ""},
            "kind: must be one of queue, function, mapping,",
        ),
        (
            Change,
            {"setting": {"kind": "queue", "name": "q", "attribute": "delay"}, "before": {}, "after": "1"},
            "before.reason: is required",
        ),
    ],
)
def test_what_is_no_value_of_an_explanation_is_refused(kind: type, document: Json, problem: str) -> None:
    """Words that are not among those of a field, and an object that is no unknown value."""
    with pytest.raises(InvalidScenario) as caught:
        structure(kind, document)
    assert str(caught.value).startswith(problem)


def test_text_is_for_people_and_diffs() -> None:
    """Defaults are left out, the version comes first, and the file ends in a newline."""
    assert (
        to_json(DESIGN)
        == """{
  "chaosqs": 3,
  "queues": [
    {
      "name": "orders"
    }
  ],
  "functions": [
    {
      "name": "worker"
    }
  ],
  "mappings": [
    {
      "queue": "orders",
      "function": "worker"
    }
  ]
}
"""
    )


def test_signs_beyond_ascii_stay_readable() -> None:
    """Text is not escaped."""
    assert "shop→" in to_json(Behaviour(raises="shop→"))


def test_load_with_a_rate_is_steady() -> None:
    """The fields of a load tell which kind it is."""
    document: Json = {"design": {"queues": [{"name": "orders"}]}, "workload": []}
    assert isinstance(document, dict)
    document["workload"] = [
        {"queue": "orders", "count": 1},
        {"queue": "orders", "per_second": 1, "seconds": 2},
    ]
    assert structure(Scenario, document).workload == (Burst("orders", 1), Steady("orders", 1, 2))


def test_version_may_be_left_out() -> None:
    """A file that somebody wrote by hand needs no version."""
    assert from_json(Behaviour, '{"spread": 1}') == Behaviour(spread=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty, not JSON"),
        ("{", "is cut off: its JSON ends at line 1, column 2"),
        ('{"seed": 1,\n "until": nul', "is cut off: its JSON ends at line 2, column 11"),
        ('{"design": "templ', "is cut off: its JSON ends at line 1, column 12: Unterminated string"),
        ("nonsense", "is not JSON at line 1, column 1"),
        ("{'seed': 1}", "is not JSON at line 1, column 2"),
        ("[" * 100_000, "is not JSON that can be read"),
        ('{"seed": NaN}', "is not JSON that can be read: NaN is not a number in JSON"),
    ],
)
def test_what_is_no_json_is_refused(text: str, said: str) -> None:
    """The error says whether it is cut off or something else, and where."""
    with pytest.raises(InvalidScenario) as caught:
        from_json(Scenario, text)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("number", ["1e999", "-1e999", "9007199254740993", "1" + "0" * 400])
def test_numbers_that_no_program_can_use_are_refused(number: str) -> None:
    """Infinity, and whole numbers beyond what all readers of JSON agree on."""
    with pytest.raises(InvalidScenario, match=r"until: must be a number of at most 9007199254740992"):
        from_json(Scenario, f'{{"design": {{"queues": []}}, "until": {number}}}')


def test_half_a_character_is_refused() -> None:
    """It could be read, and never be written again."""
    with pytest.raises(InvalidScenario, match=r"queues\[0\].name: must be text, and .* has a lone surrogate"):
        from_json(Scenario, '{"design": {"queues": [{"name": "\\ud800"}]}}')


@pytest.mark.parametrize("text", ["[]", "7", "null", '"text"'])
def test_what_is_no_object_is_refused(text: str) -> None:
    """The error says what should be described."""
    with pytest.raises(InvalidScenario, match="must be a JSON object that describes a Scenario"):
        from_json(Scenario, text)


QUEUE = '{"name": "orders"}'


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{}", "design: is required"),
        ('{"design": {"queues": [{}]}}', "design.queues[0].name: is required"),
        ('{"design": 7}', "design: must be an object that describes a Design, not 7"),
        ('{"design": {"queues": {}}}', "design.queues: must be an array, not {}"),
        ('{"design": {"queues": "orders"}}', 'design.queues: must be an array, not "orders"'),
        (
            '{"design": {"queues": [{"name": "orders", "colour": 1}]}}',
            "design.queues[0].colour: unknown field: there are name, visibility_timeout, ",
        ),
        ('{"design": {"queues": [{"name": 7}]}}', "design.queues[0].name: must be a string, not 7"),
        (
            '{"design": {"queues": [{"name": "orders", "delay": 1.5}]}}',
            "design.queues[0].delay: must be a whole number, not 1.5",
        ),
        (
            '{"design": {"queues": [{"name": "orders", "delay": true}]}}',
            "design.queues[0].delay: must be a whole number, not true",
        ),
        (
            '{"design": {"queues": [{"name": "orders", "fifo": 0}]}}',
            "design.queues[0].fifo: must be true or false, not 0",
        ),
        (
            '{"design": {"queues": [{"name": "orders", "delay": 901}]}}',
            "design.queues[0].delay = 901: must be a whole number from 0 to 900 seconds (DL-1)",
        ),
        (
            '{"design": {"queues": [], "mappings": [{"queue": "q", "function": "f", "provisioned_pollers": [2]}]}}',
            "design.mappings[0].provisioned_pollers: must be an array of 2, not 1",
        ),
        ('{"design": {"queues": []}, "until": "soon"}', 'until: must be a number, not "soon"'),
        ('{"design": {"queues": []}, "workload": [{"queue": "q"}]}', "workload[0].count: is required"),
        ('{"design": {"queues": []}, "behaviours": {"f": 1}}', "behaviours['f']: must be an object that describes"),
        ('{"design": {"queues": []}, "faults": {"messages": [["ok", 7]]}}', "faults.messages[0][1]: must be a string"),
        ('{"design": {"queues": []}, "seed": -1}', "seed = -1: must be a whole number of at least 0"),
    ],
)
def test_refusals_name_the_path(document: str, problem: str) -> None:
    """What is wrong is told under the path at which it stands in the file."""
    with pytest.raises(InvalidScenario) as caught:
        from_json(Scenario, document)
    assert str(caught.value).startswith(problem)


def test_all_refusals_come_at_once() -> None:
    """One attempt shows everything that cannot be read."""
    document = {"design": {"queues": [{"name": 1}, {"nam": "q"}]}, "seed": "seven"}
    with pytest.raises(InvalidScenario) as caught:
        from_json(Scenario, json.dumps(document))
    assert [problem.path for problem in caught.value.problems] == [
        "design.queues[0].name",
        "design.queues[1].name",
        "design.queues[1].nam",
        "seed",
    ]


def test_lists_of_pairs_are_read_by_their_length() -> None:
    """A pair of pollers comes back as a pair."""
    mapping = EventSourceMapping("orders", "worker", provisioned_pollers=(2, 4))
    assert from_json(EventSourceMapping, to_json(mapping)) == mapping


@pytest.mark.parametrize(
    "value",
    [
        Redrive("dlq", 3),
        Window("error", "", 0.5, 1),
        FaultPlan([["ok"], []], heal_at=0),
        Function("worker", reserved_concurrency=0),
    ],
)
def test_parts_go_there_and_back(value: attrs.AttrsInstance) -> None:
    """Any value of the model can stand alone in a file."""
    assert from_json(type(value), to_json(value)) == value
