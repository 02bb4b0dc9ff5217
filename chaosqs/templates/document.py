"""A file → its text → the table that a template is; refuses whatever is none, and says what to give instead."""

from __future__ import annotations

from pathlib import Path

from chaosqs.errors import InvalidDesign
from chaosqs.templates.markup import parse
from chaosqs.templates.tree import Table

_MAXIMUM_BYTES = 10_000_000  # CloudFormation takes one tenth of it
_GIVE = "Give a CloudFormation or SAM template (YAML or JSON; for CDK, a *.template.json of cdk.out)."


def read_document(path: Path) -> Table:
    """Return the table that a template file holds. Raises `InvalidDesign` for every other file."""
    if path.suffix in {".tf", ".hcl", ".tfvars", ".tfstate"} or path.name.endswith(".tf.json"):
        raise InvalidDesign(f"{path}: is Terraform, and this reader takes CloudFormation. {_GIVE}")
    return document_in(text_of_file(path), path)


def document_in(text: str, path: Path) -> Table:
    """Return the table that a template's text holds; as `read_document`."""
    root = parse(text, str(path))
    if not isinstance(root, Table):
        raise InvalidDesign(f"{path}: holds no mapping with Resources. {_GIVE}")
    if root.get("Resources") is None:
        raise InvalidDesign(f"{path}: {_without_resources(root)}")
    return root


def text_of_file(path: Path) -> str:
    """Return the text of a file, its line ends as they are. Raises `InvalidDesign` where it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAXIMUM_BYTES + 1)
    except FileNotFoundError:
        raise InvalidDesign(f"{path}: there is no such file. {_GIVE}") from None
    except IsADirectoryError:
        raise InvalidDesign(f"{path}: is a directory. {_GIVE}{_suggestion(path)}") from None
    except (OSError, ValueError) as error:  # a ValueError is a path with a null in it
        reason = error.strerror if isinstance(error, OSError) else error
        shown = str(path).replace("\0", "\\0")
        raise InvalidDesign(f"{shown}: cannot be read ({reason}). {_GIVE}") from None
    if len(data) > _MAXIMUM_BYTES:
        raise InvalidDesign(
            f"{path}: is larger than {_MAXIMUM_BYTES:,} bytes; CloudFormation takes a tenth of that. {_GIVE}"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidDesign(f"{path}:{line}: is not UTF-8 text. Save the template as UTF-8.") from None


def _suggestion(path: Path) -> str:
    found = sorted(path.glob("*.template.json")) + sorted(path.glob("template.y*ml"))
    return f"\nIt contains {found[0]}." if found else ""


def _without_resources(root: Table) -> str:
    if root.get("service") and (root.get("provider") or root.get("functions")):
        return (
            "is a Serverless Framework file, and this reader takes CloudFormation.\n"
            "Run `sls package` and give .serverless/cloudformation-template-update-stack.json."
        )
    if any(root.get(key) for key in ("terraform_version", "planned_values", "terraform")):
        return f"is Terraform's output, and this reader takes CloudFormation. {_GIVE}"
    if root.get("Fn::Transform"):
        return f"is put together by a transform when it is deployed. {_GIVE}"
    return f"has no Resources section, so it is no CloudFormation template. {_GIVE}"
