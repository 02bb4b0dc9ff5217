"""Write docs/reference/ anew from the registries: nothing there is written by hand."""

from __future__ import annotations

from pathlib import Path

from chaosqs.invariants import ALL
from chaosqs.model.faults import KINDS, FaultKind
from tools import fidelity
from tools.tables import table

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
HEAD = "<!-- Written by `make docs`; edit the registry that it comes from instead. -->\n\n"


def invariants() -> str:
    """Return the page of all invariants."""
    rows = [
        (f"`{one.name}`", one.statement, one.applies, one.unit, "yes" if one.default else "when asked for")
        for one in ALL
    ]
    intro = (
        "# Invariants\n\nA verdict is `holds`, `violated`, `not applicable` (with the reason) or `not exercised` "
        "(nothing happened that could have broken it; `--chaosqs-strict` makes that a failure).\n\n"
    )
    return intro + table(("name", "promise", "applies", "exercised counts", "judged by default"), rows)


def faults() -> str:
    """Return the page of all kinds of fault."""
    rows = [(f"`{kind.name}`", kind.injection_point, _strikes(kind), kind.effect, kind.rule) for kind in KINDS]
    intro = (
        "# Faults\n\nA fault plan names, for each message, the outcome of its send and of each of its receives, and "
        "windows in which every call of an injection point is struck ([how to](../faults.md)). `rule` is the entry of the "
        "behaviour ledger that makes it legal.\n\n"
    )
    return intro + table(("name", "injection point", "strikes", "effect", "rule"), rows)


def _strikes(kind: FaultKind) -> str:
    """Say what a kind can strike."""
    single = ("one send, " if kind.injection_point == "send" else "one receive, ") if kind.keyed else ""
    scopes = "" if len(kind.scopes) > 1 else f" of one {' or '.join(kind.scopes)}"
    return f"{single}windows{scopes}{'; standard queues only' if kind.standard_only else ''}"


def assumptions() -> str:
    """Return the page of everything that AWS does not document."""
    return f"# Assumptions\n\n{fidelity.ASSUMED}\n\n{fidelity.assumed()}"


def main() -> None:
    """Write every page."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in (("invariants", invariants()), ("faults", faults()), ("assumptions", assumptions())):
        (REFERENCE / f"{name}.md").write_text(HEAD + page, encoding="utf-8", newline="\n")
    (REFERENCE.parent / "fidelity.md").write_text(HEAD + fidelity.page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
