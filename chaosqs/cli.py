"""The command `chaosqs`: one subcommand for each task with designs, scenarios and counterexamples.

Exit status: 0 the invariants hold, 1 one is violated, 2 the input is wrong or something could not be judged, 130
interrupted.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

import chaosqs
from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.project.wording import brief, with_relative_paths

if TYPE_CHECKING:
    from chaosqs.project.planning import Plan
    from chaosqs.project.results import CheckResult

_VIOLATED = 1  # exit status
_WRONG = 2  # exit status
_INTERRUPTED = 130  # exit status: 128 and the number of SIGINT
_PROFILES = ("quick", "ci", "deep")


class _InputIsWrong(click.ClickException):
    """The user's input cannot be used."""

    exit_code = _WRONG


class _Program(click.Group):
    """The group of subcommands; it reports a wrong input in a few lines, without a traceback."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Make the output escape characters that the terminal cannot print, such as the arrow."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except (InvalidInput, SimulationError) as error:
            raise _InputIsWrong(_summed_up(error)) from None
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            sys.exit(_INTERRUPTED)


def _summed_up(error: InvalidInput | SimulationError) -> str:
    """Return at most three lines about an error."""
    if isinstance(error, InvalidInput):
        return brief(str(error))
    return brief(with_relative_paths(Path.cwd(), f"no verdict: {type(error).__name__}: {error}"))


def _seconds(_: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a time such as `30s`."""
    from chaosqs.project.session import seconds_of

    try:
        return None if value is None else seconds_of(value)
    except InvalidInput as error:
        raise click.BadParameter(str(error), param=parameter) from None


_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_report_dir = click.option("--report-dir", metavar="DIR", help="Directory of the reports (default: reports).")
_budget = click.option(
    "--budget", callback=_seconds, metavar="TIME", help="Wall time of all searches: 30s, 2m, 1h (default: no limit)."
)
_no_explain = click.option("--no-explain", is_flag=True, help="Do not explain violations: no fixes, no rates.")


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(chaosqs.__version__, prog_name="chaosqs")
def main() -> None:
    """Test SQS → Lambda designs: do they lose, delay, repeat or dead-letter messages, and how?"""


@main.command()
@click.argument("scenario")
@click.option("--seeds", type=click.IntRange(min=1), metavar="N", help="Run N times, with the seeds 0 to N-1.")
@_as_json
def run(scenario: str, seeds: int | None, *, as_json: bool) -> None:
    """Run SCENARIO (JSON) and summarise each run in CloudWatch's metrics."""
    from chaosqs.project.runs import read_scenario, run_line, runs

    done = runs(read_scenario(Path(scenario), Path.cwd()), seeds)
    if as_json:
        _print_json({"runs": [attrs.asdict(each) for each in done]})
    else:
        for each in done:
            click.echo(run_line(each))
    _exit(violated=any(each.violated for each in done))


@main.command()
@click.argument("files", nargs=-1, metavar="[FILE…]")
@click.option("--max-examples", type=click.IntRange(min=1), metavar="N", help="Maximum cases of each search.")
@click.option("--profile", type=click.Choice(_PROFILES), help="Length of each search (default: quick).")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of the searches.")
@_budget
@_no_explain
@_report_dir
@_as_json
def explore(  # noqa: PLR0917 - each is an option
    files: tuple[str, ...],
    max_examples: int | None,
    profile: str | None,
    seed: int | None,
    budget: float | None,
    report_dir: str | None,
    *,
    no_explain: bool,
    as_json: bool,
) -> None:
    """Search the designs in FILE… for the smallest story that violates an invariant.

    A FILE is a template (CloudFormation, SAM) or a serverless.yml, path.py:attribute, or a design or scenario as JSON;
    without any, those of the project in this directory, as pytest --chaosqs finds them. If a mapping comes to no
    verdict, the other mappings are judged all the same, and the exit status is 2 unless there is a violation. Ctrl-C
    ends the searches, prints what they found and writes its reports; the exit status is 130.
    """
    from chaosqs.project.child import start_early

    here = Path.cwd()
    start_early(here, files)
    from chaosqs.project.planning import Options, plan

    options = Options(
        here,
        here,
        files,
        profile=profile,
        max_examples=max_examples,
        seed=seed,
        report_dir=report_dir,
        budget=budget,
        explains=not no_explain,
    )
    planned = plan(options)
    _refuse_suite(planned)
    if planned.header and not as_json:
        click.echo("\n".join(planned.header))
    _explored(planned, *_checked(planned, prints_stories=not as_json), as_json=as_json)


def _refuse_suite(planned: Plan) -> None:
    from chaosqs.project.planning import SUITE

    if SUITE in planned.notices:
        raise InvalidInput(f"there is no design in {Path.cwd()}: name a FILE, or designs in [tool.chaosqs]")


def _explored(planned: Plan, results: list[CheckResult], errors: list[str], *, as_json: bool) -> None:
    """Print what searches found, and exit."""
    from chaosqs.project.summary import summary

    if as_json:
        functions = {name: [attrs.asdict(each) for each in own] for name, own in planned.bindings.items()}
        asked = [attrs.asdict(found) for found in results]
        _print_json({"functions": functions, "results": asked, "errors": errors})
    elif results:
        click.echo("\n".join(summary(results)))
    for text in errors:
        click.echo(f"Error: {text}", err=True)
    _exit_if_interrupted(planned)
    _exit_with(results, planned)
    if errors:
        sys.exit(_WRONG)


def _checked(planned: Plan, *, prints_stories: bool) -> tuple[list[CheckResult], list[str]]:
    """Run the checks until a signal ends them; return their results, and the different errors of those without one."""
    from chaosqs.project.session import interruptible

    results: list[CheckResult] = []
    errors: dict[str, None] = {}
    planned.begin(planned.checks)
    with closing(planned), _progress(planned), interruptible(planned.allowance.stopped):
        for check in planned.checks:
            if planned.skips(check):
                continue
            try:
                found = planned.run(check)
            except (InvalidInput, SimulationError) as error:
                errors[_summed_up(error)] = None
                continue
            except KeyboardInterrupt:
                planned.child.kill()
                break
            results.append(found)
            if found.broken and prints_stories and not _passes(found, planned):
                click.echo(found.broken.story)
    return results, list(errors)


@contextmanager
def _progress(planned: Plan) -> Generator[None]:
    """Show the progress of the checks on standard error."""
    from chaosqs.project.session import Display

    def write(text: str) -> None:
        click.echo(text, nl=False, err=True)

    display = Display(write, live=sys.stderr.isatty())
    planned.displays.append(display)
    try:
        yield
    finally:
        display.clear()


@main.command()
@click.argument("file")
@click.option("--mapping", metavar="NAME", default="", help="Check only this mapping: queue→function.")
@click.option("--invariant", "invariants", multiple=True, metavar="NAME", help="Check only this invariant; repeatable.")
@click.option("--messages", type=click.IntRange(min=1), metavar="N", help="Maximum messages (default: 2).")
@click.option("--faults", type=click.IntRange(min=0), metavar="D", help="Maximum faults in one run (default: 2).")
@click.option("--pauses", type=click.IntRange(min=0), metavar="P", help="Maximum paused tasks in one run (default: 0).")
@click.option("--max-runs", type=click.IntRange(min=1), metavar="N", help="Maximum runs (default: 20000).")
@_budget
@_no_explain
@_report_dir
@_as_json
def exhaust(  # noqa: PLR0913, PLR0917 - each is an option
    file: str,
    mapping: str,
    invariants: tuple[str, ...],
    messages: int | None,
    faults: int | None,
    pauses: int | None,
    max_runs: int | None,
    budget: float | None,
    report_dir: str | None,
    *,
    no_explain: bool,
    as_json: bool,
) -> None:
    """Try all cases within bounds on the design in FILE: every placement of a few faults, and orders of tasks.

    FILE is as for explore; the workload of a scenario is used, too. A pass is a proof within the bounds. If the maximum
    of runs or the time is reached before all cases were tried, the exit status is 2.
    """
    from chaosqs.project.exhaust import Scope, exhausted
    from chaosqs.project.planning import Options, plan
    from chaosqs.project.session import interruptible

    here = Path.cwd()
    numbers = {"faults": faults, "pauses": pauses, "max_runs": max_runs}
    given = {name: value for name, value in numbers.items() if value is not None}
    scope = Scope(mapping, invariants, messages, **given)
    planned = plan(Options(here, here, (file,), report_dir=report_dir, budget=budget, explains=not no_explain))
    with _progress(planned), interruptible(planned.allowance.stopped):
        done = list(exhausted(planned, scope))
    if as_json:
        _print_json({"exhaustions": [each.as_json() for each in done]})
    else:
        click.echo("\n".join(line for each in done for line in each.lines()))
    _exit_if_interrupted(planned)
    _exit_with([found for each in done for found in each.results], planned)


@main.command()
@click.argument("counterexample")
@click.argument("design", default="")
@_as_json
def replay(counterexample: str, design: str, *, as_json: bool) -> None:
    """Run COUNTEREXAMPLE (the scenario.json of a report) again and print whether it still fails.

    It runs unchanged, or on DESIGN: a template, path.py:attribute, or a design or scenario as JSON.
    """
    from chaosqs.project.replay import FIXED, replayed

    again = replayed(Path(counterexample), Path.cwd(), design=design)
    if as_json:
        details = {"design": again.design, "story": again.story, "remarks": again.remarks}
        _print_json({"file": again.file, "outcome": again.outcome, **details})
    else:
        click.echo(f"{again.headline}\n\n{again.text}", nl=False)
    _exit(violated=again.outcome != FIXED)


@main.command()
@click.argument("counterexample")
@_as_json
def explain(counterexample: str, *, as_json: bool) -> None:
    """Print the story of COUNTEREXAMPLE (the scenario.json of a report)."""
    from chaosqs.project.replay import story_of

    story = story_of(Path(counterexample), Path.cwd())
    if as_json:
        _print_json({"story": story})
    else:
        click.echo(story, nl=False)


@main.command()
@click.argument("counterexample")
@_report_dir
@_as_json
def report(counterexample: str, report_dir: str | None, *, as_json: bool) -> None:
    """Write the report of COUNTEREXAMPLE (the scenario.json of another report)."""
    from chaosqs.project.replay import present
    from chaosqs.project.results import written
    from chaosqs.project.settings import read_settings

    here = Path.cwd()
    again = present(Path(counterexample), here)
    broken = written(again.counterexample, again.history, here, here / (report_dir or read_settings(here).report_dir))
    _print_json({"report": broken.report}) if as_json else click.echo(broken.report)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="SCENARIO FILE…")
@_as_json
def compare(files: tuple[str, ...], *, as_json: bool) -> None:
    """Compare designs under the workload of SCENARIO (JSON); each column is named after its file.

    A FILE is another scenario with the same workload, a design, or an alternative to the event source mappings of a
    function: {"stream": {"function": "worker", "shards": 5}}, and likewise "self_polling" or "rate_limited_front".
    """
    from chaosqs.project.comparing import compare_files

    done = compare_files([Path(name) for name in files], Path.cwd())
    _print_json(attrs.asdict(done)) if as_json else click.echo(str(done), nl=False)


@main.command("import")
@click.argument("template")
@_as_json
def import_(template: str, *, as_json: bool) -> None:
    """Print the design in TEMPLATE as Python, with the origins of its values and the assumptions made.

    The handlers that it names are printed, too; none of their code runs.
    """
    from chaosqs.model.json import to_json
    from chaosqs.project.binding import bindings
    from chaosqs.project.discovery import as_python, read_source

    source = read_source(template, base=Path.cwd(), root=Path.cwd())
    if as_json:
        design: object = json.loads(to_json(source.design))
        origins = {path: str(origin) for path, origin in source.origins.items()}
        functions = [attrs.asdict(each) for each in bindings(source, {}, Path.cwd())]
        details = {"origins": origins, "assumptions": source.assumptions, "functions": functions}
        _print_json({"design": design, **details})
    else:
        click.echo(as_python(source, Path.cwd()), nl=False)


@main.command()
@_as_json
def invariants(*, as_json: bool) -> None:
    """List the invariants that runs are judged by."""
    from chaosqs.invariants import ALL

    if as_json:
        entries = [{"name": each.name, "statement": each.statement, "applies": each.applies} for each in ALL]
        _print_json({"invariants": entries})
        return
    for each in ALL:
        click.echo(f"{each.name}\n  {each.statement}\n  {each.applies}")


@main.command()
@_as_json
def faults(*, as_json: bool) -> None:
    """List the faults that can be injected."""
    from chaosqs.model.faults import KINDS

    if as_json:
        _print_json({"faults": [attrs.asdict(kind) for kind in KINDS]})
        return
    for kind in KINDS:
        click.echo(f"{kind.name}  (at {kind.injection_point}, {kind.rule})\n  {kind.effect}")


def _print_json(value: Mapping[str, object]) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _exit(*, violated: bool) -> None:
    if violated:
        sys.exit(_VIOLATED)


def _passes(found: CheckResult, planned: Plan) -> bool:
    """Return True if a check passes; an artefact does not where the project is strict."""
    from chaosqs.model.verdict import Status
    from chaosqs.project.results import passes

    return passes(found, strict=planned.strict and found.status is Status.ARTEFACT)


def _exit_with(results: Sequence[CheckResult], planned: Plan) -> None:
    """Exit with 1 if an invariant is violated, and else with 2 if one could not be judged or is accepted in vain."""
    from chaosqs.model.verdict import Status

    failed = [found for found in results if not _passes(found, planned)]
    _exit(violated=any(found.status in {Status.VIOLATED, Status.ARTEFACT} for found in failed))
    if failed:
        sys.exit(_WRONG)


def _exit_if_interrupted(planned: Plan) -> None:
    if planned.allowance.stopped:
        click.echo(f"interrupted ({planned.allowance.stopped[0]}): what is above was found before", err=True)
        sys.exit(_INTERRUPTED)
