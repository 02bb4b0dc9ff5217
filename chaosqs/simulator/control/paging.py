"""Lists in pages: `MaxItems` a page, and a marker for the next one."""

from __future__ import annotations

from collections.abc import Sequence

from chaosqs.simulator.control.errors import invalid
from chaosqs.simulator.operations.parameters import Parameters, integer, text

_MOST = 50


def page(items: Sequence[object], parameters: Parameters, key: str) -> dict[str, object]:
    """Return one page; the marker is the place of the next item, in disguise of none. Raises `LambdaError`."""
    marker, most = text(parameters, "Marker"), integer(parameters, "MaxItems") or _MOST
    if marker is not None and not (marker.isascii() and marker.isdecimal()):
        raise invalid("Invalid marker.")
    start = int(marker or 0)
    shown: dict[str, object] = {key: list(items[start : start + most])}
    if start + most < len(items):
        shown["NextMarker"] = str(start + most)
    return shown
