"""Each sentence of an explanation, from the values that it says."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.events import DeadLettered, Received, Throttled
from chaosqs.model.explanation import (
    AssumptionRate,
    AssumptionVerdict,
    AtAPrice,
    Change,
    Ensemble,
    Evidence,
    Explanation,
    Fix,
    LoadSensitivity,
    Origin,
    PointOfNoReturn,
    Premise,
    Price,
    Rarer,
    Setting,
    SettingPath,
    Side,
    Threshold,
    Unknown,
    Value,
)
from chaosqs.model.faults import OK, Action, FaultPlan, Pause, Window
from chaosqs.model.workload import Steady
from chaosqs.report import explanation as told
from chaosqs.report import premises
from tests.report.examples import (
    MAPPING,
    MAXIMUM_CONCURRENCY,
    RESERVED_CONCURRENCY,
    VISIBILITY_TIMEOUT,
    fixed,
    from_value,
    throttled,
)

SEEDS = Evidence(0, 60, "seeds")
FUTURES = Evidence(39, 40, "futures")


def explained(explanation: Explanation) -> Counterexample:
    return attrs.evolve(throttled()[0], explanation=explanation)


def threshold(side: Side, value: Value, *, seeds: int = 200, cases: int = 400) -> Threshold:
    return Threshold(side, value, Evidence(0, seeds, "larger_loads"), cases, 300)


@pytest.mark.parametrize(
    ("attribute", "thresholds", "said"),
    [
        ("batch_size", [threshold("at_least", 1_000)], "safe from 1,000"),
        ("batch_size", [threshold("at_most", 4)], "safe up to 4"),
        ("batch_size", [threshold("at_most", 0)], "safe at 0"),
        ("batch_size", [threshold("at_least", None)], "safe without a limit"),
        ("batch_size", [threshold("any", 900)], "safe with any number"),
        ("enabled", [threshold("at_least", value=True)], "safe with True"),
        ("enabled", [threshold("at_most", value=False)], "safe with False"),
        ("delay", [threshold("at_least", 31), threshold("at_most", 29)], "safe from 31 and up to 29"),
        ("redrive", [threshold("at_most", 5)], "safe up to 5 receives"),
        ("filters", [threshold("at_most", 1)], "safe up to 1 pattern"),
        ("filters", [threshold("at_most", 0)], "safe without patterns"),
        (
            "provisioned_pollers",
            [threshold("at_least", 4), threshold("at_most", 2)],
            "safe from 4 pollers and up to 2 pollers",
        ),
        ("provisioned_pollers", [threshold("at_least", None)], "safe without a limit"),
        ("batch_size", [], ""),
    ],
)
def test_a_threshold_in_words(attribute: str, thresholds: list[Threshold], said: str) -> None:
    """Sides, flags, no limit, and what numbers count."""
    assert told.part(Setting(SettingPath("queue", "orders", attribute), 7, tuple(thresholds))) == said


def test_fewer_trials_than_the_word_safe_needs_are_said() -> None:
    """Two hundred seeds and four hundred cases stand behind it."""
    for few in (threshold("at_least", 31, seeds=199), threshold("at_least", 31, cases=399)):
        setting = Setting(VISIBILITY_TIMEOUT, 30, (few,))
        assert told.part(setting) == "not seen from 31"
        assert told.safety(Explanation((setting,))).startswith("not seen: 0 of ")
        assert told.safety(Explanation((setting,))).endswith("with up to 300 messages: too few to call it safe")


def test_what_stands_behind_safe_is_counted() -> None:
    """The weakest evidence of all thresholds; nothing without one."""
    strong = Threshold("at_least", 5, Evidence(0, 400, "larger_loads"), 800, 400)
    weak = Threshold("at_least", 60, Evidence(0, 200, "larger_loads"), 400, 200)
    found = Explanation((Setting(RESERVED_CONCURRENCY, 2, (strong,)), Setting(VISIBILITY_TIMEOUT, 45, (weak,))))
    assert told.safety(found) == "safe: 0 of 400 cases of a search, 0 of 200 seeds with up to 200 messages"
    assert told.safety(Explanation()) == ""


def test_what_makes_it_rarer_has_both_rates() -> None:
    """With their intervals, of the same scenarios."""
    rarer = Rarer("at_least", 90, Evidence(44, 60, "larger_loads"), Evidence(3, 60, "larger_loads"))
    setting = Setting(VISIBILITY_TIMEOUT, 45, rarer=rarer)
    assert told.part(setting) == "rarer from 90: 73 % (61–83) → 5 % (2–14)"
    assert told.matters(Explanation((setting,))) == [f"visibility_timeout 45 ({told.part(setting)})"]


def test_a_price_is_told_with_what_becomes_worse() -> None:
    """It is no recommendation, and does not stand among what matters."""
    setting = Setting(VISIBILITY_TIMEOUT, 45, at_a_price=AtAPrice("at_most", 1, ("not_processed", "expired")))
    found = Explanation((setting,))
    assert told.at_a_price(found) == ["visibility_timeout up to 1 (messages expire and some are not processed)"]
    assert told.matters(found) == []
    assert told.uninvolved(found) == told.unsettled(found) == []


def test_settings_without_a_part_are_told_by_what_was_tried() -> None:
    """Not involved is what was tried at several values; of memory no run shows anything; the rest is not settled."""
    memory = SettingPath("function", "worker", "memory")
    found = Explanation(
        (Setting(VISIBILITY_TIMEOUT, 45, same_at=(30, 60, 900)), Setting(memory, 128), Setting(RESERVED_CONCURRENCY, 2))
    )
    assert told.uninvolved(found) == ["visibility_timeout"]
    assert told.throughput_only(found) == ["memory"]
    assert told.unsettled(found) == ["reserved_concurrency"]


@pytest.mark.parametrize(
    ("premise", "need", "safe"),
    [
        (
            Premise("duration", "worker", "seconds_per_batch", 8, 7, SEEDS, 200),
            "batches that take 8 s or more (timeout 10 s)",
            "batches of up to 7 s",
        ),
        (
            Premise("duration", "worker", "seconds_per_message", 0.8, 0.7, SEEDS, 200),
            "messages that take 0.8 s or more (timeout 10 s)",
            "messages of up to 0.7 s",
        ),
        (Premise("messages", "orders", "count", 7, 6, SEEDS, 200), "7 messages or more", "up to 6 messages"),
        (Premise("messages", "orders", "count", 1, 0, SEEDS, 200), "one message", ""),
        (
            Premise("rate", "orders", "per_second", 0.5, 0.4, SEEDS, 200),
            "0.5 messages a second or more for 60 s",
            "up to 0.4 messages a second",
        ),
        (
            Premise("lasting", "orders", "seconds", 20, 10, SEEDS, 200),
            "20 s or more of 2 messages a second",
            "the same rate for 10 s",
        ),
        (
            Premise("size", "orders", "body_bytes", 65_536, 32_768, SEEDS, 200),
            "bodies of 65,536 bytes or more",
            "bodies of up to 32,768 bytes",
        ),
        (
            Premise("groups", "orders", "groups", 1, 2, SEEDS, 200),
            "messages of one group",
            "the same messages in 2 groups",
        ),
        (
            Premise("groups", "orders", "groups", 3, 6, SEEDS, 200),
            "messages that share 3 groups",
            "the same messages in 6 groups",
        ),
        (
            Premise("fault", "worker", "throttled", 60, 50, SEEDS, 200),
            "throttled for 60 s or more",
            "throttled for up to 50 s",
        ),
        (
            Premise("failures", "worker", "error_rate", 0.1, 0.05, SEEDS, 200),
            "failures of 10 % of the invocations or more",
            "failures of up to 5 %",
        ),
    ],
)
def test_what_the_violation_needs(premise: Premise, need: str, safe: str) -> None:
    """Each figure as a threshold, and the nearest value without the violation with its evidence."""
    found = explained(Explanation(premises=(premise,)))
    found = attrs.evolve(found, scenario=attrs.evolve(found.scenario, workload=[Steady("orders", 2, 60)]))
    assert premises.needs(found) == [need]
    behind = [f"{safe} (0 of 60 seeds with up to 200 messages)"] if safe else []
    assert premises.safe_load(found.explanation) == behind
    assert premises.load_label(found.explanation) == "Not seen with"


def test_messages_and_their_time_are_one_need() -> None:
    """Ten messages do, if they come within a minute; over two they do not."""
    count = Premise("messages", "orders", "count", 10, 9, SEEDS, 9)
    found = explained(Explanation(premises=(count, Premise("spread", "orders", "over", 60, 120, SEEDS, 10))))
    assert premises.needs(found) == ["10 messages or more within 60 s"]
    behind = "(0 of 60 seeds with up to 10 messages)"
    assert premises.safe_load(found.explanation)[1] == f"the same messages over 120 s {behind}"


def test_needed_faults_stand_beside_other_needs_by_kind() -> None:
    """Where they strike is told under `Faults`; without any premise nothing is known of what is needed."""
    plans = FaultPlan(messages=[["crash"]]), FaultPlan(messages=[["ok", "crash"]]), FaultPlan(sends=["lost_send"])
    one = Premise("messages", "orders", "count", 1, 0, SEEDS, 200)
    found = explained(Explanation(premises=(one,), faults=plans))
    assert premises.needs(found) == ["one message", "crash at 2 receives", "lost_send at one send"]
    assert premises.needs(explained(Explanation(faults=plans))) == []


def test_messages_of_several_queues_are_told_apart() -> None:
    """Each with its queue."""
    both = tuple(Premise("messages", name, "count", 3, 2, SEEDS, 6) for name in ("orders", "returns"))
    assert premises.needs(explained(Explanation(premises=both))) == [
        "3 messages or more in orders",
        "3 messages or more in returns",
    ]


def test_a_cause_that_is_told_elsewhere_is_named() -> None:
    """By the title of the invariant."""
    assert told.cause(Explanation(cause="no-starvation")) == (
        "told under 'no starvation': what prevents that prevents this, too"
    )
    assert told.cause(Explanation()) == ""


def test_what_matters_under_load_is_told_with_its_shares() -> None:
    """Of as many draws with the present value and with the other one."""
    load = LoadSensitivity(100, Evidence(51, 60, "load"), 1, Evidence(1, 60, "load"))
    setting = Setting(SettingPath("mapping", MAPPING, "batch_size"), 10, load=load)
    assert told.part(setting) == "holds in 15 % of draws with 100 messages at once, in 98 % with 1"
    assert told.matters(Explanation((setting,))) == [f"batch_size 10 ({told.part(setting)})"]
    assert told.unsettled(Explanation((setting,))) == []


def test_settings_of_one_name_are_told_apart_by_their_owner() -> None:
    """Where two queues have a visibility timeout, it is said whose is meant; the account's settings are its own."""
    other = SettingPath("queue", "other", "visibility_timeout")
    traffic = SettingPath("account", "", "other_traffic")
    settings = (
        Setting(VISIBILITY_TIMEOUT, 30, from_value(60)),
        Setting(other, 60, same_at=(30, 90)),
        Setting(traffic, 0, same_at=(1, 1000)),
    )
    found = Explanation(settings)
    assert told.matters(found) == ["orders.visibility_timeout 30 (safe from 60)"]
    assert told.uninvolved(found) == ["other.visibility_timeout", "other_traffic"]
    assert told.owner(traffic) == "account"


def test_a_value_that_nobody_knows_says_why() -> None:
    """It is no number, and is not printed as one."""
    setting = Setting(VISIBILITY_TIMEOUT, Unknown("parameter Timeout has no default"), from_value(60))
    assert told.value_text(setting) == "unknown (parameter Timeout has no default)"


PLAN = FaultPlan(
    messages=[["crash", OK, "error"], [OK]],
    windows=[Window("throttled", "worker", 20, 1.5), Window("error", "", 0, 1)],
    sends=[OK, "lost_send"],
    actions=[Action("redeploy", "worker", 5), Action("change", "orders", 60, "visibility_timeout", 30)],
    pauses=[Pause("orders→worker/1", 3, 1_000)],
)
PLANNED = [
    "crash at receive 1 of message 1",
    "error at receive 3 of message 1",
    "lost_send of message 2",
    "throttled on worker from 20 s for 1.5 s",
    "error from 0 s for 1 s",
    "redeploy of worker at 5 s",
    "change visibility_timeout to 30 of orders at 60 s",
    "orders→worker/1 held from its step 3 for 1,000 steps of others",
]


def test_faults_say_what_where_and_when() -> None:
    """Those without which it does not happen, each told as it stands in the plan; or that none was needed."""
    assert told.planned_faults(PLAN) == PLANNED
    assert told.faults(explained(Explanation(faults=(PLAN, FaultPlan(sends=["lost_send"]))))) == [
        *PLANNED,
        "lost_send of message 1",
    ]
    assert told.faults(explained(Explanation())) == [told.NO_FAULT]
    assert told.faults(explained(Explanation(own_bug=True))) == []


def test_assumptions_say_where_it_would_hold() -> None:
    """With their present value and their unit; where it stays violated, or cannot be simulated, goes without saying."""
    found = (
        AssumptionVerdict("throttle_retry", 100, "holds"),
        AssumptionVerdict("throttle_retry", 10_000, "holds"),
        AssumptionVerdict("held_batches", 5, "violated"),
        AssumptionVerdict("held_batches", 50, "holds"),
        AssumptionVerdict("cold_start", 0, "inconclusive"),
    )
    assert told.assumptions(explained(Explanation(assumptions=found))) == [
        "throttle_retry 6,000 ms (holds at 100 ms and 10,000 ms)",
        "held_batches 8 batches (holds at 50 batches)",
    ]
    assert told.assumptions(explained(Explanation())) == []


def test_how_often_has_its_interval() -> None:
    """Nothing is said of what was not measured."""
    assert told.rate(Explanation(rate=Evidence(380, 1000, "seeds"))) == "38 % of 1,000 seeds (35–41 %)"
    assert told.rate(Explanation(rate=Evidence(0, 0, "seeds"))) == told.rate(Explanation()) == ""


FIT = "28 assumption sets that fit AWS's measurements"
RATES = "7 in none of 60 seeds, 12 in 75 % of 60 seeds"
ENDS = (
    AssumptionRate("held_batches", 7, Evidence(0, 60, "seeds")),
    AssumptionRate("held_batches", 12, Evidence(45, 60, "seeds")),
)


@pytest.mark.parametrize(
    ("ensemble", "label", "said"),
    [
        (Ensemble("robust", 28, 28, 28), "Robust", f"in all {FIT}"),
        (Ensemble("robust", 8, 28, 8), "Robust", "in all 8 tried assumption sets, of 28 that fit AWS's measurements"),
        (
            Ensemble("depends", 28, 28, 21, deciding=ENDS, trials=600),
            "Depends on AWS",
            f"in 21 of {FIT}, never in the others (0 of 600 trials or more each); held_batches decides: {RATES}",
        ),
        (
            Ensemble("depends", 28, 28, 0, together=("long_poll", "cold_start"), trials=90),
            "Depends on AWS",
            f"in none of {FIT} (0 of 90 trials or more each); long_poll and cold_start decide together",
        ),
        (Ensemble("artefact", 28, 28, 1), "Artefact", f"in one of {FIT}, chaosqs's default: no other set produces it"),
        (
            Ensemble("unsettled", 28, 28, 5, trials=200),
            "Not settled",
            f"seen in 5 of {FIT} (0 of 200 trials or more in the others are too few to tell)",
        ),
    ],
)
def test_the_verdict_over_assumption_sets_is_one_line(ensemble: Ensemble, label: str, said: str) -> None:
    """In how many sets, and what decides, with the rates at both ends."""
    assert told.over_sets(Explanation(ensemble=ensemble)) == said
    assert told.OVER_SETS[ensemble.verdict] == label
    assert told.artefact(Explanation(ensemble=ensemble)) == (said if ensemble.verdict == "artefact" else "")


def test_rates_are_told_over_seeds_and_sets() -> None:
    """The lowest and the highest rate of a set; one figure where both are the same."""
    low, high = Evidence(2, 50, "seeds"), Evidence(61, 100, "seeds")
    found = Explanation(rate=Evidence(76, 200, "seeds"), ensemble=Ensemble("robust", 28, 28, 28, low, high))
    assert told.rate(found) == "38 % of 200 seeds (32–45 %); 4–61 % over the 28 assumption sets"
    always = Evidence(9, 9, "seeds")
    found = Explanation(rate=always, ensemble=Ensemble("robust", 28, 28, 28, always, always))
    assert told.rate(found) == "100 % of 9 seeds (70–100 %); 100 % over the 28 assumption sets"


def test_an_assumption_is_told_once() -> None:
    """What the sets decide is not told again by the ends of its range."""
    ends = (AssumptionVerdict("held_batches", 5, "holds"), AssumptionVerdict("cold_start", 0, "holds"))
    found = Explanation(assumptions=ends, ensemble=Ensemble("depends", 28, 28, 21, deciding=ENDS, trials=600))
    assert told.assumptions(explained(found)) == ["cold_start 250 ms (holds at 0 ms)"]


def test_claims_say_in_how_many_sets_they_hold() -> None:
    """Safe values and fixes; nothing is said where they were not tried in others."""
    path, evidence = SettingPath("function", "worker", "timeout"), Evidence(0, 200, "larger_loads")
    setting = Setting(path, 3, (Threshold("at_least", 9, evidence, 400, 60, 27),))
    fix = Fix((Change(path, 3, 9),), evidence, cases=400, sets=27)
    found = explained(Explanation((setting,), fixes=(fix, fix)))
    assert told.safety(found.explanation) == (
        "safe: 0 of 400 cases of a search, 0 of 200 seeds with up to 60 messages; and in all 28 sets"
    )
    assert told.fixes(found)[-1] == "timeout = 9 (below 1.9 %), each in all 28 sets"
    assert told.fixes(explained(Explanation(fixes=(fix,)))) == ["timeout = 9 (below 1.9 %), in all 28 sets"]


def test_the_point_of_no_return_is_told_by_its_event() -> None:
    """The moment, what happened then by the history, and of how many futures that is known."""
    found, history = throttled()
    receive, throttle = history.each(Received)[-1][0], history.each(Throttled)[-1][0]
    for index, what in ((receive, "second receive of message 4"), (throttle, "message 4 is throttled")):
        point = PointOfNoReturn(FUTURES, history.events[index].at, index, 9_000)
        text = told.point_of_no_return(attrs.evolve(found, explanation=Explanation(point_of_no_return=point)), history)
        assert text == f"from 30.1 s: {what} (39 of 40 futures, avoidable until 9.0 s)"


@pytest.mark.parametrize(
    ("point", "said"),
    [
        (None, ""),
        (PointOfNoReturn(Evidence(199, 200, "seeds"), None), "from the start (199 of 200 futures)"),
        (
            PointOfNoReturn(FUTURES, 60_100, None, 9),
            "only at 60.1 s, when it happened: until then, chance could still avoid it",
        ),
        (
            PointOfNoReturn(FUTURES, 60_100, 10_000, 9),
            "only at 60.1 s, when it happened: until then, chance could still avoid it",
        ),
        (PointOfNoReturn(FUTURES, 0, 0), "from 0.0 s: message 1 arrives in orders (39 of 40 futures)"),
    ],
)
def test_a_point_of_no_return_may_have_no_event(point: PointOfNoReturn | None, said: str) -> None:
    """From the start, in the violation itself, and where a file names an event that the history does not have."""
    found, history = throttled()
    assert (
        told.point_of_no_return(attrs.evolve(found, explanation=Explanation(point_of_no_return=point)), history) == said
    )


def on(mapping: str, attribute: str, before: int | None, after: int | None) -> Change:
    return Change(SettingPath("mapping", mapping, attribute), before, after)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([Change(MAXIMUM_CONCURRENCY, None, 2)], "maximum_concurrency = 2"),
        ([Change(RESERVED_CONCURRENCY, 2, None)], "no reserved_concurrency"),
        ([on(MAPPING, "filters", 2, 0)], "no filters"),
        ([Change(SettingPath("queue", "orders-dlq", "retention_period"), 60, 90)], "orders-dlq.retention_period = 90"),
        (
            [Change(SettingPath("queue", "orders", "redrive"), None, 5)],
            "redrive to a new dead-letter queue with max_receive_count = 5",
        ),
        (
            [on(MAPPING, "batch_size", 10, 1), Change(VISIBILITY_TIMEOUT, 30, 180)],
            "batch_size = 1 and visibility_timeout = 180",
        ),
        (
            [on("a→worker", "maximum_concurrency", None, 2), on("b→worker", "maximum_concurrency", 9, 2)],
            "maximum_concurrency = 2 on each mapping of worker",
        ),
        (
            [on(MAPPING, "maximum_concurrency", None, 2), on(MAPPING, "provisioned_pollers", 5, None)],
            "maximum_concurrency = 2",
        ),
        ([on(MAPPING, "provisioned_pollers", 5, None)], "no provisioned_pollers"),
    ],
)
def test_changes_in_words(changes: list[Change], said: str) -> None:
    """What a setting becomes; whose it is, where it is not the mapping's own; and all mappings of a function."""
    assert told.changes_text(Fix(tuple(changes), SEEDS), MAPPING) == said


def test_the_price_of_a_change_is_said_where_it_has_one() -> None:
    """Latency and concurrency are named where they rise, and so is every promise that a change breaks."""
    memory = Change(SettingPath("function", "worker", "memory"), 128, 256)
    assert told.fix_text(fixed(memory, 0, 200)) == "below 1.9 %"
    assert told.fix_text(fixed(memory, 0, 10, Price(-0.5, -0.1, 0.04))) == "below 28 %, drain time -50 %"
    dear = fixed(memory, 0, 10, Price(0.1, 0.2, 1102.5), ("no-second-processing", "at-least-once-delivery"))
    assert told.fix_text(dear) == (
        "below 28 %, drain time +10 %, latency +20 %, concurrency × 1,104, "
        "but breaks no second processing and at-least-once delivery"
    )


def test_a_fix_is_told_with_its_bound_and_the_rate_before() -> None:
    """Where chance alone explains the trials, that is said; where violations are left, their rate."""
    change = Change(SettingPath("function", "worker", "memory"), 128, 256)
    fix = attrs.evolve(fixed(change, 0, 200), base=Evidence(44, 60, "larger_loads"))
    assert told.fix_text(fix) == "below 1.9 %, was 73 %"
    rare = attrs.evolve(fix, base=Evidence(1, 60, "larger_loads"), conclusive=False)
    assert told.fix_text(rare) == "0 of 200, too few to tell, was 2 %"
    assert told.fix_text(attrs.evolve(fix, evidence=Evidence(3, 60, "larger_loads"))) == "5 % (2–14), was 73 %"


def test_what_a_rule_excludes_is_certain() -> None:
    """Then no trial is counted."""
    found = attrs.evolve(fixed(Change(MAXIMUM_CONCURRENCY, None, 2), 0, 10), rules=("MC-1", "MC-3"))
    assert told.fix_text(found) == "certain by AWS's rules"


def test_a_change_may_ask_something_of_the_code() -> None:
    """To report failures helps if the handler names them (PB-1)."""
    path = SettingPath("mapping", MAPPING, "report_batch_item_failures")
    found = fixed(Change(path, before=False, after=True), 0, 10)
    assert told.fix_text(found) == "below 28 %, if the handler answers with batchItemFailures"


def test_it_says_where_the_settings_that_matter_were_read() -> None:
    """Each place once, three at the most; not those of settings that do not matter."""
    indexes = [
        Origin("a.yaml", 1, "X"),
        Origin("a.yaml", 1, "X"),
        Origin("b.yaml", 2, "Y"),
        Origin("c.yaml", 3, "Z"),
        Origin("d.yaml", 4, "W"),
    ]
    free = Setting(VISIBILITY_TIMEOUT, 30, origin=Origin("e.yaml", 5, "V"))
    settings = [free, *(Setting(VISIBILITY_TIMEOUT, 30, from_value(60), index) for index in indexes)]
    assert told.origins(Explanation(tuple(settings))) == ["a.yaml:1 X", "b.yaml:2 Y", "c.yaml:3 Z"]


def test_the_last_event_of_a_story_may_be_the_point() -> None:
    """Whatever kind of event it is, it has its sentence."""
    found, history = throttled()
    index, moved = history.each(DeadLettered)[0]
    point = PointOfNoReturn(FUTURES, moved.at, index)
    text = told.point_of_no_return(attrs.evolve(found, explanation=Explanation(point_of_no_return=point)), history)
    assert text.startswith("from 60.1 s: a receive finds message 4 over max_receive_count 2")
