"""Real handlers are found from the project's directory, as pytest finds them and as Lambda does."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from chaosqs.model.behaviour import Behaviour


def importable(root: Path, behaviours: Mapping[str, Behaviour]) -> None:
    """Let the handlers of behaviours be imported from the project's directory, after everywhere else."""
    if str(root) not in sys.path and any(behaviour.handler is not None for behaviour in behaviours.values()):
        sys.path.append(str(root))
