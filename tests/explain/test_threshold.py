"""From where on an invariant holds: exact, in words, and not by accident."""

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.explain.explain import Threshold, threshold
from chaosqs.explain.settings import Value

MESSAGE_COUNTS: tuple[Value, ...] = (1, 2, 3, 5, 8, 13, 40, 100, None)


def rank(value: Value) -> float:
    """Return what orders values: no limit is more than any number."""
    return float("inf") if value is None else value


def of(value: Value, edge: float, *, up: bool, sure: float | None = None) -> Threshold:
    """Ask for the threshold of a setting that holds from `edge` on, or up to it; for sure only from `sure` on."""

    def holds(other: Value) -> bool:
        return rank(other) >= edge if up else rank(other) <= edge

    def surely(other: Value) -> bool:
        return holds(other) and (sure is None or rank(other) >= sure)

    return threshold(value, {other: holds(other) for other in MESSAGE_COUNTS if other != value}, holds, surely)


def said(value: Value, answers: dict[Value, bool]) -> str:
    """Return the words for some answers, where every value between two that hold does so too."""
    good = [other for other, answer in answers.items() if answer and other is not None]

    def holds(other: Value) -> bool:
        return answers.get(other, other is not None and bool(good) and min(good) <= other <= max(good))

    return threshold(value, answers, holds, holds).text


@given(st.integers(2, 100), st.data())
def test_a_threshold_upwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the first that holds, on the series of candidate values or between its steps."""
    value = data.draw(st.sampled_from([other for other in MESSAGE_COUNTS if other is not None and other < edge]))
    assert of(value, edge, up=True) == Threshold(f"holds from {edge}", (edge,))


@given(st.integers(1, 99), st.data())
def test_a_threshold_downwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the last that holds; from no limit at all, to the step."""
    value = data.draw(st.sampled_from([other for other in MESSAGE_COUNTS if other is not None and other > edge]))
    assert of(value, edge, up=False) == Threshold(f"holds up to {edge}", (edge,))


@given(st.integers(2, 100), st.data())
def test_what_only_seems_to_hold_is_not_named(sure: int, data: st.DataObject) -> None:
    """Where further draws contradict the first ones, the value named lies as far out as they demand."""
    seems = data.draw(st.integers(2, sure))
    assert of(1, seems, up=True, sure=sure).text == f"holds from {sure}"


def test_a_single_value_that_is_sure_between_two_that_fail_is_an_accident() -> None:
    """Although others around it seemed to hold."""
    answers: dict[Value, bool] = {20: True, 30: True, 40: False}
    found = threshold(10, answers, lambda other: other is not None and 10 < other < 40, lambda other: other == 20)
    assert found == Threshold()


def test_what_nowhere_holds_for_sure_has_no_threshold() -> None:
    """A setting that seemed to help does not matter then."""
    assert of(1, 3, up=True, sure=float("inf")).text == "holds without a limit"
    assert threshold(1, {2: True, 3: True}, lambda _: True, lambda _: False) == Threshold()


def test_thresholds_in_words() -> None:
    """No limit, flags, zero, both directions and no influence have texts of their own."""
    assert said(5, {1: False, None: True}) == "holds without a limit"
    assert said(None, {2: True, 3: False}) == "holds up to 2"
    assert said(value=False, answers={True: True}) == "holds with True"
    assert said(3, {1: True, 2: True, 4: True, 5: True}) == "holds from 4 and up to 2"
    assert said(3, {0: True, 1: False, 2: False}) == "holds at 0"
    assert said(3, {1: False, 4: False}) == ""


def test_a_limit_that_helps_whatever_it_is() -> None:
    """Where there was none, and any number does, no number is named."""
    assert said(None, {1: True, 5: True, 50: True}) == "holds with any value"
    assert said(None, {1: False, 5: True, 50: True}) == "holds from 5 to 50"


def test_one_value_between_two_that_fail_is_an_accident() -> None:
    """Several in a row are none, unless something between them fails."""
    assert said(1, {2: False, 4: True, 8: False}) == ""
    assert said(1, {2: False, 4: True, 8: True, 16: False}) == "holds from 4 to 8"
    assert threshold(1, {2: False, 4: True, 8: True, 16: False}, lambda v: v in {4, 8}, lambda _: True).text == ""
