import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.lambda_.machines.partial_batch import Outcome, judge_error, judge_payload
from tests.lambda_.judging import judge

IDS = ("a", "b", "c")
SUCCEEDED: tuple[str, ...] = ()


def report(*items: object) -> object:
    return {"batchItemFailures": list(items)}


def item(identifier: object) -> object:
    return {"itemIdentifier": identifier}


ROWS = [
    pytest.param({"batchItemFailures": []}, SUCCEEDED, "PB-1", id="PB_1_empty_list"),
    pytest.param({"batchItemFailures": None}, SUCCEEDED, "PB-2", id="PB_2_null_list"),
    pytest.param({}, SUCCEEDED, "PB-3", id="PB_3_empty_object"),
    pytest.param(None, SUCCEEDED, "PB-4", id="PB_4_no_return"),
    pytest.param(b"{batchItemFailures: []}", IDS, "PB-5", id="PB_5_not_json"),
    pytest.param({"score": float("nan")}, IDS, "PB-5", id="PB_5_not_a_number_is_not_json"),
    pytest.param({"score": Decimal("NaN")}, IDS, "PB-5", id="PB_5_a_decimal_that_is_no_number"),
    pytest.param("OK", IDS, "PB-17", id="PB_17_a_string"),
    pytest.param(["a"], IDS, "PB-17", id="PB_17_a_list"),
    pytest.param({"batchItemFailures": "a"}, IDS, "PB-17", id="PB_17_a_string_for_the_list"),
    pytest.param({"batchItemFailures": {}}, IDS, "PB-17", id="PB_17_an_object_for_the_list"),
    pytest.param(report(item("")), IDS, "PB-6", id="PB_6_empty_identifier"),
    pytest.param(report(item(None)), IDS, "PB-7", id="PB_7_null_identifier"),
    pytest.param(report({"messageId": "a"}), IDS, "PB-8", id="PB_8_wrong_key"),
    pytest.param(report({"ItemIdentifier": "a"}), IDS, "PB-8", id="PB_8_wrong_case"),
    pytest.param(report("a"), IDS, "PB-8", id="PB_8_bare_identifier"),
    pytest.param(report({}), IDS, "PB-8", id="PB_8_empty_item"),
    pytest.param(report(item("nope")), IDS, "PB-9", id="PB_9_unknown_identifier_G_25"),
    pytest.param(report(item("a"), item("nope")), IDS, "PB-9", id="PB_9_one_unknown_spoils_the_others"),
    pytest.param(report(item(7)), IDS, "PB-9", id="PB_9_a_number"),
    pytest.param({"batchItemFailure": [item("a")]}, SUCCEEDED, "PB-11", id="PB_11_misspelt"),
    pytest.param({"BatchItemFailures": [item("a")]}, SUCCEEDED, "PB-11", id="PB_11_wrong_case"),
    pytest.param({"statusCode": 200, "body": "{}"}, SUCCEEDED, "PB-11", id="PB_11_answer_for_an_api"),
    pytest.param(report(item("b"), item("b")), ("b",), "PB-12", id="PB_12_duplicates_count_once"),
    pytest.param(report(item("c"), item("a")), ("a", "c"), "10.3", id="10_3_in_the_order_of_the_batch"),
    pytest.param({"batchItemFailures": (item("b"),), "n": Decimal("1.5")}, ("b",), "10.3", id="10_3_tuples_decimals"),
    pytest.param(report(item("a"), item("b"), item("c")), IDS, "10.3", id="10_3_all_listed"),
    pytest.param(report(item("b")), ("b",), "10.3", id="PB_15_G_28_what_comes_after_a_failure_is_deleted"),
    pytest.param(report(item(""), item(None)), IDS, "PB-6", id="the_first_wrong_item_names_the_rule"),
]


@pytest.mark.parametrize(("returned", "failed", "rule"), ROWS)
def test_PB_a_return_value_decides_by_its_rule(returned: object, failed: tuple[str, ...], rule: str) -> None:
    """Every edge of the ledger's table has the outcome that stands there, and names its rule."""
    assert judge(returned, IDS, reporting=True) == Outcome(failed == IDS, failed, rule)


@pytest.mark.parametrize("returned", [row.values[0] for row in ROWS])
def test_EF_2_without_reporting_the_return_value_is_ignored(returned: object) -> None:
    """With `ReportBatchItemFailures` off, whatever a function returns deletes the whole batch."""
    assert judge(returned, IDS, reporting=False) == Outcome(all_failed=False, failed=(), rule="EF-2")


@pytest.mark.parametrize(("reporting", "rule"), [(True, "PB-10"), (False, "EF-2")])
def test_PB_10_EF_2_an_error_fails_the_batch(reporting: bool, rule: str) -> None:  # noqa: FBT001 - a table's column
    """An exception or a timeout leaves every message in the queue, with the flag and without."""
    assert judge_error(IDS, reporting=reporting) == Outcome(all_failed=True, failed=IDS, rule=rule)


def circular() -> object:
    value: list[object] = []
    value.append(value)
    return value


@pytest.mark.parametrize("returned", [{"a"}, object(), {("a",): 1}, circular()], ids=["set", "object", "key", "circle"])
@pytest.mark.parametrize(("reporting", "rule"), [(True, "PB-10"), (False, "EF-2")])
def test_PB_10_EF_2_a_value_that_is_no_json_is_a_function_error(
    returned: object,
    reporting: bool,  # noqa: FBT001 - a table's column
    rule: str,
) -> None:
    """The runtime cannot marshal the value, so the invocation fails as if the handler had raised, flag or not."""
    assert judge(returned, IDS, reporting=reporting) == Outcome(all_failed=True, failed=IDS, rule=rule)


@pytest.mark.parametrize(
    ("payload", "failed", "rule"),
    [
        ("", (), "PB-3"),
        (" \n", (), "PB-3"),
        ("null", (), "PB-4"),
        ("{", IDS, "PB-5"),
        ("[" * 100_000, IDS, "PB-5"),
        ('{"batchItemFailures": [{"itemIdentifier": "c"}]}', ("c",), "10.3"),
    ],
)
def test_PB_3_PB_5_a_payload_is_judged_as_text(payload: str, failed: tuple[str, ...], rule: str) -> None:
    """What another runtime sends is judged by the same table; no bytes at all are an empty response."""
    assert judge_payload(payload, IDS, reporting=True) == Outcome(failed == IDS, failed, rule)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(IDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["batchItemFailures", "itemIdentifier", "x"]), inner, max_size=2)
    ),
)


@given(json_values)
def test_PB_an_outcome_lists_messages_of_the_batch_once_and_in_order(returned: object) -> None:
    """Whatever JSON a function returns: `failed` is a part of the batch in its order, and `all_failed` is all of it."""
    outcome = judge(returned, IDS, reporting=True)
    assert outcome.failed == tuple(name for name in IDS if name in outcome.failed)
    assert outcome.all_failed == (outcome.failed == IDS)


@given(json_values)
def test_PB_a_return_value_and_its_json_text_mean_the_same(returned: object) -> None:
    """A value and the text that the runtime makes of it have one outcome."""
    assert judge(returned, IDS, reporting=True) == judge_payload(json.dumps(returned), IDS, reporting=True)
