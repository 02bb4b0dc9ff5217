"""The importer protocol: an importer knows the files of one format, and turns a file into a design with its origins.

An importer is one package with one `Importer`, registered by a line in `chaosqs.importers.registry`. Callers go
through that registry and name no format.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import Design
from chaosqs.model.explanation import Change, Origin


class NoDesign(InvalidDesign):
    """A file that is, or may be, of the format, but has no mapping from a queue to a function."""


@attrs.frozen
class Code:
    """The code of a function, as far as a file tells where it is."""

    handler: str = ""
    """`package.module:function`, imported from `root`; empty if the function has to be modelled."""
    root: Path | None = None
    """The directory that Lambda would have as /var/task."""
    inline: str = ""
    """Source of the module `index`, if the file has the code itself; then there is no `root`."""
    environment: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Environment variables, with references turned into the values that AWS would give."""
    modelled: str = ""
    """Reason why the function has to be modelled: `its Runtime is nodejs20.x`. Empty if it has a handler."""
    notes: tuple[str, ...] = ()
    """Sentences on what is assumed about the code and its variables."""
    alias: str = ""
    """Another name of the function, which settings may use: its logical id in CloudFormation."""
    named: str = ""
    """The handler that the file names, as `handler`, also where its code is not there."""


def module_file(root: Path, module: str) -> Path | None:
    """Return the file of a module, `package.module`, under a directory of code; None if there is none."""
    path = root.joinpath(*module.split("."))
    files = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in files if os.path.isfile(file)), None)  # noqa: PTH113 - no error for an impossible path


@attrs.frozen
class Written:
    """A resource of another service, as a file gives it."""

    what: str
    """Its name in the file, and its type: `OrdersTable (AWS::DynamoDB::Table)`."""
    where: str
    """File and line: `template.yaml:45`."""
    problem: str = ""
    """Reason why the design leaves it out, as a clause: `it has no KeySchema`. Empty if the design has it."""


@attrs.frozen
class Imported:
    """A design that was read from a file."""

    design: Design
    origins: Mapping[str, Origin]
    """Places that the values of the design come from, by path: `functions.worker.reserved_concurrency` comes from
    `Origin("template.yaml", 41, "ReservedConcurrentExecutions: 2")`. AWS's defaults have no entry."""
    assumptions: tuple[str, ...] = ()
    """Sentences on what the file leaves open and what was assumed instead."""
    notes: tuple[str, ...] = ()
    """Sentences on what the file has and the design leaves out."""
    code: Mapping[str, Code] = attrs.field(factory=dict[str, Code])
    """The code of the functions, by function name. Reading it runs nothing of it."""
    resources: Mapping[str, Written] = attrs.field(factory=dict[str, Written])
    """The resources of other services, by their names in `Design.resources`, also those that are left out."""
    given: str = ""
    """Values that another file gives parameters, as a clause for headers: `Stage = dev from samconfig.toml`."""
    keys: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]], repr=False)
    """The keys that lead to the properties of each part in the file, by the part's path: `queues.orders` is in
    `Resources`, `Orders`, `Properties`. For patches; empty if the importer makes none."""


def _no_patch(path: Path, design: Design, changes: Sequence[Change], name: str) -> str:  # noqa: ARG001 - the signature of all
    return ""


@attrs.frozen
class Importer:
    """The reader of one format."""

    suffixes: tuple[str, ...]
    """Suffixes of its files: `.yaml`. A file with one is of this format unless `recognises` returns False."""
    patterns: tuple[str, ...]
    """Glob patterns of such files, relative to a project's root directory: `cdk.out/*.template.json`."""
    marks: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """Texts of which each file with a design has one: where no file matches `patterns`, files of any name are found by
    them, in other directories too. Empty: by `patterns` only."""
    read: Callable[[Path], Imported]
    """Read a file. Raises `NoDesign` if it has no mapping from a queue to a function, and `InvalidDesign` with file and
    line for any other problem."""
    units: Callable[[Sequence[Path]], Sequence[Path]] | None = None
    """Returns those of some files that stand for a design each, if a design is a whole directory: then a directory can
    be read, too. None: each file is a design."""
    recognises: Callable[[Path], bool] = lambda path: True  # noqa: ARG005 - the suffix is enough
    """Return True for a file of this format, False for others with the same suffix. May read the file. Never raises."""
    patch: Callable[[Path, Design, Sequence[Change], str], str] = _no_patch
    """Return changes of a file's design as a unified diff under a name for the file; empty if there is no patch."""
