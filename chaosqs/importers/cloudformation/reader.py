"""A CloudFormation or SAM template (YAML or JSON, also the CDK's output) → a design, with the origins of its values.

The reader takes queues, functions and the mappings between them, resolves references as far as the template alone
allows, and states its assumptions in sentences. It never deploys, calls AWS or creates objects from tags.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

from chaosqs.errors import InvalidDesign, InvalidInput
from chaosqs.importers.cloudformation.assembly import assemble
from chaosqs.importers.cloudformation.markup import Table, document_in, read_document, text_of, text_of_file, truth
from chaosqs.importers.cloudformation.reading import Reading
from chaosqs.importers.cloudformation.references import References, Stacks
from chaosqs.importers.cloudformation.scope import EMPTY
from chaosqs.importers.cloudformation.sections import Template, read_sections
from chaosqs.importers.protocol import Imported
from chaosqs.model.json import Json


def read_template(path: Path, *, parameters: Mapping[str, str] = {}) -> Imported:
    """Read a template; `parameters` override the defaults of its parameters, and pseudo parameters like `AWS::Region`.

    For a parameter of an SSM type, `parameters` has the value itself, not its name in the Parameter Store. Raises
    `NoDesign` for a template without a mapping from an SQS queue to a function, and `InvalidDesign` with file and line
    for a file that is not a template, values of a wrong kind, and everything that AWS would refuse to deploy.
    """
    return imported_from(path, read_document(path), parameters)


def read_text(text: str, path: Path) -> Imported:
    """Read a template's text as if it were in a file; raises as `read_template`."""
    return imported_from(path, document_in(text, path), {})


def imported_from(
    path: Path, root: Table, parameters: Mapping[str, str], read: Callable[[Path], Table] = read_document
) -> Imported:
    """Return the design of the table of a template, which a file has, or is compiled to; raises as `read_template`.

    `read` returns the table of another file of the project.
    """
    configured = _configured(path, root)
    own = _section(root, "Resources").entries
    others = Stacks(lambda: _exporting(path, own, others.exported, read))
    try:
        template = read_sections(str(path), root, {**configured, **parameters}, others.exported)
        reading = Reading(str(path), template.scope)
        design, code = assemble(References(template, reading, others))
    except RecursionError:
        raise InvalidDesign(f"{path}: its conditions are nested too deeply. Nest fewer.") from None
    scope = template.scope
    return Imported(
        design,
        reading.origins,
        assumptions=(*reading.assumptions, *scope.notes),
        notes=(*reading.left_out, *scope.left_out),
        code=code,
        resources=scope.written,
        keys=reading.keys,
        given=f"{', '.join(map(' = '.join, configured.items()))} from {_CONFIGURATION}" if configured else "",
    )


def _section(root: Table, name: str) -> Table:
    entry = root.get(name)
    return entry.node if entry is not None and isinstance(entry.node, Table) else EMPTY


# Parameters that the SAM CLI deploys with -----------------------------------------------------------------------------

_CONFIGURATION = "samconfig.toml"
_PAIR = re.compile(r"(?:ParameterKey=)?([A-Za-z0-9]+)(?:,ParameterValue)?=(\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|[^\s\"']*)")


def _configured(path: Path, root: Table) -> dict[str, str]:
    """Return the values that `samconfig.toml`, beside a template, has for its parameters: they override defaults.

    Those of secrets (`NoEcho`) stay there: scenarios are written to files. Those of a type `AWS::SSM::Parameter…` are
    names, not values.
    """
    parameters = _section(root, "Parameters").entries
    plain = {name: entry.node for name, entry in parameters.items() if isinstance(entry.node, Table)}
    defaults = {name: _text_of(node, "Default") for name, node in plain.items() if not _is_secret(node)}
    if not defaults:
        return {}
    try:
        document: Json = tomllib.loads((path.parent / _CONFIGURATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # there is none, or the SAM CLI refuses it, too
        return {}
    found: dict[str, str] = {}
    for command in ("global", "deploy"):  # the latter wins
        given = _at(document, "default", command, "parameters", "parameter_overrides")
        for text in given if isinstance(given, list) else [given]:
            pairs = _PAIR.findall(text) if isinstance(text, str) else []
            found |= {name: value[1:-1] if value[:1] in ("'", '"') else value for name, value in pairs}
    return {name: value for name, value in found.items() if name in defaults and value != defaults[name]}


def _at(document: Json, *keys: str) -> Json:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _is_secret(parameter: Table) -> bool:
    """Return True if a template or scenario must not have the parameter's value: it is a secret, or elsewhere."""
    entry = parameter.get("NoEcho")
    is_elsewhere = (_text_of(parameter, "Type") or "").startswith("AWS::SSM::")
    return is_elsewhere or (entry is not None and truth(entry.node) is not False)


def _text_of(parameter: Table, field: str) -> str | None:
    entry = parameter.get(field)
    return None if entry is None else text_of(entry.node)


# Other templates of the project ---------------------------------------------------------------------------------------

_MOST_TEMPLATES = 100
_MOST_LEVELS = 4
_PROJECT = ("pyproject.toml", "setup.cfg", "pytest.ini", ".git")
"""Files of which one is in a project's directory."""
_SKIPPED = ("node_modules", "venv", "build", "dist", "__pycache__")


def _exporting(
    path: Path, own: Iterable[str], exported: Callable[[str], str | None], read: Callable[[Path], Table]
) -> Iterator[tuple[Template, Table]]:
    """Yield the other templates of a template's project that export values, with their outputs.

    `own`: logical ids of the template, which their queues and functions cannot have as names. `exported`: as in
    `Scope`. `read`: as in `imported_from`.
    """
    for other in islice(_templates(_project_of(path)), _MOST_TEMPLATES):
        with suppress(InvalidInput, RecursionError, OSError):  # it says so where it is judged
            if other.samefile(path) or "Export" not in text_of_file(other):
                continue
            root = read(other)
            template = read_sections(str(other), root, _configured(other, root), exported, own)
            yield template, _section(root, "Outputs")


def _project_of(path: Path) -> Path:
    """Return the project's directory: the nearest one above with a file of `_PROJECT`, else the template's own."""
    own = Path(os.path.abspath(path)).parent  # noqa: PTH100 - `resolve` would follow links
    return next((each for each in (own, *own.parents) if any((each / name).exists() for name in _PROJECT)), own)


def _templates(project: Path) -> Iterator[Path]:
    """Yield the templates of a project in the order of their paths."""
    for folder, folders, files in os.walk(project):
        level = len(Path(folder).relative_to(project).parts)
        skip = level >= _MOST_LEVELS
        folders[:] = [] if skip else sorted(each for each in folders if each[0] != "." and each not in _SKIPPED)
        for name in sorted(files):
            if name.endswith((".yaml", ".yml", ".template", ".template.json")) or name == "template.json":
                yield Path(folder, name)
