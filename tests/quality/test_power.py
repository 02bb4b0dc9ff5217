"""The arithmetic of the benchmark, and the tasks as far as they can be checked without measuring."""

from __future__ import annotations

from math import inf, isnan, nan
from pathlib import Path

import pytest

from benchmarks.power import page
from benchmarks.power.arithmetic import f1, first_failures, median, normal_form_share, percentile, solved
from benchmarks.power.figures import LIMITS, RESULTS, Driven, Results, Row, read, write
from benchmarks.power.measure import measured
from benchmarks.power.page import normal_forms, number, share, table
from benchmarks.power.task import KINDS, Task, pipeline
from benchmarks.power.tasks import tasks
from benchmarks.power.truth import size, violates
from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady
from tests.search.designs import ROOMY

MISTAKES = tasks("design mistake")
PATIENCE = {"dead-letters-kept-too-short": 400_000, "dead-letters-kept-as-long": 8_000}
"""Seconds that a run must last for what shows late."""


@pytest.mark.parametrize(
    ("named", "truth", "score"),
    [
        (("a", "b"), ("b", "a"), 1),
        (("a",), ("a", "b"), 2 / 3),
        (("a", "b", "c"), ("a",), 1 / 2),
        (("a",), ("b",), 0),
        ((), ("a",), 0),
        ((), (), 1),
        (("a", "a"), ("a",), 1),
    ],
)
def test_f1(named: tuple[str, ...], truth: tuple[str, ...], score: float) -> None:
    """The harmonic mean of precision and recall; who names nothing where nothing is to be named is right."""
    assert f1(named, truth) == pytest.approx(score)


def test_percentiles_are_values_of_the_sample() -> None:
    """Nearest rank: 95 % of 20 values are at most the nineteenth."""
    values = list(range(1, 21))
    assert [percentile(values, percent) for percent in (0, 5, 50, 95, 96, 100)] == [1, 1, 10, 19, 20, 20]
    assert isnan(percentile([], 50))


def test_the_median_of_few() -> None:
    """The middle, or the mean of the two in the middle; none where there is nothing."""
    assert (median([3, 1, 2]), median([4, 1, 2, 3])) == (2, 2.5)
    assert isnan(median([]))


def test_a_trial_without_a_find_counts_as_infinitely_late() -> None:
    """However few cases it had: a median over the finds alone would flatter."""
    assert first_failures([(True, 3), (False, 400), (False, 0)]) == [3, inf, inf]
    assert median(first_failures([(True, 3), (False, 400), (False, 400)])) == inf


def test_the_normal_form_is_the_most_frequent_one() -> None:
    """Its share of the trials that found something."""
    assert normal_form_share("aaab") == 3 / 4
    assert isnan(normal_form_share(()))
    rows = [Row(name="x", forms=forms) for forms in ((0, 0, None, 1), (0,), (None,), ())]
    assert normal_forms(rows) == 3 / 4


def test_solved_takes_nineteen_of_twenty() -> None:
    """Of the seeds, or more; without seeds nothing is solved."""
    assert [solved(found, 20) for found in (18, 19, 20)] == [False, True, True]
    assert not solved(0, 0)


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario(ROOMY, [Burst("orders", 3)]), 3),
        (Scenario(ROOMY, [Burst("orders", 3, over=5, at=1)]), 5),
        (Scenario(ROOMY, [Steady("orders", 2, 3)]), 7),
        (Scenario(ROOMY, [Burst("orders", 1)], {"worker": Behaviour(1, spread=1)}), 3),
        (Scenario(ROOMY, [Burst("orders", 1)], seed=9), 2),
        (Scenario(ROOMY, [Burst("orders", 1)], until=60), 1),
        (Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan([["ok", "error"]], [Window("error", "", 0, 1)])), 3),
    ],
)
def test_size_counts_messages_faults_and_words(scenario: Scenario, words: int) -> None:
    """Everything that a reader must take in; when the run ends is none of it."""
    assert size(scenario) == words


def test_each_kind_of_task_is_there_in_numbers() -> None:
    """As many as the plan asks for, each under a name of its own."""
    found = {kind: tasks(kind) for kind in KINDS}
    least = {"design mistake": 20, "mutant": 30, "schedule bug": 8, "harness mutant": 10, "green": 5}
    assert {kind: len(found[kind]) for kind in KINDS if len(found[kind]) < least[kind]} == {}
    assert all(task.kind == kind for kind in KINDS for task in found[kind])
    names = [task.name for task in tasks()]
    assert len(names) == len(set(names))


def test_all_tasks_are_measured_and_no_others() -> None:
    """The tables of tasks and results.json have the same names: no task is lost, or was never measured."""
    results = read()
    measured_names = {kind: [row.name for row in section.tasks] for kind, section in results.kinds.items()}
    measured_names["harness mutant"] = [each.name for each in results.harness]
    assert measured_names == {kind: [task.name for task in tasks(kind)] for kind in KINDS}
    assert {each.task for each in results.baselines} <= set(measured_names["design mistake"])


def test_a_pipeline_has_the_dead_letter_queue_that_its_queue_names() -> None:
    """One queue, with it if there is one, one function and the mapping of both."""
    plain, other = pipeline(), pipeline(Queue("a.fifo", redrive=Redrive("b.fifo", 2)), Function("f"))
    assert plain == Design([Queue("orders")], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")])
    assert [queue.name for queue in other.queues] == ["a.fifo", "b.fifo"]
    assert [mapping.name for mapping in other.mappings] == ["a.fifo→f"]


@pytest.mark.parametrize("task", tasks(), ids=lambda task: task.name)
def test_a_task_names_an_invariant_and_a_mapping(task: Task) -> None:
    """That exist: or nothing could ever be found."""
    assert by_name(task.invariant).name == task.invariant
    assert task.mapping in {mapping.name for mapping in task.design.mappings}


@pytest.mark.parametrize("task", MISTAKES, ids=lambda task: task.name)
def test_the_known_minimum_violates_the_invariant(task: Task) -> None:
    """And one message less does not, where there is one to leave out."""
    assert task.smallest is not None
    until = PATIENCE.get(task.name, 3_600)
    assert violates(task, task.smallest, until)
    for index, load in enumerate(task.smallest.workload):
        assert isinstance(load, Burst)
        rest = [*task.smallest.workload[:index], *task.smallest.workload[index + 1 :]]
        fewer = [Burst(load.queue, load.count - 1, load.at, load.over, groups=load.groups)] if load.count > 1 else []
        assert not violates(task, Scenario(task.design, [*rest, *fewer], task.smallest.behaviours), until)


# What is measured and written of it


def test_a_row_holds_what_the_page_tells() -> None:
    """Two seeds of a mistake that is found at once end in one form, of the known size, with the right settings."""
    (task,) = [task for task in MISTAKES if task.name == "filter-too-narrow"]
    row = measured(task, range(2))
    assert (row.name, row.invariant, row.error) == (task.name, "", "")
    assert (row.cases, row.forms, row.sizes, row.ratios) == ((1, 1), (0, 0), (1,), [1, 1])
    assert (row.f1, row.besides, row.left_out) == (1, (), ())
    assert len(row.within) == len(LIMITS)


def test_results_are_written_as_they_are_committed(tmp_path: Path) -> None:
    """A row a line, defaults left out: a run that measures anew changes figures, not the form of the file."""
    copy = tmp_path / "results.json"
    write(read(), copy)
    assert copy.read_text(encoding="utf-8") == RESULTS.read_text(encoding="utf-8")
    lone = Driven(driver="d", task="t", seeds=1, cases=(None,), calls=(1,), sizes=(), forms=0)
    write(Results(baselines=(lone,)), copy)
    assert read(copy) == Results(baselines=(lone,))
    assert len(copy.read_text(encoding="utf-8").splitlines()) == 5


def test_the_readme_says_what_was_measured() -> None:
    """Its tables are those of results.json: nobody has touched them up, or measured and forgotten to say so."""
    readme = page.README.read_text(encoding="utf-8")
    assert page.with_summary(readme, read()) == readme


def test_the_summary_is_short() -> None:
    """Fifteen rows and no more, each target and each driver among them."""
    told = page.summary(read())
    assert len([line for line in told.splitlines() if line]) <= 15
    assert [target.what for target in page.targets(read()) if target.what not in told] == []
    assert [driver for driver, *_ in page.drivers(read()) if driver not in told] == []


def test_the_page_says_what_was_measured() -> None:
    """It is written from results.json, with nothing added by hand."""
    assert page.PAGE.read_text(encoding="utf-8") == page.page(read())


def test_a_page_keeps_what_stands_around_the_tables(tmp_path: Path) -> None:
    """Only what is between the marks is written, and as often as one likes; a page without marks is refused."""
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{page.BEGIN}old\n{page.END}after\n", encoding="utf-8")
    for _ in range(2):
        page.write_summary(read(), readme)
    text = readme.read_text(encoding="utf-8")
    assert text == f"before\n{page.BEGIN}\n{page.summary(read())}\n{page.END}after\n"
    readme.write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="no place for the tables"):
        page.write_summary(read(), readme)


def test_figures_in_tables() -> None:
    """Two digits at the most; a share is not rounded up to what it is not."""
    assert [number(value) for value in (1.0, 0.126, inf, nan)] == ["1", "0.13", "∞", "–"]
    assert [share(value) for value in (1.0, 0.899, 0.95, 0.29, nan)] == ["100 %", "89 %", "95 %", "29 %", "–"]
    assert table(("a", "b"), [(1, "x")]) == "| a | b |\n| --- | --- |\n| 1 | x |\n"
