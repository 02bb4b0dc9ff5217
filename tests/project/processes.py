"""Questions about processes that a test did not start itself."""

import os
import time
from pathlib import Path


def gone(pid: int) -> bool:
    """Return whether a process is gone, soon."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").is_file() and ") Z " in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"):
            return True  # nobody reaps it here
        time.sleep(0.01)
    return False
