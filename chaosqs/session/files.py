"""A JSON file of ours → its fields."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from chaosqs.errors import InvalidInput
from chaosqs.model.json import Json, parsed, structure
from chaosqs.model.migrations import migrated
from chaosqs.session.wording import relative_to

_Value = TypeVar("_Value")


def read_object(path: Path, root: Path) -> dict[str, Json]:
    """Return the fields of a JSON object, in the present schema.

    Raises `InvalidInput` with the file's name where there is none, or one of a newer schema.
    """
    shown = relative_to(root, path)
    try:
        document = parsed(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{shown}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{shown}: is no text: byte {error.start + 1} is not UTF-8") from None
    except InvalidInput as error:
        raise _named(shown, error) from None
    if not isinstance(document, dict):
        raise InvalidInput(f"{shown}: must hold a JSON object")
    try:
        return migrated(document)
    except InvalidInput as error:
        raise _named(shown, error) from None


def structured(kind: type[_Value], fields: dict[str, Json], path: Path, root: Path) -> _Value:
    """Return the value that the fields describe. Raises `InvalidInput` with the file's name in front of each line."""
    try:
        return structure(kind, fields)
    except InvalidInput as error:
        raise _named(relative_to(root, path), error) from None


def _named(shown: str, error: InvalidInput) -> InvalidInput:
    return InvalidInput("\n".join(f"{shown}: {line}" for line in str(error).splitlines()))
