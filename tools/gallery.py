"""Write reports/ anew: the gallery, and the snapshot test of search, shrinking, determinism and rendering at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs

from chaosqs import __version__
from chaosqs.explorer.exploration import explore
from chaosqs.invariants.registry import by_name
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design
from chaosqs.model.scenario import Scenario
from chaosqs.report.comparison import Column, holding
from chaosqs.report.folder import write_report
from chaosqs.report.terminal import Row
from chaosqs.session.sources import read_source
from chaosqs.simulator.run import simulate
from tools import side_roads

ROOT = Path(__file__).parents[1]
REPORTS = Path("reports")
SEED = 1


@attrs.frozen
class Story:
    """One design of the gallery, and the design that mends it."""

    name: str
    template: str
    mended: str
    title: str


STORIES = (
    Story(
        "over-polling",
        "examples/over-polling/template.yaml",
        "examples/over-polling-fixed/template.yaml",
        "Over-polling: reserved concurrency without maximum concurrency",
    ),
)


def tell(story: Story) -> list[str]:
    """Write the reports of a design and of its fix; return their lines of the index."""
    source = read_source(story.template, base=ROOT, root=ROOT)
    found = explore(source.design, name=story.name, profile="quick", seed=SEED, origins=source.origins)
    lines = [f"* **{story.title}**"]
    for counterexample in found.counterexamples:
        portable = attrs.evolve(counterexample, versions={"chaosqs": __version__})
        folder = write_report(REPORTS, portable, simulate(portable.scenario))
        lines.append(f"  * [{portable.invariant}]({folder.name}/report.md): {portable.violation.text}")
    mended = read_source(story.mended, base=ROOT, root=ROOT).design
    lines.append(f"  * [the fix]({mend(story, found.counterexamples[0], mended)}/report.md), searched in the same way")
    return lines


def mend(story: Story, counterexample: Counterexample, design: Design) -> str:
    """Write the report of the fix: what the search says of it, and the counterexample's load on both designs."""
    found = explore(design, name=f"{story.name}-fixed", profile="quick", seed=SEED)
    assert not found.counterexamples, "the fix is none"
    rows = [
        Row(
            f"{story.name}-fixed",
            finding.mapping,
            finding.invariant,
            finding.verdict.status,
            finding.verdict.exercised,
            by_name(finding.invariant).unit,
            finding.cases,
            finding.verdict.reason,
        )
        for finding in found
    ]
    before = counterexample.scenario
    after = Scenario(design, before.workload, before.behaviours, before.faults, before.luck, before.until)
    columns = [Column("before", simulate(before)), Column("with the fix", simulate(after))]
    sentence = "No violation was found under the workloads, faults and luck that break the design without the fix."
    folder = REPORTS / f"{story.name}-fixed"
    folder.mkdir(parents=True, exist_ok=True)
    text = holding(f"{story.title}: the fix", sentence, rows, columns)
    (folder / "report.md").write_text(text, encoding="utf-8", newline="\n")
    return folder.name


def main() -> None:
    """Write every report and the index."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()
    head = (
        "# Gallery\n\nWritten by `make gallery`; messages are numbered from 1 in texts, from 0 in `scenario.json`.\n\n"
    )
    lines = [line for story in STORIES for line in tell(story)] + side_roads.tell(REPORTS)
    (REPORTS / "README.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
