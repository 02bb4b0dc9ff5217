"""Other services can be moto's, SQS never is."""

from __future__ import annotations

import sys

import pytest
from botocore.client import BaseClient
from moto import mock_aws
from moto.core.config import default_user_config
from moto.core.models import botocore_stubber

from chaosqs.errors import SimulationError
from chaosqs.mock_aws.aws import aws
from tests.conformance.clients import call, client_with_keys, other_client
from tests.conformance.queue_under_test import create


def test_other_services_go_to_moto() -> None:
    with aws(passthrough="moto", call_latency=0) as world:
        storage = other_client("s3")
        call(storage, "create_bucket", Bucket="bucket")
        call(storage, "put_object", Bucket="bucket", Key="key", Body=b"value")
        assert "key" in repr(call(storage, "list_objects_v2", Bucket="bucket"))
        queue = create(world.client("sqs"), "orders")
        queue.receive(wait=9)
        assert world.now == 9


def test_clients_made_before_go_to_moto_too() -> None:
    tables = other_client("dynamodb")
    with aws(passthrough="moto"):
        assert "'TableNames': []" in repr(call(tables, "list_tables"))


def test_clients_made_before_moto_was_imported_go_to_moto_too() -> None:
    """Those lack the handler by which moto answers."""
    tables = other_client("dynamodb")
    assert isinstance(tables, BaseClient)
    tables.meta.events.unregister("before-send", botocore_stubber)  # type: ignore[arg-type] # the stubs are stricter
    with aws(passthrough="moto"):
        assert "'TableNames': []" in repr(call(tables, "list_tables"))


def test_what_moto_leaves_is_refused() -> None:
    """moto answers at the addresses of AWS only."""
    tables = other_client("dynamodb", address="http://localhost:8000")
    with aws(passthrough="moto"), pytest.raises(SimulationError, match="dynamodb ListTables"):
        call(tables, "list_tables")


def test_without_moto_nobody_minds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "moto.core.config")
    with aws() as world:
        assert world.client().list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_what_moto_does_not_know_is_refused() -> None:
    with aws(passthrough="moto"), pytest.raises(SimulationError, match=r"braket SearchDevices: moto.*not implement"):
        call(other_client("braket"), "search_devices", filters=[])


def test_moto_around_a_world_does_not_answer_for_it() -> None:
    with mock_aws():
        client = client_with_keys()
        create(client, "motos")
        with aws(call_latency=0) as world:
            assert client.list_queues().get("QueueUrls", []) == []
            create(client, "ours").receive(wait=3)
            assert world.now == 3
        assert [url.rpartition("/")[2] for url in client.list_queues()["QueueUrls"]] == ["motos"]


def test_motos_settings_are_put_back() -> None:
    before = repr(default_user_config)
    with aws():
        assert repr(default_user_config) != before
    assert repr(default_user_config) == before
