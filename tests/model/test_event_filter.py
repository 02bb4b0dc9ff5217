import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.errors import InvalidInput
from chaosqs.model.event_filter import MOST_CHARACTERS, REFUSAL, InvalidPattern, Match, matches, parse
from chaosqs.model.json import Json

# Golden rows


def of(pattern: Json, body: Json) -> Match:
    """Messages whose body is JSON."""
    return matches([parse(json.dumps(pattern))], json.dumps(body))


@pytest.mark.parametrize(
    ("rules", "kept", "deleted"),
    [
        # Recorded on AWS (FL-8, FL-9)
        pytest.param({"testItem": ["test24"]}, {"testItem": "test24"}, {"testItem": "tesWER"}, id="FL_8_exact"),
        pytest.param({"testItem": ["test24", "test45"]}, {"testItem": "test45"}, {"testItem": "WERTD"}, id="FL_8_or"),
        pytest.param(
            {"testItem": ["test24", "test45"], "test2": ["go"]},
            {"testItem": "test45", "test2": "go"},
            {"testItem": "test67", "test2": "go"},
            id="FL_8_and",
        ),
        pytest.param({"test2": [{"exists": True}]}, {"test2": "7411"}, {"test5": "74545"}, id="FL_8_exists"),
        pytest.param({"test2": [{"numeric": ["<", 100]}]}, {"test2": 93}, {"test2": 105}, id="FL_9_below"),
        pytest.param({"n": [{"numeric": [">=", 100, "<", 200]}]}, {"n": 100}, {"n": 200}, id="FL_9_range"),
        pytest.param({"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.7"}, {"a": "10.0.1.7"}, id="FL_8_cidr"),
        pytest.param(
            {"a": [{"cidr": "10.0.0.0/24"}]}, {"a": "10.0.0.7"}, {"a": "no address"}, id="FL_8_cidr_of_a_word"
        ),
        pytest.param({"test2": [{"prefix": "us-1"}]}, {"test2": "us-1-48454"}, {"test2": "eu-wert"}, id="FL_8_prefix"),
        # Lambda's table of comparison operators
        pytest.param({"UserID": [None]}, {"UserID": None}, {"UserID": ""}, id="FL_8_null"),
        pytest.param({"UserID": [None]}, {"UserID": None}, {}, id="FL_8_null_is_not_absence"),
        pytest.param({"LastName": [""]}, {"LastName": ""}, {"LastName": None}, id="FL_8_empty"),
        pytest.param({"a": [True]}, {"a": True}, {"a": 1}, id="FL_8_true_is_not_1"),
        pytest.param({"a": [False]}, {"a": False}, {"a": 0}, id="FL_8_false_is_not_0"),
        pytest.param({"a": ["1"]}, {"a": "1"}, {"a": 1}, id="FL_8_text_is_not_a_number"),
        pytest.param({"a": [{"equals-ignore-case": "aliCE"}]}, {"a": "Alice"}, {"a": "Alic"}, id="FL_8_ignore_case"),
        pytest.param({"a": [{"anything-but": ["Raining"]}]}, {"a": "Dry"}, {"a": "Raining"}, id="FL_8_anything_but"),
        pytest.param({"a": [{"anything-but": "x"}]}, {"a": 5}, {}, id="FL_8_anything_but_needs_a_value"),
        pytest.param({"a": [{"anything-but": [1, 2]}]}, {"a": 3}, {"a": 2}, id="FL_8_anything_but_numbers"),
        pytest.param({"a": [{"anything-but": 1}]}, {"a": "1"}, {"a": 1}, id="FL_8_anything_but_a_number"),
        pytest.param({"a": [{"numeric": ["=", 100]}]}, {"a": 100.0}, {"a": 100.5}, id="FL_9_equal_by_value"),
        pytest.param({"a": [{"numeric": [">", 0]}]}, {"a": 1}, {"a": "1"}, id="FL_9_text_is_never_numeric"),
        pytest.param({"a": [{"numeric": ["<=", 2]}]}, {"a": 2}, {"a": -1e300}, id="FL_9_beyond_exact_is_no_number"),
        pytest.param({"a": [{"exists": False}]}, {"b": 1}, {"a": None}, id="FL_8_exists_not"),
        pytest.param({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, {"a": "x.PNG"}, id="FL_8_suffix"),
        pytest.param({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, {"a": 2, "b": 1}, id="FL_8_or_over_keys"),
        pytest.param({"c": [3], "$or": [{"a": [1]}, {"b": [2]}]}, {"a": 1, "c": 3}, {"a": 1}, id="FL_8_or_and_a_key"),
        pytest.param({"$or": ["x"]}, {"$or": "x"}, {"a": "x"}, id="FL_8_or_with_less_than_two_objects_is_a_key"),
        pytest.param({"$or": [{"exists": True}, "x"]}, {"$or": 1}, {}, id="FL_8_or_with_an_operator_is_a_key"),
        # As EventBridge takes them (Assumed)
        pytest.param({"a": [{"anything-but": {"prefix": "in"}}]}, {"a": "out"}, {"a": "inside"}, id="FL_8_but_prefix"),
        pytest.param({"a": [{"anything-but": {"suffix": ["x", "y"]}}]}, {"a": "z"}, {"a": "ay"}, id="FL_8_but_suffix"),
        pytest.param(
            {"a": [{"prefix": {"equals-ignore-case": "Ev"}}]},
            {"a": "eVent"},
            {"a": "vent"},
            id="FL_8_prefix_ignore_case",
        ),
        # Depth and arrays
        pytest.param({"p": {"q": [1]}}, {"p": {"q": 1}}, {"p": 1, "q": 1}, id="FL_8_nested"),
        pytest.param(
            {"a": [{"exists": True}]}, {"a": []} | {"a": [1]}, {"a": {"b": 1}}, id="FL_8_exists_on_leaves_only"
        ),
        pytest.param({"a": [{"exists": False}]}, {"a": {"b": 1}}, {"a": 1}, id="FL_8_an_object_is_no_leaf"),
        pytest.param({"a": {"b": [{"exists": False}]}}, {}, {"a": {"b": 0}}, id="FL_8_exists_not_below_nothing"),
        pytest.param({"a": ["x"]}, {"a": ["w", ["x"]]}, {"a": []}, id="FL_8_an_element_is_enough"),
        pytest.param(
            {"p": {"first": ["Anna"], "last": ["Smith"]}},
            {"p": [{"first": "John", "last": "Doe"}, {"first": "Anna", "last": "Smith"}]},
            {"p": [{"first": "Anna", "last": "Doe"}, {"first": "John", "last": "Smith"}]},
            id="FL_8_one_element_has_all_keys",
        ),
    ],
)
def test_FL_8_FL_9_a_pattern_keeps_one_body_and_deletes_the_other(rules: Json, kept: Json, deleted: Json) -> None:
    """Each operator: a body that it keeps, and one that is deleted."""
    assert of({"body": rules}, kept) is Match.MATCHED
    assert of({"body": rules}, deleted) is Match.NOT_MATCHED


@pytest.mark.parametrize("spelling", ["300.0", "3.0e2", "3E2"])
def test_FL_9_equal_numbers_are_spelt_alike(spelling: str) -> None:
    """300, 300.0 and 3.0e2 are not equal, until `numeric` compares them."""
    exact, numeric = parse('{"body": {"n": [300]}}'), parse('{"body": {"n": [{"numeric": ["=", 300]}]}}')
    assert matches([exact], '{"n": 300}') is Match.MATCHED
    assert matches([exact], f'{{"n": {spelling}}}') is Match.NOT_MATCHED
    assert matches([numeric], f'{{"n": {spelling}}}') is Match.MATCHED


JSON_FILTER, TEXT_FILTER = parse('{"body": {"a": [{"exists": false}]}}'), parse('{"body": ["hello", {"prefix": "by"}]}')
OTHER_KEY = parse('{"eventSource": ["aws:sqs"]}')


@pytest.mark.parametrize("body", ["hello", "", "{'a': 1}", "NaN", "[" * 100_000, '{"a": 1} x'])
def test_FL_5_a_plain_body_is_dropped_by_a_json_filter(body: str) -> None:
    """Nothing in a pattern for JSON holds for text, not even that a key is absent."""
    assert matches([JSON_FILTER], body) is Match.PLAIN_BODY


@pytest.mark.parametrize("body", ['{"a": 1}', '"hello"', "17", "null", " [] "])
def test_FL_6_a_json_body_is_dropped_by_a_plain_filter(body: str) -> None:
    """A body that is JSON, a bare value included (Assumed), never matches a pattern for text."""
    assert matches([TEXT_FILTER], body) is Match.JSON_BODY


@pytest.mark.parametrize(
    ("body", "match"), [("hello", Match.MATCHED), ("bye", Match.MATCHED), ("x", Match.NOT_MATCHED)]
)
def test_FL_6_plain_text_is_filtered_by_a_plain_filter(body: str, match: Match) -> None:
    """Text against text is compared as any string is."""
    assert matches([TEXT_FILTER], body) is match


def test_FL_3_several_filters_are_alternatives() -> None:
    """A message is kept where one filter holds, and dropped for its format only where that was wrong for all."""
    both = [JSON_FILTER, TEXT_FILTER]
    assert [matches(both, body) for body in ("{}", "hello")] == [Match.MATCHED] * 2
    assert [matches(both, body) for body in ('{"a": 1}', "x")] == [Match.NOT_MATCHED] * 2
    assert matches([], "anything") is Match.MATCHED


def test_FL_4_FL_7_other_keys_are_taken_and_look_into_the_metadata() -> None:
    """A well-formed pattern on another key filters on metadata, whatever the format of the body."""
    source: Mapping[str, Json] = {"eventSource": "aws:sqs", "body": "the record's own"}
    for body in ("text", "{}"):
        assert matches([OTHER_KEY], body, source) is Match.MATCHED
        assert matches([OTHER_KEY], body) is Match.NOT_MATCHED
    assert matches([TEXT_FILTER], "text", source) is Match.NOT_MATCHED


def test_FL_5_FL_6_the_format_is_asked_of_each_branch_of_an_or() -> None:
    """Where `$or` stands beside `body`, each branch has a format of its own."""
    either = parse('{"$or": [{"body": ["go"]}, {"body": {"a": ["go"]}}]}')
    assert [matches([either], body) for body in ("go", '{"a": "go"}')] == [Match.MATCHED] * 2
    assert [matches([either], body) for body in ("no", '{"a": "no"}')] == [Match.NOT_MATCHED] * 2


def test_FL_2_a_match_names_its_rule_and_whether_the_format_decided() -> None:
    """The four ends of a message have the ids of their rules, for a history to name."""
    assert [(match.value, match.dropped) for match in Match] == [
        ("FL-3", False),
        ("FL-2", False),
        ("FL-5", True),
        ("FL-6", True),
    ]


# Refusals


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        # Recorded on AWS (EC-24)
        ("null", "The pattern must be a JSON object"),
        ("simple string", "The pattern must be JSON"),
        ('{"eventSource": "aws:sqs"}', "eventSource must be a list of rules, or an object"),
        ('{"eventSource": []}', "eventSource must have a rule in its list"),
        # Of the same kind
        ("", "The pattern must be JSON"),
        ("[1]", "The pattern must be a JSON object"),
        ('{"body": [NaN]}', "The pattern must be JSON"),
        ("{}", "The pattern must not be an empty object"),
        ('{"body": {}}', "body must not be an empty object"),
        ('{"body": {"a": 5}}', "body.a must be a list of rules, or an object"),
        ('{"body": {"a": null}}', "body.a must be a list of rules, or an object"),
        ('{"body": {"a": [["x"]]}}', "body.a must not have a list among its rules"),
        ('{"body": {"a": [{}]}}', "body.a must have one operator"),
        ('{"body": {"a": [{"prefix": "x", "suffix": "y"}]}}', "body.a must have one operator"),
        ('{"body": {"a": [{"wildcard": "x*"}]}}', 'body.a has the operator "wildcard"; Lambda has exists, prefix'),
        ('{"body": {"a": [{"cidr": "10.0.0.300/24"}]}}', 'body.a must have a network such as "10.0.0.0/24"'),
        ('{"body": {"a": [{"cidr": 10}]}}', 'body.a must have a network such as "10.0.0.0/24"'),
        ('{"body": {"a": [{"exists": 0}]}}', 'body.a must have true or false for "exists"'),
        ('{"body": {"a": [{"prefix": 5}]}}', "body.a must compare with a string"),
        ('{"body": {"a": [{"prefix": {"x": "y"}}]}}', "body.a must compare with a string"),
        ('{"body": {"a": [{"equals-ignore-case": ["x"]}]}}', "body.a must compare with a string"),
        ('{"body": {"a": [{"anything-but": []}]}}', "body.a must have a string, a number"),
        ('{"body": {"a": [{"anything-but": [1, "x"]}]}}', "body.a must have a string, a number"),
        ('{"body": {"a": [{"anything-but": null}]}}', "body.a must have a string, a number"),
        ('{"body": {"a": [{"anything-but": {"numeric": ["=", 1]}}]}}', "body.a must have one of prefix, suffix"),
        ('{"body": {"a": [{"anything-but": {"prefix": []}}]}}', "body.a must have one of prefix, suffix"),
        ('{"body": {"$or": [{"a": [1]}]}}', 'body.$or has the operator "a"'),
        ('{"a":' * 500 + "[1]" + "}" * 500, "a must not be nested deeper than 100 levels"),
    ],
)
def test_EC_24_a_malformed_pattern_is_refused_with_AWS_words_and_ours(text: str, detail: str) -> None:
    """The message begins as AWS's does, then says where and what, and names the rule."""
    with pytest.raises(InvalidPattern) as caught:
        parse(text)
    message = str(caught.value)
    assert message.startswith(f"{REFUSAL} {detail}")
    assert message.endswith("(EC-24)")
    assert isinstance(caught.value, InvalidInput)


@pytest.mark.parametrize(
    "terms",
    [
        [],
        ["="],
        ["=", "1"],
        ["!=", 1],
        [1, "="],
        ["<", 10, ">", 1],
        [">", 1, ">", 2],
        ["=", 1, "<", 2],
        [">", 5, "<", 5],
        [">", 6, "<", 5],
        [">", 1, "<"],
        [">", 1, "<", 3, "<", 4],
        ["<", 2**54],
        "= 1",
    ],
)
def test_EC_24_FL_9_operands_of_numeric_come_in_their_order(terms: Json) -> None:
    """One sign and number, or a lower bound and then a higher upper bound; nothing else."""
    with pytest.raises(InvalidPattern, match=r"body\.a must have \"numeric\" as"):
        parse(json.dumps({"body": {"a": [{"numeric": terms}]}}))


def test_EC_8_a_pattern_has_at_most_4096_characters() -> None:
    """One more is refused."""
    frame = '{"body": [""]}'
    longest = frame.replace('""', '"' + "x" * (MOST_CHARACTERS - len(frame)) + '"')
    assert parse(longest).text == longest
    with pytest.raises(InvalidPattern, match=r"It has 4,097 characters; at most 4,096 are allowed\. \(EC-8\)"):
        parse(longest + " ")


def test_patterns_of_one_text_are_equal() -> None:
    """A pattern is a value: it is known by its text."""
    assert parse('{"body": ["x"]}') == parse('{"body": ["x"]}') != parse('{"body": ["y"]}')


@given(st.text(max_size=50))
def test_FL_5_no_body_breaks_a_filter(body: str) -> None:
    """Whatever text a body is, it has one of the four ends."""
    assert isinstance(matches([JSON_FILTER, TEXT_FILTER], body), Match)


@given(st.text('[]{}":,ab1 ', max_size=30))
def test_EC_24_no_text_breaks_the_reader(text: str) -> None:
    """Any text is a pattern or is refused as one."""
    try:
        parse(text)
    except InvalidPattern as refused:
        assert str(refused).startswith(REFUSAL)  # noqa: PT017 - a text that is a pattern raises nothing
