"""`chaosqs replay`: what became of a counterexample, and in few words whatever keeps it from being told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import Json
from chaosqs.model.workload import Burst
from tests.cli.running import Run
from tests.project.kept import kept, write

FILE = "found.json"
SENTENCE = "It used to be: Message 5 went to orders-dlq"


@pytest.fixture
def found(run: Run) -> Counterexample:
    """Return a counterexample of the template, which also is in `found.json`."""
    assert run("invariants").exit_code == 0
    counterexample = kept()
    write(Path(FILE), counterexample)
    return counterexample


def edited(change: Callable[[dict[str, Json]], object]) -> None:
    """Edit the file by hand."""
    document = json.loads(Path(FILE).read_text(encoding="utf-8"))
    change(document)
    Path(FILE).write_text(json.dumps(document), encoding="utf-8")


def mend(name: str = "template.yaml") -> None:
    """Put the design that holds in the place of the project's."""
    Path(name).write_bytes(Path("sound.yaml").read_bytes())


@pytest.mark.usefixtures("found")
def test_it_still_fails_and_nothing_else_is_to_be_said(run: Run) -> None:
    """The same story with its explanation; on its own design, and on the template that is the same."""
    result = run("replay", FILE)
    assert result.exit_code == 1
    assert result.output.startswith(f"{FILE}: STILL FAILS\n\norders → worker    no dead-lettering by throttling")
    assert "What matters    reserved_concurrency 2" in result.output
    assert result.output.rstrip().endswith(f"Replay          chaosqs replay {FILE}")
    on_template = run("replay", FILE, "template.yaml")
    assert on_template.exit_code == 1
    assert on_template.output.startswith(f"{FILE}: STILL FAILS on template.yaml as it is now\n\norders → worker")


@pytest.mark.usefixtures("found")
def test_it_says_what_a_change_of_the_template_has_done(run: Run) -> None:
    """The file has a design of its own, which no edit of the template mends; so both are told."""
    mend()
    result = run("replay", FILE)
    assert result.exit_code == 1
    assert result.output.startswith(f"{FILE}: STILL FAILS\n")
    assert result.output.endswith("\n\nOn template.yaml as it is now: FIXED.\n")
    on_template = run("replay", FILE, "template.yaml")
    assert on_template.exit_code == 0
    assert on_template.output.startswith(f"{FILE}: FIXED on template.yaml as it is now\n\n{SENTENCE}")
    document = json.loads(run("replay", FILE, "sound.yaml", "--json").output)
    assert (document["file"], document["outcome"], document["design"]) == (FILE, "FIXED", "sound.yaml")
    assert json.loads(run("replay", FILE, "--json").output)["remarks"] == ["On template.yaml as it is now: FIXED."]


@pytest.mark.usefixtures("found")
def test_a_change_that_does_not_help_is_another_story(run: Run) -> None:
    """CHANGED: still violated, by another history, which the explanation in the file is not about."""
    text = Path("template.yaml").read_text(encoding="utf-8")
    Path("template.yaml").write_text(text.replace("maxReceiveCount: 3", "maxReceiveCount: 2"), encoding="utf-8")
    result = run("replay", FILE, "template.yaml")
    assert result.exit_code == 1
    assert result.output.startswith(f"{FILE}: CHANGED on template.yaml as it is now\n\norders → worker")
    assert "it was received 2 times" in " ".join(result.output.split())
    assert "What matters" not in result.output


@pytest.mark.usefixtures("found")
def test_a_template_that_is_gone_is_no_obstacle_and_is_said(run: Run) -> None:
    """The design is in the file."""
    Path("template.yaml").unlink()
    result = run("replay", FILE)
    assert result.exit_code == 1
    said = f"there is no template.yaml in {Path.cwd()}, from which its design came"
    assert result.output.endswith(f"\n\nIt ran on the design as it was: {said}.\n")


def test_a_design_that_was_in_no_file_is_not_missed(run: Run) -> None:
    """`explore(design)` calls it `design`."""
    write(Path(FILE), kept("design"))
    result = run("replay", FILE)
    assert result.exit_code == 1
    assert "as it" not in result.output


@pytest.mark.parametrize("versions", [{"chaosqs": "0.0.7"}, {}])
def test_where_another_chaosqs_found_it_that_is_said(run: Run, found: Counterexample, versions: dict[str, str]) -> None:
    """CHANGED or FIXED may be owed to the model then; without versions there is nothing to say."""
    write(Path(FILE), attrs.evolve(found, digest="of another model", versions=versions))
    result = run("replay", FILE)
    assert result.exit_code == 1
    assert result.output.startswith(f"{FILE}: CHANGED\n")
    assert ("It was found with chaosqs 0.0.7; this is chaosqs " in result.output) == bool(versions)


def test_edited_so_that_it_does_not_fail_it_is_fixed(run: Run, found: Counterexample) -> None:
    """FIXED, with what used to be true; there is no story to tell and no report to write."""
    calm = attrs.evolve(found.scenario, workload=[Burst("orders", 1)])
    write(Path(FILE), attrs.evolve(found, scenario=calm))
    result = run("replay", FILE)
    assert result.exit_code == 0
    assert result.output.startswith(f"{FILE}: FIXED\n\n{SENTENCE}")
    for verb in ("explain", "report"):
        refused = run(verb, FILE)
        assert refused.exit_code == 2
        assert f"{FILE}: FIXED: the invariant is not violated any more" in refused.stderr
    assert not Path("reports").exists()


def test_a_report_of_what_has_changed_is_about_this_run(run: Run, found: Counterexample) -> None:
    """Its digest and its violation are those of now, and it has no explanation, which was another run's."""
    write(Path(FILE), attrs.evolve(found, digest="of another model"))
    assert run("report", FILE).exit_code == 0
    (file,) = Path("reports").glob("*/scenario.json")
    now = json.loads(file.read_text(encoding="utf-8"))
    assert now["digest"] == found.digest
    assert now["explanation"] == {"outdated": True}
    assert "STILL FAILS" in run("replay", str(file)).output


HANDLER = "def handle(event, context):\n    import time\n    time.sleep({seconds})\n"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (29, f"{FILE}: CHANGED"),
        (1, f"{FILE}: FIXED"),
        (
            None,
            f"{FILE}: behaviours['worker'].handler = 'handler_none:handle': module 'handler_none' cannot",
        ),
    ],
)
def test_real_handlers_are_found_from_the_projects_directory_and_may_be_the_fix(
    run: Run, found: Counterexample, monkeypatch: pytest.MonkeyPatch, seconds: int | None, said: str
) -> None:
    """Though Python does not look there for the installed command; a handler that is gone is said."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = f"handler_{seconds}".lower()
    if seconds is not None:
        Path(f"{module}.py").write_text(HANDLER.format(seconds=seconds), encoding="utf-8")
    real = attrs.evolve(found.scenario, behaviours={"worker": Behaviour(handler=f"{module}:handle")})
    write(Path(FILE), attrs.evolve(found, scenario=real, design="design"))
    result = run("replay", FILE)
    assert (result.stdout or result.stderr).removeprefix("Error: ").startswith(said)


WRONG: dict[str, tuple[Callable[[dict[str, Json]], object], str]] = {
    "newer": (
        lambda file: file.update(chaosqs=7, versions={"chaosqs": "3.1.0"}),
        (
            "chaosqs = 7: must be a schema that this version reads, 1 to 3: upgrade chaosqs; "
            "the file says that chaosqs 3.1.0 wrote it"
        ),
    ),
    "newer and otherwise": (
        lambda file: (file.pop("violation"), file.update(chaosqs=7, found="there")),
        (
            "chaosqs = 7: must be a schema that this version reads, 1 to 3: upgrade chaosqs; "
            "the file says that chaosqs 0.1.0 wrote it"
        ),
    ),
    "no digest": (lambda file: file.pop("digest"), "digest: is required"),
    "no violation": (lambda file: file.pop("violation"), "is not a counterexample; give the scenario.json of a report"),
    "an unknown field": (lambda file: file.update(luckk=1), "luckk: unknown field: there are design, mapping"),
    "an unknown promise": (
        lambda file: file.update(invariant="no-rain"),
        "no invariant is called 'no-rain'",
    ),
    "no such mapping": (
        lambda file: file.update(mapping="orders→clerk"),
        "its design has no mapping 'orders→clerk'; there are orders→worker",
    ),
    "another rate than there can be": (
        lambda file: file.update(explanation={"rate": {"violations": 9, "trials": 3, "population": "seeds"}}),
        "explanation.rate.violations = 9: must be a whole number from 0 to 3",
    ),
}


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("verb", ["replay", "explain", "report"])
def test_what_is_wrong_with_a_file_is_said_in_few_words(
    run: Run, verb: str, change: Callable[[dict[str, Json]], object], said: str
) -> None:
    """With the file's name and the field, and exit status 2."""
    edited(change)
    result = run(verb, FILE)
    assert result.exit_code == 2
    assert f"{FILE}: {said}" in result.stderr
    assert len(result.stderr.splitlines()) <= 3
    assert not Path("reports").exists()


@pytest.mark.usefixtures("found")
def test_a_value_out_of_range_is_told_by_its_path(run: Run) -> None:
    """As in a scenario that somebody wrote."""
    text = Path(FILE).read_text(encoding="utf-8").replace('"timeout": 30', '"timeout": 901')
    Path(FILE).write_text(text, encoding="utf-8")
    result = run("replay", FILE)
    assert result.exit_code == 2
    assert f"{FILE}: scenario.design.functions[0].timeout = 901: must be" in result.stderr


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_called_that(run: Run, part: float) -> None:
    """With the line at which it ends."""
    text = Path(FILE).read_text(encoding="utf-8")
    Path(FILE).write_text(text[: int(len(text) * part)], encoding="utf-8")
    result = run("replay", FILE)
    assert result.exit_code == 2
    assert f"{FILE}: is {'cut off: its JSON ends' if part else 'empty, not JSON'} at line " in result.stderr


@pytest.mark.parametrize(
    ("design", "said"),
    [
        ("nowhere.yaml", "nowhere.yaml: there is no such file"),
        ("other.yaml", f"{FILE}: other.yaml has no mapping 'orders→worker'; there are returns→worker"),
        ("template.yaml", f"{FILE}: does not fit template.yaml as it is now: workload[1].queue = 'returns'"),
        (FILE, "is a counterexample, not a design"),
    ],
)
def test_a_design_that_does_not_fit_is_refused(run: Run, found: Counterexample, design: str, said: str) -> None:
    """What there is instead is named."""
    text = Path("template.yaml").read_text(encoding="utf-8")
    Path("other.yaml").write_text(text.replace("QueueName: orders\n", "QueueName: returns\n"), encoding="utf-8")
    queues = found.scenario.design.queues
    wider = attrs.evolve(found.scenario.design, queues=(*queues, attrs.evolve(queues[1], name="returns")))
    busier = attrs.evolve(found.scenario, design=wider, workload=[Burst("orders", 5), Burst("returns", 1)])
    write(Path(FILE), attrs.evolve(found, scenario=busier))
    result = run("replay", FILE, design)
    assert result.exit_code == 2
    assert said in result.stderr


def test_an_invariant_that_raises_is_no_verdict(run: Run, found: Counterexample) -> None:
    """Neither FIXED nor STILL FAILS: exit status 2, and what it raised."""
    Path("promises.py").write_text(
        'import chaosqs\n\n@chaosqs.invariant("x")\ndef hasty(history):\n    return {}["seven"]\n', encoding="utf-8"
    )
    Path("pyproject.toml").write_text('[tool.chaosqs]\ninvariants = ["promises.py:hasty"]\n', encoding="utf-8")
    write(Path(FILE), attrs.evolve(found, invariant="hasty"))
    result = run("replay", FILE)
    assert result.exit_code == 2
    assert result.stderr == f"Error: {FILE}: hasty cannot be judged, as it raises KeyError: 'seven'\n"


OLD = Path(__file__).parents[1] / "model" / "files" / "before-tipping-points.json"


def test_a_file_of_the_first_release_is_replayed_and_told_without_its_explanation(run: Run) -> None:
    """Its explanation was English; the story and the report say that it is gone, and what to do."""
    Path("old.json").write_bytes(OLD.read_bytes())
    assert run("replay", "old.json").exit_code == 1
    said = " ".join(run("explain", "old.json").stdout.split())
    assert (
        "The explanation in the file is left out: it describes another history, or has a form that is no longer read."
        in said
    )
    assert "What matters" not in said
    report = run("report", "old.json").stdout.strip()
    assert "Search the design again for an explanation." in Path(report).read_text(encoding="utf-8")
