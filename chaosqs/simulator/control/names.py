"""How callers name functions: by name, by ARN in part or in full, with or without a version or an alias."""

from __future__ import annotations

import re

import attrs

from chaosqs.simulator.control.errors import invalid

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
    """A version, an alias, or empty: neither is named."""


def named(text: str, qualifier: str | None = None) -> Named:
    """Return what a caller means; raises `LambdaError` for a name that is none, or two qualifiers that differ."""
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
