"""From where on an invariant holds: exact, on both sides, and not by accident."""

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.explain.explain import thresholds
from chaosqs.model.explanation import Evidence, Side, Threshold, Value

MESSAGE_COUNTS: tuple[Value, ...] = (1, 2, 3, 5, 8, 13, 40, 100, None)
EVIDENCE = Evidence(0, 60, "seeds")


def rank(value: Value) -> float:
    """Return what orders values: no limit is more than any number."""
    return float("inf") if value is None else value


def ranges(*found: tuple[Side, Value] | tuple[Side, Value, int]) -> tuple[Threshold, ...]:
    """Return thresholds by side, value and end."""
    return tuple(Threshold(each[0], each[1], EVIDENCE, each[2] if len(each) > 2 else None) for each in found)


def of(value: Value, edge: float, *, up: bool, sure: float | None = None) -> tuple[Threshold, ...]:
    """Ask for the thresholds of a setting that holds from `edge` on, or up to it; for sure only from `sure` on."""

    def holds(other: Value) -> bool:
        return rank(other) >= edge if up else rank(other) <= edge

    def surely(other: Value) -> bool:
        return holds(other) and (sure is None or rank(other) >= sure)

    return thresholds(
        value, {other: holds(other) for other in MESSAGE_COUNTS if other != value}, holds, surely, EVIDENCE
    )


def found(value: Value, answers: dict[Value, bool]) -> tuple[Threshold, ...]:
    """Return the thresholds for some answers, where every value between two that hold does so too."""
    good = [other for other, answer in answers.items() if answer and other is not None]

    def holds(other: Value) -> bool:
        return answers.get(other, other is not None and bool(good) and min(good) <= other <= max(good))

    return thresholds(value, answers, holds, holds, EVIDENCE)


@given(st.integers(2, 100), st.data())
def test_a_threshold_upwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the first that holds, among the candidate values or between two of them."""
    value = data.draw(st.sampled_from([other for other in MESSAGE_COUNTS if other is not None and other < edge]))
    assert of(value, edge, up=True) == ranges(("at_least", edge))


@given(st.integers(1, 99), st.data())
def test_a_threshold_downwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the last that holds; from no limit at all, to the step."""
    value = data.draw(st.sampled_from([other for other in MESSAGE_COUNTS if other is not None and other > edge]))
    assert of(value, edge, up=False) == ranges(("at_most", edge))


@given(st.integers(2, 100), st.data())
def test_what_only_seems_to_hold_is_not_named(sure: int, data: st.DataObject) -> None:
    """Where further draws contradict the first ones, the value named lies as far out as they demand."""
    seems = data.draw(st.integers(2, sure))
    assert of(1, seems, up=True, sure=sure) == ranges(("at_least", sure))


def test_a_single_value_that_is_sure_between_two_that_fail_is_an_accident() -> None:
    """Although others around it seemed to hold."""
    answers: dict[Value, bool] = {20: True, 30: True, 40: False}

    def seems(other: Value) -> bool:
        return other is not None and 10 < other < 40

    assert thresholds(10, answers, seems, lambda other: other == 20, EVIDENCE) == ()


def test_what_nowhere_holds_for_sure_has_no_threshold() -> None:
    """A setting that seemed to help does not matter then."""
    assert of(1, 3, up=True, sure=float("inf")) == ranges(("at_least", None))
    assert thresholds(1, {2: True, 3: True}, lambda _: True, lambda _: False, EVIDENCE) == ()


def test_both_sides_no_limit_and_flags() -> None:
    """The ranges above the value of now come first; none where nothing helps."""
    assert found(5, {1: False, None: True}) == ranges(("at_least", None))
    assert found(None, {2: True, 3: False}) == ranges(("at_most", 2))
    assert found(value=False, answers={True: True}) == ranges(("at_least", True))
    assert found(value=True, answers={False: True}) == ranges(("at_most", False))
    assert found(value=False, answers={True: False}) == ()
    assert found(3, {1: True, 2: True, 4: True, 5: True}) == ranges(("at_least", 4), ("at_most", 2))
    assert found(3, {0: True, 1: False, 2: False}) == ranges(("at_most", 0))
    assert found(3, {1: False, 4: False}) == ()


def test_a_limit_that_helps_whatever_it_is() -> None:
    """Where there was none, and any number does, no number is an edge."""
    (anything,) = found(None, {1: True, 5: True, 50: True})
    assert (anything.side, anything.edges) == ("any", ())
    assert found(None, {1: False, 5: True, 50: True}) == ranges(("at_most", 50, 5))


def test_one_value_between_two_that_fail_is_an_accident() -> None:
    """Several in a row are none, unless something between them fails; both ends are edges, the nearest first."""
    assert found(1, {2: False, 4: True, 8: False}) == ()
    (between,) = found(1, {2: False, 4: True, 8: True, 16: False})
    assert between.edges == (4, 8)
    holes: dict[Value, bool] = {2: False, 4: True, 8: True, 16: False}
    assert thresholds(1, holes, lambda v: v in {4, 8}, lambda _: True, EVIDENCE) == ()
