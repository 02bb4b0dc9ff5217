"""The command that replays a counterexample."""

from __future__ import annotations

import shlex

from chaosqs.report.text import shown


def replay_command(path: str) -> str:
    """Return the command, on one line; it pastes into a shell whatever the path."""
    if shown(path, len(path) * 10) == path:
        return f"chaosqs replay {shlex.quote(path)}"
    escaped = path.encode("unicode_escape").decode().replace("'", "\\'")
    return f"chaosqs replay $'{escaped}'"
