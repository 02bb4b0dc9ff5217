"""An explanation that has something of everything, and explanations as Hypothesis draws them."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from chaosqs.model.explanation import (
    AssumptionRate,
    AssumptionVerdict,
    AtAPrice,
    Change,
    CutBy,
    Ensemble,
    EnsembleWord,
    Evidence,
    Explanation,
    Fix,
    LoadSensitivity,
    Origin,
    Part,
    PointOfNoReturn,
    Population,
    Premise,
    PremiseKind,
    Price,
    Rarer,
    ResourceKind,
    Setting,
    SettingPath,
    Side,
    Threshold,
    Toll,
    Unknown,
    VerdictWord,
)
from chaosqs.model.faults import FaultPlan
from tests.model.drawn import plans

SEEDS = Evidence(0, 60, "seeds")
EXPLANATION = Explanation(
    (
        Setting(
            SettingPath("function", "worker", "reserved_concurrency"),
            2,
            (Threshold("at_least", 3, SEEDS, 400, 200), Threshold("at_most", 1, SEEDS)),
            Origin("a.yaml", 2, "x"),
        ),
        Setting(
            SettingPath("mapping", "orders→worker", "batch_size"),
            10,
            load=LoadSensitivity(100, Evidence(51, 60, "load"), 1, Evidence(1, 60, "load")),
        ),
        Setting(SettingPath("queue", "orders", "delay"), Unknown("Delay has no default"), same_at=(1, 900)),
        Setting(
            SettingPath("queue", "orders", "visibility_timeout"),
            30,
            rarer=Rarer("at_least", 60, SEEDS, Evidence(1, 60, "larger_loads")),
            at_a_price=AtAPrice("at_most", 1, ("expired",)),
        ),
    ),
    (Premise("duration", "worker", "seconds_per_batch", 29, 28, Evidence(0, 200, "larger_loads"), 200),),
    (FaultPlan(messages=[[], ["throttled"]]),),
    Evidence(3, 10, "seeds"),
    (
        Fix(
            (Change(SettingPath("function", "worker", "memory"), 128, 256),),
            Evidence(0, 10, "larger_loads"),
            Price(0.1, 0.2, 0.3),
            ("MC-1",),
            ("conservation",),
            "--- a\r\n+++ b\n",
            Evidence(5, 10, "larger_loads"),
            400,
            conclusive=False,
            sets=27,
        ),
    ),
    (AssumptionVerdict("throttled_growth", 100, "holds"), AssumptionVerdict("throttled_growth", 60_000, "violated")),
    PointOfNoReturn(Evidence(4, 4, "futures"), 1_000, 5, 900),
    cause="no-starvation",
    ensemble=Ensemble(
        "depends",
        8,
        28,
        7,
        Evidence(1, 9, "seeds"),
        Evidence(8, 9, "seeds"),
        (AssumptionRate("held_batches", 9, Evidence(1, 2, "seeds")),),
        ("long_poll",),
        400,
    ),
)

whole = st.integers(0, 10**6)
values = st.none() | st.booleans() | whole
maybe = values | st.builds(Unknown, st.text(max_size=9))
growths = st.none() | st.floats(-1, 100)
paths = st.builds(SettingPath, st.sampled_from(get_args(ResourceKind)), st.text(max_size=9), st.text(max_size=9))
populations: st.SearchStrategy[Population] = st.sampled_from(get_args(Population))
evidence = st.tuples(whole, whole, populations).map(lambda drawn: Evidence(min(drawn[:2]), max(drawn[:2]), drawn[2]))
sides: st.SearchStrategy[Side] = st.sampled_from(get_args(Side))
thresholds = st.builds(Threshold, sides, values, evidence, whole, whole, whole)
tolls: st.SearchStrategy[Toll] = st.sampled_from(get_args(Toll))
settings = st.builds(
    Setting,
    paths,
    maybe,
    st.lists(thresholds, max_size=2).map(tuple),
    st.none() | st.builds(Origin, st.text(max_size=9), whole, st.text(max_size=9)),
    st.none() | st.builds(LoadSensitivity, whole, evidence, whole, evidence),
    st.none() | st.builds(Rarer, sides, values, evidence, evidence),
    st.none() | st.builds(AtAPrice, sides, values, st.lists(tolls, max_size=2).map(tuple)),
    st.lists(values, max_size=3).map(tuple),
)
fixes = st.builds(
    Fix,
    st.lists(st.builds(Change, paths, maybe, values), max_size=3).map(tuple),
    evidence,
    st.builds(Price, growths, growths, growths),
    st.sampled_from(((), ("MC-1", "MC-3"))),
    st.lists(st.text(max_size=9), max_size=2).map(tuple),
    st.text(max_size=9),
    st.none() | evidence,
    whole,
    st.booleans(),
    whole,
)
premises = st.builds(
    Premise,
    st.sampled_from(get_args(PremiseKind)),
    st.text(max_size=9),
    st.text(max_size=9),
    st.floats(0, 9),
    st.floats(0, 9),
    evidence,
    whole,
)
explanations = st.builds(
    Explanation,
    st.lists(settings, max_size=4).map(tuple),
    st.lists(premises, max_size=1).map(tuple),
    st.lists(plans, max_size=2).map(tuple),
    st.none() | evidence,
    st.lists(fixes, max_size=3).map(tuple),
    st.none()
    | st.lists(
        st.builds(AssumptionVerdict, st.text(max_size=9), whole, st.sampled_from(get_args(VerdictWord))), max_size=3
    ).map(tuple),
    st.none() | st.builds(PointOfNoReturn, evidence, st.none() | whole, st.none() | whole, st.none() | whole),
    st.lists(st.sampled_from(get_args(Part)), unique=True).map(tuple),
    cut_by=st.sampled_from(get_args(CutBy)),
    ensemble=st.none()
    | st.builds(
        Ensemble,
        st.sampled_from(get_args(EnsembleWord)),
        whole,
        whole,
        whole,
        st.none() | evidence,
        deciding=st.lists(st.builds(AssumptionRate, st.text(max_size=9), whole, evidence), max_size=1).map(tuple),
        together=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    ),
    own_bug=st.booleans(),
    outdated=st.booleans(),
    cause=st.text(max_size=9),
)
