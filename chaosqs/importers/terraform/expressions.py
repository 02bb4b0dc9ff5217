"""Values of expressions, as far as a directory alone tells; the rest is `Unknown`, with the reason and its expression.

Evaluation is lazy: variables, locals, outputs and attributes of resources are evaluated when something refers to them.
A function that is not known here, or that does not fit its arguments, gives an unknown value and never an error.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import attrs

from chaosqs.errors import InvalidDesign
from chaosqs.importers.cloudformation.markup import shortened
from chaosqs.importers.cloudformation.scope import Unknown
from chaosqs.importers.terraform.syntax import Block, Expression
from chaosqs.importers.terraform.values import (
    FUNCTIONS,
    MAXIMUM_ITEMS,
    MAXIMUM_NUMBER,
    MAXIMUM_PARTS,
    MAXIMUM_TEXT,
    STRUCTURAL,
    Frame,
    Instance,
    Names,
    Scalar,
    Value,
    applied,
    is_large,
    number_of,
    text_of,
    truth_of,
    unknown_in,
    whole,
)
from chaosqs.model.design import ACCOUNT_ID, REGION_NAME

_MAXIMUM_STEPS = 100_000
"""Evaluated expressions of one directory."""
MAXIMUM_INSTANCES = 100
"""Instances of one resource or module that are read."""


@attrs.frozen
class Found:
    """A value, with the sources of the variables and locals that it comes from."""

    value: Value
    sources: tuple[str, ...]


_NOT_THERE = ", which is not there"
"""End of the reasons for which `try` takes its next argument."""
_DEFAULTS: Mapping[tuple[str, str], Scalar] = {
    ("aws_sqs_queue", "visibility_timeout_seconds"): 30,
    ("aws_sqs_queue", "message_retention_seconds"): 345_600,
    ("aws_sqs_queue", "delay_seconds"): 0,
    ("aws_sqs_queue", "fifo_queue"): False,
    ("aws_lambda_function", "timeout"): 3,
    ("aws_lambda_function", "memory_size"): 128,
    ("aws_lambda_function", "reserved_concurrent_executions"): -1,
    ("data.aws_caller_identity", "account_id"): ACCOUNT_ID,
    ("data.aws_region", "name"): REGION_NAME,
    ("data.aws_region", "region"): REGION_NAME,
    ("data.aws_region", "id"): REGION_NAME,
    ("data.aws_partition", "partition"): "aws",
    ("data.aws_partition", "dns_suffix"): "amazonaws.com",
}
"""Values of attributes that no file gives: AWS's defaults, and the assumed account and Region."""


@attrs.define
class Evaluator:
    """Evaluates the expressions of one directory and of the modules that it calls."""

    file: str
    where: Callable[[int], str]
    """Returns file and line of a line."""
    called: Callable[[Block, Frame, str, Names], Frame]
    """Returns a module that a block calls: block, caller, path, names."""
    addresses: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Texts of attributes of queues and functions, by address and attribute: `aws_sqs_queue.orders.arn`."""
    notes: dict[str, None] = attrs.field(factory=dict[str, None])
    """Sentences on assumptions, in order."""
    sources: list[str] = attrs.field(factory=list[str])
    """Sources of the values that are being evaluated."""
    _cache: dict[tuple[Frame, str], Found] = attrs.field(factory=dict[tuple[Frame, str], Found])
    _instances: dict[tuple[Frame, tuple[str, ...]], Value] = attrs.field(
        factory=dict[tuple[Frame, tuple[str, ...]], Value]
    )
    _steps: int = 0

    def again(self, addresses: Mapping[str, str]) -> None:
        """Start anew with known names of queues and functions."""
        self.addresses = addresses
        self._cache.clear()
        self._instances.clear()

    def found(self, expression: Expression, frame: Frame, names: Names) -> Found:
        """Return the value of an expression with its sources."""
        before, self.sources = self.sources, []
        value = self.bounded(self.value(expression, frame, names), frame.path + shortened(expression.text))
        result = Found(value, tuple(dict.fromkeys(self.sources)))
        self.sources = before
        return result

    def value(self, expression: Expression, frame: Frame, names: Names) -> Value:
        """Return the value of an expression."""
        self._steps += 1
        if self._steps > _MAXIMUM_STEPS:
            raise InvalidDesign(f"{self.file}: its expressions take more than {_MAXIMUM_STEPS:,} steps to evaluate")
        evaluate = _KINDS.get(expression.kind)
        if evaluate is None:
            return self.unknown(f"uses {shortened(expression.text, 40)}, which is not read", expression, frame, names)
        return evaluate(self, expression, frame, names)

    def unknown(self, reason: str, expression: Expression, frame: Frame, names: Names) -> Unknown:
        """Return an unknown value that is told apart by its expression, and by the instance that it is in."""
        key = [names[name] for name in ("each", "count") if name in names and f"{name}." in expression.text]
        of = [str(value) for each in key if isinstance(each, dict) for value in list(each.values())[:1]]
        return Unknown(reason, frame.path + " ".join(expression.text.split()) + "".join(f"[{each}]" for each in of))

    def bounded(self, value: Value, hint: str) -> Value:
        """Return a value, or an unknown one if it is so large that it cannot be gone through."""
        return Unknown(f"has more than {MAXIMUM_PARTS:,} parts", hint) if is_large([value]) else value

    # Names

    def remembered(self, frame: Frame, name: str, evaluate: Callable[[], Value]) -> Value:
        """Return a value that is evaluated once; one that depends on itself is unknown."""
        key = (frame, name)
        if key not in self._cache:
            self._cache[key] = Found(Unknown(f"refers to {name}, which depends on itself", frame.path + name), ())
            before, self.sources = self.sources, []
            value = self.bounded(evaluate(), frame.path + name)
            self._cache[key] = Found(value, tuple(dict.fromkeys(self.sources)))
            self.sources = before
        self.sources += self._cache[key].sources
        return self._cache[key].value

    def variable(self, frame: Frame, name: str) -> Value:
        """Return the value of a variable: an input, or the default."""
        return self.remembered(frame, f"var.{name}", lambda: self._variable(frame, name))

    def _variable(self, frame: Frame, name: str) -> Value:
        block, given = frame.blocks.get(("variable", name)), frame.inputs.get(name)
        known: Mapping[str, Expression] = block.attributes if block is not None else {}
        secret = known.get("sensitive")
        if secret is not None and secret.value is True:
            given = given if given is not None and frame.path else None  # secrets of files stay there
        default = known.get("default")
        if given is not None:
            value = self.value(given.expression, given.frame, given.names)
            if value is not None or default is None:
                if given.expression.kind == "literal":
                    self.sources.append(f"{given.how} in {self.where(given.expression.line)}")
                return self.typed(value, known.get("type"), frame)
        if default is None:
            return Unknown(f"refers to variable {name}, which has no default", f"{frame.path}var.{name}")
        self.sources.append(f"default of variable {name}, {self.where(default.line)}")
        return self.typed(self.value(default, frame, {}), known.get("type"), frame)

    def typed(self, value: Value, kind: Expression | None, frame: Frame) -> Value:
        """Return a value with the defaults that its type has for optional attributes."""
        if kind is None or kind.kind != "call" or not kind.parts:
            return value
        if kind.name in {"list", "set", "map"} and isinstance(value, list):
            return [self.typed(each, kind.parts[0], frame) for each in value]
        if kind.name == "map" and isinstance(value, dict):
            return {key: self.typed(each, kind.parts[0], frame) for key, each in value.items()}
        fields = kind.parts[0]
        if kind.name != "object" or fields.kind != "object" or not isinstance(value, dict):
            return value
        typed = dict(value)
        for key, field in zip(fields.parts[::2], fields.parts[1::2], strict=True):
            name = key.name or str(key.value)
            is_optional = field.kind == "call" and field.name == "optional" and bool(field.parts)
            default = field.parts[1:] if is_optional else ()
            if is_optional and typed.get(name) is None:
                typed[name] = self.value(default[0], frame, {}) if default else None
            typed[name] = self.typed(typed.get(name), field.parts[0] if is_optional else field, frame)
        return typed

    def local(self, frame: Frame, name: str) -> Value:
        """Return the value of a local."""
        block = frame.blocks.get(("local", name))
        if block is None:
            return Unknown(f"refers to local {name}, which no file has", f"{frame.path}local.{name}")
        expression = block.attributes["value"]
        return self.remembered(frame, f"local.{name}", lambda: self.value(expression, frame, {}))

    def output(self, frame: Frame, name: str) -> Value:
        """Return the value of a module's output."""
        block = frame.blocks.get(("output", name))
        expression = block.attributes.get("value") if block is not None else None
        hint = f"{frame.path}{name}"
        if frame.unread:
            return Unknown(f"refers to {hint}, and the module is not read: {frame.unread}", hint)
        if expression is None:
            return Unknown(f"refers to {hint}, which the module does not have", hint)
        return self.remembered(frame, f"output.{name}", lambda: self.value(expression, frame, {}))

    # Resources and modules

    def instances(self, frame: Frame, key: tuple[str, ...]) -> Value:
        """Return the instance of a resource, data source or module; a list with `count`, a mapping with `for_each`."""
        if (frame, key) not in self._instances:
            block = frame.blocks.get(key)
            address = frame.path + ".".join(key if key[0] != "resource" else key[1:])
            missing = Unknown(f"refers to {address}, which no file has", address)
            self._instances[frame, key] = Unknown(f"refers to {address}, which depends on itself", address)
            self._instances[frame, key] = missing if block is None else self._expanded(block, frame, address)
        return self._instances[frame, key]

    def _expanded(self, block: Block, frame: Frame, address: str) -> Value:
        def made(key: str, names: Names) -> Value:
            if block.kind == "module":
                return self.called(block, frame, f"{address}{key}.", names)
            return Instance(address + key, block, frame, names)

        if "for_each" in block.attributes:
            each = self._each(self.value(block.attributes["for_each"], frame, {}), address)
            return {key: made(f'["{key}"]', {"each": {"key": key, "value": value}}) for key, value in each.items()}
        if "count" in block.attributes:
            amount = self.value(block.attributes["count"], frame, {})
            return [made(f"[{index}]", {"count": {"index": index}}) for index in range(self._count(amount, address))]
        return made("", {})

    def _each(self, value: Value, address: str) -> dict[str, Value]:
        if isinstance(value, dict):
            found = value
        elif isinstance(value, list) and all(isinstance(each, str) for each in value):
            found = {str(each): each for each in value}
        else:
            reason = value.reason if isinstance(value, Unknown) else "is not a map or a set of texts"
            self.notes[f"{address}: for_each {reason}; assumed one instance"] = None
            key = Unknown(f"refers to each.key, as for_each {reason}", f"{address}.each.key")
            return {"*": attrs.evolve(key, hint=f"{address}.each.value")}
        if len(found) > MAXIMUM_INSTANCES:
            self.notes[f"{address}: only {MAXIMUM_INSTANCES} of its {len(found)} instances are read"] = None
        return dict(list(found.items())[:MAXIMUM_INSTANCES])

    def _count(self, value: Value, address: str) -> int:
        amount = number_of(value)
        if amount is None:
            reason = value.reason if isinstance(value, Unknown) else "is not a number"
            self.notes[f"{address}: count {reason}; assumed one instance"] = None
            return 1
        if amount > MAXIMUM_INSTANCES:
            self.notes[f"{address}: only {MAXIMUM_INSTANCES} of its {amount} instances are read"] = None
        return max(0, min(int(amount), MAXIMUM_INSTANCES))

    def attribute(self, of: Instance, name: str) -> Value:
        """Return an attribute of a resource or data source."""
        known = self.addresses.get(f"{of.address}.{name}")
        if known is not None:
            return known
        expression = of.block.attributes.get(name)
        if expression is not None:
            key = f"{of.address}.{name}"
            return self.remembered(of.frame, key, lambda: self.value(expression, of.frame, of.names))
        kind = ("data." if of.block.kind == "data" else "") + of.block.labels[0]
        hint = f"{of.address}.{name}"
        if (kind, name) in _DEFAULTS:
            value = _DEFAULTS[kind, name]
            if kind.startswith("data."):
                self.notes[f"{hint} is assumed to be {value}"] = None
            return value
        return self._data(of, kind, name) or Unknown(f"refers to {hint}, which only a deployment knows", hint)

    def _data(self, of: Instance, kind: str, name: str) -> str | None:
        """Return the address of a queue or function that exists elsewhere and is named here."""
        own = {"data.aws_sqs_queue": "name", "data.aws_lambda_function": "function_name"}.get(kind)
        expression = of.block.attributes.get(own) if own else None
        named = self.value(expression, of.frame, of.names) if expression else None
        if not isinstance(named, str):
            return None
        return addresses_of(of.address, named, is_queue=own == "name").get(f"{of.address}.{name}")

    def member(self, of: Value, name: str, expression: Expression, frame: Frame, names: Names) -> Value:
        """Return what `of.name` is."""
        match of:
            case Unknown(reason=reason, hint=hint):
                return Unknown(reason, f"{hint}.{name}")
            case Instance():
                return self.attribute(of, name)
            case Frame():
                return self.output(of, name)
            case dict() if name in of:
                return of[name]
            case _:
                return self.unknown(f"refers to {name}{_NOT_THERE}", expression, frame, names)


def addresses_of(address: str, name: str, *, is_queue: bool) -> dict[str, str]:
    """Return the attributes by which a queue or function is known, by address and attribute."""
    if is_queue:
        url = f"https://sqs.{REGION_NAME}.amazonaws.com/{ACCOUNT_ID}/{name}"
        arn = f"arn:aws:sqs:{REGION_NAME}:{ACCOUNT_ID}:{name}"
        return {f"{address}.{key}": value for key, value in (("arn", arn), ("id", url), ("url", url), ("name", name))}
    arn = f"arn:aws:lambda:{REGION_NAME}:{ACCOUNT_ID}:function:{name}"
    known = {"arn": arn, "qualified_arn": f"{arn}:1", "function_name": name, "id": name, "version": "1"}
    return {f"{address}.{key}": value for key, value in known.items()}


# Kinds of expressions -------------------------------------------------------------------------------------------------


def _literal(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:  # noqa: ARG001 - one signature
    return expression.value


def _template(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    texts, unknown = list[str](), None
    for part in expression.parts:
        value = of.value(part, frame, names)
        text = text_of(value)
        if text is None:
            unwritten = of.unknown("has a part that is not text", part, frame, names)
            value = value if isinstance(value, Unknown) else unwritten
            unknown = unknown or value
            text = value.hint
        texts.append(text)
    joined = "".join(texts)
    if unknown is not None:
        return Unknown(unknown.reason, joined[:MAXIMUM_TEXT])
    if len(joined) > MAXIMUM_TEXT:
        return of.unknown(f"is a text of more than {MAXIMUM_TEXT:,} characters", expression, frame, names)
    return joined


def _name(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    if expression.name in names:
        return names[expression.name]
    return of.unknown(f"refers to {expression.name}, which has no value", expression, frame, names)


def _attribute(  # noqa: PLR0911 - one for each kind of name
    of: Evaluator, expression: Expression, frame: Frame, names: Names
) -> Value:
    base, name = expression.parts[0], expression.name
    if base.kind == "attribute" and base.parts[0].kind == "name" and base.parts[0].name == "data":
        return of.instances(frame, ("data", base.name, name))
    if base.kind != "name" or base.name in names:
        return of.member(of.value(base, frame, names), name, expression, frame, names)
    match base.name:
        case "var":
            return of.variable(frame, name)
        case "local":
            return of.local(frame, name)
        case "module":
            return of.instances(frame, ("module", name))
        case "path":
            return os.path.relpath(frame.directory, Path(of.file).parent) if name == "module" else "."
        case "terraform" if name == "workspace":
            of.notes["terraform.workspace is assumed to be default"] = None
            return "default"
        case "each" | "count" | "self" | "terraform":
            return of.unknown(f"refers to {base.name}.{name}, which has no value here", expression, frame, names)
        case kind:
            return of.instances(frame, ("resource", kind, name))


def _index(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    base, key = (of.value(part, frame, names) for part in expression.parts)
    match base, key:
        case Unknown(reason=reason), _:
            return of.unknown(reason, expression, frame, names)
        case _, Unknown(reason=reason):
            return of.unknown(reason, expression, frame, names)
        case dict(), _ if (text := text_of(key) or "") in base:
            return base[text]
        case list(), _ if (number := number_of(key)) is not None and 0 <= number < len(base):
            return base[int(number)]
        case ((Instance() | Frame()), str()):
            return of.member(base, key, expression, frame, names)
        case _:
            return of.unknown(f"looks for {key!r}{_NOT_THERE}", expression, frame, names)


def _splat(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    base = of.value(expression.parts[0], frame, names)
    if isinstance(base, Unknown):
        return of.unknown(base.reason, expression, frame, names)
    items = base if isinstance(base, list) else [] if base is None else [base]
    return [of.value(expression.parts[1], frame, {**names, "*": each}) for each in items[:MAXIMUM_ITEMS]]


def _tuple(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    return [of.value(part, frame, names) for part in expression.parts]


def _object(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    found = dict[str, Value]()
    for key, part in zip(expression.parts[::2], expression.parts[1::2], strict=True):
        is_bare = key.kind == "name" and not key.text.startswith("(")
        name = key.name if is_bare else text_of(of.value(key, frame, names))
        if name is None:
            return of.unknown(f"has an unknown key {shortened(key.text, 40)}", expression, frame, names)
        found[name] = of.value(part, frame, names)
    return found


def _if(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    condition, chosen, otherwise = expression.parts
    outcome = of.value(condition, frame, names)
    if isinstance(outcome, Unknown):
        return of.unknown(outcome.reason, expression, frame, names)
    holds = truth_of(outcome)
    if holds is None:
        return of.unknown("has a condition that is not true or false", expression, frame, names)
    return of.value(chosen if holds else otherwise, frame, names)


def _binary(  # noqa: PLR0911 - one for each kind of operator
    of: Evaluator, expression: Expression, frame: Frame, names: Names
) -> Value:
    left, right = (of.value(part, frame, names) for part in expression.parts)
    operator = expression.name
    if operator in {"&&", "||"}:
        outcomes = [each if isinstance(each, Unknown) else truth_of(each) for each in (left, right)]
        if (operator == "||") in outcomes:
            return operator == "||"
    for each in (left, right):
        if isinstance(each, Unknown):
            return of.unknown(each.reason, expression, frame, names)
    if operator in {"&&", "||"}:
        return operator == "&&"
    if is_large([left, right]):
        return of.unknown(f"has more than {MAXIMUM_PARTS:,} parts", expression, frame, names)
    if operator in {"==", "!="}:
        return _equal(left, right) == (operator == "==")
    first, second = number_of(left), number_of(right)
    large = max(abs(first or 0), abs(second or 0)) > MAXIMUM_NUMBER
    if first is None or second is None or large or (operator in "/%" and not second):
        return of.unknown(f"uses {operator} with what is not a number", expression, frame, names)
    return whole(_ARITHMETIC[operator](first, second))


def _equal(left: Value, right: Value) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    return left == right


_ARITHMETIC: Mapping[str, Callable[[float, float], Scalar]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": lambda left, right: left % right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def _unary(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    value = of.value(expression.parts[0], frame, names)
    if isinstance(value, Unknown):
        return of.unknown(value.reason, expression, frame, names)
    number, holds = number_of(value), truth_of(value)
    if expression.name == "-" and number is not None:
        return -number
    if expression.name == "!" and holds is not None:
        return not holds
    return of.unknown(f"uses {expression.name} with what does not fit", expression, frame, names)


def _for(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    source, key, result, condition = expression.parts
    value = of.value(source, frame, names)
    if not isinstance(value, dict | list):
        reason = value.reason if isinstance(value, Unknown) else "goes through what is not a collection"
        return of.unknown(reason, expression, frame, names)
    pairs = [*value.items()] if isinstance(value, dict) else [*enumerate(value)]
    first, _, second = expression.name.partition(",")
    items, table = list[Value](), dict[str, Value]()
    for index, each in pairs[:MAXIMUM_ITEMS]:
        inner: Names = {**names, first: index, second: each} if second else {**names, first: each}
        holds = True if condition.kind == "absent" else of.value(condition, frame, inner)
        if isinstance(holds, Unknown):
            return of.unknown(holds.reason, expression, frame, names)
        if truth_of(holds) is False:
            continue
        made = of.value(result.parts[0] if result.kind == "grouped" else result, frame, inner)
        label = None if key.kind == "absent" else text_of(of.value(key, frame, inner))
        if key.kind == "absent":
            items.append(made)
        elif label is None:
            return of.unknown("has an unknown key", expression, frame, names)
        else:
            _add(table, label, made, grouped=result.kind == "grouped")
    return items if key.kind == "absent" else table


def _add(table: dict[str, Value], label: str, value: Value, *, grouped: bool) -> None:
    group = table.get(label)
    table[label] = ([*group, value] if isinstance(group, list) else [value]) if grouped else value


def _call(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    name = expression.name
    if name in {"try", "can", "coalesce"}:
        return _first(of, expression, frame, names)
    arguments = list[Value]()
    for part in expression.parts:
        value = of.value(part.parts[0] if part.kind == "spread" else part, frame, names)
        arguments += value if part.kind == "spread" and isinstance(value, list) else [value]
    if is_large(arguments):
        return of.unknown(f"has more than {MAXIMUM_PARTS:,} parts", expression, frame, names)
    opaque = unknown_in(arguments, deep=name not in STRUCTURAL)
    if opaque is not None:
        return of.unknown(opaque.reason, expression, frame, names)
    if name not in FUNCTIONS:
        return of.unknown(f"uses {name}, which is not evaluated", expression, frame, names)
    try:
        return applied(name, arguments)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError, re.error):
        return of.unknown(f"uses {name} with what does not fit", expression, frame, names)


def _first(of: Evaluator, expression: Expression, frame: Frame, names: Names) -> Value:
    """Return the first argument that has a value; for `coalesce` also not null or empty."""
    missing: Value = of.unknown(f"uses {expression.name} without a known value", expression, frame, names)
    for part in expression.parts:
        value = of.value(part, frame, names)
        if expression.name == "coalesce":
            if isinstance(value, Unknown):
                return of.unknown(value.reason, expression, frame, names)
            if value not in (None, ""):
                return value
            continue
        opaque = unknown_in([value], deep=True)
        if opaque is None or not opaque.reason.endswith(_NOT_THERE):
            known = value if expression.name == "try" else True
            return of.unknown(value.reason, expression, frame, names) if isinstance(value, Unknown) else known
    return False if expression.name == "can" else missing


_Kind: TypeAlias = Callable[[Evaluator, Expression, Frame, Names], Value]
_KINDS: Mapping[str, _Kind] = {
    "literal": _literal,
    "template": _template,
    "name": _name,
    "attribute": _attribute,
    "index": _index,
    "splat": _splat,
    "tuple": _tuple,
    "object": _object,
    "if": _if,
    "binary": _binary,
    "unary": _unary,
    "for": _for,
    "call": _call,
}
