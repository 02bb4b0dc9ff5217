"""The figures of `make house`: what they count, and what they leave out."""

from __future__ import annotations

import sys
from textwrap import dedent

import pytest

from tools import house
from tools.house import Source
from tools.journeys import JOURNEYS, Trace, step_of


def source(text: str, path: str = "chaosqs/model/time.py") -> Source:
    return Source(path, dedent(text))


FILES = [
    source('"""Parts."""\n', "chaosqs/parts/__init__.py"),
    source("", "chaosqs/parts/empty.py"),
    source("LIMIT = 1\n", "chaosqs/parts/limits.py"),
    source(
        "from chaosqs.parts.limits import LIMIT\nfrom chaosqs.parts import shared\nprint(LIMIT)\n",
        "chaosqs/parts/user.py",
    ),
    source("import chaosqs.parts.user\nNAME = 1\n", "chaosqs/parts/shared.py"),
    source("from chaosqs.parts import shared\nfrom chaosqs.machines.queue import Queue\n", "chaosqs/cli.py"),
    source("class Queue: ...\n", "chaosqs/machines/queue.py"),
    source("from chaosqs.strategies.loads import loads\nfrom chaosqs.parts import NAME\n", "strategies/__init__.py"),
    source("def loads(): ...\n", "strategies/loads.py"),
]


def test_a_file_with_a_docstring_alone_is_no_module() -> None:
    """Nor is an empty one."""
    assert [file.path for file in FILES if not file.is_module] == [
        "chaosqs/parts/__init__.py",
        "chaosqs/parts/empty.py",
    ]


def test_strategies_have_their_public_name() -> None:
    """They are imported as `chaosqs.strategies`."""
    assert [(file.name, file.package) for file in FILES[-2:]] == [
        ("chaosqs.strategies", "chaosqs.strategies"),
        ("chaosqs.strategies.loads", "chaosqs.strategies"),
    ]


def test_importers_are_modules() -> None:
    """A name of a module counts for that module, a module for itself, and a package for its `__init__`."""
    found = house.importers(FILES)
    assert found["chaosqs.parts.limits"] == {"chaosqs.parts.user"}
    assert found["chaosqs.parts.shared"] == {"chaosqs.parts.user", "chaosqs.cli"}
    assert found["chaosqs.parts.user"] == {"chaosqs.parts.shared"}
    assert found["chaosqs.parts"] == {"chaosqs.strategies"}
    assert found["chaosqs.cli"] == set()


def test_a_lone_module_is_private_in_its_importers_package() -> None:
    """A state machine is not, nor what another package imports, nor what an `__init__` re-exports."""
    assert sorted(house.lone(FILES)) == [
        "chaosqs.machines.queue",
        "chaosqs.parts.limits",
        "chaosqs.parts.user",
        "chaosqs.strategies.loads",
    ]
    assert sorted(house.private(FILES)) == ["chaosqs.parts.limits", "chaosqs.parts.user"]


def test_state_machines_and_invariants_are_not_private() -> None:
    """Each is a module of its own, however few import it."""
    text = "def judge(): ...\n"
    for package in ("machine", "machines", "invariants"):
        files = [
            source(text, f"chaosqs/sqs/{package}/queue.py"),
            source(f"from chaosqs.sqs.{package}.queue import judge\n", f"chaosqs/sqs/{package}/other.py"),
        ]
        assert len(house.lone(files)) == 1
        assert house.private(files) == {}


def test_import_lines_include_continuations() -> None:
    """And imports inside functions; a blank line between two imports is none."""
    text = """\
        import os

        from a import (
            b,
            c,
        )

        def f():
            import g
            return "import x"
        """
    assert house.import_lines(source(text)) == 6


def test_a_long_function_has_more_than_forty_lines() -> None:
    """Its first line and its last one count."""

    def of(lines: int) -> str:
        return "def f():\n" + "    x = 1\n" * (lines - 1)

    assert house.long_functions(source(of(40))) == []
    assert house.long_functions(source(of(41))) == ["chaosqs/model/time.py:1 f"]


def test_repeated_functions_have_the_same_code() -> None:
    """Whatever they are called, wherever they are, docstrings apart; two statements are too few."""
    body = "    a = 1\n    b = a\n    return b\n"
    files = [
        source(f"def f():\n{body}def small():\n    a = 1\n    return a\n", "chaosqs/a.py"),
        source(f'def g():\n    """Say."""\n{body}def small():\n    a = 1\n    return a\n', "chaosqs/b.py"),
        source(f"def h():\n{body.replace('1', '2')}", "chaosqs/c.py"),
    ]
    assert house.repeated(files) == [["chaosqs/a.py:1 f", "chaosqs/b.py:1 g"]]


def test_names_are_those_that_are_defined() -> None:
    """Modules, classes, functions, parameters, attributes and constants; no local variables, no uses."""
    text = """\
        from a import b
        LIMIT: int = 1
        class Thing:
            field: int = 0
            def method(self, given, *rest, key=1, **more):
                self.kept = local = b.used
                local.other = given
                return local
        """
    names = [name for _, name in house.definitions(source(text))]
    assert sorted(names) == sorted(
        ["time", "LIMIT", "Thing", "field", "method", "self", "given", "rest", "key", "more", "kept"]
    )


@pytest.mark.parametrize(
    ("name", "word", "expected"),
    [
        ("luck", "luck", True),
        ("_LUCKY", "luck", False),
        ("MAX_LUCK", "luck", True),
        ("RealCode", "real_code", True),
        ("has_real_code", "real_code", True),
        ("real", "real_code", False),
        ("dials", "dial", True),
        ("HTTPDoor", "door", True),
        ("indoor", "door", False),
        ("line2d", "line", True),
    ],
)
def test_words_are_whole(name: str, word: str, expected: bool) -> None:  # noqa: FBT001 - a row of the table
    """In snake case and in camel case, in singular and in plural."""
    assert house.has(name, word) is expected


def test_mentions_count_files() -> None:
    """Once a file, as an identifier: not in texts, nor as a part of another name."""
    files = [
        source("from m import Sent\nSent()\nSent()\n"),
        source("class Sent: ...\n"),
        source("m.Sent()\n"),
        source('SentBack = "Sent"  # Sent\n'),
    ]
    assert house.mentions(files, ["Sent", "Lost"]) == {"Sent": 3, "Lost": 0}


def test_texts_that_are_riddles() -> None:
    """Docstrings of attributes and functions, and comments, whose first word asks."""
    text = '''\
        """What it is."""
        a = "Whether"  # how many: whoever
        b = 1
        """Who: it is."""
        def f():
            """Return what is asked."""
            # How it goes
            ("Whether it", "goes on")
        '''
    read = source(text)
    assert house.docstrings(read) == ["What it is.", "Who: it is.", "Return what is asked."]
    assert house.riddles(house.docstrings(read)) == ["What it is.", "Who: it is."]
    assert house.riddles(house.comments(read)) == ["How it goes"]


def test_the_figures_are_of_the_product() -> None:
    """Every file of it once, whatever links there are."""
    files = house.sources()
    assert len({file.name for file in files}) == len(files) > 100
    assert {file.path.split("/")[0] for file in files} == {"chaosqs", "strategies"}
    assert not any(file.path.startswith("chaosqs/strategies") for file in files)
    titles = [title for title, _ in house.figures(files)]
    assert len(titles) == len(set(titles)) > 10


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_journey_is_the_same_every_time(name: str) -> None:
    """It names files of the product, in order, and what has been imported or kept before does not matter."""
    files = JOURNEYS[name]()
    assert files == sorted(set(files))
    assert 3 <= len(files) <= 60
    assert JOURNEYS[name]() == files
    assert sys.getprofile() is None


def test_the_step_of_a_throttle_is_below_the_loop() -> None:
    """The outermost call that the others do not share."""

    def watched() -> None: ...

    def inner() -> None:
        watched()

    def step() -> None:
        inner()

    def loop() -> None:
        step()
        inner()

    trace = Trace(watched.__code__)
    with trace.on():
        loop()
    assert step_of(trace.stacks).f_code is step.__code__
    assert len(trace.stacks) == 2
