"""A handler that is not deterministic: how long it takes hangs on what nobody puts back between two runs."""

import itertools
import time

CALLS = itertools.count()


def handle(_event: object, _context: object) -> None:
    time.sleep(next(CALLS) % 7)
