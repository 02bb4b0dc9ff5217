"""The pytest plugin: options and a marker, and nothing else until an option requests chaosqs.

pytest imports this module at every start, so it imports nothing but pytest.
"""

import argparse
from collections.abc import Callable

import pytest

_PROFILES = ("quick", "ci", "deep")
_PREFIX = "chaosqs::"
_REPLAY = "chaosqs::replay::"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("chaosqs", "chaosqs: chaos testing of SQS → Lambda designs")
    group.addoption(
        "--chaosqs",
        action="store_true",
        help="check the designs of this project; without any, run the regression suite that ships with chaosqs",
    )
    group.addoption(
        "--chaosqs-design",
        action="append",
        default=[],
        metavar="PATH",
        help="check this design: a template (CloudFormation, SAM) or serverless.yml, path.py:attribute, or a design or "
        "scenario as JSON; may be repeated; implies --chaosqs",
    )
    group.addoption("--chaosqs-profile", choices=_PROFILES, help="length of each search (default: quick)")
    group.addoption("--chaosqs-max-examples", type=_at_least(1), metavar="N", help="maximum cases of each search")
    group.addoption("--chaosqs-seed", type=_at_least(0), metavar="N", help="seed of the searches")
    group.addoption(
        "--chaosqs-budget",
        type=_time,
        metavar="TIME",
        help="wall time of all checks together: 30s, 2m, 1h (default: no limit)",
    )
    group.addoption("--chaosqs-no-explain", action="store_true", help="do not explain violations: no fixes, no rates")
    group.addoption("--chaosqs-report-dir", metavar="DIR", help="directory of the reports (default: reports)")
    group.addoption(
        "--chaosqs-replay",
        metavar="FILE",
        help="replay a counterexample (the scenario.json of a report) or a directory of them, without a search",
    )
    group.addoption(
        "--chaosqs-strict",
        action="store_true",
        help="fail if no case could have violated an invariant (not exercised), and for artefacts of assumptions",
    )


def _at_least(low: int) -> Callable[[str], int]:
    """Return the converter of an option that is a whole number of at least `low`."""

    def number(text: str) -> int:
        if text.isascii() and text.isdecimal() and int(text) >= low:
            return int(text)
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, not {text!r}")

    return number


def _time(text: str) -> float:
    """Return the seconds of a time such as `30s`."""
    from chaosqs.errors import InvalidInput
    from chaosqs.project.session import seconds_of

    try:
        return seconds_of(text)
    except InvalidInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, if chaosqs was requested, plan its items."""
    config.addinivalue_line(
        "markers", "chaosqs: items of `pytest --chaosqs`, one for each design, mapping and invariant"
    )
    selected = tuple(argument for argument in config.args if argument.startswith(_PREFIX))
    config.args[:] = [argument for argument in config.args if argument not in selected]
    designs: list[str] = config.getoption("chaosqs_design") or []
    replays = [given.removeprefix(_REPLAY) for given in selected if given.startswith(_REPLAY)]
    replay: str | None = config.getoption("chaosqs_replay")
    if replay is None and replays:
        replay = str(config.rootpath / replays[0])
    judge = bool(config.getoption("chaosqs") or designs or (selected and replay is None))
    if judge or replay is not None:
        _begin(config, tuple(designs), replay, selected, judge=judge)


def _seed(config: pytest.Config) -> int | None:
    """Return the seed of the searches: `--chaosqs-seed`, or else `--hypothesis-seed`."""
    ours: int | None = config.getoption("chaosqs_seed")
    theirs = str(config.getoption("hypothesis_seed", default=""))
    return int(theirs) if ours is None and theirs.isdecimal() else ours


def _begin(
    config: pytest.Config, designs: tuple[str, ...], replay: str | None, selected: tuple[str, ...], *, judge: bool
) -> None:
    """Plan the items and register the hooks."""
    from chaosqs.errors import InvalidInput
    from chaosqs.project.child import start_early

    if judge and not config.getoption("collectonly"):
        start_early(config.rootpath, designs)
    from chaosqs.project.planning import Options
    from chaosqs.project.pytest_hooks import Hooks, items
    from chaosqs.project.wording import brief

    options = Options(
        root=config.rootpath,
        here=config.invocation_params.dir,
        designs=designs,
        selected=tuple(given.split("::")[1] for given in selected),
        profile=config.getoption("chaosqs_profile"),
        max_examples=config.getoption("chaosqs_max_examples"),
        seed=_seed(config),
        report_dir=config.getoption("chaosqs_report_dir"),
        strict=bool(config.getoption("chaosqs_strict")),
        budget=config.getoption("chaosqs_budget"),
        explains=not config.getoption("chaosqs_no_explain"),
    )
    try:
        runs = not config.getoption("collectonly")
        found = items(options, judge=judge, replay=replay, selected=selected, runs=runs)
    except InvalidInput as error:
        raise pytest.UsageError(f"chaosqs: {brief(str(error))}") from None
    hooks = Hooks(found.planned_items, found.child, found.notices, found.header, planned=found.planned)
    config.pluginmanager.register(hooks, "chaosqs-hooks")
