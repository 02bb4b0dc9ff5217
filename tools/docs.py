"""Generate docs/reference/ and docs/fidelity.md from the registries; none of these pages is written by hand."""

from __future__ import annotations

from pathlib import Path

from chaosqs.invariants import ALL
from chaosqs.model.faults import KINDS, FaultKind
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


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in (("invariants", invariants()), ("faults", faults()), ("assumptions", assumptions())):
        (REFERENCE / f"{name}.md").write_text(HEAD + page, encoding="utf-8", newline="\n")
    (REFERENCE.parent / "fidelity.md").write_text(HEAD + fidelity.page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
