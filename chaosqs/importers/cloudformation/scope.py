"""What names mean inside one template: parameters, pseudo parameters, attributes of resources, mappings, conditions.

A resource is known by the text that AWS would put in its place once it is deployed, in an assumed account and Region.
So a reference reads the same whether it is written as GetAtt, as Sub or as a literal ARN.
"""

from collections.abc import Mapping

import attrs

from chaosqs.importers.cloudformation.markup import Items, Leaf, Node, Table

REGION = "us-east-1"
ACCOUNT = "123456789012"
PSEUDO: Mapping[str, str] = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "stack",
    "AWS::URLSuffix": "amazonaws.com",
}
"""The values assumed for what differs from one deployment to the next."""

EMPTY = Table({}, 0)


@attrs.frozen
class Unknown:
    """What the template alone does not tell."""

    reason: str
    """Why, to follow the name of a property: `refers to parameter Timeout, which has no default`."""
    hint: str = ""
    """After what a queue or function could be named that this refers to."""


@attrs.frozen
class Absent:
    """`AWS::NoValue`: the property counts as not written."""


Resolved = Leaf | Items | Table | Unknown | Absent


@attrs.define
class Scope:
    """What names mean; what it learns about conditions it keeps."""

    known: Mapping[str, Node]
    """By name as Ref and GetAtt write it: `Timeout`, `Orders`, `Orders.Arn`, `AWS::Region`."""
    unknown: Mapping[str, str]
    """By the part of the name before the first dot: why it is not known, with `{}` where the name goes."""
    assumed: frozenset[str]
    """The pseudo parameters that nobody gave."""
    mappings: Table = EMPTY
    conditions: Table = EMPTY
    outcomes: dict[str, bool | Unknown] = attrs.field(factory=dict[str, bool | Unknown])
    """The conditions judged so far."""
    notes: dict[str, None] = attrs.field(factory=dict[str, None])
    """What was assumed on the way, as sentences in order."""
    left_out: dict[str, None] = attrs.field(factory=dict[str, None])
    """What the template has and the design has not, as sentences in order."""

    def look_up(self, name: str) -> Node | Unknown:
        """Return what a reference stands for."""
        if name in self.known:
            return self.known[name]
        head, _, attribute = name.partition(".")
        hint = head if attribute in {"Arn", ""} else name
        if head in self.unknown:
            return Unknown(f"refers to {self.unknown[head].format(name)}", hint)
        return Unknown(f"refers to {name}, which the template does not have", hint)

    def note_assumed(self, node: Node, why: str) -> None:
        """Note every pseudo parameter that a value depends on, where its value was assumed."""
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
