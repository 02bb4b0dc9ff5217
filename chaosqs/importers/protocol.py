"""What an importer is: it knows the files of one format, and turns one into a design with its provenance.

An importer is one package with one `Importer`, registered by a line in `chaosqs.importers.registry`. Callers go
through that registry and name no format.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.model.design import Design
from chaosqs.model.explanation import Change


class NoDesign(InvalidDesign):
    """A file that is of the format, or might be, and has no mapping from a queue to a function."""


@attrs.frozen
class Imported:
    """A design that was read from a file."""

    design: Design
    origins: Mapping[str, str]
    """Where values of the design stand, by path: `functions.worker.reserved_concurrency` comes from
    `template.yaml:41 ReservedConcurrentExecutions: 2`. AWS's defaults stand nowhere and have no entry."""
    assumptions: tuple[str, ...] = ()
    """What the file does not tell, each as a sentence that says what was assumed."""
    notes: tuple[str, ...] = ()
    """What the file has and the design leaves out, each as a sentence."""
    keys: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]], repr=False)
    """The keys that lead to the properties of each part, by its path: `queues.orders` stands in `Resources`, `Orders`,
    `Properties`. For patches; empty where the importer makes none."""


def _no_patch(path: Path, design: Design, changes: Sequence[Change], name: str) -> str:  # noqa: ARG001 - the signature of all
    return ""


@attrs.frozen
class Importer:
    """The reader of one format."""

    suffixes: tuple[str, ...]
    """How the names of its files end: `.yaml`. Such a file is of this format unless `recognises` says no."""
    patterns: tuple[str, ...]
    """Where a project has such files, relative to its root directory: `cdk.out/*.template.json`."""
    read: Callable[[Path], Imported]
    """Read a file. Raises `NoDesign` where it has no mapping from a queue to a function, and `InvalidDesign` with file
    and line for everything else that is wrong with it."""
    recognises: Callable[[Path], bool] = lambda path: True  # noqa: ARG005 - the suffix is enough
    """Tell a file of this format from others with the same suffix. It may read the file; it must not raise."""
    patch: Callable[[Path, Design, Sequence[Change], str], str] = _no_patch
    """Return changes of a file's design as a unified diff, under a name for the file; empty where there is none."""
