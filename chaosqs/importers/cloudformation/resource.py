"""The resource types that the importer reads, and one resource as the template has it."""

import attrs

from chaosqs.importers.cloudformation.markup import Table
from chaosqs.importers.cloudformation.scope import EMPTY

QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Lambda::Function"
SAM_FUNCTION = "AWS::Serverless::Function"
FUNCTIONS = frozenset({FUNCTION, SAM_FUNCTION})
ALIAS = "AWS::Lambda::Alias"
VERSION = "AWS::Lambda::Version"
MAPPING = "AWS::Lambda::EventSourceMapping"
SAM_LAYER = "AWS::Serverless::LayerVersion"
LAYER = "AWS::Lambda::LayerVersion"
KINDS = frozenset({QUEUE, *FUNCTIONS, ALIAS, VERSION, MAPPING, SAM_LAYER, LAYER})


@attrs.frozen
class Resource:
    """A resource of the template."""

    logical_id: str
    kind: str
    properties: Table
    """Properties as written, merged with those of `Globals`."""
    line: int
    condition: str = ""
    metadata: Table = EMPTY

    @property
    def keys(self) -> tuple[str, ...]:
        """Path of keys from the document's root to the properties."""
        return "Resources", self.logical_id, "Properties"
