"""Messages that count as processed although their work was cut off and then skipped."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import NO_WORK_HALF_DONE
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.delivery import before_the_mark, work_of
from chaosqs.model.history import Alone, History
from chaosqs.model.verdict import Status
from chaosqs.report.story import story
from chaosqs.simulation.alone import attempts
from tests.invariants.builder import Story, orders_design
from tests.invariants.test_no_repeated_effect import REAL, idempotent
from tests.known_bad.begun_and_skipped import MESSAGE, cut_off
from tests.known_bad.publish_that_is_not_checked import handled

judge = NO_WORK_HALF_DONE.judge


def test_LX_14_what_was_begun_and_then_skipped_is_lost() -> None:
    """A run of the message alone shows what should have been done; without it the verdict is unsettled."""
    history = cut_off("begins_and_skips")
    assert judge(history).status is Status.VIOLATED
    assert history.alone[MESSAGE].work == ("dynamodb PutItem", "sns Publish")
    assert judge(attrs.evolve(history, alone={})).unsettled == (MESSAGE,)
    complete = attrs.evolve(history, alone={MESSAGE: Alone(failed=False, work=("dynamodb PutItem",))})
    assert judge(complete).status is Status.HOLDS


def test_the_story_tells_where_it_died_and_what_the_retry_did() -> None:
    """Each call of both invocations, and file and line of the one that was cut off."""
    history = cut_off("begins_and_skips")
    own = ("d", MESSAGE[0], NO_WORK_HALF_DONE.name, judge(history).violations[0], history.scenario, history.digest)
    text = " ".join(story(Counterexample(*own), history).split())
    assert "worker calls dynamodb GetItem and dynamodb PutItem; the function crashes while it runs message 1" in text
    assert "broken_handlers.py:" in text
    assert "worker calls dynamodb GetItem; message 1 is done" in text


def test_what_is_done_again_is_not_lost() -> None:
    """Nor what was done before the invocation died: only the mark is missing then."""
    verdict = judge(cut_off("begins_again"))
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)
    late = attrs.evolve(handled("begins_and_skips", "crash:5", 1), alone=cut_off("begins_and_skips").alone)
    assert judge(late).status is Status.HOLDS


@pytest.mark.parametrize(
    ("handler", "call", "said"),
    [
        ("publishes_once", "sns:Publish", "without sns Publish: worker had begun it when it failed at "),
        ("swallows", "sns:Publish", "without sns Publish: the call sns Publish (tests/invariants/broken_handlers.py:"),
        ("swallows", "dynamodb:PutItem", "without dynamodb PutItem and sns Publish: the call dynamodb PutItem ("),
    ],
)
def test_what_code_gives_up_by_itself_is_lost(handler: str, call: str, said: str) -> None:
    """A claim that stays after an error, and an error that is swallowed: no fault excuses either."""
    (violation,) = judge(settled(handled(handler, f"failed_call:{call}", 1))).violations
    assert said in violation.text


@pytest.mark.parametrize("handler", ["swallows_and_tells", "withdraws_its_claim", "publishes"])
def test_what_is_told_or_tried_again_is_not_lost(handler: str) -> None:
    """Code that tells of its failure elsewhere, withdraws its claim, or raises."""
    verdict = judge(settled(handled(handler, "failed_call:sns:Publish", 1)))
    assert verdict.status in {Status.HOLDS, Status.NOT_EXERCISED}, verdict.violations


def settled(history: History) -> History:
    """Add what the code does with the message alone."""
    outcome = attempts(history, [MESSAGE])[MESSAGE].run()
    assert outcome is not None
    return attrs.evolve(history, alone={MESSAGE: outcome})


def test_code_that_claims_and_acts_has_chosen_to_act_at_most_once() -> None:
    """Without a mark of what is done, nothing says that it means to go on after it died."""
    history = handled("publishes_once", "crash:2", 1)
    assert judge(attrs.evolve(history, alone={MESSAGE: Alone(failed=False)})).status is Status.HOLDS
    assert before_the_mark(work_of(history.events, 0)) == ()


@pytest.mark.parametrize("step", range(1, 4))
def test_idempotency_loses_nothing(step: int) -> None:
    """Its claim ends by a time limit, so the work is done again."""
    assert judge(idempotent("once", step)).status in {Status.HOLDS, Status.NOT_EXERCISED}


def test_models_and_silent_code_are_not_judged() -> None:
    """Models have no calls."""
    assert judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE
    assert judge(Story(orders_design()).send().end(behaviour=REAL)).status is Status.NOT_EXERCISED
