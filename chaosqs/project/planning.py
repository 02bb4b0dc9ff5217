"""Plans the checks of a session: from the options, else the project's settings, else the templates that are found."""

import json
import os
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import attrs
from hypothesis import settings as hypothesis_settings
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from chaosqs import designs as reference
from chaosqs import invariants
from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.invariants import Invariant
from chaosqs.model.design import Design
from chaosqs.model.explanation import CutBy
from chaosqs.model.json import Json, from_json, to_json
from chaosqs.project.binding import (
    Binding,
    bindings,
    bound,
    header,
    refuse_unknown_functions,
    refused,
    unloadable,
    without,
    without_unanswered,
)
from chaosqs.project.checks import Budget, Check, asked_of, checks_about, refuse_unknown
from chaosqs.project.child import Child, ask, cores, end_unused, has_handlers
from chaosqs.project.discovery import Source, discover, importable, read_source
from chaosqs.project.results import CheckResult, acceptance, run_check
from chaosqs.project.samples import FoundMessages, found_messages
from chaosqs.project.session import Allowance, Display, Group, Helpers, seconds_of
from chaosqs.project.settings import FILE, Accepted, Settings, place_of, read_settings
from chaosqs.project.wording import relative_to
from chaosqs.search.ahead import FORKS
from chaosqs.search.finding import Finding
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.profiles import profile_named
from chaosqs.search.search import search_designs
from chaosqs.strategies import designs

# The regression suite of the package, for projects without a design of their own -------------------------------------
#
# It checks the reference designs, generated designs, and, as a canary, a design that is known to be broken: a search
# that finds nothing there cannot be relied on anywhere.

DESIGNS_DIR = Path(reference.__file__).parent  # directory of the reference designs
SOUND = ("maximum_concurrency.yaml", "two_queues.yaml", "unreserved.yaml")
"""Reference designs that keep every invariant."""
BROKEN = "over_polling.yaml"
"""A design in which messages are dead-lettered by throttling."""


def suite() -> tuple[Check, ...]:
    """Return the checks of the regression suite."""
    sound = [_renamed(name, "reference") for name in SOUND]
    broken = [_renamed(BROKEN, "canary")]
    canary = checks_about(broken, {}, (invariants.NO_DEAD_LETTERING_BY_THROTTLING,))
    return (
        _every_design(
            invariants.NO_DEAD_LETTERING_BY_THROTTLING,
            partial(designs, dead_letter_queues=True, maximum_concurrency_fits=True),
        ),
        _every_design(invariants.AT_LEAST_ONCE_DELIVERY, designs),
        *checks_about(sound, {}),
        *(attrs.evolve(check, canary=True) for check in canary),
    )


def _renamed(name: str, kind: str) -> Source:
    return attrs.evolve(read_source(name, base=DESIGNS_DIR, root=DESIGNS_DIR), name=f"{kind}/{name}")


def _every_design(invariant: Invariant, drawn: Callable[[], SearchStrategy[Design]]) -> Check:
    return Check("every-design", "", invariant, DESIGNS_DIR / "__init__.py", partial(_search, drawn, invariant))


def _search(drawn: Callable[[], SearchStrategy[Design]], invariant: Invariant, budget: Budget) -> Finding:
    return search_designs(
        drawn(),
        invariant,
        profile=budget.profile,
        max_examples=budget.max_examples,
        seed=budget.seed,
        meter=budget.meter,
    )


# Options and plans ---------------------------------------------------------------------------------------------------

SUITE = "no design of this project was judged: this is the regression suite of chaosqs itself"


@attrs.frozen
class Options:
    """The options of a command line; None and empty values are not set."""

    root: Path
    """The project's directory, which has its pyproject.toml."""
    here: Path
    """The directory that paths on the command line are relative to."""
    designs: tuple[str, ...] = ()
    selected: tuple[str, ...] = ()
    """The designs in the selected item ids."""
    profile: str | None = None
    max_examples: int | None = None
    seed: int | None = None
    report_dir: str | None = None
    strict: bool = False
    budget: float | None = None
    """Seconds that all checks together may take."""
    explains: bool = True
    """False: violations are not explained."""


@attrs.frozen
class Known:
    """Facts about the project's code that were found by running some of it."""

    broken: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict[str, "Mapping[str, str]"])
    """Reasons why handlers cannot be loaded, by design and function."""
    refused: Mapping[str, Mapping[str, str]] = attrs.field(factory=dict[str, "Mapping[str, str]"])
    """Reasons why resources of other services cannot be made, by design and name."""
    messages: Mapping[str, FoundMessages] = attrs.field(factory=dict[str, FoundMessages])
    """The messages of each design's real handlers, by the design's name."""


@attrs.frozen
class Plan:
    """The checks of a session, with their budget and the directory of reports."""

    checks: tuple[Check, ...]
    notices: tuple[str, ...]
    """Further lines of the summary."""
    budget: Budget
    root: Path
    reports: Path
    strict: bool
    options: Options
    child: Child
    """Runs the checks of real handlers."""
    known: Known
    """Facts about the project's code."""
    bindings: Mapping[str, tuple[Binding, ...]] = attrs.field(factory=dict[str, tuple[Binding, ...]])
    """The functions of each design, by the design's name."""
    given: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Values that other files give the parameters of each design, as clauses."""
    allowance: Allowance = attrs.field(factory=Allowance)
    """The time of the checks."""
    accept: tuple[Accepted, ...] = ()
    """The violations that the project accepts."""
    today: date = attrs.field(factory=lambda: datetime.now(UTC).astimezone().date())
    """The day on which they are accepted or not."""
    displays: list[Display] = attrs.field(factory=list[Display])
    """Shows the progress, if there is one."""
    _errors: dict[tuple[str, str], Exception] = attrs.field(factory=dict[tuple[str, str], Exception], init=False)
    """Errors by design and mapping: what ends one check of a mapping ends them all."""
    _ended: dict[Group, dict[str, str]] = attrs.field(factory=dict[Group, dict[str, str]], init=False)
    """Errors of other functions' handlers that ended the checks of a mapping, by function: they are modelled there."""
    processes: int | None = None
    """Maximum processes that search mappings side by side; None: one for each core."""
    _helpers: list[Helpers[CheckResult]] = attrs.field(factory=list[Helpers[CheckResult]], init=False)
    """The threads that run mappings beside the main thread, once they have started."""
    _wanted: list[Check] = attrs.field(factory=list[Check], init=False)
    """The checks that will be run."""
    _children: dict[int, Child] = attrs.field(factory=dict[int, Child], init=False)
    """The child process of each helper, by its lane."""
    _told: SimpleQueue[tuple[Group, Progress | None]] = attrs.field(
        factory=SimpleQueue["tuple[Group, Progress | None]"], init=False
    )
    """Progress that is not shown yet; only the main thread shows it. None: a group is done for now."""

    @property
    def header(self) -> tuple[str, ...]:
        """Lines at the top of a run: the code that each function has."""
        return tuple(header(self.bindings, self.given))

    def begin(self, checks: Iterable[Check]) -> None:
        """Share time and processes among the mappings of the checks that will be run."""
        self._wanted[:] = checks
        self.allowance.groups = len(_groups(self._wanted))
        self.allowance.lanes = lanes(self.allowance.groups, self.child, self.processes)

    def close(self) -> None:
        """End all processes; those that still search are of no use any more."""
        for helpers in self._helpers:
            for child in self._children.values():
                child.kill() if helpers.busy else child.close()
            helpers.close()
        self.child.close()
        end_unused()

    def skips(self, check: Check) -> bool:
        """Return True if a signal ended the session before the mapping of a check was searched."""
        return bool(self.allowance.stopped) and not self.allowance.has_begun((check.design, check.mapping))

    def run(self, check: Check) -> CheckResult:
        """Run one of the checks; earlier findings are in the database of Hypothesis's current settings, if any.

        A canary uses no database, because it tests whether the search finds the violation. Real handlers run in the
        child. Raises `SimulationError` and `InvalidInput` if they reach no verdict; then all checks of the mapping do.
        """
        database = hypothesis_settings().database
        group, begins = (check.design, check.mapping), self.allowance.lanes > 1 and not self._helpers
        if begins and not has_handlers(check.behaviours):
            self._start(database)
        if any(helpers.have(group) for helpers in self._helpers):
            found = self._helpers[0].result("::".join(check.parts), self._show)
        else:
            with self.counted(check) as budget:
                found = self._checked(check, attrs.evolve(budget, database=database), self.child)
        for display in self.displays:
            display.clear()  # what is told now must not stand in the line that changes
        if begins and not self._helpers:
            self._start(database, group)  # the first search of real handlers had all cores, for an early verdict
        for index, entry in enumerate(self.accept):
            if entry.about(check.design, check.mapping, check.invariant.name) and not check.canary:
                found = acceptance(found, entry, place_of(index, self.root / FILE), today=self.today)
        return found

    def _start(self, database: ExampleDatabase | None, begun: Group | None = None) -> None:
        """Start the helpers, each with a child process of its own; `begun`: the group that they leave alone."""
        checks = {"::".join(check.parts): check for check in self._wanted}

        def run(lane: int, name: str) -> CheckResult:
            child = self._children.setdefault(lane, attrs.evolve(self.child, processes=None))
            with self.counted(checks[name], lane) as budget:
                return self._checked(checks[name], attrs.evolve(budget, database=database), child)

        groups = _groups(self._wanted)
        groups.pop(begun or ("", ""), None)
        waiting = {group: ["::".join(check.parts) for check in own] for group, own in groups.items()}
        self._helpers.append(Helpers(waiting, run, self.allowance.stopped))
        self._helpers[0].start(self.allowance.lanes - 1)

    @contextmanager
    def counted(self, check: Check, lane: int = 0) -> Generator[Budget]:
        """Return the budget of a check with the time of its mapping; the time of the `with` block counts."""
        group = check.design, check.mapping
        with self.allowance.counted(group, partial(self._tell, group), lane) as meter:
            yield attrs.evolve(self.budget, meter=meter, unexplained=self.budget.unexplained or self._accepts(check))
        self._tell(group, None)

    def _accepts(self, check: Check) -> CutBy | None:
        """Return that the project accepts a violation of a check today: explaining it again would only take time."""
        accepted = any(
            entry.about(check.design, check.mapping, check.invariant.name)
            and self.today <= date.fromisoformat(entry.until)
            for entry in self.accept
        )
        return "accepted" if accepted and not check.canary else None

    def _tell(self, group: Group, progress: Progress | None) -> None:
        self._told.put((group, progress))
        if threading.current_thread() is threading.main_thread():
            self._show()

    def _show(self) -> None:
        """Show the progress, on the main thread."""
        while not self._told.empty():
            group, progress = self._told.get()
            for display in self.displays:
                display.done(group) if progress is None else display.tell(group, progress)
        for display in self.displays:
            display.tick()

    def _checked(self, check: Check, budget: Budget, child: Child) -> CheckResult:
        """Run a check: real handlers in a child process, and all that a helper runs, in the helper's."""
        budget = attrs.evolve(budget, database=None if check.canary else budget.database)
        own = child is self.child and not has_handlers(check.behaviours)
        if check.problem or not child.separate or own:
            return run_check(check, budget, root=self.root, reports=self.reports)
        name = check.design, check.mapping
        if name in self._errors:
            raise self._errors[name].with_traceback(None)
        try:
            return self._run_in_child(check, budget, child)
        except (SimulationError, InvalidInput) as error:
            self._errors[name] = error
            raise

    def _run_in_child(self, check: Check, budget: Budget, child: Child) -> CheckResult:
        own, ended = check.mapping.rpartition("→")[2], self._ended.setdefault((check.design, check.mapping), {})
        while True:
            broken = {**self.known.broken.get(check.design, {}), **ended}
            broken.pop(own, None)
            known = attrs.evolve(self.known, broken={**self.known.broken, check.design: broken})
            try:
                return self._ordered(check, budget, known, child)
            except SimulationError as error:
                if error.function in {"", own, *broken}:
                    raise
                ended[error.function] = str(error)

    def _ordered(self, check: Check, budget: Budget, known: Known, child: Child) -> CheckResult:
        database, meter = budget.database, budget.meter or Meter()
        limits = attrs.evolve(budget, database=None, meter=None)
        spare = cores() >= 2 * (self.allowance.lanes if self._helpers else 1)
        order = _Order(self.options, known, limits, check.parts, database is not None, meter.left, forks=spare)
        answer = partial(answered, database, meter)
        # Real code has a process for each mapping; models leave nothing behind, so that one with warm caches does.
        group = f"{check.design} {check.mapping}" if has_handlers(check.behaviours) else "models"
        handlers = {each.function: each.handler for each in self.bindings.get(check.design, ()) if each.handler}
        done = child.run(checked, to_json(order), group=group, answer=answer, handlers=handlers)
        return from_json(CheckResult, done)


def plan(options: Options, known: Known | None = None) -> Plan:
    """Return the plan of a session. Raises `InvalidInput` for wrong options or settings; writes nothing.

    `known`: what is known of the project's code; None: it is found out, in the child process.
    """
    settings = read_settings(options.root)
    reports = options.here / options.report_dir if options.report_dir else options.root / settings.report_dir
    _refuse_unwritable(reports, options.root)
    sources, notices = _sources(options, settings)
    stopped: list[str] = []
    child = Child(options.root, settings.handler_seconds, stopped)
    sources = tuple(without_unanswered(bound(source, settings, options.root)) for source in sources)
    known = _asked(sources, settings, child) if known is None else known
    notices = (*notices, *(notice for each in known.messages.values() for notice in each.notices))
    sources = tuple(_with_known(source, known, options.root) for source in sources)
    checks = checks_about(sources, settings.behaviours, asked_of(settings, options.root))
    if not (options.designs or options.selected):
        _refuse_unknown_accepted(settings.accept, checks, options.root / FILE)
    checks = checks if sources else suite()
    if lanes(len(_groups(checks)), child, settings.processes) == 1:
        end_unused()
    return Plan(
        checks,
        notices if sources else (*notices, SUITE),
        _budget(options, settings),
        options.root,
        reports,
        options.strict or settings.strict,
        options,
        child,
        known,
        {source.name: bindings(source, settings.behaviours, options.root) for source in sources},
        {source.name: source.given for source in sources},
        Allowance(options.budget or (seconds_of(settings.budget) if settings.budget else None), stopped=stopped),
        settings.accept,
        processes=settings.processes,
    )


def _budget(options: Options, settings: Settings) -> Budget:
    """Return the limits of each search."""
    profile = profile_named(options.profile or settings.profile)
    most = options.max_examples or settings.max_examples
    unexplained: CutBy | None = None if options.explains else "request"
    return Budget(profile, most, options.seed, settings.vary_assumptions, unexplained=unexplained)


def _groups(checks: Iterable[Check]) -> dict[Group, list[Check]]:
    """Return the checks of each mapping, in their order."""
    groups: dict[Group, list[Check]] = {}
    for check in checks:
        groups.setdefault((check.design, check.mapping), []).append(check)
    return groups


def lanes(groups: int, child: Child, most: int | None) -> int:
    """Return the number of mappings that are searched side by side; `most`: the project's limit."""
    return max(1, min(groups, cores(), most or groups)) if child.separate else 1


def _refuse_unknown_accepted(entries: Sequence[Accepted], checks: Sequence[Check], path: Path) -> None:
    """Raise `InvalidInput` for an entry that accepts a violation that no check of the project looks for."""
    for index, entry in enumerate(entries):
        own = [check for check in checks if entry.about(check.design, check.mapping, entry.invariant)]
        if any(check.invariant.name == entry.invariant for check in own):
            continue
        if own:
            wrong = f"invariant = {entry.invariant!r}: must be one that is judged; `chaosqs invariants` lists them"
            raise InvalidInput(f"{place_of(index, path, 'invariant')}: {wrong}")
        names = dict.fromkeys(check.mapping for check in checks if entry.design in {"", check.design})
        wrong = f"mapping = {entry.mapping!r}: must be one of the mappings: {', '.join(names) or 'there are none'}"
        raise InvalidInput(f"{place_of(index, path, 'mapping')}: {wrong}")


def _asked(sources: Sequence[Source], settings: Settings, child: Child) -> Known:
    """Find out which handlers cannot be loaded, and what the messages of the others are."""
    cannot = {source.name: refused(source, settings.behaviours, child) for source in sources}
    sources = [without(source, cannot[source.name]) for source in sources]
    broken = {source.name: unloadable(source, settings.behaviours, child) for source in sources}
    found: dict[str, FoundMessages] = {}
    for source in sources:
        behaviours = source.behaved(settings.behaviours)
        found[source.name] = found_messages(source, behaviours, settings, child, broken[source.name])
        broken[source.name] = {**found[source.name].missing, **broken[source.name]}
    return Known(broken, cannot, found)


def _with_known(source: Source, known: Known, root: Path) -> Source:
    source = without(source, known.refused.get(source.name, {}))
    messages = known.messages.get(source.name, FoundMessages()).sources(source.design, root)
    return attrs.evolve(source, broken=known.broken.get(source.name, {}), messages=messages)


def _refuse_unwritable(reports: Path, root: Path) -> None:
    """Raise `InvalidInput` before the search if reports cannot be written."""
    there = next((location for location in (reports, *reports.parents) if location.exists()), root)
    if not there.is_dir() or not os.access(there, os.W_OK):
        why = "cannot be written" if there.is_dir() else "is a file"
        raise InvalidInput(
            f"reports cannot go to {relative_to(root, reports)}: {relative_to(root, there)} {why}.\n"
            "Name another: --report-dir of chaosqs, --chaosqs-report-dir of pytest, report_dir of [tool.chaosqs]."
        )


def _sources(options: Options, settings: Settings) -> tuple[tuple[Source, ...], tuple[str, ...]]:
    """Return the designs given, else those configured, else those found, and notices about other files.

    Raises `InvalidInput` for settings of functions that none of the project's designs has, and for a design in which
    nothing can happen.
    """
    root, notices = options.root, tuple[str, ...]()
    importable(root, settings.behaviours)
    given = _read(options.designs, options.here, root) or _read(_files(options), root, root)
    if given:
        return given, ()
    if settings.designs:
        sources = _read(settings.designs, root, root)
    else:
        found = discover(root)
        sources, notices = found.sources, found.notices
    if sources:
        refuse_unknown(settings.behaviours, sources)
        refuse_unknown_functions(settings, sources)
    return sources, notices


def _read(designs: Iterable[str], base: Path, root: Path) -> tuple[Source, ...]:
    """Return the designs of some files. Raises `InvalidInput` for one without a mapping, too."""
    sources = tuple(read_source(design, base=base, root=root) for design in designs)
    for source in sources:
        if not source.design.mappings:
            raise InvalidInput(f"{source.name}: the design has no mapping, so nothing in it can be judged")
    return sources


def _files(options: Options) -> Iterator[str]:
    """Yield the selected designs that are files, so that an item id is enough to name a design."""
    for design in dict.fromkeys(options.selected):
        file = design.rpartition(":")[0] if ".py:" in design else design
        if (options.root / file).is_file():
            yield design


# Checks of real handlers, in the child process ------------------------------------------------------------------------
#
# The child makes the plan anew from the options: invariants and designs in Python files are code, which cannot be sent.


@attrs.frozen
class _Order:
    """A check to run in the child."""

    options: Options
    known: Known
    budget: Budget
    """The limits of the search, without its database."""
    parts: tuple[str, ...]
    """The check's name."""
    stored: bool
    """True if the parent has a database."""
    seconds: float | None = None
    """Time that is left to the mapping; None: there is no limit."""
    forks: bool = True
    """True if there is a core for a second process of the search."""


def checked(text: str) -> str:
    """Run the check that an order names, as a job of the child, and return its result as JSON."""
    order = from_json(_Order, text)
    if not _PLANS or _PLANS[0].known.broken != order.known.broken:
        _PLANS[:] = [plan(order.options, order.known)]
    planned = _PLANS[0]
    check = next(check for check in planned.checks if check.parts == order.parts)
    FORKS[0] = FORKS[0] and order.forks
    meter = _METERS.setdefault(order.parts[:-1], Meter())
    meter.until = None if order.seconds is None else meter.clock() + order.seconds
    meter.tell = _Relay(meter).tell
    budget = attrs.evolve(order.budget, database=ParentDatabase() if order.stored else None, meter=meter)
    return to_json(run_check(check, budget, root=planned.root, reports=planned.reports))


_PLANS: list[Plan] = []
"""The plan of a worker's session: the checks of a mapping share it, and with it their search."""
_METERS: dict[tuple[str, ...], Meter] = {}
"""The time of each mapping that the worker searches, by design and mapping."""
_STOP = "stop"
"""Answer to a child's progress: the session is over."""


@attrs.define(eq=False)
class _Relay:
    """Tells the parent of the progress, and ends the child's simulations when the session is over."""

    meter: Meter
    every: float = 0.2
    """Seconds between two reports at least; a violation is reported at once."""
    _last: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin to count the time."""
        self._last = self.meter.clock()

    def tell(self, progress: Progress) -> None:
        """Take a step of the progress."""
        now = self.meter.clock()
        if progress.found is None and now - self._last < self.every:
            return
        self._last = now
        if ask(json.dumps(["progress", to_json(progress)])) == _STOP and not self.meter.stopped:
            self.meter.stopped.append(_STOP)


# Hypothesis's settings belong to the parent, and its database may be any object, in memory too. So the child asks.


class ParentDatabase(ExampleDatabase):
    """The database of the parent process, for jobs of the child."""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return the entries of a key."""
        found: Json = json.loads(_of_parent("fetch", key))
        assert isinstance(found, list)
        return [bytes.fromhex(str(entry)) for entry in found]

    def save(self, key: bytes, value: bytes) -> None:
        """Store an entry."""
        _of_parent("save", key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Delete an entry."""
        _of_parent("delete", key, value)


def _of_parent(method: str, *values: bytes) -> str:
    return ask(json.dumps([method, *(value.hex() for value in values)]))


def answered(database: ExampleDatabase | None, meter: Meter, question: str) -> str:
    """Answer a question of the child: about the database, or its progress."""
    asked: Json = json.loads(question)
    assert isinstance(asked, list)
    method, *values = map(str, asked)
    if method == "progress":
        meter.tell(from_json(Progress, values[0]))
        return _STOP if meter.stopped else ""
    assert database is not None, "there is no database"
    key, *value = map(bytes.fromhex, values)
    if method == "fetch":
        return json.dumps([entry.hex() for entry in database.fetch(key)])
    change = database.save if method == "save" else database.delete
    change(key, *value)
    return ""
