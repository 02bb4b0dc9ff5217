"""Shortcuts in botocore while a transport is open: its own results at less cost, and nothing that only a network needs.

An execution environment makes its clients anew, so a search makes thousands. botocore spends most of that time on
copies, signatures of functions, names and settings for connections.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, ModuleType
from typing import Protocol, TypeGuard

import botocore.awsrequest
import botocore.hooks
import botocore.httpsession
import botocore.useragent
from botocore.endpoint import EndpointCreator
from botocore.hooks import EventAliaser


class Function(Protocol):
    """A function or method that is replaced."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Be called as the original is."""
        ...


def _alias_event_name(original: Function) -> object:
    """Share the names of events between clients: each looks through all aliases for each of its events."""

    def alias_event_name(self: EventAliaser, event_name: str) -> object:
        if vars(self)["_event_aliases"] != vars(botocore.hooks)["EVENT_ALIASES"]:
            return original(self, event_name)
        if event_name not in _NAMES:
            _NAMES[event_name] = original(self, event_name)
        return _NAMES[event_name]

    return alias_event_name


_NAMES: dict[str, object] = {}
"""The names that botocore uses for events, by those that were given; there are some hundreds."""


class _Lists(Protocol):
    def __init__(self, first: list[object], middle: list[object], last: list[object]) -> None: ...


def _recursive_copy(_: Function) -> object:
    """Copy a tree of handlers of events without the generic `copy.copy` for each of its lists."""
    kind: type[_Lists] = vars(botocore.hooks)["NodeList"]

    def recursive_copy(_self: object, node: Mapping[str, object]) -> dict[str, object]:
        copied: dict[str, object] = {}
        for key, value in node.items():
            if _is_lists(value):
                copied[key] = kind(value[0].copy(), value[1].copy(), value[2].copy())
            elif _is_node(value):
                copied[key] = recursive_copy(_self, value)
            else:
                copied[key] = value
        return copied

    return recursive_copy


def _is_lists(value: object) -> TypeGuard[tuple[list[object], ...]]:
    return isinstance(value, tuple)


def _is_node(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _accepts_kwargs(original: Function) -> object:
    """Look at a function's flags in place of its whole signature."""

    def accepts_kwargs(function: object) -> object:
        code: object = getattr(getattr(function, "__func__", function), "__code__", None)
        return bool(code.co_flags & inspect.CO_VARKEYWORDS) if isinstance(code, CodeType) else original(function)

    return accepts_kwargs


def _get_proxies(_: Function) -> object:
    """Return no proxies: no request leaves the process."""

    def get_proxies(_self: EndpointCreator, _url: str) -> dict[str, str]:
        return {}

    return get_proxies


def _cached(original: Function) -> object:
    """Keep the results of a function, also when it is replaced again: TLS contexts, and parts of a client's name."""
    if original not in _CACHED:
        _CACHED[original] = lru_cache(maxsize=1000)(original)
    return _CACHED[original]


_CACHED: dict[Function, Function] = {}


def _urlencode(original: Function) -> object:
    """Encode a form at once: the original does it byte by byte, and a message may have a million of them."""

    def urlencode(query: object, doseq: object = False) -> object:  # noqa: FBT002 - as the original
        return original(query, doseq, quote_via=_quoted)

    return urlencode


_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~-]")


def _quoted(text: str | bytes, *_: object) -> str:
    data = text.encode() if isinstance(text, str) else text
    return _UNSAFE.sub(lambda found: b"+" if found[0] == b" " else b"%%%02X" % found[0][0], data).decode("ascii")


METHODS: tuple[tuple[type, str, Callable[[Function], object]], ...] = (
    (EventAliaser, "_alias_event_name", _alias_event_name),
    (vars(botocore.hooks)["_PrefixTrie"], "_recursive_copy", _recursive_copy),
    (EndpointCreator, "_get_proxies", _get_proxies),
)
FUNCTIONS: tuple[tuple[ModuleType, str, Callable[[Function], object]], ...] = (
    (botocore.hooks, "accepts_kwargs", _accepts_kwargs),
    (botocore.awsrequest, "urlencode", _urlencode),
    (botocore.httpsession, "create_urllib3_context", _cached),
    (botocore.useragent, "sanitize_user_agent_string_component", _cached),
)
