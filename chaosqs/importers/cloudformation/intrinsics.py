"""Values of intrinsic functions, as far as the template alone tells; the rest is `Unknown`, with the reason.

Resolving is lazy: a list or mapping is returned as written, and its readers resolve the parts that they need. A
template has many parts that only a deployment could resolve, and few of them matter here.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from chaosqs.importers.cloudformation.markup import Items, Leaf, Node, Table, call_of, text_of, whole_number
from chaosqs.importers.cloudformation.scope import Absent, Resolved, Scope, Unknown

_MAXIMUM_TEXT = 20_000
"""Maximum characters of a text. The longest that CloudFormation accepts, a filter, has 4,096."""
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([^:}]*):?([^:}]*)[^}]*\}\}")


def resolve(node: Node, scope: Scope) -> Resolved:
    """Return the value of a node; the parts of a list or mapping are not resolved yet."""
    if isinstance(node, Leaf) and node.unknown:
        return Unknown(node.unknown, node.text)
    if isinstance(node, Leaf) and isinstance(node.value, str) and (found := _DYNAMIC.search(node.value)):
        return Unknown(f"is looked up when it is deployed ({found[0]})", node.text.replace(found[0], found[2]))
    call = call_of(node)
    if call is None:
        return node
    name, argument = call
    function = _FUNCTIONS.get(name)
    return function(argument, scope) if function else Unknown(f"uses {name}, which this reader does not resolve")


def resolved_parts(items: Items, scope: Scope) -> tuple[Leaf | Items | Table | Unknown, ...]:
    """Return the values of the parts of a list, without those that are `AWS::NoValue`."""
    return tuple(part for part in (resolve(node, scope) for node in items.nodes) if not isinstance(part, Absent))


def condition_holds(name: str, scope: Scope) -> bool | Unknown:
    """Return True if a condition of the template holds, `Unknown` if that is open; each is evaluated once."""
    if name not in scope.outcomes:
        scope.outcomes[name] = Unknown(f"depends on condition {name}, which depends on itself")
        entry = scope.conditions.get(name)
        missing = Unknown(f"depends on condition {name}, which the template does not have")
        scope.outcomes[name] = missing if entry is None else _holds(entry.node, scope, name)
    return scope.outcomes[name]


def _holds(node: Node, scope: Scope, name: str) -> bool | Unknown:
    match call_of(node):
        case "Condition", Leaf(text=other):
            return condition_holds(other, scope)
        case "Fn::Equals", Items(nodes=(left, right)):
            return _equals(left, right, scope, name)
        case "Fn::Not", Items(nodes=(part,)):
            outcome = _holds(part, scope, name)
            return outcome if isinstance(outcome, Unknown) else not outcome
        case "Fn::And", Items(nodes=nodes):
            return _decided([_holds(part, scope, name) for part in nodes], by=False)
        case "Fn::Or", Items(nodes=nodes):
            return _decided([_holds(part, scope, name) for part in nodes], by=True)
        case _:
            return Unknown(f"depends on condition {name}, which is not well formed")


def _decided(outcomes: Sequence[bool | Unknown], *, by: bool) -> bool | Unknown:
    """Return `by` if any outcome is `by`, else the first unknown outcome, else the opposite of `by`."""
    if by in outcomes:
        return by
    return next((outcome for outcome in outcomes if isinstance(outcome, Unknown)), not by)


def _equals(left: Node, right: Node, scope: Scope, name: str) -> bool | Unknown:
    for side in (left, right):
        scope.note_assumed(side, f"condition {name}")
    first, second = _text(left, scope), _text(right, scope)
    for value in (first, second):
        if isinstance(value, Unknown):
            return Unknown(f"depends on condition {name}, which {value.reason}")
    return first == second


def _text(node: Node, scope: Scope) -> str | Unknown:
    value = resolve(node, scope)
    if isinstance(value, Unknown):
        return value
    text = None if isinstance(value, Absent) else text_of(value)
    if text is None or len(text) > _MAXIMUM_TEXT:
        return Unknown("needs a text where it has none, or one that is too long")
    return text


def _ref(argument: Node, scope: Scope) -> Resolved:
    name = text_of(argument)
    if name is None:
        return _malformed("Ref", "a name")
    if name == "AWS::NoValue":
        return Absent()
    value = scope.look_up(name)
    return resolve(value, scope) if isinstance(value, Leaf) else value


def _get_att(argument: Node, scope: Scope) -> Resolved:
    if isinstance(argument, Leaf):
        return scope.look_up(argument.text)
    if not isinstance(argument, Items) or not argument.nodes:
        return _malformed("Fn::GetAtt", "a resource and its attribute")
    parts = [_text(part, scope) for part in argument.nodes]
    known = [part for part in parts if isinstance(part, str)]
    unknown = next((part for part in parts if isinstance(part, Unknown)), None)
    return scope.look_up(".".join(known)) if unknown is None else unknown


def _sub(argument: Node, scope: Scope) -> Resolved:
    match argument:
        case Leaf(text=template, line=line):
            variables: Mapping[str, Node] = {}
        case Items(nodes=(Leaf(text=template, line=line), Table(entries=entries))):
            variables = {name: entry.node for name, entry in entries.items()}
        case _:
            return _malformed("Fn::Sub", "a text, or a text and its variables")
    pieces = _VARIABLE.split(template)  # literals and names in turn
    values = {name: _variable(name, variables, scope) for name in dict.fromkeys(pieces[1::2])}  # once each: values nest
    return _concatenated((values[piece] if position % 2 else piece for position, piece in enumerate(pieces)), line)


def _variable(name: str, variables: Mapping[str, Node], scope: Scope) -> str | Unknown:
    if name.startswith("!"):
        return f"${{{name[1:]}}}"
    node = variables.get(name) or scope.look_up(name)
    return node if isinstance(node, Unknown) else _text(node, scope)


def _concatenated(pieces: Iterable[str | Unknown], line: int) -> Leaf | Unknown:
    """Join texts. An unknown piece makes the result unknown, with a hint joined from the texts and hints."""
    texts: list[str] = []
    unknown: Unknown | None = None
    length = 0
    for piece in pieces:
        unknown = unknown or (piece if isinstance(piece, Unknown) else None)
        texts.append(piece.hint if isinstance(piece, Unknown) else piece)
        length += len(texts[-1])
        if length > _MAXIMUM_TEXT:
            return Unknown(f"is a text of more than {_MAXIMUM_TEXT:,} characters")
    text = "".join(texts)
    return Unknown(unknown.reason, text) if unknown else Leaf(text, text, line)


def _join(argument: Node, scope: Scope) -> Resolved:
    match argument:
        case Items(nodes=(delimiter, values), line=line):
            between, parts = _text(delimiter, scope), resolve(values, scope)
        case _:
            return _malformed("Fn::Join", "a delimiter and a list")
    if isinstance(between, Unknown):
        return between
    if isinstance(parts, Unknown):
        return parts
    if not isinstance(parts, Items):
        return _malformed("Fn::Join", "a delimiter and a list")
    pieces: list[str | Unknown] = []
    for position, part in enumerate(parts.nodes):
        pieces += [between, _text(part, scope)] if position else [_text(part, scope)]
    return _concatenated(pieces, line)


def _select(argument: Node, scope: Scope) -> Resolved:
    match argument:
        case Items(nodes=(index, values)):
            position, parts = resolve(index, scope), resolve(values, scope)
        case _:
            return _malformed("Fn::Select", "an index and a list")
    for value in (position, parts):
        if isinstance(value, Unknown):
            return value
    number = whole_number(position) if isinstance(position, Leaf) else None
    if number is None or not isinstance(parts, Items) or not 0 <= number < len(parts.nodes):
        return _malformed("Fn::Select", "an index and a list that is long enough")
    return resolve(parts.nodes[number], scope)


def _split(argument: Node, scope: Scope) -> Resolved:
    match argument:
        case Items(nodes=(delimiter, source), line=line):
            between, text = _text(delimiter, scope), _text(source, scope)
        case _:
            return _malformed("Fn::Split", "a delimiter and a text")
    if isinstance(between, Unknown):
        return between
    if isinstance(text, Unknown):
        return text
    if not between:
        return _malformed("Fn::Split", "a delimiter and a text")
    return Items(tuple(Leaf(part, part, line) for part in text.split(between)), line)


def _if(argument: Node, scope: Scope) -> Resolved:
    match argument:
        case Items(nodes=(Leaf(text=name), chosen, otherwise)):
            outcome = condition_holds(name, scope)
        case _:
            return _malformed("Fn::If", "a condition and two values")
    return outcome if isinstance(outcome, Unknown) else resolve(chosen if outcome else otherwise, scope)


def _find_in_map(argument: Node, scope: Scope) -> Resolved:
    if not isinstance(argument, Items) or len(argument.nodes) not in {3, 4}:
        return _malformed("Fn::FindInMap", "a mapping and two keys")
    keys: list[str] = []
    for node in argument.nodes[:3]:
        key = _text(node, scope)
        if isinstance(key, Unknown):
            return key
        keys.append(key)
        scope.note_assumed(node, f"mapping {keys[0]}")
    found: Node | None = scope.mappings
    for key in keys:
        entry = found.get(key) if isinstance(found, Table) else None
        found = entry.node if entry else None
    if isinstance(found, Leaf):
        return resolve(found, scope)
    if isinstance(found, Items) and all(isinstance(part, Leaf) for part in found.nodes):
        return found
    options = argument.nodes[3] if len(argument.nodes) > len(keys) else None
    default = options.get("DefaultValue") if isinstance(options, Table) else None
    missing = Unknown(f"looks for {keys[1]}, {keys[2]} in mapping {keys[0]}, which has no such value")
    return resolve(default.node, scope) if default else missing


def _import_value(argument: Node, scope: Scope) -> Resolved:
    name = _text(argument, scope)
    known = name.hint if isinstance(name, Unknown) else name
    value = scope.exported(known) if known else None
    if value is not None:
        return Leaf(value, value, argument.line)
    return Unknown(f"is imported from another stack ({known})" if known else "is imported from another stack", known)


def _malformed(function: str, wanted: str) -> Unknown:
    return Unknown(f"uses {function} without {wanted}")


_FUNCTIONS: Mapping[str, Callable[[Node, Scope], Resolved]] = {
    "Ref": _ref,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
