from __future__ import annotations

import pytest

from tests.importers.helpers import Read, with_timeout

SECTIONS = """
    Parameters:
      Stage: {Type: String, Default: prod}
      Seconds: {Type: Number, Default: 45}
      Choices: {Type: CommaDelimitedList, Default: "40, 41, 42"}
      Open: {Type: Number}
      Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /orders/timeout}
      Secret: {Type: String, Default: '{{resolve:ssm:/orders/timeout}}'}
    Mappings:
      Timeouts:
        prod: {Visibility: 120, Choices: [121, 122]}
        us-east-1: {Visibility: 130}
        eu-west-1: {Visibility: 140}
    Conditions:
      IsProd: !Equals [!Ref Stage, prod]
      IsDev: !Not [!Condition IsProd]
      IsBoth: !And [!Condition IsProd, !Condition IsDev]
      IsEither: !Or [!Condition IsProd, !Condition IsDev]
      IsOpen: !Equals [!Ref Open, 1]
      DespiteOpen: !Or [!Condition IsOpen, !Condition IsProd]
      NorOpen: !And [!Condition IsOpen, !Condition IsDev]
      Circle: !Not [!Condition Circle]
      Crooked: !Equals [one]
      IsHere: !Equals [!Ref 'AWS::Region', us-east-1]
"""


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60", 60),
        ('"60"', 60),
        ("60.0", 60),
        ("!Ref Seconds", 45),
        ("{Ref: Seconds}", 45),
        ("!Sub '${Seconds}'", 45),
        ("!Sub '${Seconds}0'", 450),
        ("!Sub ['${A}${B}', {A: 1, B: !Ref Seconds}]", 145),
        ("!Join ['', [1, !Ref Seconds]]", 145),
        ("!Join ['', [!Select [0, !Ref Choices], '0']]", 400),
        ("!Select [1, [50, 51, 52]]", 51),
        ("!Select ['2', !Ref Choices]", 42),
        ("!Select [1, !Split ['-', 'a-33-b']]", 33),
        ("!FindInMap [Timeouts, !Ref Stage, Visibility]", 120),
        ("!Select [1, !FindInMap [Timeouts, prod, Choices]]", 122),
        ("!FindInMap [Timeouts, test, Visibility, {DefaultValue: 77}]", 77),
        ("!If [IsProd, 61, 62]", 61),
        ("!If [IsDev, 61, 62]", 62),
        ("!If [IsBoth, 61, 62]", 62),
        ("!If [IsEither, !Ref Seconds, 62]", 45),
        ("!If [DespiteOpen, 61, 62]", 61),
        ("!If [NorOpen, 61, 62]", 62),
        ("!If [IsDev, 61, !Ref 'AWS::NoValue']", 30),
        ("!If [IsProd, !If [IsDev, 61, 62], 63]", 62),
    ],
)
def test_a_value_is_what_the_template_tells(read: Read, written: str, seconds: int) -> None:
    """Each intrinsic function comes to the value that a deployment with the defaults would have; nothing is assumed."""
    imported = read(with_timeout(written, SECTIONS))
    assert imported.design.queue("Orders").visibility_timeout == seconds
    assert imported.assumptions == ()


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("!Ref Open", "refers to parameter Open, which has no default"),
        ("!Ref Stored", "refers to parameter Stored, whose value is in the Parameter Store"),
        ("!Ref Secret", "is looked up when it is deployed ({{resolve:ssm:/orders/timeout}})"),
        ("'{{resolve:ssm:/t:1}}'", "is looked up when it is deployed ({{resolve:ssm:/t:1}})"),
        ("!Ref Typo", "refers to Typo, which the template does not have"),
        ("!Sub '${Typo}0'", "refers to Typo, which the template does not have"),
        ("!GetAtt Worker.Memory", "refers to Worker.Memory, which only a deployment knows"),
        ("!ImportValue timeout", "is imported from another stack (timeout)"),
        (
            "!FindInMap [Timeouts, test, Visibility]",
            "looks for test, Visibility in mapping Timeouts, which has no such value",
        ),
        ("!FindInMap [Timeouts, !Ref Open, Visibility]", "refers to parameter Open, which has no default"),
        ("!If [IsOpen, 1, 2]", "depends on condition IsOpen, which refers to parameter Open, which has no default"),
        ("!If [Circle, 1, 2]", "depends on condition Circle, which depends on itself"),
        ("!If [Crooked, 1, 2]", "depends on condition Crooked, which is not well formed"),
        ("!If [Missing, 1, 2]", "depends on condition Missing, which the template does not have"),
        ("!If [IsProd, 1]", "uses Fn::If without a condition and two values"),
        ("!Ref [Seconds]", "uses Ref without a name"),
        ("!GetAtt {a: b}", "uses Fn::GetAtt without a resource and its attribute"),
        ("!GetAtt [Worker, [Memory]]", "needs a text where it has none, or one that is too long"),
        ("!Sub [a, b]", "uses Fn::Sub without a text, or a text and its variables"),
        ("!Join [a]", "uses Fn::Join without a delimiter and a list"),
        ("!Join ['', text]", "uses Fn::Join without a delimiter and a list"),
        ("!Join ['', !Ref Open]", "refers to parameter Open, which has no default"),
        ("!Join [!Ref Open, []]", "refers to parameter Open, which has no default"),
        ("!Select [3, [1, 2]]", "uses Fn::Select without an index and a list that is long enough"),
        ("!Select [-1, [1, 2]]", "uses Fn::Select without an index and a list that is long enough"),
        ("!Select [1]", "uses Fn::Select without an index and a list"),
        ("!Select [!Ref Open, [1]]", "refers to parameter Open, which has no default"),
        ("!Split ['', text]", "uses Fn::Split without a delimiter and a text"),
        ("!Split [text]", "uses Fn::Split without a delimiter and a text"),
        ("!Split [!Ref Open, text]", "refers to parameter Open, which has no default"),
        ("!Split ['-', !Ref Open]", "refers to parameter Open, which has no default"),
        ("!FindInMap [Timeouts, prod]", "uses Fn::FindInMap without a mapping and two keys"),
        ("!Cidr [a, b]", "uses Fn::Cidr, which this reader does not resolve"),
    ],
)
def test_what_the_template_does_not_tell_is_assumed_in_words(read: Read, written: str, reason: str) -> None:
    """Where a value cannot be told, AWS's default serves, and a sentence says which property and why."""
    imported = read(with_timeout(written, SECTIONS))
    assert imported.design.queue("Orders").visibility_timeout == 30
    assert imported.assumptions == (f"Orders: VisibilityTimeout {reason}; assumed AWS's default 30",)
    assert "queues.Orders.visibility_timeout" not in imported.origins


def test_parameters_that_are_given_override_defaults(read: Read) -> None:
    """The argument `parameters` comes before the defaults, also for a parameter that has none or an SSM type."""
    for name in ("Seconds", "Open", "Stored"):
        imported = read(with_timeout(f"!Ref {name}", SECTIONS), parameters={name: "99"})
        assert imported.design.queue("Orders").visibility_timeout == 99
        assert imported.assumptions == ()


@pytest.mark.parametrize(
    "written",
    [
        "!FindInMap [Timeouts, !Ref 'AWS::Region', Visibility]",
        "!FindInMap [Timeouts, !Sub ['${Here}', {Here: !Ref 'AWS::Region'}], Visibility]",
        "!If [IsHere, 130, 140]",
    ],
)
def test_a_value_that_hangs_on_the_region_says_so(read: Read, written: str) -> None:
    """The Region is assumed where nobody gives it, and said where a value depends on it."""
    imported = read(with_timeout(written, SECTIONS))
    assert imported.design.queue("Orders").visibility_timeout == 130
    why = "mapping Timeouts" if "Map" in written else "condition IsHere"
    assert imported.assumptions == (f"AWS::Region is assumed to be us-east-1: {why} depends on it",)
    given = read(with_timeout(written, SECTIONS), parameters={"AWS::Region": "eu-west-1"})
    assert given.design.queue("Orders").visibility_timeout == 140
    assert given.assumptions == ()


def test_sub_leaves_literal_variables_alone(read: Read) -> None:
    """`${!Name}` in Sub is the text `${Name}`."""
    imported = read(with_timeout("!Join ['', !Split ['${Stage}', !Sub '9${!Stage}${Seconds}']]", SECTIONS))
    assert imported.design.queue("Orders").visibility_timeout == 945
