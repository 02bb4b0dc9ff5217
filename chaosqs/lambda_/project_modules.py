"""The project's own modules in one execution environment: imported for it alone, and gone with it.

A module is the project's if its file lies under the root of the function's code or in one of its layers, and neither
among installed packages (site-packages, dist-packages) nor in the standard library. All other modules are shared by all
environments and the caller. Extension modules and packages that were installed into the root itself are imported once
for each root, as some cannot be loaded twice and most take long.

An environment's modules are in `sys.modules` while its code runs, and the root is the first entry of `sys.path`. At all
other times the caller's are, so neither sees the other's: a project's unit tests keep the copy that they imported.
Source is compiled once for each state of its file; nothing is written beside it.

A module that outlives its environment and is imported for the first time while a handler runs takes part in no
invocation: it sees real time and real chance, as it stays for later runs.
"""

from __future__ import annotations

import os
import random  # noqa: TID251 - its state is put back
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, FrozenImporter, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import TypeGuard

import attrs

from chaosqs.errors import InvalidScenario
from chaosqs.lambda_.guards import INLINE, INSTALLED, LIBRARIES, OURS, outside

SHARED = ("boto3", "botocore", "s3transfer")
"""Packages that are always this process's, even if the code contains them: a copy would use the network."""
_NAMES_OF_CALLERS = ("__main__", "chaosqs", *SHARED)


# The root of the code -------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class CodeRoot:
    """The directory of a function's code, as Lambda has it in /var/task, with its layers: one object for each."""

    paths: tuple[str, ...]
    """The first entries of `sys.path`: the directory itself, then those of the layers."""
    _prefixes: tuple[str, ...]
    """Beginnings of the real paths of the project's files."""
    _installed: frozenset[str]
    """Top-level names of the packages that were installed into these directories."""
    kept: dict[str, ModuleType] = attrs.field(factory=dict[str, ModuleType])
    """Modules that are imported once for all environments of this code."""
    _finder: _Finder = attrs.field(init=False)
    stay: frozenset[str] = frozenset()
    """Names of such modules that the caller has imported; these are for all."""
    _callers: Sequence[str] = ()
    """Names of the caller's copies of the project's modules in `sys.modules`."""
    _seen: tuple[int, str] = (0, "")
    """State of `sys.modules` in which `_callers` was found."""
    _others: dict[str, ModuleType] = attrs.field(factory=dict[str, ModuleType])
    """Modules with a file that are not the project's, which stay so."""

    def __attrs_post_init__(self) -> None:
        """Make the finder."""
        self._finder = _Finder(self)

    @property
    def path(self) -> str:
        """The directory itself."""
        return self.paths[0]

    def owns(self, file: str) -> bool:
        """Return whether a file is the project's."""
        return _is_under(self._prefixes, file)

    def contains(self, name: str, module: object) -> bool:
        """Return whether an entry of `sys.modules` is one of the project's modules."""
        if name.partition(".")[0] in _NAMES_OF_CALLERS:
            return False
        if isinstance(module, ModuleType):
            known = namespace(module)
            file = known.get("__file__")
            if isinstance(file, str):
                return self.owns(file)
            parts = known.get("__path__")
            if _is_iterable(parts):
                return all(isinstance(part, str) and self.owns(f"{part}{os.sep}") for part in parts)
        return self._stands_in(name)

    def _stands_in(self, name: str) -> bool:
        """Return whether an object without a file has replaced a module of the project: `sys.modules[__name__] = …`."""
        parent, dot, _ = name.rpartition(".")
        if dot:
            return parent in sys.modules and self.contains(parent, sys.modules[parent])
        if name in sys.builtin_module_names:
            return False
        found = PathFinder.find_spec(name, self.paths)
        return found is not None and found.origin is not None and self.owns(found.origin)

    def keeps(self, name: str, module: object) -> bool:
        """Return whether one of the project's modules is imported once for all environments."""
        file = namespace(module).get("__file__") if isinstance(module, ModuleType) else None
        return self.has_installed(name) or (isinstance(file, str) and file.endswith(tuple(EXTENSION_SUFFIXES)))

    def has_installed(self, name: str) -> bool:
        """Return whether a module belongs to a package that was installed into the root."""
        return name.partition(".")[0] in self._installed

    @contextmanager
    def first(self) -> Generator[None]:
        """Import from these directories first."""
        sys.path[:0] = self.paths
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)
            for path in self.paths:
                sys.path.remove(path)

    def file_of(self, module: str) -> str:
        """Return the file of a module that was found here; the directory if it cannot be said."""
        file = os.path.join(self.path, *module.split("."))  # noqa: PTH118 - as text
        package = os.path.join(file, "__init__.py")  # noqa: PTH118 - as text
        return next((found for found in (f"{file}.py", package) if os.path.exists(found)), self.path)  # noqa: PTH110 - as text

    def names(self) -> list[str]:
        """Return the names of the project's modules in `sys.modules`."""
        found: list[str] = []
        for name, module in list(sys.modules.items()):
            if name in self._others and self._others[name] is module:
                continue
            if self.contains(name, module):
                found.append(name)
            elif "__file__" in namespace(module):
                self._others[name] = module
        return found

    def hide(self) -> dict[str, ModuleType]:
        """Remove the caller's copies of the project's modules from `sys.modules`, and return them."""
        if _modules_state() != self._seen:
            names = self.names()
            self.stay = frozenset(name for name in names if self.keeps(name, sys.modules[name]))
            self._callers = [name for name in names if name not in self.stay]
        return {name: sys.modules.pop(name) for name in self._callers if name in sys.modules}

    def show(self, hidden: dict[str, ModuleType]) -> None:
        """Put the caller's copies back."""
        sys.modules.update(hidden)
        self._seen = _modules_state()


@cache
def _root(paths: tuple[str, ...], prefixes: tuple[str, ...], installed: frozenset[str]) -> CodeRoot:
    return CodeRoot(paths, prefixes, installed)


def root_at(path: str, layers: Sequence[str] = ()) -> CodeRoot:
    """Return the root of code that stands in a directory; files that are new there will be found."""
    paths = tuple(dict.fromkeys(os.path.abspath(each) for each in (path, *layers)))  # noqa: PTH100 - as text
    _look_again(paths)
    return _root(paths, tuple(map(_folder, paths)), _installed_into(paths))


def inline_root(source: str) -> str:
    """Return a directory that has a source as `index.py`, of this user's temporary files; each source has its own."""
    name, owner = sha256(source.encode()).hexdigest()[:16], getattr(os, "getuid", int)()
    base = Path(f"{INLINE}{owner}")
    base.mkdir(mode=0o700, exist_ok=True)
    if base.lstat().st_mode & 0o22 or base.lstat().st_uid != owner:
        raise InvalidScenario(f"{base}: somebody else may write there, so inline code cannot be run from it: remove it")
    file = base / name / "index.py"
    if not file.is_file() or file.read_text(encoding="utf-8") != source:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        made = file.with_suffix(f".{os.getpid()}")
        made.write_text(source, encoding="utf-8")
        made.replace(file)
    return str(file.parent)


def root_of(module: str, layers: Sequence[str] = ()) -> CodeRoot:
    """Return the root of a module that is imported from `sys.path`: the directory of its top-level package or module.

    Nothing is imported. Of a directory of installed packages, only the top-level package is the project's.
    """
    top, *inner = module.split(".")
    path = _directory(module, top, inner)
    folder = _folder(path)
    if not any(part in folder for part in INSTALLED):
        return root_at(path, layers)
    _look_again((path,))
    return _root((path, *layers), (f"{folder}{top}{os.sep}", f"{folder}{top}.py"), frozenset[str]())


def _installed_into(paths: Sequence[str]) -> frozenset[str]:
    """Return the top-level names of the packages that `pip install --target` has put into directories."""
    records = [record for path in paths for record in Path(path).glob("*.dist-info/RECORD")]
    files = [line.partition(",")[0] for record in records for line in record.read_text(encoding="utf-8").splitlines()]
    return frozenset(file.partition("/")[0].removesuffix(".py") for file in files if not file.startswith("."))


def _is_iterable(value: object) -> TypeGuard[Iterable[object]]:
    return isinstance(value, Iterable)


def _folder(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - as text


def _directory(module: str, top: str, inner: Sequence[str]) -> str:
    file = namespace(sys.modules[module]).get("__file__") if module in sys.modules else None
    if isinstance(file, str):
        levels = len(inner) + (os.path.basename(file) == "__init__.py")  # noqa: PTH119 - as text
        for _ in range(levels + 1):
            file = os.path.dirname(file)  # noqa: PTH120 - as text
        return file
    try:
        found = find_spec(top)
    except (ImportError, ValueError):
        found = None
    if found is None:
        return os.getcwd()  # noqa: PTH109 - as text
    parts = list(found.submodule_search_locations or ())
    if not parts:
        return os.path.dirname(found.origin or "")  # noqa: PTH120 - as text
    has = [part for part in parts if inner and _has(part, inner)]
    return os.path.dirname((has or parts)[0])  # noqa: PTH120 - as text


def _has(part: str, inner: Sequence[str]) -> bool:
    there = os.path.join(part, *inner)  # noqa: PTH118 - as text
    return os.path.isdir(there) or os.path.exists(f"{there}.py")  # noqa: PTH110, PTH112 - as text


def _look_again(paths: Sequence[str]) -> None:
    """Make Python list the directories of the code again: it may have missed files of the last milliseconds."""
    folders = tuple(os.path.join(path, "") for path in paths)  # noqa: PTH118 - as text
    for known, finder in list(sys.path_importer_cache.items()):
        if finder is not None and f"{known}{os.sep}".startswith(folders):
            invalidate: object = getattr(finder, "invalidate_caches", None)
            if callable(invalidate):
                invalidate()


def _modules_state() -> tuple[int, str]:
    """Return a value that changes with each import."""
    return len(sys.modules), next(reversed(sys.modules), "")


def namespace(module: object) -> dict[str, object]:
    """Return a module's globals, without loading one that is lazy."""
    if not issubclass(type(module), ModuleType):  # a library of cffi passes as a module
        return {}
    found: dict[str, object] = object.__getattribute__(module, "__dict__")
    return found


@cache
def _is_under(prefixes: tuple[str, ...], file: str) -> bool:
    folder, _, name = file.rpartition(os.sep)
    path = f"{os.path.realpath(folder)}{os.sep}{name}"
    below = [path[len(prefix) - 1 :] for prefix in prefixes if path.startswith(prefix)]
    return any(below) and not path.startswith((OURS, *LIBRARIES)) and not any(part in below[0] for part in INSTALLED)


def forget(path: str) -> None:
    """Drop what is known of the files in a directory that is to be removed."""
    for known in [known for known in sys.path_importer_cache if known.startswith(path)]:
        del sys.path_importer_cache[known]
    for known in [known for known in _compiled if known.startswith(path)]:
        del _compiled[known]


# The modules of one environment ---------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Modules:
    """The project's modules in one execution environment."""

    root: CodeRoot
    _own: dict[str, ModuleType] = attrs.field(factory=dict[str, ModuleType])

    @contextmanager
    def active(self) -> Generator[None]:
        """Let this environment's modules be the imported ones within a `with` block."""
        hidden, kept = self.root.hide(), self.root.kept
        sys.modules.update(self._own)
        sys.modules.update({name: module for name, module in kept.items() if name not in self.root.stay})
        before = _modules_state()
        try:
            with self.root.first():
                yield
        finally:
            names = [*self._own, *kept] if _modules_state() == before else self.root.names()
            stay = self.root.stay
            found = {name: sys.modules.pop(name) for name in names if name in sys.modules and name not in stay}
            kept.update({name: module for name, module in found.items() if self.root.keeps(name, module)})
            self._own = {name: module for name, module in found.items() if name not in kept}
            self.root.show(hidden)


# Import ---------------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class _Finder(MetaPathFinder):
    """Finds modules as Python does, and chooses how they are executed: for an environment, or for all."""

    root: CodeRoot

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        top = fullname.partition(".")[0]
        if path is None and (fullname in sys.builtin_module_names or FrozenImporter.find_spec(fullname) is not None):
            return None
        if path is None and top in SHARED:
            path = [entry for entry in sys.path if entry not in self.root.paths]
        found = PathFinder.find_spec(fullname, path, target)
        if found is None or found.loader is None or found.origin is None:
            return found
        own = (
            top not in _NAMES_OF_CALLERS and isinstance(found.loader, SourceFileLoader) and self.root.owns(found.origin)
        )
        loader = _Source(fullname, found.origin) if own else found.loader
        outlives = not own or self.root.has_installed(fullname)
        found.loader = _Shared(loader) if outlives and hasattr(loader, "exec_module") else loader
        return found


_compiled: dict[str, tuple[tuple[int, int], CodeType]] = {}
"""Modification time, size and code of each file."""


class _Source(SourceFileLoader):
    """Loads a module of the project; its code is compiled once for each state of its file."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        found = os.stat(path)  # noqa: PTH116 - once for each import
        state = found.st_mtime_ns, found.st_size
        known = _compiled.get(path)
        if known is not None and known[0] == state:
            return known[1]
        code = self.source_to_code(self.get_data(path), path)
        _compiled[path] = state, code
        return code


@attrs.frozen(eq=False)
class _Shared(Loader):
    """Loads a shared module outside of the invocation that imports it."""

    loader: Loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        chance = random.getstate()
        try:
            with outside():
                self.loader.exec_module(module)
        finally:
            random.setstate(chance)
