"""Everything about one design: each invariant on each mapping, and an explained counterexample for each violation."""

import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from typing import get_args

import attrs
from hypothesis.database import ExampleDatabase

from chaosqs.errors import briefly
from chaosqs.explain.explain import Causes, explain
from chaosqs.invariants import DEFAULT, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design
from chaosqs.model.explanation import CutBy, Explanation, Origin, Part
from chaosqs.model.verdict import Status, Verdict
from chaosqs.project.settings import ensemble
from chaosqs.report.explanation import artefact
from chaosqs.report.story import story
from chaosqs.report.text import advice, counted, mapping_text, shown, title_of
from chaosqs.search.finding import Finding
from chaosqs.search.messages import Given, sources
from chaosqs.search.meter import Meter
from chaosqs.search.profiles import CI, Profile, ProfileName, profile_named
from chaosqs.search.search import searched
from chaosqs.strategies.messages import MessageSource


@attrs.frozen
class Exploration:
    """The findings about one design, mapping by mapping and invariant by invariant."""

    design: str
    """The user's name for the design."""
    findings: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        """Yield the findings in their order."""
        return iter(self.findings)

    def __str__(self) -> str:
        """Return the story of each violation that was found, and a line for each invariant that held."""
        held = "".join(f"{finding}\n" for finding in self.findings if not finding.violated)
        for mapping, failing in dict.fromkeys((each.mapping, each.failing) for each in self.findings if each.failing):
            held += f"NOT TESTED: {mapping_text(mapping)}: {shown(failing, 300)}\n  {advice(mapping, failing)}\n"
        return "\n".join([*(str(finding) for finding in self.findings if finding.violated), held])

    @property
    def counterexamples(self) -> tuple[Counterexample, ...]:
        """The counterexamples, in the order of their findings, without artefacts of the assumptions about AWS."""
        found = (finding.counterexample for finding in self.findings if finding.violated)
        return tuple(each for each in found if each is not None)


@briefly
def explore(  # noqa: PLR0913 - each is a separate choice, and all but one have a default
    design: Design,
    *,
    name: str = "design",
    invariants: Sequence[Invariant] = DEFAULT,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: ProfileName | Profile = CI,
    max_examples: int | None = None,
    seed: int | None = None,
    database: ExampleDatabase | None = None,
    origins: Mapping[str, Origin] | None = None,
    vary_assumptions: bool = False,
    messages: Mapping[str, Given] | None = None,
) -> Exploration:
    """Search each mapping of a design for a violation of each invariant, and explain what is found.

    `name` is the design's name in reports; `origins` are the sources of its settings (see `explain`). `profile` is one
    of `quick`, `ci` and `deep`, or one of your own; `max_examples` and `seed` override its values. `vary_assumptions`:
    the search may also set assumptions about AWS to the ends of their ranges. `messages`: by queue name, samples of its
    messages (each a `Message` or a body), or a Hypothesis strategy for them; the search also makes poison messages of
    them. Raises the exceptions of `search`, and ValueError for an unknown profile.
    """
    budget = profile_named(profile) if isinstance(profile, str) else profile
    findings, known = list[Finding](), sources(design, messages)
    budgeted = partial(searched, profile=budget, max_examples=max_examples, seed=seed, database=database, name=name)
    search = partial(budgeted, behaviours=behaviours, vary_assumptions=vary_assumptions, messages=known)
    explained = partial(counterexample, name, behaviours=behaviours, profile=budget, origins=origins, messages=known)
    for mapping in design.mappings:
        found, causes = search(design, mapping.name, invariants), Causes()
        for invariant in invariants:
            finding = found.finding(invariant)
            told = explained(finding, invariant, causes=causes) if finding.violated else None
            findings.append(_with_text(finding, told))
    return Exploration(name, tuple(findings))


def _with_text(finding: Finding, found: Counterexample | None) -> Finding:
    reason = "" if found is None else artefact(found.explanation)
    if reason:
        finding = attrs.evolve(finding, verdict=Verdict(finding.invariant, Status.ARTEFACT, reason))
    return attrs.evolve(finding, counterexample=found, text=_text(finding, found))


def _text(finding: Finding, found: Counterexample | None) -> str:
    """Return the story of a violation, or the verdict in one line."""
    if found is not None and finding.history is not None and finding.violated:
        return story(found, finding.history)
    verdict = finding.verdict
    detail = verdict.reason or f"exercised {counted(verdict.exercised, 'time')}"
    name = "    ".join(filter(None, [mapping_text(finding.mapping), title_of(finding.invariant)]))
    return f"{name}: {verdict.status} ({shown(detail, 200)}, {counted(finding.cases, 'case')})"


def counterexample(  # noqa: PLR0913 - as `explore`
    name: str,
    finding: Finding,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, Origin] | None = None,
    messages: Mapping[str, MessageSource] | None = None,
    meter: Meter | None = None,
    unexplained: CutBy | None = None,
    causes: Causes | None = None,
) -> Counterexample:
    """Return the explained counterexample of a finding. Raises ValueError for a finding without one.

    `unexplained`: the reason why it is not explained; None: it is.
    """
    scenario, history = finding.scenario, finding.history
    if scenario is None or history is None:
        raise ValueError(f"{finding.invariant} is not violated on {finding.mapping}: {finding.verdict.status}")
    mapping = next(mapping for mapping in scenario.design.mappings if mapping.name == finding.mapping)
    explained = partial(explain, behaviours=behaviours, profile=profile, origins=origins, messages=messages)
    return Counterexample(
        name,
        finding.mapping,
        finding.invariant,
        finding.verdict.violations[0],
        scenario,
        history.digest,
        versions(),
        Explanation(unfinished=get_args(Part), cut_by=unexplained)
        if unexplained is not None
        else explained(history, mapping, invariant, meter=meter, causes=causes, ensemble=ensemble()),
    )


def versions() -> dict[str, str]:
    """Return the versions of chaosqs, Hypothesis and Python; `unknown` for a chaosqs that is not installed."""
    return {"chaosqs": _version("chaosqs"), "hypothesis": _version("hypothesis"), "python": platform.python_version()}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"
