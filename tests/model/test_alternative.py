"""Alternatives as values: what they print, what is wrong with them, and whether they fit a scenario."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chaosqs.errors import Problem
from chaosqs.model.alternative import (
    KINDS,
    Alternative,
    RateLimitedFront,
    SelfPolling,
    Stream,
    check_alternative,
    check_replacement,
    with_replacement,
)
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.json import from_json, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks

ORDERS = EventSourceMapping("orders", "worker")
EXAMPLES: tuple[Alternative, ...] = (
    SelfPolling("orders", "worker", chains=3, delete="batch", lock=False),
    RateLimitedFront("worker", 2.5, burst=5, retries=0),
    Stream("worker", 4, maximum_record_age=60, bisect_batch_on_function_error=True),
)


def scenario(
    *mappings: EventSourceMapping,
    faults: FaultPlan = FaultPlan(),
    behaviours: Mapping[str, Behaviour] = {},
) -> Scenario:
    """Return a scenario of two queues with a dead-letter queue, and two functions."""
    queues = [Queue("orders", redrive=Redrive("dlq", 3)), Queue("returns"), Queue("dlq")]
    design = Design(queues, [Function("worker"), Function("other")], mappings or [ORDERS])
    return Scenario(design, behaviours=behaviours, faults=faults)


def refused(given: Scenario, alternative: Alternative) -> list[Problem]:
    """Return what is wrong with an alternative in a scenario."""
    checks = Checks("here")
    check_replacement(checks, given, alternative)
    return checks.problems


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_repr_and_json_give_the_value_back(value: Alternative) -> None:
    """As those of every value of the model: a repr is a constructor call, JSON says what differs from the defaults."""
    assert eval(repr(value)) == value  # noqa: S307 - the text is the repr of a value above
    assert from_json(type(value), to_json(value)) == value


@pytest.mark.parametrize("value", EXAMPLES, ids=lambda value: type(value).__name__)
def test_an_alternative_that_fits_has_no_problem(value: Alternative) -> None:
    """And takes the place of the function's mapping."""
    assert refused(scenario(), value) == []
    assert with_replacement(scenario(), value).design.mappings == ()


def test_every_kind_has_a_name_in_files() -> None:
    """A file names it by the words of its class."""
    assert [kind.__name__.lower() for kind in KINDS.values()] == [name.replace("_", "") for name in KINDS]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        (
            SelfPolling(
                "orders",
                "worker",
                chains=0,
                delete="all",
                reserve=-1,
                wait_time=21,
                schedule=1,
                lock=2,  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - what users get wrong
                recursive_loop="Deny",
            ),
            ["chains", "delete", "reserve", "wait_time", "schedule", "lock", "recursive_loop"],
        ),
        (
            RateLimitedFront(
                "worker", 0, burst=0, retries=-1, retry_pause=5, retry_pause_limit=1, integration_timeout=0
            ),
            ["requests_per_second", "burst", "retries", "retry_pause_limit", "integration_timeout"],
        ),
        (
            Stream("worker", 0, batch_size=0, maximum_retry_attempts=-2, maximum_record_age=5, retention_period=1),
            ["shards", "batch_size", "maximum_retry_attempts", "maximum_record_age", "retention_period"],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_everything_that_is_wrong_is_listed(value: Alternative, wrong: list[str]) -> None:
    """Each field under its own name, not the first one only."""
    checks = Checks("")
    check_alternative(checks, value)
    assert [problem.path for problem in checks.problems] == wrong


def test_what_does_not_fit_the_design_is_refused() -> None:
    """Names that the design does not have, and mappings that would still bring messages."""
    assert [str(problem) for problem in refused(scenario(), Stream("nobody", 1))] == [
        "here.function = 'nobody': must name a function of the design: worker, other"
    ]
    assert [problem.path for problem in refused(scenario(), SelfPolling("nowhere", "worker"))] == [
        "here.queue",
        "here.function",
    ]
    assert "must have a mapping" in refused(scenario(), RateLimitedFront("other"))[0].must
    two = scenario(ORDERS, EventSourceMapping("orders", "other"))
    assert refused(two, Stream("worker", 1))[0].must == "must not share its queue with orders→other"
    assert refused(two, SelfPolling("orders", "worker")) == []
    dead = scenario(EventSourceMapping("dlq", "worker"))
    assert refused(dead, Stream("worker", 1))[0].must == "must not work off the dead letters of orders"


def test_real_code_and_faults_are_refused() -> None:
    """Real handlers take SQS's events, and faults strike at a mapping's injection points: no alternative has either."""
    real = scenario(behaviours={"worker": Behaviour(handler="package.module:function")})
    faulty = scenario(faults=FaultPlan((), [Window("error", "worker", 0, 1)]))
    for alternative in EXAMPLES:
        assert "models" in refused(real, alternative)[0].must
        assert "without faults" in refused(faulty, alternative)[0].must
