"""A value that a Python file defines, for designs that are written in Python: `tests/designs.py:orders`."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from chaosqs.errors import InvalidDesign
from chaosqs.session.wording import first_line


def value_in(path: Path, attribute: str, *, shown: str, root: Path) -> object:
    """Import a file and return one of its values; it may import what lies beside it and in the root directory.

    Raises `InvalidDesign`, calling the file `shown`, where it cannot be imported or has no such value.
    """
    return attribute_of(module_of(path, shown=shown, root=root), attribute, shown=shown)


def attribute_of(module: ModuleType, attribute: str, *, shown: str) -> object:
    """Return a value of a module. Raises `InvalidDesign`, calling its file `shown`, where it has no such value."""
    if hasattr(module, attribute):
        value: object = getattr(module, attribute)
        return value
    public = ", ".join(name for name in vars(module) if not name.startswith("_")) or "nothing"
    raise InvalidDesign(f"{shown}: defines no {attribute!r}\nIt defines {public}.")


def module_of(path: Path, *, shown: str, root: Path) -> ModuleType:
    """Import a file, anew each time. Raises as `value_in` does."""
    if not path.is_file():
        raise InvalidDesign(f"{shown}: there is no such file")
    name = f"_chaosqs_design_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidDesign(f"{shown}: is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and attrs look their module up there
    with _importable(root, path.parent):
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the user's own code raises
            raise InvalidDesign(f"{shown}: cannot be imported: {type(error).__name__}: {first_line(error)}") from None
    return module


@contextmanager
def _importable(*directories: Path) -> Generator[None]:
    """Let imports look into some directories too, after all others, for a while."""
    added = [str(directory) for directory in directories if str(directory) not in sys.path]
    sys.path.extend(added)
    try:
        yield
    finally:
        for directory in added:
            sys.path.remove(directory)
