"""Generate reports/: the gallery, which is also the snapshot test of search, shrinking, determinism and rendering."""

from __future__ import annotations

import gc
import os
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import attrs

from chaosqs import __version__
from chaosqs.explain import fixes
from chaosqs.invariants import ALL, Invariant, by_name
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import arrivals
from chaosqs.project.discovery import Source, read_source
from chaosqs.project.exploration import counterexample, explore
from chaosqs.project.results import with_patch
from chaosqs.report.comparison import Column, holding
from chaosqs.report.explanation import changes_text, owner, part
from chaosqs.report.markdown import write_report
from chaosqs.report.terminal import Row
from chaosqs.report.text import counted
from chaosqs.search import oracle
from chaosqs.search.finding import Finding
from chaosqs.search.profiles import CI, QUICK, Profile
from chaosqs.search.search import searched
from chaosqs.simulation.run import simulate
from tools import alternatives
from tools.gallery_bugs import BUGS, EXAMPLES, write_page
from tools.gallery_designs import MENDED, MISTAKES, OVER_POLLING, Mistake
from tools.tables import table

ROOT = Path(__file__).parents[1]
REPORTS = Path("reports")
SEED = 1

HEAD = """\
# Gallery

Written by `make gallery`: for every invariant the smallest story that violates it, found by a search of a small design.
Messages are numbered from 1 in texts, from 0 in `scenario.json`.

"""
COLUMNS = ("invariant", "what breaks it", "found after", "smallest", "first fix")


@attrs.frozen
class Page:
    """One line of the index."""

    invariant: str
    folder: str
    why: str
    cases: str = "–"
    smallest: str = "–"
    fix: str = "–"

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of its row."""
        link = f"[{self.invariant}]({self.folder}/report.md)"
        return link, self.why, self.cases, self.smallest, self.fix


def of_design(mistake: Mistake) -> tuple[list[Page], str]:
    """Search a design for violations of its invariants and write their reports.

    Return their pages, and the line about the fixed design, if the mistake is the one that has such a page.
    """
    gc.freeze()  # each design has a process of its own: what that has imported stays
    gc.set_threshold(20_000, 20, 20)
    if len(mistake.breaks) > 1:
        _share_runs()
    found = list(_found_in(mistake))
    fixed = mend(*found[0][1:]) if mistake == OVER_POLLING else ""
    return [page for page, _, _ in found], fixed


def _share_runs() -> None:
    """Keep the history of each scenario: explanations of several invariants try the same changes of one design."""
    kept = cache(simulate)
    for module in (oracle, fixes):
        vars(module)["simulate"] = kept


def _found_in(mistake: Mistake) -> Iterator[tuple[Page, Counterexample, History]]:
    source = read_source(mistake.template, base=ROOT, root=ROOT)
    for name in mistake.breaks:
        invariant = by_name(name)
        finding, profile = _found(mistake, source, invariant)
        found = counterexample(
            mistake.name,
            finding,
            invariant,
            behaviours=mistake.behaviours,
            profile=profile,
            origins=source.origins,
        )
        portable = attrs.evolve(found, versions={"chaosqs": __version__})
        if not mistake.remedy:
            portable = with_patch(portable, source.path, ROOT)
        assert finding.history is not None, finding
        folder = write_report(REPORTS, portable, finding.history)
        if mistake.remedy:
            _advise(folder / "report.md", mistake.remedy)
        fix = _first_fix(portable, mistake.remedy)
        cases = counted(finding.cases, "case")
        yield Page(name, folder.name, mistake.why, cases, _size(portable), fix), portable, finding.history


def _advise(page: Path, remedy: str) -> None:
    """Add the remedy to a page, if no change of a setting helps: the page's fixes may only move the loss elsewhere."""
    title, rest = page.read_text(encoding="utf-8").split("\n", 1)
    advice = (
        f"What helps here is {remedy}: no setting that a search turns. A change that is listed below keeps this one "
        "invariant; whether it helps the messages is another question."
    )
    quote = textwrap.fill(advice, 120, initial_indent="> ", subsequent_indent="> ")
    page.write_text(f"{title}\n\n{quote}\n{rest}", encoding="utf-8", newline="\n")


_BRIEF_TRIALS = 20
"""Seeds behind each claim, except in the report that the README shows: all gates write the gallery anew."""


def _found(mistake: Mistake, source: Source, invariant: Invariant) -> tuple[Finding, Profile]:
    """Search with the quick profile, and, if that finds nothing, with `ci`."""
    mapping, given = mistake.mapping, mistake.behaviours
    for named in (QUICK, CI):
        most, draws = mistake.simulations, named.draws // 2
        brief = attrs.evolve(named, draws=draws, trials=_BRIEF_TRIALS, explain_simulations=most)
        profile = named if mistake == OVER_POLLING else brief
        search = searched(source.design, mapping, (invariant,), behaviours=given, profile=profile, seed=SEED)
        finding = search.finding(invariant)
        if finding.violated:
            return finding, profile
    raise AssertionError(f"{mistake.name} does not break {invariant.name} in {CI.max_examples} cases")


def _size(found: Counterexample) -> str:
    """Return the size of a counterexample: `2 messages, 1 fault`."""
    scenario, faults = found.scenario, len(found.explanation.faults)
    parts = [counted(len(arrivals(scenario.workload)), "message")]
    parts += [counted(faults, "fault")] if faults else []
    return ", ".join([*parts, *([f"seed {scenario.seed}"] if scenario.seed else [])])


def _first_fix(found: Counterexample, remedy: str) -> str:
    """Return the remedy, else the first fix that violates nothing else, else the threshold of a setting."""
    fix = next((fix for fix in found.explanation.fixes if fix.prevents and not fix.breaks), None)
    if remedy:
        return remedy
    if fix:
        return f"`{changes_text(fix, found.mapping)}`"
    settings = [setting for setting in found.explanation.settings if setting.matters]
    best = next((setting for setting in settings if setting.origin), None)
    if best is None:
        return "–"
    return f"`{best.path.attribute}` of {owner(best.path)} {part(best)}"


def mend(found: Counterexample, history: History) -> str:
    """Write the report of the fixed design: its verdicts, and the counterexample's load on both designs."""
    design = read_source(MENDED, base=ROOT, root=ROOT).design
    name = f"{found.design}-fixed"
    explored = explore(design, name=name, profile=QUICK, seed=SEED)
    assert not explored.counterexamples, "the fix is none"
    before = found.scenario
    after = Scenario(design, before.workload, before.behaviours, before.faults, before.seed, before.until)
    columns = [Column("before", history), Column("with the fix", simulate(after))]
    sentence = "No violation was found under the workloads, faults and seeds that break the design without the fix."
    folder = REPORTS / name
    folder.mkdir()
    title = "Over-polling: reserved concurrency without maximum concurrency: the fix"
    text = holding(title, sentence, _rows(name, explored), columns)
    (folder / "report.md").write_text(text, encoding="utf-8", newline="\n")
    return f"* **[The same system without over-polling]({name}/report.md)**, searched in the same way"


def _rows(name: str, findings: Iterable[Finding]) -> list[Row]:
    return [
        Row(
            name,
            finding.mapping,
            finding.invariant,
            finding.verdict.status,
            finding.verdict.exercised,
            by_name(finding.invariant).unit,
            finding.cases,
            finding.verdict.reason,
        )
        for finding in findings
    ]


def in_order(pages: Iterable[Page]) -> list[Page]:
    """Return the pages in the order of the registry; invariants outside of it, such as limits, come last."""
    names = [invariant.name for invariant in ALL]
    return sorted(pages, key=lambda page: names.index(page.invariant) if page.invariant in names else len(names))


def main() -> None:
    """Write every report and the index; designs are searched side by side, each by itself."""
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), max_tasks_per_child=1) as processes:
        searched_designs = processes.map(of_design, MISTAKES)
        broken = "no design: a violation is a bug of chaosqs"
        bugs = [Page(name, write_page(REPORTS, name).name, broken) for name in BUGS]
        examples = [Page(name, write_page(REPORTS, name).name, why) for name, (_, why) in EXAMPLES.items()]
        told = alternatives.tell(REPORTS)
        found = list(searched_designs)
    index = table(
        COLUMNS, [page.cells for page in in_order([*(page for pages, _ in found for page in pages), *bugs, *examples])]
    )
    lines = [*(fixed for _, fixed in found if fixed), *told]
    (REPORTS / "README.md").write_text(f"{HEAD}{index}\n" + "\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
