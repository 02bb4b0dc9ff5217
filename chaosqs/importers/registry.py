"""All importers, and the choice of the one that reads a file."""

from collections.abc import Mapping
from pathlib import Path

from chaosqs.importers.cloudformation.patching import patch_of
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Importer
from chaosqs.importers.serverless.reader import patch_of as patch_of_serverless
from chaosqs.importers.serverless.reader import read_serverless, recognises
from chaosqs.importers.terraform.reader import SUFFIXES, is_terraform, read_directory, units_of

CLOUDFORMATION = Importer(
    suffixes=(".yaml", ".yml", ".json", ".template"),
    patterns=("template.yaml", "template.yml", "template.json", "cdk.out/*.template.json"),
    marks=("AWS::Lambda::EventSourceMapping", "AWS::Serverless::Function"),
    read=read_template,
    patch=patch_of,
)

SERVERLESS = Importer(
    suffixes=(".yaml", ".yml", ".json", ".ts", ".js", ".cjs", ".mjs"),
    patterns=("serverless.yml", "serverless.yaml", "serverless.json", "serverless.ts", "serverless.js"),
    marks=("provider",),
    read=read_serverless,
    recognises=recognises,
    patch=patch_of_serverless,
)

TERRAFORM = Importer(
    suffixes=SUFFIXES,
    patterns=tuple(f"*{suffix}" for suffix in SUFFIXES),
    marks=("aws_lambda_event_source_mapping", '"./', '"../', '"terraform-aws-modules/lambda/aws"'),
    read=read_directory,
    recognises=is_terraform,
    units=units_of,
)

IMPORTERS = (TERRAFORM, SERVERLESS, CLOUDFORMATION)
"""In the order in which they are tried. The last one gets the files that none recognises, and reports the problem."""

_ONLY = "this version reads Terraform in HCL only (.tf)"
UNREAD: Mapping[str, str] = {
    "*.tf.json": f"{_ONLY}; write the design in Python (path.py:attribute) or as JSON",
}
"""Messages for files of formats without an importer, by glob pattern: the reason and what to do."""


def importer_of(path: Path) -> Importer:
    """Return the importer that reads a file, or a directory."""
    if path.is_dir():
        whole = (importer for importer in IMPORTERS if importer.units is not None and importer.recognises(path))
        return next(whole, IMPORTERS[-1])
    for importer in IMPORTERS:
        if path.name.endswith(importer.suffixes) and importer.recognises(path):
            return importer
    return IMPORTERS[-1]
