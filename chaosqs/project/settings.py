"""A project's settings: the table `[tool.chaosqs]` of its pyproject.toml."""

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour, check_behaviour
from chaosqs.model.json import Json, structure
from chaosqs.model.values import Checks
from chaosqs.project.child import SECONDS
from chaosqs.project.session import seconds_of
from chaosqs.search.profiles import PROFILES

FILE = "pyproject.toml"
ENSEMBLE = Path(__file__).with_name("ensemble.json")
"""Assumption sets that fit all measurements, with the figures of each, as `make ensemble` has sampled them."""
REPORTS = "reports"
"""Default directory of reports."""


@attrs.frozen
class Limits:
    """The table `[tool.chaosqs.limits]`, whose keys may have dashes; None: no limit."""

    oldest_message: float | None = None
    """Seconds that a message may stay in a queue that a mapping polls; above 0."""
    downstream_concurrency: int | None = None
    """Maximum executions of all functions together at once; 1 or more."""
    throttle_rate: float | None = None
    """Share of the attempts to invoke a function that may be throttled; 0 to 1."""
    dead_letters_kept: int | None = None
    """Seconds for which people must be able to look at a dead letter, instead of a day; 1 or more."""


@attrs.frozen
class FunctionSettings:
    """The table `[tool.chaosqs.functions.NAME]`: what it gives replaces what the template says about a function."""

    handler: str = ""
    """The handler as `Handler` of a template names it (`src/app.handler`), or as `package.module:function`."""
    code: str = ""
    """Directory of the function's code, relative to the root directory; Lambda would have it as /var/task."""
    environment: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    """Environment variables, in addition to the template's or in their place."""
    bodies: tuple[str, ...] = ()
    """Sources of the bodies of its messages: files with samples, or `path.py:name`."""
    behaviour: Behaviour | None = None
    """A model that replaces the handler, with the keys of `[tool.chaosqs.behaviours.NAME]`."""


@attrs.frozen
class Accepted:
    """An entry `[[tool.chaosqs.accept]]`: a violation that does not fail a session until a day."""

    mapping: str
    """The mapping that violates the invariant: `orders→worker`; `->` may stand for the arrow."""
    invariant: str
    """Name of the invariant, with dashes."""
    reason: str
    """The reason why the violation is accepted."""
    until: str
    """The last day on which it is accepted: `2026-12-31`."""
    design: str = ""
    """Name of the design; empty: each design that has the mapping."""

    def about(self, design: str, mapping: str, invariant: str) -> bool:
        """Return True if the entry is about a check."""
        own = self.mapping.replace("->", "→").replace(" ", "")
        return (own, self.invariant) == (mapping, invariant) and self.design in {"", design}


@attrs.frozen
class Settings:
    """The table `[tool.chaosqs]`; each field is the key of that name."""

    designs: tuple[str, ...] = ()
    """Files to judge: templates, `path.py:attribute`, designs or scenarios as JSON. Empty: those that are found."""
    profile: str = "quick"
    """Budget of each search: `quick`, `ci` or `deep`."""
    max_examples: int | None = None
    """Maximum cases of each search. Without it, the profile says how many."""
    budget: str = ""
    """Wall time of a session's checks: `30s`, `2m`, `1h`, or a number of seconds. Empty: no limit."""
    report_dir: str = REPORTS
    """Directory of the reports."""
    vary_assumptions: bool = False
    """True if the search may also set assumptions about AWS to the ends of their ranges."""
    strict: bool = False
    """True if an invariant that no case could have violated counts as a failure, and so does an artefact: a violation
    that only chaosqs's default assumptions about AWS produce."""
    invariants: tuple[str, ...] = ()
    """Additional invariants: names of those that are not judged by default, or `path.py:name` for your own."""
    limits: Limits = Limits()
    """The table of limits, below."""
    setup: str = ""
    """A function of yours that prepares each run of real handlers, `path.py:name`: data, and `chaosqs.stub`."""
    handler_seconds: float = SECONDS
    """Seconds of real time that a real handler may run without giving way, before its process is ended.
    0: real handlers run in the process of pytest or the command line, where a debugger reaches them and nothing ends
    them.
    """
    processes: int | None = None
    """Maximum processes that search mappings side by side; without it, one for each core. 1: all mappings are searched
    one after the other.
    """
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour], hash=False)
    """The tables of behaviours, below. The search draws the behaviours of all other functions."""
    functions: Mapping[str, FunctionSettings] = attrs.field(factory=dict[str, FunctionSettings], hash=False)
    """The tables of functions, below."""
    accept: tuple[Accepted, ...] = ()
    """The violations that are accepted for now, below."""


def read_settings(root: Path) -> Settings:
    """Return the settings in the project's table, or the defaults. Raises `InvalidInput` for anything wrong in it."""
    path = root / FILE
    if not path.is_file():
        return Settings()
    table = _table(path)
    try:
        settings = structure(Settings, table)
    except InvalidInput as error:
        raise _refusal(str(error), path) from None
    problems = _problems(settings)
    if problems:
        raise _refusal(problems, path)
    return settings


def _table(path: Path) -> dict[str, Json]:
    try:
        document: Json = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{FILE} cannot be read: {error}") from None
    for name in ("tool", "chaosqs"):
        document = document.get(name, {}) if isinstance(document, dict) else None
    if isinstance(document, dict):
        changes: dict[str, Callable[[Json], Json]] = {
            "budget": _as_text,
            "limits": _with_underscores,
            "functions": _with_lists,
            "accept": _with_days,
        }
        return document | {key: change(document[key]) for key, change in changes.items() if key in document}
    raise InvalidInput(f"{FILE}: tool.chaosqs must be a table: write [tool.chaosqs]")


def _as_text(number: Json) -> Json:
    return str(number) if isinstance(number, int | float) and not isinstance(number, bool) else number


def _with_days(entries: Json) -> Json:
    """Return the entries in which days, for which TOML has a type, are texts."""
    if not isinstance(entries, list):
        return entries
    return [_with_day(entry) if isinstance(entry, dict) else entry for entry in entries]


def _with_day(entry: dict[str, Json]) -> dict[str, Json]:
    day: object = entry.get("until")
    return entry | {"until": day.isoformat()} if isinstance(day, date) else entry


def _with_underscores(table: Json) -> Json:
    return {key.replace("-", "_"): value for key, value in table.items()} if isinstance(table, dict) else table


def _with_lists(functions: Json) -> Json:
    """Return the tables of functions in which `bodies` may also be one text."""
    if not isinstance(functions, dict):
        return functions
    return {
        name: table | {"bodies": [table["bodies"]]}
        if isinstance(table, dict) and isinstance(table.get("bodies"), str)
        else table
        for name, table in functions.items()
    }


def _check_limits(checks: Checks, limits: Limits) -> None:
    if limits.oldest_message is not None:
        checks.number("oldest_message", limits.oldest_message, 0.001, unit="seconds")
    if limits.downstream_concurrency is not None:
        checks.whole("downstream_concurrency", limits.downstream_concurrency, 1, None, "executions")
    if limits.throttle_rate is not None:
        checks.number("throttle_rate", limits.throttle_rate, 0, 1)
    if limits.dead_letters_kept is not None:
        checks.whole("dead_letters_kept", limits.dead_letters_kept, 1, None, "seconds")


def _problems(settings: Settings) -> str:
    """Return the problems that the types do not show: ranges and names."""
    checks = Checks("")
    checks.one_of("profile", settings.profile, [profile.name for profile in PROFILES])
    if settings.max_examples is not None:
        checks.whole("max_examples", settings.max_examples, 1, None, "cases")
    _check_shares(checks, settings)
    _check_limits(Checks("limits", checks.problems), settings.limits)
    checks.number("handler_seconds", settings.handler_seconds, 0, unit="seconds")
    if settings.setup:
        checks.name("setup", settings.setup, r"(?s).+\.py:\w+", "must be `path.py:name`")
    for name, behaviour in settings.behaviours.items():
        check_behaviour(Checks(f"behaviours.{name}", checks.problems), behaviour)
    for name, function in settings.functions.items():
        _check_function(Checks(f"functions.{name}", checks.problems), function)
        if name in settings.behaviours and (function.handler or function.code or function.behaviour is not None):
            must = "says how the function behaves, as [tool.chaosqs.behaviours] does: keep one of them"
            checks.refuse(f"functions.{name}", None, must)
    for index, entry in enumerate(settings.accept):
        _check_accepted(Checks(f"accept[{index}]", checks.problems), entry, settings.accept[:index])
    return "\n".join(map(str, checks.problems))


def _check_accepted(checks: Checks, entry: Accepted, before: tuple[Accepted, ...]) -> None:
    """Note the problems of an entry that accepts a violation."""
    checks.name("mapping", entry.mapping, r"\S+ ?(→|->) ?\S+", "must be written queue→function")
    checks.name("until", entry.until, r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "must be a day such as 2026-12-31")
    if not entry.reason.strip():
        checks.refuse("reason", None, "must say why the violation is accepted")
    try:
        date.fromisoformat(entry.until)
    except ValueError:
        checks.refuse("until", entry.until, "must be a day that exists")
    if any(attrs.evolve(each, reason=entry.reason, until=entry.until) == entry for each in before):
        checks.refuse("", None, "accepts what an entry before it accepts")


def _check_shares(checks: Checks, settings: Settings) -> None:
    """Note what is wrong with the time and the processes of a session."""
    if settings.processes is not None:
        checks.whole("processes", settings.processes, 1, None)
    try:
        seconds_of(settings.budget or "1s")
    except InvalidInput as error:
        checks.refuse("budget", None, str(error))


def _check_function(checks: Checks, given: FunctionSettings) -> None:
    """Note the problems of the settings of a function."""
    if given.handler:
        must = "must be written as in a template, app.handler, or as package.module:function"
        checks.name("handler", given.handler, r"[\w-]+([./][\w-]+)*[.:]\w+", must)
    check_behaviour(checks, Behaviour(environment=given.environment))
    if given.behaviour is not None:
        check_behaviour(Checks(f"{checks.path}.behaviour", checks.problems), given.behaviour)
        if given.handler or given.code:
            checks.refuse("behaviour", None, "excludes handler and code: a function is a model or real code")


def _refusal(problems: str, path: Path) -> InvalidInput:
    return InvalidInput("\n".join(_placed(line, path) for line in problems.splitlines()))


_ENTRY = re.compile(r"accept\[(\d+)\]\.?((\w*).*)", re.DOTALL)
_HEADER = re.compile(r"\s*\[\[\s*tool\s*\.\s*chaosqs\s*\.\s*accept\s*\]\]")


def _placed(problem: str, path: Path) -> str:
    """Return a problem with its place in the file: the table, or the line of an entry that accepts a violation."""
    found = _ENTRY.fullmatch(problem)
    if found is None:
        return f"{FILE}, [tool.chaosqs]: {problem}"
    return f"{place_of(int(found[1]), path, found[3])}: {found[2].removeprefix(': ')}"


def place_of(index: int, path: Path, key: str = "") -> str:
    """Return the place of an entry that accepts a violation, or of one of its keys, if it has that one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    headers = [number for number, line in enumerate(lines, 1) if _HEADER.match(line)]
    if index >= len(headers):
        return f"{FILE}, [[tool.chaosqs.accept]]"
    first, last = headers[index], [*headers, len(lines) + 1][index + 1]
    keys = (number for number in range(first, last) if key and re.match(rf"\s*{key}\s*=", lines[number - 1]))
    return f"{FILE}:{next(keys, first)}, [[tool.chaosqs.accept]]"


@cache
def ensemble() -> tuple[Assumptions, ...]:
    """Return assumption sets, far from each other, that fit the measurements; the first is the default.

    A claim about a design that holds under each of them does not hang on what AWS does not document, as far as the
    published measurements tell. `docs/calibration.md` says how they were found.
    """
    members: list[dict[str, dict[str, int]]] = json.loads(ENSEMBLE.read_text(encoding="utf-8"))["members"]
    return tuple(Assumptions(**member["assumptions"]) for member in members)
