"""A CloudFormation or SAM template (YAML or JSON, also the CDK's output) → a design, with the origins of its values.

The reader takes queues, functions and the mappings between them, resolves references as far as the template alone
allows, and states its assumptions in sentences. It never deploys, calls AWS or creates objects from tags.
"""

from collections.abc import Mapping
from pathlib import Path

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.assembly import assemble
from chaosqs.importers.cloudformation.markup import Table, document_in, read_document
from chaosqs.importers.cloudformation.reading import Reading
from chaosqs.importers.cloudformation.references import References
from chaosqs.importers.cloudformation.sections import read_sections
from chaosqs.importers.protocol import Imported


def read_template(path: Path, *, parameters: Mapping[str, str] = {}) -> Imported:
    """Read a template; `parameters` override the defaults of its parameters, and pseudo parameters like `AWS::Region`.

    For a parameter of an SSM type, `parameters` has the value itself, not its name in the Parameter Store. Raises
    `NoDesign` for a template without a mapping from an SQS queue to a function, and `InvalidDesign` with file and line
    for a file that is not a template, values of a wrong kind, and everything that AWS would refuse to deploy.
    """
    return _imported(path, read_document(path), parameters)


def read_text(text: str, path: Path) -> Imported:
    """Read a template's text as if it were in a file; raises as `read_template`."""
    return _imported(path, document_in(text, path), {})


def _imported(path: Path, root: Table, parameters: Mapping[str, str]) -> Imported:
    try:
        template = read_sections(str(path), root, parameters)
        reading = Reading(str(path), template.scope)
        design, code = assemble(References(template, reading))
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
    )
