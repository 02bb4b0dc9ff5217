"""Functions through a real client: created from a zip, shown, changed, deleted; concurrency; versions and aliases."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from botocore import xform_name

from chaosqs.errors import InvalidInput
from chaosqs.mock_aws.aws import MockAws, aws
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import ROLE, dictionaries, fields, functions, package

ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"
HELLO = """
    def handler(event, context):
        return {"hello": event["name"]}
"""
pytestmark = pytest.mark.usefixtures("world")


@EXACT
def test_LX_01_LX_03_a_function_is_created_from_a_zip() -> None:
    """LX-1, LX-3: 3 seconds and 128 MB, unless it is said otherwise."""
    aws_lambda = functions()
    created = aws_lambda.create(HELLO, Description="says hello", Environment={"Variables": {"KEY": "value"}})
    assert created["FunctionArn"] == ARN
    assert (created["Timeout"], created["MemorySize"], created["Version"]) == (3, 128, "$LATEST")
    assert (created["State"], created["LastUpdateStatus"]) == ("Active", "Successful")
    assert created["LastModified"] == "2025-12-01T00:00:00.000+0000"
    assert aws_lambda("get_function_configuration", FunctionName="worker") == created
    assert fields(aws_lambda("get_function", FunctionName=ARN)["Configuration"]) == created
    assert aws_lambda.invoke({"name": "you"}) == ({"hello": "you"}, None)


def test_waiters_find_a_function_active() -> None:
    functions().create(HELLO)
    client = functions().client
    getattr(client, "get_waiter")("function_active_v2").wait(FunctionName="worker")  # noqa: B009 - untyped


def test_what_is_missing_or_there_twice_is_refused() -> None:
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    message = aws_lambda.refuses(
        "ResourceConflictException",
        "create_function",
        FunctionName="worker",
        Runtime="python3.13",
        Role=ROLE,
        Handler="index.handler",
        Code={"ZipFile": package(index=HELLO)},
    )
    assert message == "Function already exist: worker"
    message = aws_lambda.refuses("ResourceNotFoundException", "get_function", FunctionName="nobody")
    assert message == f"Function not found: {ARN.replace('worker', 'nobody')}"


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ({"Timeout": 901}, "ValidationException"),
        ({"MemorySize": 10_241}, "ValidationException"),
        ({"Runtime": "cobol"}, "ValidationException"),
        ({"PackageType": "Image"}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException"),
        ({"Code": {"S3Bucket": "bucket", "S3Key": "key"}}, "InvalidParameterValueException"),
    ],
)
def test_LX_02_LX_03_what_cannot_be_created_is_refused(setting: dict[str, object], code: str) -> None:
    """LX-2."""
    given = {"Code": {"ZipFile": package(index=HELLO)}, "Runtime": "python3.13", "Handler": "index.handler"}
    functions().refuses(code, "create_function", FunctionName="worker", Role=ROLE, **{**given, **setting})


def test_functions_are_listed_in_pages() -> None:
    aws_lambda = functions()
    for name in ("b", "a", "c"):
        aws_lambda.create(HELLO, name)
    first = aws_lambda("list_functions", MaxItems=2)
    assert [item["FunctionName"] for item in dictionaries(first["Functions"])] == ["a", "b"]
    second = aws_lambda("list_functions", Marker=first["NextMarker"])
    assert [item["FunctionName"] for item in dictionaries(second["Functions"])] == ["c"]
    assert "NextMarker" not in second


def test_packages_with_modules_of_the_same_name_do_not_meet() -> None:
    """Each package has a name space of its own, whatever its modules are called."""
    aws_lambda = functions()
    aws_lambda.create("import json\nWHO = 'first'\ndef handler(event, context):\n    return WHO", "first")
    aws_lambda.create("WHO = 'second'\ndef handler(event, context):\n    import index\n    return index.WHO", "second")
    for _ in range(2):
        assert aws_lambda.invoke(name="first") == ("first", None)
        assert aws_lambda.invoke(name="second") == ("second", None)
    assert "index" not in sys.modules


def test_a_module_lives_as_long_as_its_environment() -> None:
    """LX-13: what it keeps is there at the next invocation; LX-14: after a crash it begins anew."""
    functions().create(
        """
        import sys
        count = 0
        def handler(event, context):
            global count
            count += 1
            if event.get("exit"):
                sys.exit(1)
            return count
        """
    )
    assert [functions().invoke()[0] for _ in range(2)] == [1, 2]
    assert functions().invoke({"exit": True})[1] == "Unhandled"
    assert functions().invoke()[0] == 1


def test_packages_are_removed_when_the_world_closes() -> None:
    with aws():
        functions("eu-west-1").create("import os\ndef handler(event, context):\n    return os.path.dirname(__file__)")
        index = Path(str(functions("eu-west-1").invoke()[0]))
        assert index.exists()
    assert not index.exists()


def test_new_code_is_run_from_the_next_invocation_on() -> None:
    aws_lambda = functions()
    before = aws_lambda.create(HELLO)
    aws_lambda.invoke({"name": "you"})
    source = "def handler(event, context):\n    return 'new'"
    after = aws_lambda("update_function_code", FunctionName="worker", ZipFile=package(index=source))
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["RevisionId"] != before["RevisionId"]
    assert aws_lambda.invoke() == ("new", None)


def test_a_configuration_is_changed_in_part() -> None:
    aws_lambda = functions()
    aws_lambda.create(HELLO, Description="says hello")
    changed = aws_lambda("update_function_configuration", FunctionName="worker", Timeout=60)
    assert (changed["Timeout"], changed["Description"]) == (60, "says hello")


def test_the_environment_is_that_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "outside")
    functions().create(
        """
        import os
        def handler(event, context):
            return [os.environ["KEY"], os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["AWS_REGION"]]
        """,
        Environment={"Variables": {"KEY": "inside"}},
    )
    assert functions().invoke()[0] == ["inside", "worker", "us-east-1"]


def test_a_deleted_function_is_gone() -> None:
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    aws_lambda("delete_function", FunctionName="worker")
    aws_lambda.refuses("ResourceNotFoundException", "invoke", FunctionName="worker")


def test_LC_03_concurrency_is_reserved_and_taken_back() -> None:
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    assert aws_lambda("get_function_concurrency", FunctionName="worker") == {}
    aws_lambda("put_function_concurrency", FunctionName="worker", ReservedConcurrentExecutions=7)
    assert aws_lambda("get_function_concurrency", FunctionName="worker") == {"ReservedConcurrentExecutions": 7}
    assert fields(aws_lambda("get_function", FunctionName="worker")["Concurrency"]) == {
        "ReservedConcurrentExecutions": 7
    }
    aws_lambda("delete_function_concurrency", FunctionName="worker")
    assert aws_lambda("get_function_concurrency", FunctionName="worker") == {}


def test_LX_20_the_guard_against_loops_is_a_setting_of_the_function() -> None:
    """Terminate until it is changed; it belongs to the function, not to a version, and outlives changes of it."""
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    assert aws_lambda("get_function_recursion_config", FunctionName="worker") == {"RecursiveLoop": "Terminate"}
    changed = aws_lambda("put_function_recursion_config", FunctionName=ARN, RecursiveLoop="Allow")
    assert changed == {"RecursiveLoop": "Allow"}
    aws_lambda("update_function_configuration", FunctionName="worker", Timeout=7)
    assert aws_lambda("get_function_recursion_config", FunctionName="worker") == {"RecursiveLoop": "Allow"}
    assert "RecursiveLoop" not in repr(aws_lambda("get_function", FunctionName="worker"))
    aws_lambda("delete_function", FunctionName="worker")
    aws_lambda.create(HELLO)
    assert aws_lambda("get_function_recursion_config", FunctionName="worker") == {"RecursiveLoop": "Terminate"}


@pytest.mark.parametrize("wrong", ["Deny", "allow", ""])
def test_LX_20_another_word_is_refused_and_changes_nothing(wrong: str) -> None:
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    aws_lambda("put_function_recursion_config", FunctionName="worker", RecursiveLoop="Allow")
    message = aws_lambda.refuses(
        "ValidationException", "put_function_recursion_config", FunctionName="worker", RecursiveLoop=wrong
    )
    assert message == (
        f"1 validation error detected: Value '{wrong}' at 'recursiveLoop' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Allow, Terminate]"
    )
    assert aws_lambda("get_function_recursion_config", FunctionName="worker") == {"RecursiveLoop": "Allow"}


@pytest.mark.parametrize(
    ("name", "code"), [("nobody", "ResourceNotFoundException"), ("worker:1", "ValidationException")]
)
def test_LX_20_the_setting_of_another_function_is_refused(name: str, code: str) -> None:
    """Of one that does not exist, and of a version: its model takes names without a qualifier."""
    aws_lambda = functions()
    aws_lambda.create(HELLO)
    aws_lambda.refuses(code, "get_function_recursion_config", FunctionName=name)
    message = aws_lambda.refuses(code, "put_function_recursion_config", FunctionName=name, RecursiveLoop="Allow")
    assert name in message


def test_LC_04_a_hundred_executions_stay_unreserved(world: MockAws) -> None:
    functions().create(HELLO)
    functions()("put_function_concurrency", FunctionName="worker", ReservedConcurrentExecutions=900)
    message = functions().refuses(
        "InvalidParameterValueException",
        "put_function_concurrency",
        FunctionName="worker",
        ReservedConcurrentExecutions=901,
    )
    assert message.endswith("below its minimum value of [100].")
    with pytest.raises(InvalidInput, match=r"below its minimum value of \[100\].*LC-4"):
        world.function("other", lambda event, _: event, reserved_concurrency=1)


def test_versions_keep_what_they_were_and_aliases_move() -> None:
    """EC-25."""
    aws_lambda = functions()
    aws_lambda.create("def handler(event, context):\n    return context.function_version")
    assert aws_lambda("publish_version", FunctionName="worker")["Version"] == "1"
    assert aws_lambda("publish_version", FunctionName="worker")["Version"] == "1"  # nothing has changed
    source = package(index="def handler(event, context):\n    return 'new ' + context.function_version")
    assert aws_lambda("update_function_code", FunctionName="worker", ZipFile=source, Publish=True)["Version"] == "2"
    alias = aws_lambda("create_alias", FunctionName="worker", Name="live", FunctionVersion="1")
    assert alias["AliasArn"] == f"{ARN}:live"
    assert [aws_lambda.invoke(name=name)[0] for name in ("worker", "worker:1", f"{ARN}:live")] == [
        "new $LATEST",
        "1",
        "1",
    ]
    aws_lambda("update_alias", FunctionName="worker", Name="live", FunctionVersion="2")
    assert aws_lambda.invoke(Qualifier="live")[0] == "new 2"
    moved = {"FunctionName": "worker", "Name": "live", "FunctionVersion": "2"}
    aws_lambda.refuses("ResourceConflictException", "create_alias", **moved)
    for missing in ({"Name": "none"}, {"FunctionVersion": "9"}):
        aws_lambda.refuses("ResourceNotFoundException", "update_alias", **moved | missing)


def test_settings_without_an_effect_are_shown_as_they_were_given() -> None:
    """A deployment that sets them passes, and finds them again, changed in part or not."""
    given: dict[str, object] = {
        "TracingConfig": {"Mode": "Active"},
        "EphemeralStorage": {"Size": 1024},
        "Architectures": ["arm64"],
    }
    functions().create(HELLO, "worker", **given)
    changed = functions()("update_function_configuration", FunctionName="worker", TracingConfig={"Mode": "PassThrough"})
    assert changed | given | {"TracingConfig": {"Mode": "PassThrough"}} == changed
    assert (changed["PackageType"], changed["Role"]) == ("Zip", ROLE)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetAccountSettings", {}),
        ("GetPolicy", {"FunctionName": "worker"}),
        ("GetProvisionedConcurrencyConfig", {"FunctionName": "worker", "Qualifier": "1"}),
        ("DeleteFunction", {"FunctionName": "worker", "Qualifier": "1"}),
    ],
)
def test_an_operation_that_is_not_served_is_named(operation: str, parameters: dict[str, object]) -> None:
    """Nobody looks for a mistake of their own where chaosqs does not have an operation."""
    functions().create(HELLO, Publish=True)
    name = xform_name(operation)
    message = functions().refuses("UnknownOperationException", name, **parameters)
    assert message.startswith(f"chaosqs does not serve {operation}")


def test_functions_have_tags() -> None:
    """Up to 50, shown by GetFunction; versions have none of their own."""
    aws_lambda = functions()
    aws_lambda.create(HELLO, Tags={"team": "orders"})
    assert aws_lambda("get_function", FunctionName="worker")["Tags"] == {"team": "orders"}
    many = {f"key{number}": "x" for number in range(50)}
    aws_lambda.refuses("InvalidParameterValueException", "tag_resource", Resource=ARN, Tags=many)
    assert aws_lambda("list_tags", Resource=ARN) == {"Tags": {"team": "orders"}}
    aws_lambda("untag_resource", Resource=ARN, TagKeys=["team"])
    assert aws_lambda("list_tags", Resource=ARN) == {"Tags": {}}
    assert "Tags" not in aws_lambda("get_function", FunctionName="worker")
    aws_lambda.refuses("InvalidParameterValueException", "list_tags", Resource=f"{ARN}:1")
    aws_lambda.refuses("ResourceNotFoundException", "list_tags", Resource=ARN.replace("worker", "nobody"))


def test_a_change_of_an_old_revision_is_refused() -> None:
    """Of configuration, code, versions and aliases; the latest revision, or none, is accepted."""
    aws_lambda = functions()
    old = aws_lambda.create(HELLO)["RevisionId"]
    new = aws_lambda("update_function_configuration", FunctionName="worker", Timeout=4, RevisionId=old)["RevisionId"]
    aws_lambda("publish_version", FunctionName="worker", RevisionId=new)
    alias = aws_lambda("create_alias", FunctionName="worker", Name="live", FunctionVersion="1")
    for operation, parameters in (
        ("update_function_configuration", {"Timeout": 5}),
        ("update_function_code", {"ZipFile": package(index=HELLO)}),
        ("publish_version", {}),
        ("update_alias", {"Name": "live", "Description": "x"}),
    ):
        message = aws_lambda.refuses(
            "PreconditionFailedException", operation, FunctionName="worker", RevisionId=old, **parameters
        )
        assert message.startswith("The RevisionId provided does not match the latest RevisionId.")
    assert aws_lambda("get_function_configuration", FunctionName="worker")["Timeout"] == 4
    assert aws_lambda("get_alias", FunctionName="worker", Name="live") == alias


def test_a_version_may_be_published_of_one_code_only() -> None:
    """`CodeSha256` must be that of `$LATEST`."""
    aws_lambda = functions()
    known = aws_lambda.create(HELLO)["CodeSha256"]
    message = aws_lambda.refuses(
        "InvalidParameterValueException", "publish_version", FunctionName="worker", CodeSha256="other"
    )
    assert message == (
        f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({known}). "
        "Please try again with the CodeSHA256 in $LATEST."
    )
    assert aws_lambda("publish_version", FunctionName="worker", CodeSha256=known)["Version"] == "1"


def test_aliases_are_described_and_listed() -> None:
    """By name; an alias of two versions is refused and changes nothing."""
    aws_lambda = functions()
    aws_lambda.create(HELLO, Publish=True)
    aws_lambda("update_function_configuration", FunctionName="worker", Timeout=5)
    aws_lambda("publish_version", FunctionName="worker")
    live = aws_lambda("create_alias", FunctionName="worker", Name="live", FunctionVersion="1", Description="in use")
    beta = aws_lambda("create_alias", FunctionName="worker", Name="beta", FunctionVersion="2")
    assert (live["Description"], beta["Description"]) == ("in use", "")
    assert aws_lambda("list_aliases", FunctionName="worker") == {"Aliases": [beta, live]}
    assert aws_lambda("list_aliases", FunctionName="worker", FunctionVersion="1") == {"Aliases": [live]}
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    aws_lambda.refuses(
        "UnknownOperationException", "update_alias", FunctionName="worker", Name="live", RoutingConfig=weights
    )
    assert aws_lambda("get_alias", FunctionName="worker", Name="live") == live
    aws_lambda.refuses("ResourceNotFoundException", "get_alias", FunctionName="worker", Name="nothing")
    listed = dictionaries(aws_lambda("list_versions_by_function", FunctionName="worker")["Versions"])
    assert [(one["Version"], one["Timeout"]) for one in listed] == [("$LATEST", 5), ("1", 3), ("2", 5)]


def test_logging_and_snapshots_are_shown_as_they_were_given() -> None:
    """With Lambda's own values for what was left out."""
    aws_lambda = functions()
    aws_lambda.create(HELLO, LoggingConfig={"LogFormat": "JSON"}, SnapStart={"ApplyOn": "PublishedVersions"})
    shown = aws_lambda("get_function_configuration", FunctionName="worker")
    assert shown["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "/aws/lambda/worker"}
    assert shown["SnapStart"] == {"ApplyOn": "PublishedVersions", "OptimizationStatus": "Off"}
    updated = aws_lambda(
        "update_function_code", FunctionName="worker", ZipFile=package(index=HELLO), Architectures=["arm64"]
    )
    assert (updated["Architectures"], updated["LoggingConfig"]) == (["arm64"], shown["LoggingConfig"])


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("update_function_configuration", {"DurableConfig": {"ExecutionTimeout": 60}}),
        ("publish_version", {"PublishTo": "LATEST_PUBLISHED"}),
        ("invoke", {"TenantId": "t"}),
        ("invoke", {"DurableExecutionName": "d"}),
    ],
)
def test_other_kinds_of_function_are_refused(operation: str, parameters: dict[str, object]) -> None:
    """Durable functions, managed instances and tenants; the error names the parameter."""
    aws_lambda = functions()
    before = aws_lambda.create(HELLO)
    message = aws_lambda.refuses("UnknownOperationException", operation, FunctionName="worker", **parameters)
    assert next(iter(parameters)) in message
    assert aws_lambda("get_function_configuration", FunctionName="worker") == before
