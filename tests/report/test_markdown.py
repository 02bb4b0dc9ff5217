"""The report for a design review: complete, literal, and with a test that pastes."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given, settings

from chaosqs.invariants.registry import check
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Throttled
from chaosqs.model.explanation import Evidence, Explanation, PointOfNoReturn
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.report.markdown import markdown, source
from tests.report.examples import EXPLANATION, counterexample, design, patched, throttled
from tests.report.hostile import EXPLANATIONS, NAMES
from tests.report.runs import run


def test_everything_that_a_review_needs_is_there() -> None:
    """Verdict, settings with their thresholds and origins, rate, fixes, diagram, list, test, replay, versions."""
    found, history = throttled()
    text = markdown(attrs.evolve(found, explanation=EXPLANATION), history, replay="reports/x/scenario.json")
    for part in (
        "# orders → worker: no dead-lettering by throttling\n",
        "**Violated** in `template.yaml`. Message 4 went to orders-dlq",
        "| `reserved_concurrency` of `worker` | `2` | safe from 5 | `template.yaml:41 ReservedConcurrentExecutions: 2`",
        "| `visibility_timeout` of `orders` | `30` | safe from 61 | default |",
        "\nSafe: 0 of 400 cases of a search, 0 of 200 seeds with up to 200 messages. A value further out passed ",
        "at low, usual and high values: `batch_size`, `receive_wait_time`. Of use for throughput",
        " No fault was needed.",
        "In 38 % of 1,000 seeds (35–41 %)",
        "| `maximum_concurrency = 2` | 0 of 2,000 seeds (below 0.2 %) | +0 % | – | – |\n",
        "| `reserved_concurrency = 5` | 0 of 2,000 seeds (below 0.2 %) | – | – | – |\n",
        "```mermaid\nsequenceDiagram\n",
        "- **60.1 s** visibility of message 4 ends after 1 throttle",
        "```python\nfrom chaosqs import ",
        "```sh\nchaosqs replay reports/x/scenario.json\n```",
        "Messages are numbered from 1 in texts",
        "Found with chaosqs 0.1.0, python 3.11.7.",
        f"`{found.digest}`",
    ):
        assert part in text


def test_sections_without_facts_are_left_out() -> None:
    """An unexplained counterexample has no empty tables, and does not claim what is not known."""
    text = markdown(*throttled(), replay="s.json")
    assert "## How often" not in text
    assert "## What prevents it" not in text
    assert "Not determined." in text


def test_the_first_fix_is_shown_as_a_patch() -> None:
    """Where there is a patch it stands below the changes, as a diff."""
    found, history = throttled()
    patch = "--- a/t.yaml\n+++ b/t.yaml\n@@ -1 +1 @@\n-BatchSize: 10\n+BatchSize: 1\n"
    text = markdown(attrs.evolve(found, explanation=patched(patch)), history, replay="s.json")
    assert f"```diff\n{patch}```\n" in text
    assert "fix.patch" not in markdown(attrs.evolve(found, explanation=EXPLANATION), history, replay="s.json")


def test_a_bug_of_ours_blames_no_setting() -> None:
    """It says whose bug it is and what to do, in the place of settings and fixes."""
    found, history = throttled()
    text = markdown(attrs.evolve(found, explanation=Explanation(own_bug=True)), history, replay="s.json")
    assert "**This is a bug of chaosqs, not of the design: please report it with scenario.json.**" in text
    assert not any(f"## {part}" in text for part in ("What matters", "What prevents", "How often"))
    assert "## Replay" in text


def test_the_report_says_from_when_on_it_was_inevitable() -> None:
    """Beside how often it happens."""
    found, history = throttled()
    index = next(index for index, event in enumerate(history.events) if isinstance(event, Throttled))
    point = PointOfNoReturn(Evidence(40, 40, "futures"), 10, index)
    known = attrs.evolve(EXPLANATION, point_of_no_return=point)
    text = markdown(attrs.evolve(found, explanation=known), history, replay="s.json")
    assert "It was inevitable from 0.0 s: message 3 is throttled (40 of 40 futures).\n" in text


def test_it_says_so_where_no_single_setting_matters() -> None:
    """That nothing helps alone is a finding, too."""
    found, history = throttled()
    settings = tuple(attrs.evolve(setting, thresholds=()) for setting in EXPLANATION.settings)
    text = markdown(attrs.evolve(found, explanation=Explanation(settings)), history, replay="s.json")
    assert "No other value of any one setting makes the violation impossible or rarer." in text


def test_an_explanation_of_an_older_version_is_said_to_be_gone() -> None:
    """In the place of the settings, and nothing is claimed instead."""
    found, history = throttled()
    text = markdown(attrs.evolve(found, explanation=Explanation(outdated=True)), history, replay="s.json")
    assert (
        "\nThe explanation in the file is left out: it describes another history, or has a form that is no longer read."
        in text
    )
    assert "Not determined." not in text


def test_the_order_of_versions_does_not_count() -> None:
    """Equal counterexamples give equal bytes, whatever the order in which their versions were noted."""
    found, history = throttled()
    swapped = attrs.evolve(found, versions=dict(sorted(found.versions.items(), reverse=True)))
    assert swapped == found
    assert markdown(swapped, history, replay="s.json") == markdown(found, history, replay="s.json")


@settings(max_examples=40)
@given(NAMES, NAMES, NAMES, NAMES, EXPLANATIONS)
def test_no_name_becomes_markup(
    design_name: str, mapping: str, invariant: str, text: str, explanation: Explanation
) -> None:
    """Whatever the names, there is one title, every table row has its columns, and no tag but ours."""
    found, history = throttled()
    found = attrs.evolve(
        found,
        design=design_name,
        mapping=mapping,
        invariant=invariant,
        violation=attrs.evolve(found.violation, text=text),
        explanation=explanation,
        versions={design_name: text},
    )
    result = markdown(found, history, replay="s.json")
    outside = re.sub(r"^(`{3,})\w+\n.*?^\1$", "", result, flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^# ", outside, re.MULTILINE)) == 1
    for row in re.findall(r"^\|.*", outside, re.MULTILINE):
        assert len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", row))) in {5, 6}
    spans = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", outside)
    assert set(re.findall(r"<[^>]*>", spans)) <= {"<code>", "</code>", "<span>", "</span>", "<!-- -->"}


def pasted(text: str) -> Callable[[], object]:
    names: dict[str, object] = {}
    exec(compile(text, "pasted.py", "exec"), names)  # noqa: S102 - what a user does with it
    found = next(value for name, value in names.items() if name.startswith("test_"))
    assert callable(found)
    return found


def test_the_test_of_a_real_counterexample_pastes_and_fails() -> None:
    """A user who pastes the test sees it fail: it simulates the same scenario and asks the same invariant."""
    history = run(Burst("orders", 60), Behaviour(seconds_per_message=8))
    violation = check(history)[0]
    found, _ = counterexample(history, violation)
    text = markdown(found, history, replay="s.json").split("```python\n")[1].split("\n```")[0]
    with pytest.raises(AssertionError):
        pasted(text)()


@pytest.mark.parametrize(
    "scenario",
    [
        Scenario(design()),
        Scenario(
            design(),
            [Burst("orders", 3, at=1.5), Burst("orders", 4)],
            {"worker": Behaviour(seconds_per_message=0.1, poison=(1, 2), raises="A `very\n` odd \"name\" '''")},
            FaultPlan((("ok", "lost_delete"), ("crash",)), (Window("slow", "worker", 1, 2),), ("error",), 60.0),
            seed=7,
            until=300,
        ),
    ],
)
def test_the_scenario_pastes_back(scenario: Scenario) -> None:
    """The source contains the scenario itself, and no line of it is too long to read."""
    text = source(scenario, "at-least-once-delivery")
    names: dict[str, object] = {}
    expression = text.split("scenario = ")[1].split("\n    invariant = ")[0]
    imports = text.split("\n\n\n")[0]
    exec(f"{imports}\nscenario = {expression}", names)  # noqa: S102 - what a user does with it
    assert names["scenario"] == scenario
    assert all(len(line) <= 96 for line in text.splitlines())
