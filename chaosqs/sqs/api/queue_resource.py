"""A queue as SQS's API has it: its address, messages, settable attributes and tags."""

import re
from urllib.parse import urlsplit

import attrs

from chaosqs.sqs.api.parameters import ApiError, error
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.throughput import Throughput
from chaosqs.sqs.service import QueueState

# Names, URLs and ARNs of queues ---------------------------------------------------------------------------------------

_AWS_HOST = re.compile(r"(?:sqs\.(?P<region>[a-z0-9-]+)|(?P<legacy>[a-z0-9-]+)\.queue|queue)\.amazonaws\.com(?:\.cn)?")
_ARN = re.compile(r"arn:(?:aws|aws-cn|aws-us-gov):sqs:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,80}(?:\.fifo)?)")


@attrs.frozen
class Address:
    """Region, account and name of a queue."""

    region: str
    account: str
    name: str

    @property
    def url(self) -> str:
        """The queue URL as AWS gives it."""
        return f"https://sqs.{self.region}.amazonaws.com/{self.account}/{self.name}"

    @property
    def arn(self) -> str:
        """The Amazon resource name."""
        return f"arn:aws:sqs:{self.region}:{self.account}:{self.name}"


def from_url(url: str, *, region: str, account: str) -> Address:
    """Return the queue that a QueueUrl means to a client of a Region and account.

    Any host is accepted, as users may have endpoints of their own, but AWS's host of another Region is an invalid
    address. A bare name means a queue of the caller's account.
    """
    if "/" not in url:
        return Address(region, account, url)
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _invalid(url) from None
    host = _AWS_HOST.fullmatch(parts.hostname or "")
    path = [part for part in parts.path.split("/") if part]
    if not path or (host is not None and (host["region"] or host["legacy"] or region) != region):
        raise _invalid(url)
    owner = path[-2] if len(path) > 1 and path[-2].isdigit() else account
    return Address(region, owner, path[-1])


def _invalid(url: str) -> ApiError:
    return error("InvalidAddress", f"The address {url} is not valid for this endpoint.")


def from_arn(arn: str) -> Address | None:
    """Return the queue that an ARN means, or None if it is not the ARN of a queue."""
    match = _ARN.fullmatch(arn)
    return None if match is None else Address(match[1], match[2], match[3])


@attrs.define(eq=False)
class QueueResource:
    """One queue."""

    address: Address
    state: QueueState
    number: int
    """Number among all queues of a run, from all accounts and Regions; its receipt handles contain it."""
    settings: dict[str, str]
    """Settable attributes, as strings."""
    created_at: int
    modified_at: int
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    purged_at: int | None = None
    throughput: Throughput = attrs.field(factory=Throughput)

    @property
    def fifo(self) -> bool:
        """True for a FIFO queue."""
        return self.state.queue.fifo

    @property
    def ordered(self) -> FifoQueue:
        """The machine of a FIFO queue; fails an assertion for a standard queue."""
        machine = self.state.machine
        assert isinstance(machine, FifoQueue)
        return machine
