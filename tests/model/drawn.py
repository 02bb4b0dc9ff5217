"""Values of the model as Hypothesis draws them for these tests: every field takes other values than its default."""

from __future__ import annotations

from hypothesis import strategies as st

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import (
    ERAS,
    RECURSIVE_LOOPS,
    Account,
    Design,
    EventSourceMapping,
    Function,
    Queue,
    Redrive,
    RedriveAllow,
)
from chaosqs.model.faults import FAULT_POINT, KIND_NAMES, KINDS, OK, Action, FaultKind, FaultPlan, Pause, Window
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady

seconds = st.floats(0, 1000) | st.integers(0, 1000)
shares = st.floats(0, 1)


def queues(name: str) -> st.SearchStrategy[Queue]:
    """A source queue."""
    return st.builds(
        Queue,
        st.just(name),
        visibility_timeout=st.integers(10, 43_200),
        retention_period=st.integers(60, 1_209_600),
        delay=st.integers(0, 900),
        receive_wait_time=st.integers(0, 20),
        maximum_message_size=st.integers(1024, 1_048_576),
        redrive=st.none() | st.builds(Redrive, st.just("dlq"), st.integers(1, 1000)),
    )


functions = st.builds(
    Function,
    st.just("worker"),
    timeout=st.integers(1, 10),
    memory=st.integers(128, 10_240),
    reserved_concurrency=st.none() | st.integers(5, 400),
    provisioned_concurrency=st.integers(0, 5),
    recursive_loop=st.sampled_from(RECURSIVE_LOOPS),
)
mappings = st.builds(
    EventSourceMapping,
    st.just("orders"),
    st.just("worker"),
    batch_size=st.integers(1, 10_000),
    maximum_batching_window=st.integers(1, 300),
    report_batch_item_failures=st.booleans(),
    filters=st.lists(st.just('{"body": {"n": [1]}}'), max_size=2),
    enabled=st.booleans(),
)
limited = st.builds(
    EventSourceMapping, st.just("orders"), st.just("worker"), maximum_concurrency=st.none() | st.integers(2, 1000)
)
provisioned = st.builds(
    EventSourceMapping,
    st.just("orders"),
    st.just("worker"),
    provisioned_pollers=st.tuples(st.integers(2, 200), st.integers(200, 10_000)),
)
designs = st.builds(
    Design,
    st.tuples(
        queues("orders"),
        st.builds(Queue, st.just("dlq"), redrive_allow=st.none() | st.just(RedriveAllow("byQueue", ["orders"]))),
        st.builds(
            Queue,
            st.just("orders.fifo"),
            content_based_deduplication=st.booleans(),
            deduplication_scope=st.just("messageGroup"),
            fifo_throughput_limit=st.sampled_from(("perQueue", "perMessageGroupId")),
        ),
    ),
    st.tuples(functions),
    st.tuples(mappings | limited) | st.just(()),
    st.builds(Account, st.integers(500, 1000), st.integers(0, 500)),
    st.sampled_from(ERAS),
) | st.builds(Design, st.tuples(st.just(Queue("orders"))), st.tuples(functions), st.tuples(provisioned))

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=9)
values = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | texts
lists = st.lists(values, max_size=2)
names = st.from_regex(r"[a-z]{1,9}", fullmatch=True)
messages = st.builds(
    Message,
    body=texts
    | st.dictionaries(texts, values | st.lists(values, max_size=2), max_size=3)
    | st.lists(values, max_size=2),
    attributes=st.dictionaries(
        st.from_regex(r"[a-z]{1,9}", fullmatch=True),
        texts | st.integers() | st.binary(min_size=1, max_size=9),
        max_size=3,
    ),
    group=st.sampled_from(("", "g")),
    note=st.just("") | texts,
)
loads = st.builds(
    Burst,
    st.just("orders"),
    count=st.integers(0, 1_000_000),
    at=seconds,
    over=seconds,
    body_bytes=st.integers(1, 1024),
    groups=st.integers(0, 9),
    messages=st.lists(messages, max_size=3),
    distinct=st.booleans(),
) | st.builds(Steady, st.just("orders"), per_second=st.floats(0.5, 9), seconds=seconds, at=seconds)
behaviours = st.builds(
    Behaviour,
    seconds_per_message=seconds,
    seconds_per_batch=seconds,
    spread=shares,
    error_rate=shares,
    poison=st.lists(st.integers(0, 99), max_size=3),
    raises=st.sampled_from(("RuntimeError", "ValueError")),
    hangs=st.booleans(),
    handler=st.none() | st.just("shop.orders:handle"),
)
SITE = f"{FAULT_POINT}:charge-card"
PARTS = {"queue": "orders", "function": "worker"}
"""A part of each kind that all of these designs have."""
of_sends = st.sampled_from((OK, *(kind.name for kind in KINDS if kind.keyed and kind.injection_point == "send")))
of_receives = st.sampled_from(
    (OK, SITE, *(kind.name for kind in KINDS if kind.keyed and kind.injection_point != "send" and not kind.is_named))
)


def windows_of(kind: FaultKind) -> st.SearchStrategy[Window]:
    """A window of a kind, on everything or on one part that it may strike."""
    scopes = st.sampled_from(("", *(PARTS[scope] for scope in kind.scopes if scope in PARTS)))
    return st.builds(
        Window,
        st.just(
            f"{kind.name}:dynamodb:PutItem" if kind.injection_point == "call" else SITE if kind.is_named else kind.name
        ),
        scopes,
        seconds,
        seconds,
    )


actions = (
    st.builds(Action, st.just("redeploy"), st.just("worker"), seconds)
    | st.builds(Action, st.just("purge"), st.just("orders"), seconds)
    | st.builds(Action, st.just("change"), st.just("orders"), seconds, st.just("delay"), st.integers(0, 900))
    | st.builds(Action, st.just("change"), st.just("worker"), seconds, st.just("memory"), st.integers(128, 10_240))
)
pauses = st.builds(Pause, st.sampled_from(("worker#1", "worker#12")), st.integers(1, 99), st.integers(1, 99))
plans = st.builds(
    FaultPlan,
    messages=st.lists(st.lists(of_receives, max_size=3), max_size=3),
    windows=st.lists(st.sampled_from(KINDS).flatmap(windows_of), max_size=2),
    banned=st.lists(st.sampled_from((*KIND_NAMES, SITE)), max_size=2),
    heal_at=st.none() | seconds,
    sends=st.lists(of_sends, max_size=3),
    actions=st.lists(actions, max_size=2),
    pauses=st.lists(pauses, max_size=2),
)
scenarios = st.builds(
    Scenario,
    designs,
    workload=st.lists(loads, max_size=3),
    behaviours=st.dictionaries(st.just("worker"), behaviours),
    faults=plans,
    seed=st.integers(0, 2**53),
    until=st.none() | seconds,
    assumptions=st.builds(Assumptions, long_poll=st.integers(1000, 20_000)),
)
