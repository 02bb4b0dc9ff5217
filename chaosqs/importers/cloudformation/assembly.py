"""Assembles the design from the resources that take part in mappings from queues to functions.

These are the mapped queues, their dead-letter queues, the dead-letter queues of those, and the functions.
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidDesign, Problem
from chaosqs.importers.cloudformation.code import code_of, queues_in
from chaosqs.importers.cloudformation.intrinsics import resolve
from chaosqs.importers.cloudformation.markup import (
    Entry,
    Items,
    Leaf,
    Node,
    Table,
    described,
    parse,
    text_of,
    whole_number,
)
from chaosqs.importers.cloudformation.naming import Names, arn, function_published_by
from chaosqs.importers.cloudformation.reading import Part, Reading
from chaosqs.importers.cloudformation.references import References, queue_in
from chaosqs.importers.cloudformation.scope import EMPTY, MAPPING, QUEUE, SAM_FUNCTION, Absent, Resource, Unknown
from chaosqs.importers.cloudformation.sections import Template, subscribes
from chaosqs.importers.cloudformation.services import service_resources
from chaosqs.importers.protocol import Code, NoDesign
from chaosqs.model.design import (
    DEDUPLICATION_SCOPES,
    FIFO_THROUGHPUT_LIMITS,
    PERMISSIONS,
    RECURSIVE_LOOPS,
    Design,
    EventSourceMapping,
    Function,
    Permission,
    Queue,
    Redrive,
    RedriveAllow,
)
from chaosqs.model.design import Resource as ServiceResource

# Functions ------------------------------------------------------------------------------------------------------------


def read_function(part: Part, reading: Reading, resources: Iterable[Resource]) -> Function:
    """Return a function from its resource's properties; its aliases and versions add provisioned concurrency."""
    plain = Function(part.name)
    reserved = "ReservedConcurrentExecutions"
    return Function(
        part.name,
        timeout=reading.whole(part, "Timeout", "timeout", plain.timeout),
        memory=reading.whole(part, "MemorySize", "memory", plain.memory),
        reserved_concurrency=reading.whole(part, reserved, "reserved_concurrency", None),
        provisioned_concurrency=_provisioned(part, reading, resources),
        recursive_loop=reading.word(part, "RecursiveLoop", "recursive_loop", RECURSIVE_LOOPS, "LX-20"),
    )


def _provisioned(part: Part, reading: Reading, resources: Iterable[Resource]) -> int:
    field = "provisioned_concurrency"
    publishers = (each for each in resources if function_published_by(each, reading.scope) == part.name)
    parts = [part, *(attrs.evolve(part, properties=each.properties, line=each.line) for each in publishers)]
    configs = [reading.table(each, "ProvisionedConcurrencyConfig", field) for each in parts]
    key = "ProvisionedConcurrentExecutions"
    return sum(reading.whole(config, key, field, 0) for config in configs if config is not None)


# Locations of problems ------------------------------------------------------------------------------------------------

_PATH = re.compile(r"(queues|functions|mappings)\[(\d+)\](.*)")
_VISIBILITY = "EC-11"


def located(
    problems: Sequence[Problem],
    queues: Sequence[Queue],
    functions: Sequence[Function],
    mappings: Sequence[EventSourceMapping],
    locations: Mapping[str, str],
) -> list[Problem]:
    """Return the problems with file and line, as far as the template tells; `locations`: file and line by path."""
    names = {
        "queues": [queue.name for queue in queues],
        "functions": [function.name for function in functions],
        "mappings": [mapping.name for mapping in mappings],
    }
    return [attrs.evolve(each, where=_where(_candidates(each, names, mappings), locations)) for each in problems]


def _where(paths: Iterator[str], locations: Mapping[str, str]) -> str:
    return next((locations[path] for path in paths if path in locations), "")


def _candidates(
    problem: Problem, names: Mapping[str, Sequence[str]], mappings: Sequence[EventSourceMapping]
) -> Iterator[str]:
    """Yield the paths whose location would explain a problem, the best one first."""
    found = _PATH.fullmatch(problem.path)
    if found is None:
        yield f"{problem.path}.{problem.value.strip(chr(39))}"  # two resources of one name
        yield from (f"functions.{name}.reserved_concurrency" for name in names["functions"])
        return
    kind, index, field = found[1], int(found[2]), found[3]
    if problem.rule == _VISIBILITY:
        mapping = mappings[index]
        yield f"queues.{mapping.queue}.visibility_timeout"
        yield f"functions.{mapping.function}.timeout"
    path = f"{kind}.{names[kind][index]}"
    while field:
        yield path + field
        if field == ".fifo":  # follows from the name (FF-1)
            yield f"{path}.name"
        field = field[: max(field.rfind("."), field.rfind("["), 0)]
    yield path


# Mappings -------------------------------------------------------------------------------------------------------------

_REPORTS = "ReportBatchItemFailures"
_DEFAULT_POLLERS = (2, 200)  # minimum and maximum (EC-6)


def read_mapping(part: Part, queue: str, function: str, reading: Reading) -> EventSourceMapping:
    """Return a mapping from the properties of an event source mapping, or of a SAM function's SQS event."""
    plain = EventSourceMapping(queue, function)
    window, limit = "MaximumBatchingWindowInSeconds", "MaximumConcurrency"
    scaling = reading.table(part, "ScalingConfig", "maximum_concurrency")
    return EventSourceMapping(
        queue,
        function,
        batch_size=reading.whole(part, "BatchSize", "batch_size", plain.batch_size),
        maximum_batching_window=reading.whole(part, window, "maximum_batching_window", plain.maximum_batching_window),
        maximum_concurrency=reading.whole(scaling, limit, "maximum_concurrency", None) if scaling else None,
        report_batch_item_failures=_reports_failures(part, reading),
        filters=_filters(part, reading),
        enabled=reading.flag(part, "Enabled", "enabled", plain.enabled),
        provisioned_pollers=_pollers(part, reading),
    )


def _reports_failures(part: Part, reading: Reading) -> bool:
    key, field = "FunctionResponseTypes", "report_batch_item_failures"
    line = reading.line(part, key)
    reports = False
    for value in reading.items(part, key, field):
        match value:
            case Unknown(reason=reason):
                reading.assume(f"{part.name}: {key} {reason}; assumed not to report batch item failures")
            case Leaf(text=text) if text == _REPORTS:
                reading.came(part, field, key, text, line)
                reports = True
            case Leaf() | Items() | Table():
                reading.refuse(f"{part.path}.{field}", described(value), f"must be {_REPORTS} ({key})", line)
    return reports


def _filters(part: Part, reading: Reading) -> tuple[str, ...]:
    """Return the patterns; none at all if one is unknown, because a message needs to match only one of them."""
    criteria = reading.table(part, "FilterCriteria", "filters")
    patterns: list[str] = []
    for value in reading.items(criteria, "Filters", "filters") if criteria else ():
        pattern = _pattern(value, reading)
        match pattern:
            case Unknown(reason=reason):
                reading.assume(f"{part.name}: a pattern of FilterCriteria {reason}; assumed no filters")
                return ()
            case Leaf(value=str(text)):
                patterns.append(text)
            case _:
                line = reading.line(part, "FilterCriteria")
                reading.refuse(f"{part.path}.filters", described(pattern), "must be JSON text (Pattern)", line)
    if patterns:
        reading.came(part, "filters", "FilterCriteria", ", ".join(patterns), reading.line(part, "FilterCriteria"))
    return tuple(patterns)


def _pattern(value: Leaf | Items | Table | Unknown, reading: Reading) -> Leaf | Items | Table | Unknown:
    entry = value.get("Pattern") if isinstance(value, Table) else None
    resolved = value if entry is None else resolve(entry.node, reading.scope)
    return Unknown("is left out") if isinstance(resolved, Absent) else resolved


def _pollers(part: Part, reading: Reading) -> tuple[int, int] | None:
    field = "provisioned_pollers"
    config = reading.table(part, "ProvisionedPollerConfig", field)
    if config is None or not config.properties.entries:
        return None
    low = reading.whole(config, "MinimumPollers", field, _DEFAULT_POLLERS[0])
    high = reading.whole(config, "MaximumPollers", field, _DEFAULT_POLLERS[1])
    shown = f"MinimumPollers {low}, MaximumPollers {high}"
    reading.came(part, field, "ProvisionedPollerConfig", shown, reading.line(part, "ProvisionedPollerConfig"))
    return low, high


# Queues ---------------------------------------------------------------------------------------------------------------

_DEFAULT_DELIVERIES = 10  # the default that SetQueueAttributes states (DLQ-1)


def read_queue(part: Part, reading: Reading, references: References) -> Queue:
    """Return a queue from its resource's properties; its dead-letter queue may be outside the template."""
    plain = Queue(part.name)
    scope, limit = "deduplication_scope", "fifo_throughput_limit"
    wait, size = "ReceiveMessageWaitTimeSeconds", "MaximumMessageSize"
    content = "ContentBasedDeduplication"
    fifo = reading.flag(part, "FifoQueue", "fifo", plain.fifo if part.properties.get("FifoQueue") else False)
    return Queue(
        part.name,
        visibility_timeout=reading.whole(part, "VisibilityTimeout", "visibility_timeout", plain.visibility_timeout),
        retention_period=reading.whole(part, "MessageRetentionPeriod", "retention_period", plain.retention_period),
        delay=reading.whole(part, "DelaySeconds", "delay", plain.delay),
        receive_wait_time=reading.whole(part, wait, "receive_wait_time", plain.receive_wait_time),
        maximum_message_size=reading.whole(part, size, "maximum_message_size", plain.maximum_message_size),
        redrive=_redrive(part, reading, references, fifo=fifo),
        fifo=fifo,
        content_based_deduplication=reading.flag(part, content, "content_based_deduplication", default=False),
        deduplication_scope=reading.word(part, "DeduplicationScope", scope, DEDUPLICATION_SCOPES, "FF-7"),
        fifo_throughput_limit=reading.word(part, "FifoThroughputLimit", limit, FIFO_THROUGHPUT_LIMITS, "FF-8"),
        redrive_allow=_redrive_allow(part, reading),
    )


def _redrive(part: Part, reading: Reading, references: References, *, fifo: bool) -> Redrive | None:
    policy = _policy(part, "RedrivePolicy", "redrive", reading)
    if policy is None:
        return None
    if policy.properties.get("maxReceiveCount") is None:
        reading.assume(f"{part.name}: RedrivePolicy has no maxReceiveCount; assumed {_DEFAULT_DELIVERIES}")
    deliveries = reading.whole(policy, "maxReceiveCount", "max_receive_count", _DEFAULT_DELIVERIES)
    target = references.queue(policy, "deadLetterTargetArn", fifo=fifo)
    if target is None:
        return None
    line = reading.line(policy, "deadLetterTargetArn")
    reading.came(policy, "dead_letter_queue", "deadLetterTargetArn", target, line)
    return Redrive(target, deliveries)


def _redrive_allow(part: Part, reading: Reading) -> RedriveAllow | None:
    policy = _policy(part, "RedriveAllowPolicy", "redrive_allow", reading)
    if policy is None:
        return None
    permission: Permission = reading.word(policy, "redrivePermission", "permission", PERMISSIONS, "DLQ-17")
    sources: list[str] = []
    for value in reading.items(policy, "sourceQueueArns", "source_queues"):
        name = queue_in(value.text) if isinstance(value, Leaf) else None
        if isinstance(value, Unknown):
            reading.assume(f"{part.name}: sourceQueueArns {value.reason}; assumed that all queues may use it")
            return None
        if name is None:
            line = reading.line(policy, "sourceQueueArns")
            reading.refuse(f"{policy.path}.source_queues", described(value), "must be ARNs of SQS queues", line)
        else:
            sources.append(name)
    return RedriveAllow(permission, tuple(sources))


def _policy(part: Part, key: str, field: str, reading: Reading) -> Part | None:
    """Return a policy that is written as a mapping or as JSON text; None if it is missing or empty."""
    node = reading.node(part, key, field, None)
    if node is None:
        return None
    line = reading.line(part, key)
    table = _parsed(node, reading.file, line)
    if table is None:
        reading.refuse(f"{part.path}.{field}", described(node), f"must be a mapping or its JSON text ({key})", line)
    return (
        attrs.evolve(part, path=f"{part.path}.{field}", properties=table, line=line)
        if table and table.entries
        else None
    )


def _parsed(node: Node, file: str, line: int) -> Table | None:
    if isinstance(node, Leaf) and isinstance(node.value, str):
        try:
            node = parse(node.value, file, line=line)
        except InvalidDesign:
            return None
    return node if isinstance(node, Table) else None


# Assumed values that AWS would refuse ---------------------------------------------------------------------------------
#
# An assumed default must not make a design invalid that AWS deploys with the real value.

_UNBUFFERED = 10  # maximum batch size without a batching window (EC-3)


def settled(
    queues: Sequence[Queue],
    functions: Sequence[Function],
    mappings: Sequence[EventSourceMapping],
    reading: Reading,
) -> tuple[tuple[Queue, ...], tuple[Function, ...], tuple[EventSourceMapping, ...]]:
    """Return the parts, with assumed visibility timeouts and batching windows raised to what AWS requires."""
    timeouts = {function.name: function.timeout for function in functions}
    longest = {
        queue.name: max((timeouts[each.function] for each in mappings if each.queue == queue.name), default=0)
        for queue in queues
    }
    return (
        tuple(_visible_for(queue, longest[queue.name], reading) for queue in queues),
        tuple(functions),
        tuple(_buffered(mapping, reading) for mapping in mappings),
    )


def _visible_for(queue: Queue, timeout: int, reading: Reading) -> Queue:
    """Raise an assumed visibility timeout to the function's timeout (EC-11)."""
    if f"queues.{queue.name}.visibility_timeout" not in reading.assumed or queue.visibility_timeout >= timeout:
        return queue
    reading.assume(
        f"{queue.name}: AWS demands a visibility timeout of at least the function's timeout; assumed {timeout}"
    )
    return attrs.evolve(queue, visibility_timeout=timeout)


def _buffered(mapping: EventSourceMapping, reading: Reading) -> EventSourceMapping:
    """Raise an assumed batching window to 1 second for batches of more than 10 messages (EC-3)."""
    path = f"mappings.{mapping.name}.maximum_batching_window"
    if path not in reading.assumed or mapping.batch_size <= _UNBUFFERED or mapping.queue.endswith(".fifo"):
        return mapping
    reading.assume(f"{mapping.name}: AWS demands a batching window for a batch size over {_UNBUFFERED}; assumed 1")
    return attrs.evolve(mapping, maximum_batching_window=1)


# Event sources of functions -------------------------------------------------------------------------------------------

_NOT_OF_SQS = ("StartingPosition", "Topics", "Queues", "SelfManagedEventSource")
"""Properties that a mapping on a stream, Kafka or a broker must have, and a mapping on a queue must not."""


@attrs.frozen
class Source:
    """An event source of a function."""

    part: Part
    function: str
    """Name of the function, in the template or outside it."""
    queue_key: str = ""
    """Name of the property with the ARN of the queue; empty if the source is not a queue."""
    left_out: str = ""
    """Sentence that says that the source is left out; empty for a queue."""


def sources(references: References) -> Iterator[Source]:
    """Yield all event sources of functions, in the template's order."""
    template = references.template
    for resource in template.resources:
        if resource.kind == SAM_FUNCTION:
            yield from _events(resource, template.functions.of[resource.logical_id], references.reading)
        elif resource.kind == MAPPING:
            found = _source(resource, references)
            if found is not None:
                yield found


def _source(resource: Resource, references: References) -> Source | None:
    name = resource.logical_id
    part = Part(f"mappings.{name}", name, resource.properties, resource.line, resource.keys)
    if _is_on_queue(part, references.reading):
        invoked = references.function(part, "FunctionName")
        return Source(part, invoked, "EventSourceArn") if invoked is not None else None
    function = references.own_function(part, "FunctionName")
    text = f"event source {part.name} of {function} is left out: it is not an SQS queue"
    return Source(part, function, left_out=text) if function else None


def _is_on_queue(part: Part, reading: Reading) -> bool:
    """Return True if a mapping is on a queue; an unknown source counts as a queue, unless a property excludes it."""
    if any(part.properties.get(key) for key in _NOT_OF_SQS):
        return False
    entry = part.properties.get("EventSourceArn")
    value = resolve(entry.node, reading.scope) if entry else Absent()
    match value:
        case Absent():
            return False
        case Leaf(text=text) if text.startswith("arn:"):
            return text.split(":")[2:3] == ["sqs"]
        case _:
            return True


def _events(resource: Resource, function: str, reading: Reading) -> Iterator[Source]:
    own = Part(f"functions.{function}", function, resource.properties, resource.line, resource.keys)
    events = reading.table(own, "Events", "events")
    if events is None:
        return
    for label, entry in events.properties.entries.items():
        keys = (*own.keys, "Events", label, "Properties")
        part = Part(f"{own.path}.events.{label}", f"event {label} of {function}", events.properties, entry.line, keys)
        found = _event(part, entry, function, reading)
        if found is not None:
            yield found


def _event(part: Part, entry: Entry, function: str, reading: Reading) -> Source | None:
    value = resolve(entry.node, reading.scope)
    match value:
        case Absent():
            return None
        case Unknown(reason=reason):
            reading.assume(f"{part.name} {reason}; assumed not to be there")
            return None
        case Table(entries=entries):
            kind = entries.get("Type")
            name = text_of(kind.node) if kind else None
        case _:
            reading.refuse(part.path, described(value), "must be a mapping with Type and Properties", entry.line)
            return None
    event = attrs.evolve(part, properties=value)
    if subscribes(value) is not None:  # SAM makes a mapping of it
        return None
    if name != "SQS":
        return Source(event, function, left_out=f"{part.name} ({name}) is left out: it is not an SQS queue")
    properties = reading.table(event, "Properties", "properties")
    return Source(attrs.evolve(part, properties=properties.properties if properties else EMPTY), function, "Queue")


# The design -----------------------------------------------------------------------------------------------------------

_Part = TypeVar("_Part", Queue, Function)
_RESERVED = "ReservedConcurrentExecutions"


def assemble(references: References) -> tuple[Design, Mapping[str, Code]]:
    """Return the design of a template, and the code of its functions by name.

    Raises `InvalidDesign` if it has no mapping, or AWS would refuse it.
    """
    reading, template = references.reading, references.template
    found = list(sources(references))
    mappings = [mapping for source in found if (mapping := _mapping(source, references)) is not None]
    queues = _queues([mapping.queue for mapping in mappings], references)
    functions = _functions([mapping.function for mapping in mappings], references)
    code = {function.name: _code(function.name, references) for function in functions}
    queues = _queues(_used(code, references), references, queues)
    if reading.problems:
        raise InvalidDesign(sorted(reading.problems, key=_line))
    if not mappings:
        raise NoDesign(
            f"{reading.file}: maps no SQS queue to a Lambda function. Give the template that has the"
            " AWS::Lambda::EventSourceMapping, or the function with an event of type SQS."
        )
    _say_what_is_left_out(found, {function.name for function in functions}, references)
    resources = service_resources(template.resources, template.scope, template.file) + _imported(references)
    try:
        return Design(*settled(queues, functions, mappings, reading), resources=resources), code
    except InvalidDesign as error:
        raise InvalidDesign(located(error.problems, queues, functions, mappings, reading.locations)) from None


def _line(problem: Problem) -> int:
    return int(problem.where.rpartition(":")[2])


def _mapping(source: Source, references: References) -> EventSourceMapping | None:
    """Return the mapping of a source; None if it is not a queue, or a problem was noted."""
    queue = references.queue(source.part, source.queue_key) if source.queue_key else None
    if queue is None:
        return None
    reading, name, properties = references.reading, f"{queue}→{source.function}", source.part.properties
    part = reading.begin(Part(f"mappings.{name}", name, properties, source.part.line, source.part.keys))
    for key, field, value in (
        (source.queue_key, "queue", queue),
        ("FunctionName", "function", source.function),
    ):
        if properties.get(key) is not None:
            reading.came(part, field, key, value, reading.line(part, key))
    return read_mapping(part, queue, source.function, reading)


def _queues(names: Iterable[str], references: References, known: Iterable[Queue] = ()) -> list[Queue]:
    """Return some queues and the dead-letter queues that they lead to, with those that are known already."""
    resources = _by_name(references.template.resources, references.template.queues)
    found = {queue.name: queue for queue in known}
    wanted = list(names)
    for name in wanted:
        if name not in found:
            found[name] = _queue(name, resources.get(name), references)
            policy = found[name].redrive
            wanted += [policy.dead_letter_queue] if policy else []
    return _in_order(found, dict.fromkeys([*resources, *references.queues.values(), *found]))


def _queue(name: str, resource: Resource | None, references: References) -> Queue:
    if resource is None:
        other = references.others.template_of(arn("sqs", name, references.template.scope))
        return Queue(name) if other is None else _elsewhere(name, other, references)
    part = _part(name, resource, references.template.queues, references.reading)
    return read_queue(part, references.reading, references)


def _elsewhere(name: str, other: Template, references: References) -> Queue:
    """Return a queue of another template; its patches are not for this one's file."""
    own = references.reading
    reading = attrs.evolve(own, file=other.file, scope=other.scope, keys={})
    part = _part(name, _by_name(other.resources, other.queues)[name], other.queues, reading)
    return read_queue(part, reading, attrs.evolve(references, template=other, reading=reading))


def _imported(references: References) -> tuple[ServiceResource, ...]:
    """Return the resources of other services whose names or ARNs the template imports from others."""
    found: list[ServiceResource] = []
    for template in {id(each): each for each in references.others.imported.values()}.values():
        values = [value for value, of in references.others.imported.items() if of is template]
        used = [each for each in template.resources if _addresses(each, template).intersection(values)]
        found += service_resources(used, template.scope, template.file)
        references.template.scope.written.update(template.scope.written)
    return tuple(found)


def _addresses(resource: Resource, template: Template) -> set[str]:
    own = (name for name in template.scope.known if name.partition(".")[0] == resource.logical_id)
    return {node.text for name in own if isinstance(node := template.scope.known[name], Leaf)}


def _functions(mapped: Iterable[str], references: References) -> list[Function]:
    template, reading = references.template, references.reading
    resources = _by_name(template.resources, template.functions)
    found: dict[str, Function] = {}
    for name in dict.fromkeys(mapped):
        if name in resources:
            part = _part(name, resources[name], template.functions, reading)
            found[name] = read_function(part, reading, template.resources)
        else:
            found[name] = Function(name)
    return _in_order(found, [*resources, *references.functions.values()])


def _code(name: str, references: References) -> Code:
    resource = _by_name(references.template.resources, references.template.functions).get(name)
    if resource is None:
        return Code(modelled=f"it is not in {references.template.file}")
    part = Part(f"functions.{name}", name, resource.properties, resource.line, resource.keys)
    return code_of(part, resource, references.template.resources, references.reading)


def _used(code: Mapping[str, Code], references: References) -> Iterator[str]:
    """Yield the queues that the functions know from their variables; those outside the template are assumed."""
    for function, own in code.items():
        for name in queues_in(own.environment.values(), references.template.queues):
            references.outside_queue_in_variable(name, function)
            yield name


def _part(name: str, resource: Resource, names: Names, reading: Reading) -> Part:
    kind, key = ("queues", "QueueName") if resource.kind == QUEUE else ("functions", "FunctionName")
    part = reading.begin(Part(f"{kind}.{name}", name, resource.properties, resource.line, resource.keys))
    if resource.logical_id in names.doubts:
        reading.assume(names.doubts[resource.logical_id])
    elif resource.properties.get(key) is not None:
        reading.came(part, "name", key, name, reading.line(part, key))
    return part


def _by_name(resources: Iterable[Resource], names: Names) -> Mapping[str, Resource]:
    return {names.of[each.logical_id]: each for each in resources if each.logical_id in names.of}


def _in_order(found: Mapping[str, _Part], names: Iterable[str]) -> list[_Part]:
    return [found[name] for name in names if name in found]


def _say_what_is_left_out(found: Iterable[Source], functions: Container[str], references: References) -> None:
    """Note other events of the design's functions, and concurrency that other functions reserve."""
    template, reading = references.template, references.reading
    for source in found:
        if source.left_out and source.function in functions:
            reading.left_out[source.left_out] = None
    for name, resource in _by_name(template.resources, template.functions).items():
        entry = resource.properties.get(_RESERVED) if name not in functions else None
        value = resolve(entry.node, template.scope) if entry else Absent()
        amount = None if isinstance(value, Absent | Unknown) else whole_number(value)
        if amount:
            why = f"no SQS queue invokes it, and its {amount} reserved executions count as free"
            reading.left_out[f"{name} is left out: {why}"] = None
