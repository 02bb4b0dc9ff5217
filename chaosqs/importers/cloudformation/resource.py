"""The kinds of resources that matter here, and one of them as the template has it."""

from __future__ import annotations

import attrs

from chaosqs.importers.cloudformation.markup import Table

QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Lambda::Function"
SAM_FUNCTION = "AWS::Serverless::Function"
FUNCTIONS = frozenset({FUNCTION, SAM_FUNCTION})
ALIAS = "AWS::Lambda::Alias"
VERSION = "AWS::Lambda::Version"
MAPPING = "AWS::Lambda::EventSourceMapping"
KINDS = frozenset({QUEUE, *FUNCTIONS, ALIAS, VERSION, MAPPING})


@attrs.frozen
class Resource:
    """A resource of the template."""

    logical_id: str
    kind: str
    properties: Table
    """As written, with what `Globals` adds."""
    line: int
    condition: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """What leads to its properties in the document."""
        return "Resources", self.logical_id, "Properties"
