"""One shard of a stream: its unread records in order, and the batches that Lambda has read but not finished.

Only the head batch is tried. While it fails it blocks the shard: it is halved, tried again or given up.
"""

import hashlib
from collections import deque

import attrs

from chaosqs.model.alternative import Stream
from chaosqs.model.design import PAYLOAD_LIMIT

READ_LIMIT = 2 * 1024 * 1024
"""Maximum bytes a second read from one shard."""
_HASH_KEYS = 1 << 128  # possible MD5 digests


@attrs.frozen
class Record:
    """One record; times in milliseconds."""

    number: int
    size: int
    """Bytes."""
    put_at: int


@attrs.define(eq=False)
class Batch:
    """The records of one invocation."""

    records: tuple[Record, ...]
    failures: int = 0
    """Function errors that count against the retry attempts."""


def shard_of(key: str, shards: int) -> int:
    """Return the shard of a partition key, from 0; shards divide the range of MD5 digests equally."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest, "big") * shards // _HASH_KEYS


@attrs.define(eq=False)
class Shard:
    """One shard, and Lambda's position in it."""

    stream: Stream
    readable_at: int = 0
    """Moment from which `READ_LIMIT` allows the next read, in milliseconds."""
    _unread: deque[Record] = attrs.field(factory=deque[Record])
    _batches: deque[Batch] = attrs.field(factory=deque[Batch])

    @property
    def empty(self) -> bool:
        """True if no record is left, neither unread nor in a batch."""
        return not self._unread and not self._batches

    @property
    def ends_by_retention(self) -> bool:
        """True if the retention period makes records too old; then the failure destination gets no record of them."""
        return self._oldest == self.stream.retention_period * 1000

    @property
    def _oldest(self) -> int:
        age, retention = self.stream.maximum_record_age, self.stream.retention_period
        return (retention if age < 0 else min(age, retention)) * 1000

    def put(self, record: Record) -> None:
        """Append a record."""
        self._unread.append(record)

    def too_old(self, *, now: int) -> list[Record]:
        """Remove and return the records that are too old to be tried."""
        latest, gone = now - self._oldest, list[Record]()
        while self._batches and self._batches[0].records[0].put_at <= latest:
            head = self._batches[0]
            gone += [record for record in head.records if record.put_at <= latest]
            head.records = tuple(record for record in head.records if record.put_at > latest)
            if not head.records:
                self._batches.popleft()
        while not self._batches and self._unread and self._unread[0].put_at <= latest:
            gone.append(self._unread.popleft())
        return gone

    def batch(self, *, now: int) -> Batch | None:
        """Return the batch to try, reading it now if needed; None if no read is allowed yet or no record is left."""
        if not self._batches and self._unread and now >= self.readable_at:
            self._batches.append(Batch(self._read(now)))
        return self._batches[0] if self._batches else None

    def _read(self, now: int) -> tuple[Record, ...]:
        unread, records, payload = self._unread, list[Record](), 0
        while unread and len(records) < self.stream.batch_size:
            payload += (unread[0].size + 2) // 3 * 4
            if records and payload > PAYLOAD_LIMIT:
                break
            records.append(unread.popleft())
        self.readable_at = now + -(-sum(record.size for record in records) * 1000 // READ_LIMIT)
        return tuple(records)

    def succeeded(self) -> None:
        """Remove the head batch, which has succeeded."""
        self._batches.popleft()

    def failed(self) -> tuple[Record, ...]:
        """Halve the head batch or count a failure; return its records if it is given up, else an empty tuple."""
        head, stream = self._batches[0], self.stream
        if stream.bisect_batch_on_function_error and len(head.records) > 1:
            middle = (len(head.records) + 1) // 2
            self._batches[0] = Batch(head.records[middle:], head.failures)
            self._batches.appendleft(Batch(head.records[:middle], head.failures))
            return ()
        head.failures += 1
        if stream.maximum_retry_attempts < 0 or head.failures <= stream.maximum_retry_attempts:
            return ()
        self._batches.popleft()
        return head.records
