"""Which items there are, and that pytest's own ways to choose among them work."""

import pytest

from tests.plugin.projects import BRIEFLY, IDS, MAPPING, THROTTLING

DELIVERY = f"{MAPPING}::at-least-once-delivery"
OTHERS = [name for name in IDS if name not in {DELIVERY, THROTTLING}]


def collected(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Return the ids that pytest would run."""
    result = pytester.runpytest("--collect-only", "-q", *arguments)
    return [line for line in result.outlines if "::" in line]


@pytest.fixture
def project(sound: pytest.Pytester) -> pytest.Pytester:
    """Return a project with a template and a test of its own."""
    (sound.path / "tests").mkdir()
    (sound.path / "tests" / "test_own.py").write_text("def test_it(): pass\n", encoding="utf-8")
    return sound


def test_one_item_a_design_mapping_and_invariant(sound: pytest.Pytester) -> None:
    """The ids name all three; the design is the file that was found."""
    assert collected(sound, "--chaosqs") == IDS


def test_without_the_option_there_is_none(project: pytest.Pytester) -> None:
    """Only who asks gets items."""
    assert collected(project) == ["tests/test_own.py::test_it"]


@pytest.mark.parametrize("arguments", [(), ("tests",), ("tests/test_own.py",), ("--import-mode=importlib",)])
def test_they_come_after_what_pytest_collects(project: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """Paths on the command line choose among the project's own tests, not among ours."""
    assert collected(project, "--chaosqs", *arguments) == ["tests/test_own.py::test_it", *IDS]


def test_they_come_with_testpaths(project: pytest.Pytester) -> None:
    """`testpaths` does not keep them out."""
    project.makepyprojecttoml('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    assert collected(project, "--chaosqs") == ["tests/test_own.py::test_it", *IDS]


def test_they_come_from_a_directory_below(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Designs are looked for in the root directory, wherever pytest is started."""
    project.makepyprojecttoml("[tool.pytest.ini_options]\n")
    monkeypatch.chdir(project.path / "tests")
    assert collected(project, "--chaosqs")[1:] == IDS


def test_a_tree_shows_them(sound: pytest.Pytester) -> None:
    """`--collect-only` shows design, mapping and invariant, one below the other."""
    lines = [f"*collected {len(IDS)} items*", "<Group chaosqs>", "  <Group template.yaml>", "    <Group orders→worker>"]
    sound.runpytest("--chaosqs", "--collect-only").stdout.fnmatch_lines([*lines, "      <InvariantItem conservation>"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-m", "chaosqs"), IDS),
        (("-m", "not chaosqs"), ["tests/test_own.py::test_it"]),
        (("-k", "at-least-once"), [DELIVERY]),
        (("-k", "orders and not delivery and not throttling"), OTHERS),
        (("--deselect", IDS[0]), ["tests/test_own.py::test_it", *IDS[1:]]),
        (("-p", "no:cacheprovider", "-m", "chaosqs"), IDS),
        (("-p", "no:xdist", "-m", "chaosqs"), IDS),
    ],
)
def test_pytest_chooses_among_them(project: pytest.Pytester, arguments: tuple[str, ...], expected: list[str]) -> None:
    """Marker, keyword and deselection see them as they see any test."""
    assert collected(project, "--chaosqs", *arguments) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((DELIVERY,), [DELIVERY]),
        ((MAPPING,), IDS),
        ((IDS[3], IDS[0]), [IDS[0], IDS[3]]),
        ((MAPPING.replace("→", "->"),), IDS),
    ],
)
def test_ids_on_the_command_line_run_alone(
    project: pytest.Pytester, given: tuple[str, ...], expected: list[str]
) -> None:
    """An id pastes from the summary, without the option; so does the beginning of one."""
    assert collected(project, *given) == expected


def test_an_id_of_a_design_that_is_not_found_by_itself(sound: pytest.Pytester) -> None:
    """The id of an item of `--chaosqs-design` runs without that option: it says where the design is."""
    (sound.path / "infra").mkdir()
    (sound.path / "template.yaml").rename(sound.path / "infra" / "orders.yaml")
    given = "chaosqs::infra/orders.yaml::orders→worker::conservation"
    assert collected(sound, given) == [given]


def test_an_unknown_id_is_refused(sound: pytest.Pytester) -> None:
    """A slip in an id says so, and where the ids are."""
    result = sound.runpytest("chaosqs::template.yaml::orders→worker::conversation")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: chaosqs: not found: *conversation", "*--collect-only*"])


@pytest.mark.usefixtures("briefly_explained")
def test_the_last_failed_run_again(broken: pytest.Pytester) -> None:
    """`--lf` repeats the promise that was broken, and no other."""
    first = broken.runpytest("--chaosqs", BRIEFLY, "-k", "throttling or conservation")
    first.assert_outcomes(passed=1, failed=1)
    assert collected(broken, "--chaosqs", "--lf") == [THROTTLING]
    assert collected(broken, "--chaosqs", "--nf")


def test_a_design_counts_once(sound: pytest.Pytester) -> None:
    """The same file, given twice in two ways, gives each item once."""
    (sound.path / "infra").mkdir()
    arguments = ("--chaosqs-design", "template.yaml", "--chaosqs-design", "infra/../template.yaml")
    assert collected(sound, *arguments) == IDS


def test_an_order_that_each_worker_repeats(sound: pytest.Pytester) -> None:
    """xdist needs the same items in the same order on each worker, whatever the order of the file system."""
    (sound.path / "cdk.out").mkdir()
    for name in ("b", "a", "c"):
        text = '{"Resources": {}}'
        (sound.path / "cdk.out" / f"{name}.template.json").write_text(text, encoding="utf-8")
    assert collected(sound, "--chaosqs") == collected(sound, "--chaosqs") == IDS
