"""A JSON file of ours → its fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json, structure
from chaosqs.session.wording import relative_to

_Value = TypeVar("_Value")


def read_object(path: Path, root: Path) -> dict[str, Json]:
    """Return the fields of a JSON object. Raises `InvalidInput` with the file's name where there is none."""
    shown = relative_to(root, path)
    try:
        document: Json = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{shown}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{shown}: is cut off, or no JSON: {error}") from None
    if isinstance(document, dict):
        return document
    raise InvalidInput(f"{shown}: must hold a JSON object")


def structured(kind: type[_Value], fields: dict[str, Json], path: Path, root: Path) -> _Value:
    """Return the value that the fields describe. Raises `InvalidInput` with the file's name in front of each line."""
    try:
        return structure(kind, fields)
    except InvalidInput as error:
        shown = relative_to(root, path)
        raise InvalidInput("\n".join(f"{shown}: {line}" for line in str(error).splitlines())) from None
