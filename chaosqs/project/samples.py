"""The messages of each queue that real handlers poll, and where they come from.

In this order: what `bodies` of `[tool.chaosqs.functions.NAME]` names; samples in the project's files, matched to the
queue by the ARN in the event, by the file's name, or by the handler that accepts them; what a handler sends to the
queue when it gets its own samples; for a dead-letter queue, the messages of its sources; the notifications of a bucket.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeGuard
from urllib.parse import quote_plus

import attrs
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import InvalidInput, InvalidScenario, SimulationError
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import REGION_NAME, Design, EventSourceMapping
from chaosqs.model.json import Json, from_json, parsed, to_json
from chaosqs.model.message import Message
from chaosqs.project.child import Child
from chaosqs.project.discovery import Source, attribute_of, module_of
from chaosqs.project.sample_files import Sample, document_in, found, read
from chaosqs.project.settings import Settings
from chaosqs.project.wording import first_line
from chaosqs.search.messages import fitted, refused, source_of
from chaosqs.simulation.alone import Handled, handled
from chaosqs.strategies.messages import MessageSource
from chaosqs.strategies.schema import from_schema, is_schema

_MOST_SAMPLES = 20
"""Maximum samples of a queue."""


@attrs.frozen
class QueueMessages:
    """The messages of one queue."""

    origin: str
    """Their origin, as a clause: `bodies from events/order.json`."""
    samples: tuple[Message, ...] = ()
    given: str = ""
    """`path.py:name` of a strategy, or a file with a JSON Schema; empty if they come from samples."""


@attrs.frozen
class FoundMessages:
    """The messages of the queues of a design."""

    queues: Mapping[str, QueueMessages] = attrs.field(factory=dict[str, QueueMessages])
    notices: tuple[str, ...] = ()
    """A line for each file and sample that is not used."""
    missing: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Reasons why functions cannot be judged: their queues have no samples, and files that may have them are broken."""

    def sources(self, design: Design, root: Path) -> dict[str, MessageSource]:
        """Return the sources that a search draws messages from, by queue name."""
        found: dict[str, MessageSource] = {}
        for name, each in self.queues.items():
            strategy = strategy_at(each.given, root)
            own = source_of(design.queue(name), each.samples if strategy is None else strategy, name)
            found[name] = attrs.evolve(own, origin=each.origin)
        return found


def found_messages(
    source: Source,
    behaviours: Mapping[str, Behaviour],
    settings: Settings,
    child: Child,
    broken: Container[str] = (),
) -> FoundMessages:
    """Return the messages of the queues that real handlers of a design poll. The child runs these handlers.

    `broken`: functions whose handlers cannot be run. Their queues may have dead-letter queues that others poll.
    Raises `InvalidInput` for `bodies` that are wrong; other files that are wrong are named in notices.
    """
    search = _Finding(source.design, {name: each for name, each in behaviours.items() if each.handler}, child, broken)
    search.configured(source, settings)
    if search.open():
        files = found(child.root, source.path.parent)
        search.notices += files.notices
        search.unusable = files.broken
        search.matched(files.samples)
    search.chained()
    if search.notified():
        search.chained()
    return FoundMessages(search.queues, tuple(dict.fromkeys(search.notices)), search.missing())


@attrs.frozen
class LoneMessages:
    """Messages for one handler."""

    design: Design
    mapping: str
    messages: tuple[Message, ...]
    behaviour: Behaviour

    def run(self) -> Handled:
        """Run them."""
        return handled(self.design, self.mapping, self.messages, self.behaviour)


def tried(text: str) -> str:
    """Run them, as a job of the child, and return its result as JSON."""
    return to_json(from_json(LoneMessages, text).run())


@attrs.define
class _Finding:
    """The queues of a design whose messages are being found."""

    design: Design
    real: Mapping[str, Behaviour]
    """The functions that are real code."""
    child: Child
    broken: Container[str] = ()
    """The functions of these that cannot be run."""
    queues: dict[str, QueueMessages] = attrs.field(factory=dict[str, QueueMessages])
    notices: list[str] = attrs.field(factory=list[str])
    unusable: Sequence[str] = ()
    """Problems of files that have no samples, each with file and line."""

    def polled(self) -> Iterator[EventSourceMapping]:
        """Yield the mappings of real handlers."""
        return (each for each in self.design.mappings if each.enabled and each.function in self.real)

    def open(self) -> list[EventSourceMapping]:
        """Return the mappings of real handlers whose messages are not known yet."""
        return [each for each in self.polled() if each.queue not in self.queues]

    def missing(self) -> dict[str, str]:
        """Return the functions whose queues are open although there are files for samples: those files are broken."""
        found = {each.function: f"{each.queue} has no sample messages" for each in self.open() if self.unusable}
        advice = "mend or remove the file, or name samples: bodies of [tool.chaosqs.functions.{}]"
        return {
            name: "\n".join([f"{why}: {'; '.join(self.unusable)}", advice.format(name)]) for name, why in found.items()
        }

    # Samples that the settings name

    def configured(self, source: Source, settings: Settings) -> None:
        """Take what `bodies` of a function's settings name for the queues that it polls."""
        for mapping in self.polled():
            alias = source.code[mapping.function].alias if mapping.function in source.code else ""
            names = [name for name in (mapping.function, alias) if name in settings.functions]
            bodies = [each for name in names for each in settings.functions[name].bodies]
            if bodies:
                self.queues[mapping.queue] = self._given(mapping, bodies)

    def _given(self, mapping: EventSourceMapping, bodies: Sequence[str]) -> QueueMessages:
        samples, root = list[Message](), self.child.root
        origin = f"bodies from {', '.join(bodies)}"
        for each in bodies:
            where = f"[tool.chaosqs.functions.{mapping.function}]: bodies = {each!r}"
            if ".py:" in each:
                value = _named_value(each, root, where)
                if _is_strategy(value):
                    return QueueMessages(origin, given=each)
                samples += source_of(self.design.queue(mapping.queue), _several(value, where), where).samples
            elif not (root / each).is_file():
                raise InvalidInput(f"{where}: there is no such file in {root}")
            elif is_schema(document_in(root / each, root)):
                strategy_at(each, root)
                return QueueMessages(origin, given=each)
            else:
                samples += [sample.message for sample in read(root / each, root)]
        return QueueMessages(origin, self._fitting(mapping.queue, samples))

    # Files

    def matched(self, samples: Sequence[Sample]) -> None:
        """Give each queue the samples that are its own by ARN or file name, else those that its handler accepts."""
        rest: list[Sample] = []
        own: dict[str, list[Sample]] = {}
        names = [each.queue for each in self.open() if each.queue not in self._dead_letter_queues()]
        for sample in samples:
            queue = sample.queue if sample.queue in [each.queue for each in self.open()] else self._named(sample, names)
            if queue:
                own.setdefault(queue, []).append(sample)
            else:
                rest.append(sample)
        for queue, each in own.items():
            self._take(queue, each)
        others = [name for name in names if name not in self.queues]
        if rest and len(names) == 1 and others:
            self._take(others[0], rest)
        elif rest:
            self._accepted(rest, others)

    def _named(self, sample: Sample, queues: Sequence[str]) -> str:
        """Return the one queue whose name, or whose function's name, has most words of the file's name; or nothing."""
        words = _words(sample.queue) or _words(sample.file.rpartition("/")[2].partition(".")[0])
        scores = {queue: len(words & self._words_of(queue)) for queue in queues}
        best = [queue for queue, score in scores.items() if score and score == max(scores.values())]
        return best[0] if len(best) == 1 else ""

    def _words_of(self, queue: str) -> set[str]:
        functions = [each.function for each in self.design.mappings if each.queue == queue]
        return _words(queue).union(*map(_words, functions))

    def _accepted(self, samples: Sequence[Sample], queues: Sequence[str]) -> None:
        """Give samples of unknown queues to the queues whose handlers accept them."""
        for queue in queues:
            result = self._run(queue, [sample.message for sample in samples])
            taken = [samples[index] for index in (() if result is None else result.accepted)]
            if taken:
                self._take(queue, taken)

    def _take(self, queue: str, samples: Sequence[Sample]) -> None:
        files = list(dict.fromkeys(sample.file for sample in samples))
        origin = f"bodies from {files[0]}" + (f" and {len(files) - 1} more" if len(files) > 1 else "")
        messages = self._fitting(queue, [sample.message for sample in samples])
        if messages:
            self.queues[queue] = QueueMessages(origin, messages)

    def _fitting(self, name: str, samples: Iterable[Message]) -> tuple[Message, ...]:
        """Return the samples that a queue takes, each once; the others are named in notices."""
        queue, kept = self.design.queue(name), dict[Message, None]()
        for sample in samples:
            problems = refused(sample, queue, name)
            self.notices += [f"a sample is not used: {problem}" for problem in problems]
            if not problems:
                kept[fitted(sample, queue)] = None
        return tuple(kept)[:_MOST_SAMPLES]

    # Messages that handlers send, and dead letters

    def chained(self) -> None:
        """Give queues without samples the messages that handlers send to them, and dead-letter queues their sources'.

        A handler's queue is asked once, so chains of any length, and circles, end.
        """
        asked = set[str]()
        while self.open():
            self._share_with_dead_letter_queues()
            ready = [each for each in self.polled() if each.queue in self.queues and each.name not in asked]
            if not ready or not self.open():
                return
            for mapping in ready:
                asked.add(mapping.name)
                result = self._run(mapping.queue, self._samples_of(mapping.queue))
                if result is None:
                    continue
                for queue, messages in result.sent.items():
                    own = self._fitting(queue, messages) if queue not in self.queues else ()
                    if own:
                        self.queues[queue] = QueueMessages(f"bodies that {mapping.function} sends", own)

    def notified(self) -> bool:
        """Give queues without samples the notifications of the design's buckets; return whether there are any."""
        told = dict(_notifications(self.design))
        for name in dict.fromkeys(each.queue for each in self.open()):
            bucket, bodies = told.get(name, ("", ()))
            own = self._fitting(name, map(Message, bodies))
            if own:
                self.queues[name] = QueueMessages(f"notifications of bucket {bucket}", own)
        return any(name in self.queues for name in told)

    def _samples_of(self, queue: str) -> tuple[Message, ...]:
        known = self.queues[queue]
        strategy = strategy_at(known.given, self.child.root)
        return known.samples if strategy is None else source_of(self.design.queue(queue), strategy, queue).samples

    def _dead_letter_queues(self) -> dict[str, str]:
        """Return the source of each dead-letter queue."""
        redrives = [(each.redrive.dead_letter_queue, each.name) for each in self.design.queues if each.redrive]
        return dict(redrives)

    def _share_with_dead_letter_queues(self) -> None:
        for target, queue in self._dead_letter_queues().items():
            if queue in self.queues and target not in self.queues:
                known = self.queues[queue]
                self.queues[target] = attrs.evolve(known, origin=f"messages of {queue}")

    def _run(self, queue: str, messages: Sequence[Message]) -> Handled | None:
        """Run a queue's handler on messages; None if it cannot be run."""
        mapping = next((each for each in self.polled() if each.queue == queue), None)
        fitting = self._fitting(queue, messages)
        if mapping is None or mapping.function in self.broken or len(fitting) != len(messages) or not messages:
            return None
        try:
            trial = LoneMessages(self.design, mapping.name, tuple(messages), self.real[mapping.function])
            if not self.child.separate:
                return trial.run()
            return from_json(Handled, self.child.run(tried, to_json(trial), group="loading"))
        except InvalidScenario:  # as of a broken setup function: the mapping's check says it
            return None
        except (InvalidInput, SimulationError) as error:
            self.notices.append(f"{queue}: {mapping.function} could not be run on samples: {first_line(error)}")
            return None


_COMMON = {
    "event",
    "sqs",
    "queue",
    "message",
    "sample",
    "test",
    "dev",
    "prod",
    "stage",
    "function",
    "handler",
    "lambda",
    "fifo",
}


def _words(text: str) -> set[str]:
    """Return the words of a name in singular, without those that say nothing: `OrdersQueue` → {order}."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", text)
    words = {part.lower().removesuffix("s") for part in parts}
    return {word for word in words if len(word) > 1 and word not in _COMMON}


# Values in Python files ----------------------------------------------------------------------------------------------


def strategy_at(given: str, root: Path) -> SearchStrategy[object] | None:
    """Return the strategy at `path.py:name`, or for a JSON Schema in a file; None for an empty text."""
    if given.endswith(".json"):
        schema = document_in(root / given, root)
        return from_schema(schema if isinstance(schema, dict) else {}, given)
    value = _value_at(given, root) if given else None
    return value if _is_strategy(value) else None


def _is_strategy(value: object) -> TypeGuard[SearchStrategy[object]]:
    """Return True for a Hypothesis strategy."""
    return isinstance(value, SearchStrategy)


def _is_several(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _value_at(given: str, root: Path) -> object:
    """Return the value at `path.py:name`; a function is called."""
    file, _, name = given.rpartition(":")
    value = attribute_of(module_of(root / file, shown=file, root=root), name, shown=file)
    if callable(value) and not _is_strategy(value):
        try:
            value = value()
        except Exception as error:  # noqa: BLE001 - any code of the user
            raise InvalidInput(f"{given}: raised {type(error).__name__}: {first_line(error)}") from None
    return value


def _named_value(given: str, root: Path, where: str) -> object:
    """Return the value that a setting names. Raises `InvalidInput` with the setting's name."""
    try:
        return _value_at(given, root)
    except InvalidInput as error:
        raise InvalidInput(f"{where}\n{first_line(error)}") from None


def _several(value: object, where: str) -> list[object]:
    if _is_several(value):
        return list(value)
    if isinstance(value, str | Message | dict):
        return [value]
    raise InvalidInput(f"{where}: must be samples, a function that returns them, or a strategy, not {value!r:.60}")


# Notifications of S3 --------------------------------------------------------------------------------------------------


def _notifications(design: Design) -> Iterator[tuple[str, tuple[str, Sequence[str]]]]:
    """Yield the queues that buckets notify, each with the bucket and with what it sends of two new objects."""
    for resource in design.resources:
        if resource.type == "AWS::S3::Bucket":
            for queue, event, entry in _notified(parsed(resource.properties)):
                bodies = [_notification(resource.name, key, event) for key in _keys(entry)]
                yield queue, (resource.name, bodies)


def _notified(properties: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield the queues that a bucket notifies, each with the kind of event and what is configured."""
    match properties:
        case {"NotificationConfiguration": {"QueueConfigurations": [*entries]}}:
            for entry in entries:
                match entry:
                    case {"Queue": str(queue), "Event": str(event)}:
                        yield queue.rpartition(":")[2], event, entry
                    case _:
                        pass
        case _:
            pass


def _keys(entry: Json) -> Sequence[str]:
    """Return keys that the filter of a notification lets pass."""
    ends = {"prefix": "", "suffix": ""}
    match entry:
        case {"Filter": {"S3Key": {"Rules": [*rules]}}}:
            for rule in rules:
                match rule:
                    case {"Name": str(name), "Value": str(value)}:
                        ends[name.lower()] = value
                    case _:
                        pass
        case _:
            pass
    return [f"{ends['prefix']}object-{number}{ends['suffix']}" for number in (1, 2)]


def _notification(bucket: str, key: str, event: str) -> str:
    """Return the body of a notification of S3 (S3 User Guide, notification-content-structure)."""
    kind = event.removeprefix("s3:").replace("ObjectCreated:*", "ObjectCreated:Put")
    found = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION_NAME,
        "eventTime": "2025-12-01T00:00:00.000Z",
        "eventName": kind.replace("ObjectRemoved:*", "ObjectRemoved:Delete"),
        "userIdentity": {"principalId": "EXAMPLE"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": "EXAMPLE", "x-amz-id-2": "EXAMPLE"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "EXAMPLE",
            "bucket": {"name": bucket, "ownerIdentity": {"principalId": "EXAMPLE"}, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {
                "key": quote_plus(key, safe="/"),
                "size": 7,
                "eTag": "EXAMPLE",
                "sequencer": "0055AED6DCD90281E5",
            },
        },
    }
    return json.dumps({"Records": [found]})
