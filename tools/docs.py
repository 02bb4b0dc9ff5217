"""Generate docs/reference/ and docs/fidelity.md from the registries; none of these pages is written by hand."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import attrs

from chaosqs import plugin
from chaosqs.invariants import ALL
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import KINDS, FaultKind
from chaosqs.project.settings import Accepted, FunctionSettings, Limits, Settings
from tools import fidelity
from tools.tables import table

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
INJECTION_POINTS = (
    ("send", "the send of a message by a producer"),
    ("poll", "a receive, before SQS answers it"),
    ("receive", "the answer to a receive"),
    ("hold", "a batch that a poller holds, before it invokes"),
    ("invoke", "the call of Lambda by a poller"),
    ("handler", "the run of the handler"),
    ("point", "a `chaosqs.fault_point` in the handler's code"),
    ("call", "a call of the handler to another service of AWS; a plan names it: `failed_call:dynamodb:PutItem`"),
    ("response", "the answer of the function to the poller"),
    ("delete", "the delete of a batch after its success"),
    ("mapping", "the state of an event source mapping"),
)
HEAD = "<!-- Written by `make docs`; edit the registry that it comes from instead. -->\n\n"


def invariants() -> str:
    """Return the page of all invariants."""
    rows = [
        (f"`{one.name}`", one.statement, one.applies, one.unit, "yes" if one.default else "only if asked for")
        for one in ALL
    ]
    verdicts = [
        ("`holds`", "the invariant could have failed, and did not; the verdict counts how often it could have"),
        ("`violated`", "the invariant failed"),
        ("`not exercised`", "nothing happened that could have violated it; `--chaosqs-strict` makes that a failure"),
        ("`not applicable`", "the design has nothing that it is about; the verdict gives the reason"),
        ("`inconclusive`", "your own invariant raised an exception, or `chaosqs exhaust` ran out of runs"),
    ]
    intro = (
        "# Invariants\n\nThis page lists the invariants that ship with chaosqs. Use it to look up what a verdict on a "
        "design means, and the names of the invariants that are judged only if you ask for them "
        "([how to](../invariants.md)).\n\n"
    )
    listed = table(("name", "statement", "applies", "counted as exercised", "judged by default"), rows)
    return f"{intro}{table(('verdict', 'meaning'), verdicts)}\n## List\n\n{listed}"


def faults() -> str:
    """Return the page of all kinds of fault."""
    rows = [(f"`{kind.name}`", kind.injection_point, _applies_to(kind), kind.effect, kind.rule) for kind in KINDS]
    intro = (
        "# Faults\n\nThis page lists every kind of fault. Use it to choose the names in a fault plan "
        "([how to](../faults.md)). A kind applies to one send or receive of a message, to every call of its injection "
        "point within a window, or to both. The column *rule* names the entry of the [list of rules](../fidelity.md) "
        "by which AWS may behave like this.\n\n"
    )
    points = table(("injection point", "meaning"), INJECTION_POINTS)
    kinds = table(("name", "injection point", "applies to", "effect", "rule"), rows)
    return f"{intro}## Injection points\n\n{points}\n## Kinds\n\n{kinds}"


def _applies_to(kind: FaultKind) -> str:
    """Return the sends, receives and windows that a kind can be injected into, as text."""
    single = ("one send, " if kind.injection_point == "send" else "one receive, ") if kind.keyed else ""
    scopes = "" if len(kind.scopes) > 1 else f" of one {' or '.join(kind.scopes)}"
    return f"{single}windows{scopes}{'; standard queues only' if kind.standard_only else ''}"


def assumptions() -> str:
    """Return the page of the assumptions about AWS."""
    intro = "This page lists what chaosqs assumes about AWS. Use it to check an assumption, or to set another value."
    return (
        f"# Assumptions\n\n{intro} {fidelity.ASSUMED.format(calibration='../calibration.md')}\n\n{fidelity.assumed()}"
    )


SETTINGS = (
    ("[tool.chaosqs]", Settings, "General settings. Paths are relative to the directory of `pyproject.toml`."),
    ("[tool.chaosqs.limits]", Limits, "Limits that are judged as invariants ([how to](../invariants.md#set-limits))."),
    (
        "[tool.chaosqs.functions.NAME]",
        FunctionSettings,
        (
            "Settings of one function, by its name in the design or its logical id in the template "
            "([how to](../handlers.md#override-it))."
        ),
    ),
    (
        "[tool.chaosqs.behaviours.NAME]",
        Behaviour,
        (
            "The behaviour of one function, by its name in the design: a model, or a handler. The table "
            "`[tool.chaosqs.functions.NAME.behaviour]` has the same keys."
        ),
    ),
    (
        "[[tool.chaosqs.accept]]",
        Accepted,
        "A violation that does not fail a session for now ([how to](../searching.md#accept-a-violation-for-now)).",
    ),
)
EXAMPLE = """\
```toml
[tool.chaosqs]
designs = ["template.yaml"]
profile = "ci"
strict = true

[tool.chaosqs.limits]
oldest-message = 300

[tool.chaosqs.behaviours.worker]
seconds_per_message = 0.3
error_rate = 0.01

[[tool.chaosqs.accept]]
mapping = "orders→worker"
invariant = "no-dead-lettering-by-throttling"
reason = "The new limit is on its way: ticket 123."
until = 2026-12-31
```
"""


class _Options:
    """Stands in for pytest's parser: it keeps the options that the plugin declares."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def getgroup(self, *_: str) -> _Options:
        """Return itself: the plugin has one group."""
        return self

    def addoption(self, name: str, *, help: str, metavar: str = "", **_: object) -> None:  # noqa: A002 - pytest's name
        """Keep an option and its help."""
        self.rows.append((f"`{name}{'=' if metavar else ''}{metavar}`", help))


def settings() -> str:
    """Return the page of the settings of a project and the options of pytest."""
    intro = (
        "# Settings\n\nThis page lists every key of `[tool.chaosqs]` in `pyproject.toml` and every option of pytest. "
        "All are optional. `pytest --chaosqs` and the command line read them; an option replaces one for a run. "
        "A key that does not exist, or a value out of range, is an error that names it.\n\n"
    )
    listed = "".join(
        f"## `{name}`\n\n{text}\n\n{table(('key', 'default', 'meaning'), _keys(kind))}\n"
        for name, kind, text in SETTINGS
    )
    options = _Options()
    plugin.pytest_addoption(options)  # type: ignore[arg-type]
    return f"{intro}{EXAMPLE}\n{listed}## Options of pytest\n\n{table(('option', 'meaning'), options.rows)}"


def _keys(kind: type[attrs.AttrsInstance]) -> list[tuple[str, str, str]]:
    """Return the rows of a table of settings: key, default and the first paragraph of the field's docstring."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    texts = {
        field.target.id: " ".join(text.value.value.split("\n\n")[0].split())
        for field, text in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }
    dashes = kind is Limits
    return [
        (f"`{field.name.replace('_', '-') if dashes else field.name}`", _default(field.default), texts[field.name])
        for field in attrs.fields(kind)
    ]


def _default(value: object) -> str:
    """Return the default of a setting as TOML; empty if there is none."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value:g}`"
        case str() if value:
            return f'`"{value}"`'
        case _:
            return ""


PAGES = {"invariants": invariants, "faults": faults, "assumptions": assumptions, "settings": settings}
"""The generated pages of docs/reference, by name."""


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / f"{name}.md").write_text(HEAD + page(), encoding="utf-8", newline="\n")
    (REFERENCE.parent / "fidelity.md").write_text(HEAD + fidelity.page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
