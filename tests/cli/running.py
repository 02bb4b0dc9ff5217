"""Calls of the command."""

from typing import Protocol

from click.testing import Result


class Run(Protocol):
    """Runs the command."""

    def __call__(self, *arguments: str) -> Result:
        """Take the arguments of the command line one by one."""
        ...
