"""Time, progress and signals of a session: the clock is given, so no test waits."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence

import attrs
import pytest

from chaosqs.errors import InvalidInput
from chaosqs.model.verdict import Violation
from chaosqs.project.session import PLAIN_EVERY, Allowance, Display, Group, Helpers, interruptible, seconds_of
from chaosqs.search.meter import Progress

ORDERS, BILLS, MAILS = ("template.yaml", "orders→worker"), ("template.yaml", "bills→payer"), ("other.yaml", "m→n")


@attrs.define
class Clock:
    """A clock that a test moves."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def ignore(_: Progress) -> None:
    """Tell nobody."""


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("2m", 120), ("2 min", 120), ("1.5h", 5400), ("90", 90), (" 0.5 s ", 0.5)]
)
def test_a_time_is_written_with_a_unit(text: str, seconds: float) -> None:
    """A plain number counts seconds."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "0s", "soon", "-1s", "1d", "s", "1e3", "nan", "inf", "٣s", "9" * 5_000])
def test_other_times_are_refused(text: str) -> None:
    """Zero, too: a search without time would find nothing and look like a pass."""
    with pytest.raises(InvalidInput, match="must be a time above 0, such as 30s, 2m or 1h, not"):
        seconds_of(text)


def spend(allowance: Allowance, clock: Clock, group: Group, seconds: float, lane: int = 0) -> float | None:
    """Let a group take some seconds; return the seconds that it was given."""
    with allowance.counted(group, ignore, lane) as meter:
        given = meter.left
        clock.now += seconds
    return given


def test_time_is_shared_and_what_one_group_leaves_is_for_the_others() -> None:
    """A third of 30 s each; the second one has half of the 28 s that the first leaves."""
    clock = Clock()
    allowance = Allowance(30, groups=3, clock=clock)
    assert spend(allowance, clock, ORDERS, 2) == 10
    assert spend(allowance, clock, BILLS, 14) == 14
    assert spend(allowance, clock, MAILS, 1) == 14


def test_only_the_time_of_checks_counts() -> None:
    """Other tests may run between two checks of one mapping."""
    clock = Clock()
    allowance = Allowance(30, groups=1, clock=clock)
    assert spend(allowance, clock, ORDERS, 12) == 30
    clock.now += 1_000
    assert spend(allowance, clock, ORDERS, 30) == 18
    assert spend(allowance, clock, ORDERS, 1) == 0


def test_a_group_has_half_of_its_share_whatever_others_took() -> None:
    """What cannot be cut, such as a report, must not keep another mapping from being judged."""
    clock = Clock()
    allowance = Allowance(30, groups=3, clock=clock)
    assert spend(allowance, clock, ORDERS, 40) == 10
    assert spend(allowance, clock, BILLS, 1) == 5


def test_groups_that_run_side_by_side_each_have_the_wall_time() -> None:
    """Three groups on two lanes need two rounds, so each has half of the time; the last has what its lane has left."""
    clock = Clock()
    allowance = Allowance(30, groups=3, lanes=2, clock=clock)
    assert spend(allowance, clock, ORDERS, 4) == 15
    assert spend(allowance, clock, BILLS, 15, lane=1) == 30
    assert spend(allowance, clock, MAILS, 1) == 26


def test_without_a_budget_time_is_never_over() -> None:
    """Only a signal ends it."""
    clock = Clock()
    allowance = Allowance(None, groups=1, clock=clock)
    with allowance.counted(ORDERS, ignore) as meter:
        clock.now += 10**9
        assert (meter.over, meter.left, meter.cut_by) == (False, None, "runs")
        allowance.stopped.append("SIGINT")
        assert (meter.over, meter.part(0.5).over, meter.cut_by) == (True, True, "interrupt")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_simulations_and_the_second_one_all(number: signal.Signals) -> None:
    """The handlers are those of before afterwards."""
    before, stopped = signal.getsignal(number), list[str]()
    with pytest.raises(KeyboardInterrupt), interruptible(stopped):  # noqa: PT012 - the first must not raise
        signal.raise_signal(number)
        assert stopped == [number.name]
        signal.raise_signal(number)
    assert stopped == [number.name]
    assert signal.getsignal(number) is before


def helped(
    names: dict[Group, list[str]], number: int, run: Callable[[int, str], str], stopped: Sequence[str] = ()
) -> Helpers[str]:
    helpers = Helpers(names, run, stopped)
    helpers.start(number)
    return helpers


def test_a_helper_begins_with_the_last_group() -> None:
    """The main thread has the first one, and waits for the results of the others."""
    begun, free = threading.Event(), threading.Event()

    def run(lane: int, name: str) -> str:
        begun.set()
        assert free.wait(60)
        return f"{name} on {lane}"

    helpers = helped({ORDERS: ["a"], BILLS: ["b", "c"]}, 1, run)
    assert begun.wait(60)
    assert not helpers.have(ORDERS)
    assert helpers.have(BILLS)
    free.set()
    ticks = list[int]()
    assert [helpers.result(name, lambda: ticks.append(1)) for name in "cb"] == ["c on 1", "b on 1"]
    assert len(ticks) >= 2
    assert not helpers.busy


def test_an_error_of_a_helper_is_raised_where_its_result_is_wanted() -> None:
    """The other tasks of the group have their results."""

    def run(_: int, name: str) -> str:
        if name == "b":
            raise InvalidInput("wrong")
        return name

    helpers = helped({BILLS: ["b", "c"]}, 1, run)
    with pytest.raises(InvalidInput, match="wrong"):
        helpers.result("b", lambda: None)
    assert helpers.result("c", lambda: None) == "c"


def test_no_helper_begins_after_a_signal() -> None:
    """What nobody has begun is not searched."""
    helpers = helped({BILLS: ["b"]}, 2, lambda _, name: name, ["SIGINT"])
    assert not helpers.busy
    assert not helpers.have(BILLS)


def searching(cases: int) -> Progress:
    return Progress("searching", cases, 100, 1)


def test_a_log_gets_a_line_now_and_then() -> None:
    """Nothing for a short search; all that runs for a long one."""
    clock, written = Clock(), list[str]()
    display = Display(written.append, clock=clock)
    display.tell(ORDERS, searching(1))
    clock.now += PLAIN_EVERY - 1
    display.tell(BILLS, Progress("explaining", about="no-loss-after-send", part="rate"))
    assert written == []
    clock.now += 1
    display.tell(ORDERS, searching(2))
    assert written == [
        "chaosqs: 10 s: template.yaml: orders → worker: 2 of 100 cases, 1 violated\n",
        "chaosqs: 10 s: template.yaml: bills → payer: explaining no loss after send: how often it happens\n",
    ]
    display.done(BILLS)
    clock.now += PLAIN_EVERY
    display.tick()
    assert len(written) == 3


def test_a_terminal_has_one_line_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as wide as the terminal at most, and gone when a line comes that stays."""
    monkeypatch.setenv("COLUMNS", "60")
    clock, written = Clock(), list[str]()
    display = Display(written.append, live=True, clock=clock)
    display.tell(BILLS, searching(1))
    clock.now += 1
    display.tell(ORDERS, searching(2))
    clock.now += 1
    display.tell(ORDERS, searching(3))
    assert written[0] == "chaosqs: 1 s: template.yaml: bills → payer: 1 of 100 cases…"
    assert written[1].startswith("\r\x1b[2Kchaosqs: 2 s: ")
    written.clear()
    display.line("told")
    assert written == ["\r\x1b[2K", "told\n"]


def test_a_violation_is_told_at_once_and_only_once() -> None:
    """Before its explanation, which takes the most time; a user's text cannot move the cursor."""
    clock, written = Clock(), list[str]()
    display = Display(written.append, clock=clock)
    found = Violation("no-loss-after-send", "Message 1 was lost.\x1b[2J", 0, "orders", (1,), ())
    display.tell(("every-design", ""), Progress("searching", 7, 100, 1, found=found))
    clock.now += PLAIN_EVERY
    display.tick()
    assert written == [
        "VIOLATED every-design: no loss after send (case 7): Message 1 was lost.\\x1b[2J\n",
        "chaosqs: 10 s: every-design: 7 of 100 cases, 1 violated\n",
    ]
