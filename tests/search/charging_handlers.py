"""A handler with a site at which the search may let it fail."""

import chaosqs


def handle(_event: object, _context: object) -> None:
    if chaosqs.fault_point("charge"):
        raise ConnectionError
