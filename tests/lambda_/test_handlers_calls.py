"""Real handlers: what they ask of SQS takes virtual time, is retried in virtual time, and passes the trace on."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

import attrs
import boto3
import pytest

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Sent
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.simulation.run import simulate
from chaosqs.sqs.api.parameters import ApiError
from chaosqs.sqs.api.sqs import Sqs
from tests.lambda_.test_handlers import ends, played, scenario
from tests.simulation import consumers


def test_LX_16_a_batch_passes_the_trace_on() -> None:
    """Each of its entries."""
    played(scenario("sends_a_batch"))
    (only,) = map(str, consumers.NOTES)
    assert re.fullmatch(
        r"\{'AWSTraceHeader': 'Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0;Lineage=[0-9a-f]{8}:1'\}", only
    )


def test_LX_16_a_trace_of_the_handlers_own_stays() -> None:
    """So the guard does not see the chain, as on AWS with an SDK that does not pass it on."""
    played(scenario("sends_with_a_header_of_its_own"))
    assert consumers.NOTES == [{"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}]


def test_botocore_retries_in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a jitter that seed decides: the same each time."""
    refused, original = list[str](), Sqs.call

    def call(
        sqs: Sqs, operation: str, parameters: Mapping[str, object], *, region: str = "", account: str = ""
    ) -> object:
        del region, account
        if operation == "SendMessage" and len(refused) % 3 < 2:
            refused.append(operation)
            raise ApiError("ServiceUnavailable", "ServiceUnavailable", 503, "Try again.")
        return original(sqs, operation, parameters)

    durations: list[int] = []
    for _ in range(2):
        refused.clear()
        monkeypatch.setattr(Sqs, "call", call)
        history = played(scenario("sends_a_message"))
        durations += [end.duration for end in ends(history)]
        assert len(refused) == 2
        assert sum(isinstance(event, Sent) and event.queue == "done" for event in history.events) == 1
    assert durations[0] == durations[1] > 3 * 8, "three calls, and two pauses"


def test_a_call_takes_its_latency() -> None:
    """The assumed median where all is calm, a little more or less under another seed."""
    one = scenario("sends_a_message", 20)
    slow = attrs.evolve(one, assumptions=Assumptions(call_latency=100))
    assert {end.duration for end in ends(played(slow))} == {100}
    assert len({end.duration for end in ends(played(attrs.evolve(slow, seed=1)))}) > 10


@pytest.mark.parametrize("seed", range(6))
def test_a_crash_strikes_at_one_of_the_first_waits(seed: int) -> None:
    """So what the handler had done by then differs, and is never more than all."""
    plan = FaultPlan(windows=[Window("crash", "worker", 0, 10)])
    history = played(attrs.evolve(scenario("sends_then_naps", 10, until=12), faults=plan, seed=seed))
    done = [event.cause for event in history.events if isinstance(event, Sent) and event.queue == "done"]
    assert {end.outcome for end in ends(history)} == {"crashed"}
    assert len(done) <= 10
    assert len(ends(history)) == 10


def test_a_module_may_ask_while_it_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the URL of its queue, say: with no credentials and no Region, and nothing leaves for the network."""
    (tmp_path / "chaosqs_asks.py").write_text(
        "import boto3\n"
        "sqs = boto3.client('sqs')\n"
        "URL = sqs.get_queue_url(QueueName='done')['QueueUrl']\n"
        "NOTHING = sqs.receive_message(QueueUrl=URL, WaitTimeSeconds=20)\n"
        "def handler(event, context):\n"
        "    sqs.send_message(QueueUrl=URL, MessageBody='done')\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    one = attrs.evolve(scenario("naps"), behaviours={"worker": Behaviour(handler="chaosqs_asks:handler")})
    history = simulate(one)
    assert history.summary()["queues"]["done"]["NumberOfMessagesSent"] == 1


def test_without_boto3_handlers_run_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "chaosqs.wire.botocore_hook", None)
    monkeypatch.delattr("chaosqs.wire.botocore_hook", raising=False)
    assert [end.duration for end in ends(played(scenario("naps")))] == [1000]


def test_default_session_of_boto3_is_the_callers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that makes a client by `boto3.client` leaves none behind."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    played(scenario("sends_a_batch"))
    assert boto3.DEFAULT_SESSION is None
