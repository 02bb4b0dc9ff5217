"""The code of a function: a callable of the test's own process, or a zip that is unpacked and imported in isolation."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from base64 import b64encode
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module, invalidate_caches
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Protocol

import attrs

from chaosqs.lambda_.handler_loading import Handler, LoadError, code_root, is_handler
from chaosqs.mock_aws.lambda_api.errors import invalid

_SHARED = ("boto3", "botocore", "s3transfer")
"""Packages that are always this process's, even if a zip contains them: a copy would use the network."""


class Loaded(Protocol):
    """The code in one execution environment."""

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules of this process around which imported names are replaced."""
        ...

    def active(self) -> AbstractContextManager[None]:
        """Return the context manager around each stretch in which the code runs."""
        ...

    def handler(self, name: str) -> Handler:
        """Import the module and return the handler; raise `LoadError`."""
        ...


class Code(Protocol):
    """The code of one version of a function."""

    @property
    def content(self) -> bytes:
        """The bytes from which size and digest are computed."""
        ...

    @property
    def root(self) -> str:
        """The directory of the code."""
        ...

    def load(self) -> Loaded:
        """Begin a new execution environment."""
        ...


def sha256(code: Code) -> str:
    """Return the digest that Lambda shows."""
    return b64encode(hashlib.sha256(code.content).digest()).decode()


# A callable of this process -------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class InProcess:
    """A callable of this process, which all environments share."""

    function: Handler

    @property
    def content(self) -> bytes:
        """The callable's name, as its code is not stored."""
        return getattr(self.function, "__qualname__", type(self.function).__qualname__).encode()

    def load(self) -> InProcess:
        """Return self, as there is nothing to load."""
        return self

    def active(self) -> AbstractContextManager[None]:
        """Return a context manager without effect."""
        return nullcontext()

    @property
    def module(self) -> str:
        """Name of the callable's module, or empty."""
        found: object = getattr(self.function, "__module__", "")
        return found if isinstance(found, str) else ""

    @property
    def modules(self) -> tuple[str, ...]:
        """The callable's module, if it is loaded."""
        return (self.module,) if self.module in sys.modules else ()

    @property
    def root(self) -> str:
        """The directory from which the callable's module is imported."""
        return code_root(self.module)

    def handler(self, name: str) -> Handler:
        """Return the callable; the configured name is ignored."""
        del name
        return self.function


# A zip ----------------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Zip:
    """A deployment package, unpacked into a temporary directory until `close`."""

    content: bytes = attrs.field(repr=False)
    directory: TemporaryDirectory[str]

    def load(self) -> Package:
        """Begin a new execution environment, which imports the modules anew."""
        return Package(Path(self.directory.name))

    @property
    def root(self) -> str:
        """Path of the directory."""
        return self.directory.name

    def close(self) -> None:
        """Remove the directory, and its entry in Python's cache of importers."""
        sys.path_importer_cache.pop(self.directory.name, None)
        self.directory.cleanup()


def unpack(content: bytes) -> Zip:
    """Unpack a zip and return its code; raise `LambdaError` if it is not a zip."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    directory = TemporaryDirectory(prefix="chaosqs-")
    archive.extractall(directory.name)
    invalidate_caches()
    return Zip(content, directory)


@attrs.define(eq=False)
class Package:
    """An unpacked package in one execution environment, with modules of its own."""

    root: Path
    _modules: dict[str, ModuleType] = attrs.field(factory=dict[str, ModuleType])

    @property
    def modules(self) -> tuple[str, ...]:
        """Empty, as the package's modules are imported in the sandbox."""
        return ()

    @contextmanager
    def active(self) -> Generator[None]:
        """Import from the package within a `with` block; its modules hide others of the same names."""
        tops = {path.stem if path.is_file() else path.name for path in self.root.iterdir()}.difference(_SHARED)
        hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in tops}
        sys.modules.update(self._modules)
        sys.path.insert(0, str(self.root))
        written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            yield
        finally:
            sys.dont_write_bytecode = written
            sys.path.remove(str(self.root))
            self._modules = {
                name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in tops
            }
            sys.modules.update(hidden)

    def handler(self, name: str) -> Handler:
        """Import the module and return its handler."""
        path, _, function = name.rpartition(".")
        module = path.replace("/", ".")
        if not module:
            raise LoadError("Runtime.MalformedHandlerName", f"Bad handler '{name}': not enough values to unpack")
        try:
            found: object = getattr(import_module(module), function, None)
        except ImportError as error:
            message = f"Unable to import module '{path}': {error}"
            raise LoadError("Runtime.ImportModuleError", message) from error
        except SyntaxError as error:
            message = f"Syntax error in module '{path}': {error}"
            raise LoadError("Runtime.UserCodeSyntaxError", message) from error
        if not is_handler(found):
            raise LoadError("Runtime.HandlerNotFound", f"Handler '{function}' missing on module '{path}'")
        return found
