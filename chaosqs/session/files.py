"""A JSON file of ours → its fields."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
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
    with named(relative_to(root, path)):
        document = parsed(_text(path))
        if not isinstance(document, dict):
            raise InvalidInput("must hold a JSON object")
        return migrated(document)


def structured(kind: type[_Value], fields: dict[str, Json], path: Path, root: Path) -> _Value:
    """Return the value that the fields describe. Raises `InvalidInput` with the file's name in front of each line."""
    with named(relative_to(root, path)):
        return structure(kind, fields)


@contextmanager
def named(file: str) -> Generator[None]:
    """Put the file's name in front of each line that says what is wrong."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput(f"is no text: byte {error.start + 1} is not UTF-8") from None
