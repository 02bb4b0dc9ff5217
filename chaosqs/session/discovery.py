"""The designs that a project has, where it does not say which: the files that its root directory deploys from."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.session.sources import Source, read_source

_PATTERNS = ("template.yaml", "template.yml", "template.json", "cdk.out/*.template.json")
_OTHERS = {
    "serverless.y*ml": "run `sls package` and give .serverless/cloudformation-template-update-stack.json",
    "*.tf": "write the design in Python (path.py:attribute) or as JSON",
}


@attrs.frozen
class Found:
    """What a root directory has."""

    sources: tuple[Source, ...]
    notices: tuple[str, ...]
    """What was found and cannot be judged, one line each."""


def discover(root: Path) -> Found:
    """Return the designs of a root directory. Raises `InvalidDesign` for a template that is broken."""
    sources: list[Source] = []
    notices: list[str] = []
    for path in (path for pattern in _PATTERNS for path in sorted(root.glob(pattern))):
        name = path.relative_to(root).as_posix()
        try:
            sources.append(read_source(name, base=root, root=root))
        except InvalidDesign as error:
            if not _has_no_design(name, str(error)):
                raise
            notices.append(f"{name} is not judged: {_without(name, str(error))}")
    return Found(tuple(sources), (*notices, *_other_formats(root)))


def _has_no_design(name: str, message: str) -> bool:
    """Tell whether a file can be read and is none of ours: another kind of template, or one without a mapping."""
    return re.match(rf"{re.escape(name)}: (maps no SQS queue|has no Resources)", message) is not None


def _without(name: str, message: str) -> str:
    return message.removeprefix(f"{name}: ").splitlines()[0]


def _other_formats(root: Path) -> list[str]:
    notices: list[str] = []
    for pattern, instead in _OTHERS.items():
        names = [path.name for path in sorted(root.glob(pattern))]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            verb = "is" if len(names) == 1 else "are"
            notices.append(
                f"{names[0]}{more} {verb} not judged: this version reads CloudFormation and SAM only; {instead}"
            )
    return notices
