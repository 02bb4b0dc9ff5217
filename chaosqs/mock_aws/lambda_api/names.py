"""Names of functions in requests: a name, a partial or full ARN, each with or without a version or an alias."""

import re
from collections.abc import Sequence

import attrs

from chaosqs.mock_aws.lambda_api.errors import invalid
from chaosqs.sqs.api.parameters import Parameters, integer, text

# Pages of a list: `MaxItems` each, and a marker for the next one ------------------------------------------------------

_PAGE_SIZE = 50  # if the caller gives no `MaxItems`


def page(items: Sequence[object], parameters: Parameters, key: str) -> dict[str, object]:
    """Return one page of a list. The marker is the index of the next item. Raises `LambdaError`."""
    marker, size = text(parameters, "Marker"), integer(parameters, "MaxItems") or _PAGE_SIZE
    if marker is not None and not (marker.isascii() and marker.isdecimal()):
        raise invalid("Invalid marker.")
    start = int(marker or 0)
    shown: dict[str, object] = {key: list(items[start : start + size])}
    if start + size < len(items):
        shown["NextMarker"] = str(start + size)
    return shown


# Names and ARNs -------------------------------------------------------------------------------------------------------

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:[a-z-]+:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


@attrs.frozen
class Named:
    """A function as a caller names it."""

    name: str
    qualifier: str = ""
    """A version or an alias; empty if the caller gives neither."""


def named(text: str, qualifier: str | None = None) -> Named:
    """Return the function that a text names; raise `LambdaError` for an invalid name or if two qualifiers differ."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise invalid(f"The derived qualifier from the function name does not match the specified qualifier: {text}")
    within = match["qualifier"] or ""
    if within and qualifier and within != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Named(match["name"], within or qualifier or "")


def function_arn(region: str, account: str, name: str, qualifier: str = "") -> str:
    """Return the ARN of a function, a version of it or an alias."""
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def mapping_arn(region: str, account: str, uuid: str) -> str:
    """Return the ARN of an event source mapping."""
    return f"arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}"
