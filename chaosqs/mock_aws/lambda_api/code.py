"""The code of a function: a callable of the test's own process, or a zip that is unpacked and imported in isolation."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile
from base64 import b64encode
from contextlib import AbstractContextManager, nullcontext
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

import attrs

from chaosqs.lambda_.execution_environment import Handler, HandlerName, ImportedCode
from chaosqs.lambda_.project_modules import forget, root_at, root_of
from chaosqs.mock_aws.lambda_api.errors import invalid

if TYPE_CHECKING:
    from chaosqs.lambda_.execution_environment import Code as EnvironmentCode


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

    @property
    def modules(self) -> tuple[str, ...]:
        """Modules of this process around which imported names are replaced."""
        ...

    def begin(self, handler: str) -> EnvironmentCode:
        """Begin the process of a new execution environment; `handler`: name in the function's configuration."""
        ...


def sha256(code: Code) -> str:
    """Return the digest that Lambda shows."""
    return b64encode(hashlib.sha256(code.content).digest()).decode()


# A callable of this process -------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class InProcess:
    """A callable of this process, which all environments share with the test: it may be a closure of the test's own."""

    function: Handler

    @property
    def content(self) -> bytes:
        """The callable's name, as its code is not stored."""
        return getattr(self.function, "__qualname__", type(self.function).__qualname__).encode()

    def begin(self, handler: str) -> EnvironmentCode:
        """Return self, as there is nothing to import; the configured name is ignored."""
        del handler
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
        return root_of(self.module).path

    def handler(self) -> Handler:
        """Return the callable."""
        return self.function


# A zip ----------------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Zip:
    """A deployment package, unpacked into a temporary directory until `close`."""

    content: bytes = attrs.field(repr=False)
    directory: TemporaryDirectory[str]

    def begin(self, handler: str) -> EnvironmentCode:
        """Begin a process that imports the modules for itself."""
        path, _, function = handler.rpartition(".")
        return ImportedCode(HandlerName(path, function), root_at(self.root))

    @property
    def modules(self) -> tuple[str, ...]:
        """Empty, as the package's modules are imported in the sandbox."""
        return ()

    @property
    def root(self) -> str:
        """Path of the directory."""
        return self.directory.name

    def close(self) -> None:
        """Remove the directory, and what is known of its files."""
        forget(self.directory.name)
        self.directory.cleanup()


def unpack(content: bytes) -> Zip:
    """Unpack a zip and return its code; raise `LambdaError` if it is not a zip."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile:
        raise invalid("Could not unzip uploaded file. Please check your file, then try to upload again.") from None
    directory = TemporaryDirectory(prefix="chaosqs-")
    archive.extractall(directory.name)
    return Zip(content, directory)
