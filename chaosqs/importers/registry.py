"""All importers, and the choice of the one that reads a file."""

from collections.abc import Mapping
from pathlib import Path

from chaosqs.importers.cloudformation.patching import patch_of
from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Importer
from chaosqs.importers.serverless.reader import patch_of as patch_of_serverless
from chaosqs.importers.serverless.reader import read_serverless, recognises

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

IMPORTERS = (SERVERLESS, CLOUDFORMATION)
"""In the order in which they are tried. The last one gets the files that none recognises, and reports the problem."""

_ONLY = "this version reads CloudFormation, SAM and the Serverless Framework only"
UNREAD: Mapping[str, str] = {
    "*.tf": f"{_ONLY}; write the design in Python (path.py:attribute) or as JSON",
}
"""Messages for files of formats without an importer, by glob pattern: the reason and what to do."""


def importer_of(path: Path) -> Importer:
    """Return the importer that reads a file."""
    for importer in IMPORTERS:
        if path.name.endswith(importer.suffixes) and importer.recognises(path):
            return importer
    return IMPORTERS[-1]
