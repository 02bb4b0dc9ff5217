"""Answers that Lambda does not read as they were meant, each by its rule."""

from __future__ import annotations

import pytest

from chaosqs.invariants import ANSWERS_UNDERSTOOD
from chaosqs.lambda_.machines.partial_batch import judge_payload, misread
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design

judge = ANSWERS_UNDERSTOOD.judge

IDENTITIES = ("a", "b")


@pytest.mark.parametrize(
    ("payload", "rule"),
    [
        ("not JSON", "PB-5"),
        ('["a"]', "PB-17"),
        ('{"batchItemFailures": "a"}', "PB-17"),
        ('{"batchItemFailures": [{"itemIdentifier": ""}]}', "PB-6"),
        ('{"batchItemFailures": [{"itemIdentifier": null}]}', "PB-7"),
        ('{"batchItemFailures": [{"itemId": "a"}]}', "PB-8"),
        ('{"batchItemFailures": ["a"]}', "PB-8"),
        ('{"batchItemFailures": [{"itemIdentifier": "c"}]}', "PB-9"),
        ('{"batchItemFailure": [{"itemIdentifier": "a"}]}', "PB-11"),
        ('{"batch_item_failures": []}', "PB-11"),
        ('{"failed": ["a"]}', "PB-11"),
    ],
)
def test_answers_that_are_read_otherwise_than_meant(payload: str, rule: str) -> None:
    """Each is kept for the sentence, with the rule that decided."""
    outcome = judge_payload(payload, IDENTITIES, reporting=True)
    assert (outcome.rule, misread(payload, outcome)) == (rule, payload)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "null",
        "{}",
        '{"batchItemFailures": []}',
        '{"batchItemFailures": null}',
        '{"batchItemFailures": [{"itemIdentifier": "a"}]}',
        '{"statusCode": 200, "body": "ok"}',
    ],
)
def test_answers_that_mean_what_they_say(payload: str) -> None:
    """Nothing failed, or a list that Lambda reads; and an answer that no one takes for a report."""
    assert misread(payload, judge_payload(payload, IDENTITIES, reporting=True)) == ""


def test_only_the_beginning_of_a_long_answer_is_kept() -> None:
    """A sentence has no room for six megabytes."""
    payload = '{"failed": "' + "x" * 1_000_000 + '"}'
    assert len(misread(payload, judge_payload(payload, IDENTITIES, reporting=True))) == 120


def answered(
    handler: str | None,
    *,
    reported: bool = True,
    fails: int = 0,
    shapes_fail: int = 1,
    faults: FaultPlan | None = None,
) -> History:
    mapping = EventSourceMapping("orders", "worker", 2, report_batch_item_failures=reported)
    behaviour = Behaviour(handler=None if handler is None else f"tests.invariants.broken_handlers:{handler}")
    return simulate(
        Scenario(
            orders_design(mapping=mapping),
            [Burst("orders", 2)],
            {"worker": behaviour},
            faults or FaultPlan(),
            assumptions=Assumptions(other_answers_fail=fails, other_shapes_fail=shapes_fail),
        )
    )


@pytest.mark.parametrize(("fails", "fate"), [(0, "are deleted as processed"), (1, "count as failed")])
def test_PB_11_a_misspelt_list_is_wrong_at_both_ends_of_the_assumption(fails: int, fate: str) -> None:
    """Whether Lambda reads it as success or as failure of all: it is not what the code meant."""
    violation = judge(answered("misspells_the_list", fails=fails)).violations[0]
    assert violation.text.startswith(f"Messages 1 and 2 {fate}, whatever worker ")
    assert violation.text.endswith("has no `batchItemFailures`.")


def test_PB_11_other_answers_matter_only_if_they_make_messages_fail() -> None:
    """`{"statusCode": 200}` is a habit: harmless as far as is known, and a violation at the assumption's other end."""
    assert judge(answered("talks_http")).status is Status.HOLDS
    violation = judge(answered("talks_http", fails=1)).violations[0]
    assert "its answer with other keys has no `batchItemFailures`" in violation.text


@pytest.mark.parametrize(("shapes_fail", "fate"), [(0, "are deleted as processed"), (1, "count as failed")])
@pytest.mark.parametrize("handler", ["reports_a_bare_list", "names_items_otherwise"])
def test_PB_08_PB_17_another_shape_is_wrong_at_both_ends(handler: str, shapes_fail: int, fate: str) -> None:
    """A list without the object around it, and items under another key: each a report that Lambda does not read."""
    violation = judge(answered(handler, shapes_fail=shapes_fail)).violations[0]
    assert violation.text.startswith(f"Messages 1 and 2 {fate}, whatever worker ")


def test_PB_17_an_answer_that_is_no_report_matters_only_where_it_fails() -> None:
    """`"done"` is a habit, too: a violation as assumed, harmless at the other end."""
    assert judge(answered("says_done", shapes_fail=0)).status is Status.HOLDS
    assert ") is not a JSON object with a list" in judge(answered("says_done")).violations[0].text


def test_the_fault_of_a_malformed_answer_is_excused() -> None:
    """The code answered well; the fault is told."""
    verdict = judge(answered("talks_http", faults=FaultPlan(messages=[["malformed_response"]])))
    assert verdict.status is Status.HOLDS


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (answered("talks_http", reported=False), "no mapping has report_batch_item_failures"),
        (answered(None), "worker is not real code"),
    ],
)
def test_designs_that_read_no_answer_and_models_are_not_judged(history: History, reason: str) -> None:
    """Without partial batch responses an answer is ignored (EF-2), and a model always answers well."""
    verdict = judge(history)
    assert (verdict.status, verdict.reason) == (Status.NOT_APPLICABLE, reason)
