"""A handler that is not deterministic: how long it takes hangs on what nobody puts back between two runs."""

import itertools
import time

from tests.process_wide import process_wide

CALLS = process_wide("calls of moody handlers", itertools.count)


def handle(_event: object, _context: object) -> None:
    time.sleep(next(CALLS) % 7)
