"""Replacements of botocore's functions, made for speed, return the same results as botocore's own."""

from __future__ import annotations

import copy
from functools import partial

import botocore.awsrequest
import botocore.hooks
import botocore.useragent
import pytest
from botocore.hooks import EventAliaser, HierarchicalEmitter

from chaosqs.wire.botocore_hook import FUNCTIONS, METHODS

REPLACEMENTS = {name: replacement for _, name, replacement in (*METHODS, *FUNCTIONS)}


def plain(event_name: str) -> None:
    """Take one argument."""


def generous(event_name: str, **_: object) -> None:
    """Take everything."""


class Handler:
    """A handler that is a method."""

    def method(self, event_name: str) -> None:
        """Take one argument."""

    def generous_method(self, **_: object) -> None:
        """Take everything."""


CALLED: list[object] = [
    plain,
    generous,
    Handler().method,
    Handler().generous_method,
    partial(generous, event_name=""),
    print,
]


@pytest.mark.parametrize("function", CALLED)
def test_functions_that_take_all_arguments(function: object) -> None:
    """Functions, methods, and what has no code of its own."""
    original = vars(botocore.hooks)["accepts_kwargs"]
    ours = REPLACEMENTS["accepts_kwargs"](original)
    assert callable(ours)
    assert bool(ours(function)) == bool(original(function))


@pytest.mark.parametrize("name", ["before-call.s3", "provide-client-params.lex-runtime.PostText", "docs.*.sqs", ""])
def test_names_of_events(name: str) -> None:
    """With and without an alias, twice."""
    aliaser = EventAliaser(HierarchicalEmitter())
    original = vars(EventAliaser)["_alias_event_name"]
    ours = REPLACEMENTS["_alias_event_name"](original)
    assert callable(ours)
    assert [ours(aliaser, name), ours(aliaser, name)] == [original(aliaser, name)] * 2
    aliases: dict[str, str] = {"s3": "mine"}
    own = EventAliaser(HierarchicalEmitter(), aliases)
    assert ours(own, name) == original(own, name)


def test_copies_of_emitters_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """They call the same handlers, until one of them gets another one."""
    trie: type = vars(botocore.hooks)["_PrefixTrie"]
    monkeypatch.setattr(trie, "_recursive_copy", REPLACEMENTS["_recursive_copy"](vars(trie)["_recursive_copy"]))
    emitter = HierarchicalEmitter()
    emitter.register_first("a.b", generous)
    emitter.register("a", generous)
    copied = copy.copy(emitter)
    copied.register_last("a.b.c", generous)
    calls = [[len(each.emit(name)) for name in ("a", "a.b", "a.b.c")] for each in (emitter, copied)]
    assert calls == [[1, 2, 2], [1, 2, 3]]


@pytest.mark.parametrize(("text", "hashes"), [("Boto3/1.0", False), ("md#a b", True), ("md#a b", False), ("é", True)])
def test_parts_of_the_name_of_a_client(text: str, *, hashes: bool) -> None:
    """Whatever their characters, twice."""
    original = vars(botocore.useragent)["sanitize_user_agent_string_component"]
    ours = REPLACEMENTS["sanitize_user_agent_string_component"](original)
    assert callable(ours)
    assert [ours(text, hashes), ours(text, allow_hash=hashes)] == [original(text, hashes)] * 2


FORM: dict[str, object] = {"a b": "ü~.-_+&=%\n", "list": ["1", "x y"], "raw": b"\xff ", "empty": "", "number": 5}


@pytest.mark.parametrize("query", [{}, FORM, list(FORM.items())], ids=["empty", "mapping", "pairs"])
def test_forms_are_encoded(query: object) -> None:
    """Texts, bytes, numbers, lists."""
    original = vars(botocore.awsrequest)["urlencode"]
    ours = REPLACEMENTS["urlencode"](original)
    assert callable(ours)
    assert [ours(query), ours(query, doseq=True)] == [original(query), original(query, doseq=True)]
