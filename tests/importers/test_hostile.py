from __future__ import annotations

import time
from pathlib import Path

import pytest

from chaosqs.errors import InvalidDesign
from tests.importers.helpers import Read, with_timeout


def _laughs(levels: int) -> str:
    """Return a few lines that stand for ten to the power of `levels` values."""
    first = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    return first + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, levels))


def _conditions(count: int) -> str:
    """Return conditions each of which asks for the one before it twice."""
    pairs = "".join(f"  C{n}: !And [!Condition C{n - 1}, !Condition C{n - 1}]\n" for n in range(1, count))
    return f"Conditions:\n  C0: !Equals [a, a]\n{pairs}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (_laughs(12), "template.yaml:6: holds more than 500,000 values with its aliases expanded."),
        ("a: " + "[" * 200_000, "template.yaml:1: nests more than 100 levels deep."),
        ("- " * 100_000, "template.yaml:1: nests more than 100 levels deep."),
        ("a: &a [*a]\n", "template.yaml:1: *a names nothing that is complete above it."),
        ("a: &a\n  <<: *a\n", "template.yaml:2: *a names nothing that is complete above it."),
        (
            "a: !!python/object/apply:os.system ['exit 1']\n",
            "template.yaml:1: the tag 'tag:yaml.org,2002:python/object",
        ),
        ("a: !!binary aGk=\n", "template.yaml:1: the tag 'tag:yaml.org,2002:binary' means nothing"),
        ("a: " + "x" * 10_000_000, "template.yaml: is larger than 10,000,000 bytes"),
        (
            with_timeout("!If [C2999, 1, 2]", _conditions(3_000)),
            "template.yaml: its conditions are nested too deeply.",
        ),
    ],
)
def test_hostile_text_is_refused_within_moments(read: Read, text: str, said: str) -> None:
    """Bombs of aliases, brackets, tags and conditions are refused, and no tag makes an object."""
    begin = time.process_time()
    with pytest.raises(InvalidDesign) as caught:
        read(text)
    assert str(caught.value).startswith(said)
    assert time.process_time() - begin < 10


def test_conditions_that_ask_twice_are_judged_once(read: Read) -> None:
    """Sixty conditions that each ask the one before twice take no time that doubles sixty times."""
    template = with_timeout("!If [C59, 41, 42]", _conditions(60))
    assert read(template).design.queue("Orders").visibility_timeout == 41


def test_texts_do_not_grow_without_bound(read: Read) -> None:
    """A Sub that multiplies a text is given up where no property could be that long."""
    value = "x"
    for _ in range(8):
        value = f"!Sub ['{'${A}' * 20}', {{A: {value}}}]"
    (said,) = read(with_timeout(value)).assumptions
    assert said == ("Orders: VisibilityTimeout is a text of more than 20,000 characters; assumed AWS's default 30")


def test_parts_that_do_not_matter_may_say_what_they_like(read: Read) -> None:
    """Dates, unknown short tags, odd numbers and other resources' values are read past."""
    template = with_timeout("31") + (
        "  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      Since: 2012-10-17\n      At: 12:30\n"
        "      Account: 012345678901\n      Body: !Transform {Name: 'AWS::Include', Parameters: {Location: a.yaml}}\n"
        "      200: !Custom x\n      Huge: 1" + "0" * 5000 + "\n  Fn::ForEach::Many: [x, [a], {}]\n"
    )
    imported = read(template)
    assert imported.design.queue("Orders").visibility_timeout == 31
    assert imported.notes == ("Fn::ForEach::Many in line 23 is left out: this reader does not expand it",)


def test_no_command_in_a_template_runs(read: Read, tmp_path: Path) -> None:
    """A tag that PyYAML's unsafe loader would obey has no effect."""
    with pytest.raises(InvalidDesign):
        read(f"Resources: !!python/object/apply:os.mkdir ['{tmp_path / 'pwned'}']\n")
    assert not (tmp_path / "pwned").exists()
