from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Protocol

from chaosqs.importers.cloudformation.reader import read_template
from chaosqs.importers.protocol import Imported

WORKER = """
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: {value}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Batch:
          Type: SQS
          Properties:
            Queue: !GetAtt Orders.Arn
"""


class Read(Protocol):
    """Reads a template from text; it stands in `template.yaml` of the working directory."""

    def __call__(self, text: str, *, parameters: Mapping[str, str] | None = None) -> Imported: ...


def read_text(text: str, *, parameters: Mapping[str, str] | None = None) -> Imported:
    path = Path("template.yaml")
    path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    return read_template(path, parameters=parameters or {})


def with_timeout(value: str, sections: str = "") -> str:
    """Return a template whose queue `Orders` has a visibility timeout written in some way."""
    return dedent(sections) + WORKER.format(value=value)
