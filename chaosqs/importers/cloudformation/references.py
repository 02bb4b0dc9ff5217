"""References to queues and functions: those of the template, or those outside it, which have to be assumed.

An assumed queue or function gets AWS's defaults and a name made from the reference, so that the design is complete.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import attrs

from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import Items, Leaf, Table, described
from chaosqs.importers.cloudformation.naming import arn, function_in, function_name, plain_name, queue_name
from chaosqs.importers.cloudformation.reading import Part, Reading
from chaosqs.importers.cloudformation.scope import EMPTY, Absent, Resolved, Scope, Unknown
from chaosqs.importers.cloudformation.sections import Template

_Export: TypeAlias = tuple[re.Pattern[str], str, Template]
"""A pattern for the name of an export, its value, and the template that has what the value names."""
_LEVELS = 3
"""Times that a value may be imported and exported again."""


@attrs.define(eq=False)
class Stacks:
    """The other templates of a project whose exports this one imports."""

    templates: Callable[[], Iterable[tuple[Template, Table]]] = tuple
    """Returns those that export something, with their outputs."""
    imported: dict[str, Template] = attrs.field(factory=dict[str, Template])
    """The template of each value that was imported."""
    _exports: list[_Export] | None = None

    def exported(self, name: str) -> str | None:
        """Return the value of an export. The name of its stack, which is in many, stands for any text."""
        if self._exports is None:
            self._exports = []  # while templates are read, nothing is known
            known = [*self.templates()]
            for _ in range(_LEVELS):
                self._exports = [each for template, outputs in known for each in self._exports_of(template, outputs)]
        self.imported.update(self._named(name))
        return self._known(name)

    def _exports_of(self, template: Template, outputs: Table) -> Iterator[_Export]:
        """Yield the exports of a template. A value that it imports itself belongs to the template that has it."""
        owners = {value: owner for _, value, owner in self._exports or ()}
        scope = attrs.evolve(template.scope, exported=self._known)
        for pattern, value in _exports(outputs, scope):
            yield pattern, value, owners.get(value, template)

    def _known(self, name: str) -> str | None:
        return next(iter(self._named(name)), None)

    def _named(self, name: str) -> dict[str, Template]:
        """Return the only value that is exported under a name, with its template; nothing if there are several."""
        found = {value: template for pattern, value, template in self._exports or () if pattern.fullmatch(name)}
        return found if len(found) == 1 else {}

    def template_of(self, queue: str) -> Template | None:
        """Return the template that has a queue, by its ARN, among those that values were imported from."""
        used = {id(each): each for each in self.imported.values()}.values()
        has = (each for each in used if queue in _arns(each))
        return next(has, None)


def _arns(template: Template) -> list[str]:
    return [arn("sqs", name, template.scope) for name in template.queues.of.values()]


def _exports(outputs: Table, scope: Scope) -> Iterator[tuple[re.Pattern[str], str]]:
    """Yield the exports of a template: a pattern for the name, and the value."""
    naming = attrs.evolve(scope, known={**scope.known, "AWS::StackName": Leaf("\0", "\0", 0)})
    for entry in outputs.entries.values():
        output = entry.node if isinstance(entry.node, Table) else EMPTY
        export = output.get("Export")
        name = export.node.get("Name") if export is not None and isinstance(export.node, Table) else None
        value = output.get("Value")
        if name is None or value is None:
            continue
        named, found = resolve(name.node, naming), resolve(value.node, scope)
        text = named.hint if isinstance(named, Unknown) else getattr(named, "text", "")
        if text and isinstance(found, Leaf):
            yield re.compile(".+".join(map(re.escape, text.split("\0")))), found.text


_ARN_PARTS = 6  # arn:partition:service:region:account:resource


@attrs.define
class References:
    """Resolves references, and remembers the queues and functions that had to be assumed."""

    template: Template
    reading: Reading
    others: Stacks = attrs.field(factory=Stacks)
    """The other templates of the project."""
    queues: dict[str, str] = attrs.field(factory=dict[str, str])
    """Names of queues outside the template, by the ARN or hint in the reference."""
    functions: dict[str, str] = attrs.field(factory=dict[str, str])
    """Names of functions outside the template, by the name or hint in the reference."""

    def queue(self, part: Part, key: str, *, fifo: bool | None = None) -> str | None:
        """Return the name of the queue whose ARN a property has; for any other value note a problem and return None."""
        value = self._value(part, key)
        if isinstance(value, Unknown):
            hinted = self.template.queues.hinted.get(plain_name(value.hint))
            return hinted or self._outside_queue(part, f"{key} {value.reason}", value.hint, fifo=fifo)
        name = queue_in(value.text) if isinstance(value, Leaf) else None
        if name is None or not isinstance(value, Leaf):
            self._refuse(part, key, value, "must be the ARN of an SQS queue, such as !GetAtt Orders.Arn")
            return None
        if name not in self.template.queues.of.values():
            if self.others.template_of(value.text) is not None:
                return name
            return self._outside_queue(part, f"{key} is {value.text}, outside the template", value.text, fifo=None)
        if value.text != arn("sqs", name, self.template.scope):
            self.reading.assume(f"{part.name}: {key} is {value.text}; taken for the template's queue of that name")
        return name

    def outside_queue_in_variable(self, name: str, function: str) -> None:
        """Assume a queue that a function knows by its name, unless a template has it."""
        known = {*self.template.queues.of.values(), *self.queues.values()}
        if name not in known and self.others.template_of(arn("sqs", name, self.template.scope)) is None:
            self.queues[name] = name
            self.reading.assumed.add(f"queues.{name}.visibility_timeout")
            self.reading.assume(
                f"{function}: a variable names queue {name}, outside the template; assumed AWS's defaults for it"
            )

    def function(self, part: Part, key: str) -> str | None:
        """Return the name of the function that a property gives by name, ARN, alias or version; None as in `queue`."""
        own, value = self.own_function(part, key), self._value(part, key)
        if own is not None:
            return own
        if isinstance(value, Unknown):
            return self._outside_function(part, f"{key} {value.reason}", value.hint)
        name = function_in(value.text) if isinstance(value, Leaf) else None
        if name is None or not isinstance(value, Leaf):
            self._refuse(part, key, value, "must be the name or the ARN of a Lambda function")
            return None
        return self._outside_function(part, f"{key} is {value.text}, outside the template", name)

    def own_function(self, part: Part, key: str) -> str | None:
        """Return the name of the template's function that a property means; None if it means no such function."""
        value = self._value(part, key)
        if isinstance(value, Unknown):
            return self.template.functions.hinted.get(plain_name(value.hint))
        name = function_in(value.text) if isinstance(value, Leaf) else None
        return name if name in self.template.functions.of.values() else None

    def _value(self, part: Part, key: str) -> Resolved:
        entry = part.properties.get(key)
        return Absent() if entry is None else resolve(entry.node, self.template.scope)

    def _refuse(self, part: Part, key: str, value: Leaf | Items | Table | Absent, must: str) -> None:
        given = "" if isinstance(value, Absent) else described(value)
        self.reading.refuse(part.path, given, f"{must} ({key})", self.reading.line(part, key))

    def _outside_queue(self, part: Part, reason: str, found: str, *, fifo: bool | None) -> str:
        if found not in self.queues:
            taken = {*self.template.queues.of.values(), *self.queues.values()}
            is_fifo = found.endswith(".fifo") if fifo is None else fifo
            self.queues[found] = queue_name(found, taken, fifo=is_fifo)
        name = self.queues[found]
        self.reading.assumed.add(f"queues.{name}.visibility_timeout")
        self.reading.assume(f"{part.name}: {reason}; assumed a queue {name} with AWS's defaults")
        return name

    def _outside_function(self, part: Part, reason: str, found: str) -> str:
        if found not in self.functions:
            taken = {*self.template.functions.of.values(), *self.functions.values()}
            self.functions[found] = function_name(found, taken)
        name = self.functions[found]
        self.reading.assume(f"{part.name}: {reason}; assumed a function {name} with AWS's defaults")
        return name


def queue_in(text: str) -> str | None:
    """Return the name in the ARN of an SQS queue; None for any other text."""
    parts = text.split(":")
    return parts[-1] if len(parts) == _ARN_PARTS and parts[0] == "arn" and parts[2] == "sqs" else None
