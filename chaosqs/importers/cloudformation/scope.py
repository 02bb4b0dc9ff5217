"""The names of one template: parameters, pseudo parameters, attributes of resources, mappings, conditions; a resource.

A reference to a resource has the text that AWS would put in its place on deployment, in an assumed account and Region.
So a reference reads the same whether it is written as GetAtt, as Sub or as a literal ARN.
"""

from collections.abc import Callable, Mapping

import attrs

from chaosqs.importers.cloudformation.markup import Items, Leaf, Node, Table
from chaosqs.importers.protocol import Written
from chaosqs.model.design import ACCOUNT_ID, REGION_NAME

PSEUDO: Mapping[str, str] = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Partition": "aws",
    "AWS::Region": REGION_NAME,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
"""Assumed values of the pseudo parameters, which differ between deployments."""

EMPTY = Table({}, 0)


@attrs.frozen
class Unknown:
    """A value that the template alone does not tell."""

    reason: str
    """Reason, as a clause after the name of a property: `refers to parameter Timeout, which has no default`."""
    hint: str = ""
    """Text from which a queue or function that this refers to can be named."""


@attrs.frozen
class Absent:
    """`AWS::NoValue`: the property counts as not written."""


Resolved = Leaf | Items | Table | Unknown | Absent


def _nothing(_: str) -> None:
    """Return that no stack exports a value."""


@attrs.define
class Scope:
    """The values of names, and the outcomes of conditions evaluated so far."""

    known: Mapping[str, Node]
    """Values by name, as Ref and GetAtt write it: `Timeout`, `Orders`, `Orders.Arn`, `AWS::Region`."""
    unknown: Mapping[str, str]
    """Reasons for unknown values by the part of the name before the first dot, with `{}` for the name."""
    assumed: frozenset[str]
    """Pseudo parameters whose values are assumed."""
    mappings: Table = EMPTY
    conditions: Table = EMPTY
    outcomes: dict[str, bool | Unknown] = attrs.field(factory=dict[str, bool | Unknown])
    """Outcomes of the conditions evaluated so far."""
    notes: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on assumptions, in order."""
    left_out: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on what the template has and the design leaves out, in order."""
    written: dict[str, Written] = attrs.field(factory=dict[str, Written])
    """Resources of other services, by name."""
    exported: Callable[[str], str | None] = _nothing
    """Returns the value that another template of the project exports under a name; None if there is none."""

    def look_up(self, name: str) -> Node | Unknown:
        """Return the value of a reference."""
        if name in self.known:
            return self.known[name]
        head, _, attribute = name.partition(".")
        hint = head if attribute in {"Arn", ""} else name
        if head in self.unknown:
            return Unknown(f"refers to {self.unknown[head].format(name)}", hint)
        return Unknown(f"refers to {name}, which the template does not have", hint)

    def note_assumed(self, node: Node, why: str) -> None:
        """Note every assumed pseudo parameter that a value depends on."""
        match node:
            case Leaf(text=text):
                for name in sorted(self.assumed):
                    if name == text or f"${{{name}}}" in text:
                        self.notes[f"{name} is assumed to be {PSEUDO[name]}: {why} depends on it"] = None
            case Items(nodes=nodes):
                for part in nodes:
                    self.note_assumed(part, why)
            case Table(entries=entries):
                for entry in entries.values():
                    self.note_assumed(entry.node, why)


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
