"""Whole scenarios: everything that determines a run is drawn before it begins, field by field of the scenario."""

from collections.abc import Mapping, Sequence

import attrs
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import KIND_NAMES, FaultPlan
from chaosqs.model.liveness import run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load
from chaosqs.strategies.behaviours import behaviours
from chaosqs.strategies.faults import fault_plans
from chaosqs.strategies.messages import MessageSource
from chaosqs.strategies.workloads import workloads

_MOST_CHANGED = 3


def ends() -> list[tuple[str, int]]:
    """Return the name of each assumption with each end of its range, in the order of their definition."""
    return [
        (field.name, end)
        for field in attrs.fields(Assumptions)
        for end in (field.metadata["low"], field.metadata["high"])
        if end != field.default
    ]


def assumptions() -> SearchStrategy[Assumptions]:
    """Return a strategy for assumptions; the simplest are the measured defaults, and at most three are changed."""
    others = st.lists(st.sampled_from(ends()), max_size=_MOST_CHANGED, unique_by=lambda entry: entry[0])
    return others.map(lambda chosen: attrs.evolve(Assumptions(), **dict(chosen)))


_LARGEST_SEED = 255


def scenarios(  # noqa: PLR0913 - each is a separate choice, and all but one have a default
    design: Design | SearchStrategy[Design],
    *,
    queue: str | None = None,
    behaviours: Mapping[str, Behaviour] | None = None,
    messages: int = 60,
    faults: bool = True,
    failing: bool = True,
    points: Sequence[str] = (),
    vary_assumptions: bool = False,
    sources: Mapping[str, MessageSource] | None = None,
) -> SearchStrategy[Scenario]:
    """Return a strategy for scenarios of a design, or of the designs of a strategy.

    `queue`: the queue that always gets a load; None: any queue that is polled. `behaviours`: fixed behaviours by
    function name; the others are drawn. `messages`: as for `workloads`. `faults`: True if faults may come from outside.
    `failing`: True if drawn behaviours may fail. `points`: fault points in the handlers' code at which a fault may
    be injected (`chaosqs.fault_point`). `vary_assumptions`: also draw assumptions about AWS (`assumptions`).
    `sources`: as for `workloads`. Each run ends at `run_length` at the latest. The simplest scenario is calm: one
    message, no fault, seed 0. Raises ValueError as `workloads` does, and for behaviours of a function that the design
    does not have.
    """
    wanted = _Wanted(
        queue, dict(behaviours or {}), messages, tuple(points), faults, failing, vary_assumptions, dict(sources or {})
    )
    if isinstance(design, Design):
        return _of_design(design, wanted)
    return design.flatmap(lambda drawn: _of_design(drawn, wanted))


@attrs.frozen
class _Wanted:
    """The arguments of `scenarios` that apply to each design."""

    queue: str | None
    given: Mapping[str, Behaviour]
    messages: int
    points: tuple[str, ...]
    faults: bool
    failing: bool
    vary_assumptions: bool
    sources: Mapping[str, MessageSource]


def _of_design(design: Design, wanted: _Wanted) -> SearchStrategy[Scenario]:
    names, given = [function.name for function in design.functions], wanted.given
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"no function is called {', '.join(map(repr, unknown))}: the design has {', '.join(names)}")
    kinds = KIND_NAMES if wanted.faults else ()
    drawn = {name: _behaviours(design, name, given, failing=wanted.failing) for name in names}
    return st.builds(
        _scenario,
        design=st.just(design),
        workload=workloads(design, queue=wanted.queue, messages=wanted.messages, sources=wanted.sources),
        behaviours=st.fixed_dictionaries(drawn),
        faults=fault_plans(design, kinds=kinds, points=wanted.points, held=_real(given)),
        seed=st.integers(0, _LARGEST_SEED),
        assumed=assumptions() if wanted.vary_assumptions else st.just(Assumptions()),
    )


def _real(given: Mapping[str, Behaviour]) -> tuple[str, ...]:
    """Return the functions that are real code."""
    return tuple(name for name, behaviour in given.items() if behaviour.handler is not None)


def _behaviours(
    design: Design, name: str, given: Mapping[str, Behaviour], *, failing: bool
) -> SearchStrategy[Behaviour]:
    if name in given:
        return st.just(given[name])
    batch_size = max((mapping.batch_size for mapping in design.mappings_of(name)), default=1)
    return behaviours(design.function(name), batch_size=batch_size, failing=failing)


def _scenario(
    *,
    design: Design,
    workload: tuple[Load, ...],
    behaviours: Mapping[str, Behaviour],
    faults: FaultPlan,
    seed: int,
    assumed: Assumptions,
) -> Scenario:
    """Return a scenario with its run length, and without the behaviours that equal the default."""
    changed = {name: behaviour for name, behaviour in behaviours.items() if behaviour != Behaviour()}
    until = run_length(design, workload, changed, faults, assumed)
    return Scenario(design, workload, changed, faults, seed, until, assumed)
