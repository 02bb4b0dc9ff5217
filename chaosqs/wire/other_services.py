"""AWS's other services in process, answered by moto: DynamoDB, S3, SNS, EventBridge, SSM, Secrets Manager and more.

Each world has a moto of its own. The state of moto's backends is put in place for one call and taken away after it, so
worlds see nothing of each other, nor of a test's own `mock_aws`. Identifiers depend on a seed given with each call.
moto's SQS never answers: what a topic, a bucket or a rule passes on to a queue is handed to `deliver`.

The caller sees to it that `time` and `datetime` show virtual time. Names that moto imported from `datetime` follow.
"""

from __future__ import annotations

import copyreg
import pickle
import re
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from hashlib import sha256
from io import BytesIO
from types import ModuleType
from typing import Protocol, TypeAlias, TypeGuard

import attrs
import moto.backends
import moto.core.responses
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto import backend_index
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import MockRawResponse
from moto.core.model_instances import reset_model_data
from moto.core.request import normalize_request
from moto.core.utils import iso_8601_datetime_with_milliseconds, method_names_from_class, unix_time
from moto.moto_api._internal import mock_random
from moto.sns.models import Subscription, Topic
from moto.sqs.models import sqs_backends
from werkzeug.exceptions import HTTPException

from chaosqs.kernel.context import turns
from chaosqs.sqs.api.region import ACCOUNT, REGION

# Deliveries of other services to queues ------------------------------------------------------------------------------


@attrs.frozen
class Delivery:
    """A message that another service sends to a queue."""

    region: str
    queue: str
    body: str
    attributes: Mapping[str, Mapping[str, object]]
    """Message attributes, as SendMessage takes them."""
    group: str = ""
    deduplication_id: str = ""


@attrs.frozen
class _Queue:
    fifo_queue: bool


@attrs.frozen
class _Queues:
    """Stands in for moto's SQS in one Region."""

    deliver: Callable[[Delivery], None]
    region: str = REGION

    def __getitem__(self, region: str) -> _Queues:
        return _Queues(self.deliver, region)

    def get_queue(self, name: str) -> _Queue:
        """Return a queue, for a subscription; only FIFO queues end in .fifo (FF-1)."""
        return _Queue(name.endswith(".fifo"))

    def get_queue_attributes(self, queue_name: str, attribute_names: object) -> dict[str, str]:
        """Return that a FIFO queue needs no deduplication id; if it does, it refuses the message itself (FF-3)."""
        del queue_name, attribute_names
        return {"ContentBasedDeduplication": "true"}

    def send_message(
        self,
        queue_name: str,
        message_body: str,
        message_attributes: Mapping[str, Mapping[str, object]] | None = None,
        *,
        deduplication_id: str | None = None,
        group_id: str | None = None,
        validate_group_id: bool = True,
    ) -> None:
        """Hand a message over."""
        del validate_group_id
        attributes = message_attributes or {}
        delivery = Delivery(self.region, queue_name, message_body, attributes, group_id or "", deduplication_id or "")
        self.deliver(delivery)


# Topics ---------------------------------------------------------------------------------------------------------------

_INTERVAL = 300
"""Seconds in which a FIFO topic passes on no other message with the same deduplication id."""


class _Publish(Protocol):
    def __call__(self, topic: Topic, message: str, **options: object) -> str: ...


def _publish(original: _Publish) -> object:
    """Give a message to a FIFO topic a deduplication id, and pass it on once (SNS Developer Guide, fifo-message-dedup).

    Queues get the id, whether they make one of the content themselves or not.
    """

    def publish(self: Topic, message: str, **options: object) -> str:
        if str(self.fifo_topic).lower() != "true":
            return original(self, message, **options)
        identifier = options.get("deduplication_id") or sha256(message.encode()).hexdigest()
        in_groups = vars(self).get("fifo_throughput_scope") == "MessageGroup"
        key = identifier, options.get("group_id") if in_groups else None
        known: dict[object, tuple[float, str]] = vars(self).setdefault("chaosqs_known", {})
        since, message_id = known.get(key, (0.0, ""))
        if not message_id or unix_time() - since >= _INTERVAL:
            vars(self)["chaosqs_number"] = vars(self).get("chaosqs_number", 0) + 1
            message_id = original(self, message, **{**options, "deduplication_id": identifier})
            known[key] = unix_time(), message_id
        return message_id  # Assumed: a repetition gets the id of the first, as from a FIFO queue (FF-6)

    return publish


def _notification(
    self: Subscription,
    message: str,
    message_id: str,
    subject: str | None,
    message_attributes: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return the body of a notification without raw delivery (SNS Developer Guide, sns-message-and-json-formats).

    It has no valid signature: moto would make a key for each subscription, another one in each process. That of a FIFO
    topic has none on AWS either, but a number.
    """
    address = f"https://sns.{self.topic.sns_backend.region_name}.amazonaws.com"
    number: int = vars(self.topic).get("chaosqs_number", 0)
    signature = {
        "SignatureVersion": "1",
        "Signature": "chaosqs",
        "SigningCertURL": f"{address}/SimpleNotificationService-chaosqs.pem",
    }
    return {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": self.topic.arn,
        **({"Subject": subject} if subject else {}),
        "Message": message,
        "Timestamp": iso_8601_datetime_with_milliseconds(),
        **({"SequenceNumber": str(_FIRST_NUMBER + 1000 * number)} if number else signature),
        "UnsubscribeURL": f"{address}/?Action=Unsubscribe&SubscriptionArn={self.arn}",
        **({"MessageAttributes": message_attributes} if message_attributes else {}),
    }


_FIRST_NUMBER = 10**19
"""The sequence numbers of FIFO topics follow this one, in steps of 1,000."""

# Requests to moto -----------------------------------------------------------------------------------------------------

_Method: TypeAlias = Callable[[object, str, object], tuple[int, Mapping[str, str], str | bytes]]
_Contents: TypeAlias = dict[object, object]


@attrs.frozen
class _State:
    """The state of moto's services in one world."""

    instances: list[_Contents] = attrs.field(factory=list[_Contents])
    """Services that have state, as moto lists them."""
    contents: list[tuple[_Contents, _Contents]] = attrs.field(factory=list[tuple[_Contents, _Contents]])
    """Dictionaries of moto's that hold it, each with its contents."""


@attrs.frozen
class Saved:
    """A copy of the state of moto's services: to restore it takes a twentieth of the time that making it does."""

    instances: list[_Contents]
    places: list[_Contents]
    """Dictionaries of moto's that hold the state."""
    contents: bytes
    """The contents of each, pickled."""


def _pickled(contents: list[_Contents]) -> bytes:
    """Copy contents while `datetime` may be replaced; raise TypeError for what moto has once for all worlds."""
    copied = BytesIO()
    pickler = pickle.Pickler(copied, pickle.HIGHEST_PROTOCOL)
    date: type = vars(sys.modules["datetime"])["datetime"].__mro__[-3]  # under all replacements
    shared: list[type] = [BackendDict, *BackendDict.__subclasses__()]
    pickler.dispatch_table = {**copyreg.dispatch_table, date: _as_text, **dict.fromkeys(shared, _refuse)}
    pickler.dump(contents)
    return copied.getvalue()


def _as_text(date: object) -> tuple[Callable[[str], object], tuple[str]]:
    return _date, (str(date),)


def _date(text: str) -> object:
    read: Callable[[str], object] = vars(sys.modules["datetime"])["datetime"].fromisoformat
    return read(text)


def _refuse(backends: object) -> tuple[Callable[[str], object], tuple[str]]:
    raise TypeError(f"{backends!r} is shared by all worlds")


_NEVER = ("awslambda", "moto_api", "sqs")
"""Services that moto does not answer for: SQS and Lambda are those of the simulation."""
_LOADED = set[str]()
"""Services whose modules this process has imported."""
_ONE_AT_A_TIME = turns()


@attrs.define(eq=False)
class OtherServices:
    """AWS's other services of one world."""

    deliver: Callable[[Delivery], None]
    """Takes what services pass on to queues."""
    _state: _State = attrs.field(factory=_State)
    _files: list[_File] = attrs.field(factory=list["_File"])
    """Contents of objects in buckets."""

    def load(self, request: AWSPreparedRequest) -> None:
        """Import what answers a request. The identity of moto's services must not depend on a simulation's chance."""
        service = _service_at(_address(request))
        if service and service not in {*_NEVER, *_LOADED}:
            with self._in_place():
                _routes(service)
            _LOADED.add(service)

    def answer(self, request: AWSPreparedRequest, seed: int) -> AWSResponse | None:
        """Answer a request; return None if moto does not implement its operation. Identifiers depend on the seed."""
        address = _address(request)
        service = _service_at(address)
        if not service or service in _NEVER:
            return None
        with self._in_place():
            method = next((method for pattern, method in _routes(service) if pattern.match(address)), None)
            mock_random.seed(seed)
            try:
                return None if method is None else _answered(request, method)
            except NotImplementedError:
                return None

    def close(self) -> None:
        """Forget all resources and their contents."""
        for file in self._files:
            file.dispose()
        self._files.clear()
        self._state = _State()
        reset_model_data()  # moto keeps track of each item that was ever put

    def saved(self) -> Saved | None:
        """Return a copy of all resources and their contents, or None if some cannot be copied."""
        held = self._state.contents
        try:
            copied = _pickled([contents for _, contents in held])
        except (AttributeError, TypeError, pickle.PicklingError):
            return None
        return Saved(self._state.instances.copy(), [place for place, _ in held], copied)

    def restore(self, saved: Saved) -> None:
        """Begin with a copy of saved resources."""
        contents: list[_Contents] = pickle.loads(saved.contents)  # noqa: S301 - pickled in this process
        self._state = _State(saved.instances.copy(), list(zip(saved.places, contents, strict=True)))

    @contextmanager
    def _in_place(self) -> Generator[None]:
        """Put the state of this world in the place of moto's within a `with` block."""
        with _ONE_AT_A_TIME:
            files = [(kind, len(kind.instances_tracked)) for kind in _kinds_of_files()]
            theirs, originals = _taken(), [(owner, name, vars(owner)[name]) for owner, name, _ in _replaced()]
            _put(self._state)
            _DICTIONARY.update(_sqs(), {ACCOUNT: _Queues(self.deliver)})
            for owner, name, replacement in _replaced():
                setattr(owner, name, replacement)
            try:
                yield
            finally:
                for owner, name, original in originals:
                    setattr(owner, name, original)
                for kind, known in files:
                    self._files.extend(kind.instances_tracked[known:])
                _DICTIONARY.clear(_sqs())
                self._state = _taken()
                _put(theirs)


def _address(request: AWSPreparedRequest) -> str:
    return request.url.partition("?")[0]


def _answered(request: AWSPreparedRequest, method: _Method) -> AWSResponse:
    normalized = normalize_request(request)
    try:
        status, headers, body = method(normalized, normalized.raw_url, normalized.headers)
    except HTTPException as error:
        status, headers, body = error.code or 500, dict(error.get_headers()), error.get_body()
    return AWSResponse(request.url, status, headers, MockRawResponse(body))  # type: ignore[arg-type]


@lru_cache(maxsize=1024)
def _service_at(address: str) -> str:
    """Return moto's name of the service at an address, a URL without its query; empty if there is none."""
    return next((name for name, pattern in backend_index.backend_url_patterns if pattern.match(address)), "")


class _Backend(Protocol):
    @property
    def urls(self) -> Mapping[str, _Method]: ...


@cache
def _routes(service: str) -> Sequence[tuple[re.Pattern[str], _Method]]:
    """Return the methods of a service by their URLs. moto compiles the patterns anew for each request."""
    find: Callable[[str], Mapping[str, Mapping[str, _Backend]]] = vars(moto.backends)["get_backend"]
    in_account = find(service)[ACCOUNT]
    backend = in_account[REGION if REGION in in_account else "aws"]
    return [(re.compile(url), method) for url, method in backend.urls.items()]


class _File(Protocol):
    def dispose(self) -> None: ...


class _KindOfFile(Protocol):
    @property
    def instances_tracked(self) -> list[_File]: ...


def _kinds_of_files() -> list[_KindOfFile]:
    """Return the classes of moto's S3 that open files, if it is imported."""
    storage = sys.modules.get("moto.s3.models")
    return [] if storage is None else [vars(storage)["FakeKey"], vars(storage)["FakeMultipart"]]


# The state of moto ----------------------------------------------------------------------------------------------------


_DICTIONARY = dict[object, object]
"""The methods of a dictionary itself: moto's own create what they are asked for."""


def _sqs() -> _Contents:
    found: object = sqs_backends
    assert _is_dictionary(found)
    return found


def _taken() -> _State:
    """Take the state of all services away from moto, and return it."""
    instances = _instances()
    state = [(held, _DICTIONARY.copy(held)) for backends in instances for held in _dictionaries(backends)]
    for held, _ in state:
        _DICTIONARY.clear(held)
    kept = instances.copy()
    instances.clear()
    return _State(kept, state)


def _put(state: _State) -> None:
    for held, contents in state.contents:
        _DICTIONARY.update(held, contents)
    _instances().extend(state.instances)


def _dictionaries(backends: _Contents) -> Iterator[_Contents]:
    """Yield all dictionaries that hold state of a service: its accounts, and what S3 shares between them."""
    yield backends
    for held in vars(backends).values():
        if _is_dictionary(held):
            yield held


def _instances() -> list[_Contents]:
    found: object = vars(BackendDict)["_instances"]
    assert _is_state(found)
    return found


def _is_state(value: object) -> TypeGuard[list[_Contents]]:
    return isinstance(value, list)


def _is_dictionary(value: object) -> TypeGuard[_Contents]:
    return isinstance(value, dict)


def _replaced() -> list[tuple[ModuleType | type, str, object]]:
    """Return what is replaced in moto during a call: names imported from `datetime`, and methods of SNS."""
    shown = vars(sys.modules["datetime"])
    names = [(module, name, shown[name]) for module, name in _imported_dates(len(sys.modules))]
    topics = (Topic, "publish", _publish(vars(Topic)["publish"])), (Subscription, "get_post_data", _notification)
    return [*names, *topics, (moto.core.responses, "method_names_from_class", _method_names)]


_method_names = lru_cache(maxsize=100)(method_names_from_class)


@lru_cache(maxsize=1)
def _imported_dates(modules: int) -> Sequence[tuple[ModuleType, str]]:
    """Return the names that modules of moto imported from `datetime`; `modules`: number of loaded modules, of all."""
    del modules
    loaded = [module for name, module in tuple(sys.modules.items()) if name.startswith("moto.")]
    return [
        (module, name)
        for module in loaded
        for name in ("date", "datetime")
        if getattr(vars(module).get(name), "__module__", "") == "datetime"
    ]
