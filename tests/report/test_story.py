"""The story: at most 30 lines of 110 columns, in one layout, whatever users call their things."""

from __future__ import annotations

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import DeadLettered
from chaosqs.model.explanation import (
    AssumptionVerdict,
    Change,
    Evidence,
    Explanation,
    LoadSensitivity,
    PointOfNoReturn,
    Setting,
    SettingPath,
)
from chaosqs.model.faults import FaultPlan
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst
from chaosqs.report.event_text import Step
from chaosqs.report.story import story, timeline
from chaosqs.report.text import columns
from tests.report.examples import EXPLANATION, counterexample, fixed, throttled
from tests.report.hostile import EXPLANATIONS, NAMES, hostile
from tests.report.runs import run

GOLDEN = """\
orders → worker    no dead-lettering by throttling                                                    VIOLATED
  Message 4 went to orders-dlq although worker never failed on it, and never saw it: it was received 2 times,
  and each time all 2 reserved executions of worker were busy.

   0.0 s  messages 1–6 arrive in orders
   0.0 s  5 pollers receive messages 1–5, one each; 1 and 2 run; 3–5 are throttled (429, reserved
          concurrency 2)
   5.0 s  messages 1 and 2 are done; 3 and 5 run; 4 waits for its next retry at 9.0 s
   9.0 s  message 4 is throttled again (429, reserved concurrency 2: busy with 3 and 5)
  10.0 s  messages 3 and 5 are done; 4 waits for its next retry
  30.0 s  visibility of message 4 ends after 2 throttles (receive count 1 of 2); poller 1 receives message 6;
          it runs; poller 3 receives message 4 again; it is throttled (429, reserved concurrency 2)
  60.1 s  visibility of message 4 ends after 1 throttle (receive count 2 of 2); a receive finds it over
          max_receive_count 2: moved to orders-dlq

  What matters    reserved_concurrency 2 (safe from 5) · max_receive_count 2 (safe from 6) ·
                  visibility_timeout 30 (safe from 61)
                  safe: 0 of 400 cases of a search, 0 of 200 seeds with up to 200 messages
  Not involved    batch_size · receive_wait_time · memory (throughput only) · no fault was needed
  How often       38 % of 1,000 seeds (35–41 %)
  Prevented by    maximum_concurrency = 2 (below 0.2 %, drain time +0 %) ·
                  reserved_concurrency = 5 (below 0.2 %) ·
                  less often with visibility_timeout = 60 (0.6 % (0.3–1), drain time +25 %)
  From            template.yaml:41 ReservedConcurrentExecutions: 2
  Replay          chaosqs replay reports/orders/scenario.json
"""


def test_the_story_of_the_house_plan() -> None:
    """Headline, sentence, timeline and facts stand where the house plan puts them."""
    found, history = throttled()
    found = attrs.evolve(found, explanation=EXPLANATION)
    assert story(found, history, replay="reports/orders/scenario.json") == GOLDEN


POISONED = """\
orders → worker    nothing dead-lettered                                                              VIOLATED
  Message 2 went to orders-dlq.

   0.0 s  messages 1 and 2 arrive in orders
   0.0 s  poller 2 receives message 2; it runs
   0.3 s  the function raises an error on message 2
  30.0 s  visibility of message 2 ends (receive count 1 of 3); poller 3 receives it again; it runs again; the
          function raises an error on it
  60.0 s  visibility of message 2 ends (receive count 2 of 3); poller 4 receives it again; it runs again; the
          function raises an error on it
  90.0 s  visibility of message 2 ends (receive count 3 of 3); a receive finds it over max_receive_count 3:
          moved to orders-dlq

  Faults          no fault was needed
"""


def test_the_story_of_a_real_run() -> None:
    """A message that always fails: three deliveries, three failures, and out; the other one is not mentioned."""
    history = run(Burst("orders", 2), Behaviour(poison=(1,)))
    index = next(index for index, event in enumerate(history.events) if isinstance(event, DeadLettered))
    moved = history.events[index]
    violation = Violation("nothing-dead-lettered", "Message 2 went to orders-dlq.", moved.at, "orders", (1,), (index,))
    assert story(*counterexample(history, violation)) == POISONED


def test_a_line_without_its_fact_is_left_out() -> None:
    """Without explanation and path only what the history shows is told: headline, sentence, timeline, no fault."""
    text = story(*throttled())
    assert text.splitlines()[-1] == "  Faults          no fault was needed"
    assert not any(
        label in text for label in ("What matters", "Not involved", "How often", "Prevented", "From", "Replay")
    )


def test_faults_that_were_planned_are_not_called_needless_before_that_is_known() -> None:
    """With faults in the plan and no explanation, nothing is said about faults."""
    found, history = throttled()
    scenario = attrs.evolve(found.scenario, faults=FaultPlan(messages=(("slow",),)))
    assert "ault" not in story(attrs.evolve(found, scenario=scenario), history)


def test_each_fact_of_an_explanation_has_its_line() -> None:
    """Faults, assumptions and the point of no return stand under their labels."""
    found, history = throttled()
    explained = attrs.evolve(
        found,
        explanation=Explanation(
            faults=(FaultPlan(messages=[[], [], [], ["crash"]]),),
            assumptions=(AssumptionVerdict("held_batches", 5, "holds"),),
            point_of_no_return=PointOfNoReturn(Evidence(40, 40, "futures"), None),
        ),
    )
    text = story(explained, history)
    assert "  Faults          crash at receive 1 of message 4\n" in text
    assert "  Hangs on        held_batches 8 batches (holds at 5 batches)\n" in text
    assert "  Inevitable      from the start (40 of 40 futures)\n" in text


def test_what_matters_does_not_stand_among_what_may_be_anything() -> None:
    """Neither what matters here nor what matters under load; the needless fault is one of the others."""
    found, history = throttled()
    load = LoadSensitivity(100, Evidence(51, 60, "load"), 1, Evidence(1, 60, "load"))
    batch_size = SettingPath("mapping", "q→f", "batch_size")
    settings = (Setting(batch_size, 10, load=load), *EXPLANATION.settings[:1], *EXPLANATION.settings[4:5])
    text = story(attrs.evolve(found, explanation=Explanation(settings)), history)
    assert (
        "  What matters    reserved_concurrency 2 (safe from 5) ·\n"
        "                  batch_size 10 (holds in 15 % of draws with 100 messages at once, in 98 % with 1)\n"
        "                  safe: 0 of 400 cases of a search, 0 of 200 seeds with up to 200 messages\n"
        "  Not involved    memory (throughput only) · no fault was needed\n"
    ) in text


def test_nothing_that_was_tried_helped() -> None:
    """Changes that do not prevent it are not listed as if they did."""
    found, history = throttled()
    memory = fixed(Change(SettingPath("function", "worker", "memory"), 128, 256), 7, 10)
    explained = attrs.evolve(found, explanation=Explanation(fixes=(memory,)))
    assert "  Prevented by    nothing that was tried · less often with memory = 256 (70 % (40–89))\n" in story(
        explained, history
    )


def test_a_bug_of_ours_is_called_one() -> None:
    """The reader learns that the design is not to blame, and what to do."""
    found, history = throttled()
    text = story(attrs.evolve(found, explanation=Explanation(own_bug=True)), history)
    assert "This is a bug of chaosqs, not of the design: please report it with scenario.json." in text
    assert not any(label in text for label in ("What matters", "Faults", "Prevented"))


def test_an_explanation_of_an_older_version_is_said_to_be_gone() -> None:
    """Nothing is claimed in its place: not even that no fault was needed, where some were planned."""
    found, history = throttled()
    planned = attrs.evolve(found.scenario, faults=FaultPlan(sends=["late_send"]))
    text = story(attrs.evolve(found, scenario=planned, explanation=Explanation(outdated=True)), history)
    assert "  Note            The explanation in the file is left out: it describes another history" in text
    assert "ault" not in text


def test_parts_that_were_not_tried_are_named() -> None:
    """A missing part is no claim: not even that no fault was needed."""
    found, history = throttled()
    planned = attrs.evolve(found.scenario, faults=FaultPlan(sends=["late_send"]))
    left = Explanation(unfinished=("faults", "fixes"))
    text = story(attrs.evolve(found, scenario=planned, explanation=left), history)
    assert "  Not tried       which faults it needs · other fixes · the profile allows no more runs" in text
    assert "no fault" not in text


def test_the_command_pastes_into_a_shell() -> None:
    """Spaces and quotes in a path are quoted, control characters written as escapes on the same line."""
    found, history = throttled()
    assert story(found, history, replay="my reports/it's.json").endswith(
        "chaosqs replay 'my reports/it'\"'\"'s.json'\n"
    )
    assert story(found, history, replay="a\nb'c").endswith("chaosqs replay $'a\\nb\\'c'\n")


@settings(max_examples=40)
@given(st.lists(NAMES, min_size=5, max_size=5), EXPLANATIONS, st.sampled_from(["", "scenario.json"]))
def test_no_name_breaks_the_layout(names: list[str], explanation: Explanation, replay: str) -> None:
    """At most 30 printable lines of at most 110 columns, the verdict at the end of the first, the labels in theirs."""
    design, mapping, invariant, text, name = names
    found, history = throttled()
    history = attrs.evolve(history, events=tuple(hostile(event, name) for event in history.events))
    violation = attrs.evolve(found.violation, text=text)
    found = attrs.evolve(
        found, design=design, mapping=mapping, invariant=invariant, violation=violation, explanation=explanation
    )
    result = story(found, history, replay=replay)
    lines = result.removesuffix("\n").split("\n")
    assert len(lines) <= 30
    assert all(columns(line) <= 110 and line.isprintable() for line in lines)
    assert lines[0].endswith((" VIOLATED", " ARTEFACT"))
    assert columns(lines[0]) == 110
    assert lines.count("") <= 2
    assert all(line.startswith("  ") for line in lines[1:] if line)


def test_the_end_of_the_story_is_cut_last() -> None:
    """It says what became of the message: with a single line to spare, the last step has it."""
    steps = [Step(1_000, "word " * 30), Step(2_000, "word " * 29 + "end")]
    lines = list(timeline(steps, 3))
    assert len(lines) == 3
    assert lines[0].endswith("…")
    assert lines[-1].endswith(" end")
