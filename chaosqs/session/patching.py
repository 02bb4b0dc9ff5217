"""The first fix of a counterexample as a patch of the template that the design comes from."""

from __future__ import annotations

from pathlib import Path

import attrs

from chaosqs.model.counterexample import Counterexample
from chaosqs.templates.patching import patch_of


def with_patch(found: Counterexample, path: Path, root: Path) -> Counterexample:
    """Return a counterexample whose explanation has the patch, where there is one.

    There is none for a design that comes from outside the root directory or from no template, and for a fix that breaks
    another promise.
    """
    fix = next((fix for fix in found.explanation.fixes if not fix.violated), None)
    if fix is None or fix.breaks or path.suffix not in {".yaml", ".yml", ".json", ".template"}:
        return found
    if not path.is_relative_to(root):
        return found
    name = path.relative_to(root).as_posix()
    patch = patch_of(path, found.scenario.design, fix.changes, name=name)
    return attrs.evolve(found, explanation=attrs.evolve(found.explanation, patch=patch))
