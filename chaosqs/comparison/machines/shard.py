"""One shard of a stream: its records in order, and the batches that Lambda has read but is not done with.

The head batch is the only one that is tried. While it fails it blocks the shard: halved, tried again, or given up.
"""

from __future__ import annotations

import hashlib
from collections import deque

import attrs

from chaosqs.model.alternative import Stream

READ_LIMIT = 2 * 1024 * 1024
"""Bytes a second that are read from one shard."""
PAYLOAD_LIMIT = 6 * 1024 * 1024
"""Bytes of records in Base64 that one invocation gets."""
_KEYS = 1 << 128


@attrs.frozen
class Record:
    """One record."""

    number: int
    size: int
    """Bytes."""
    put_at: int


@attrs.define(eq=False)
class Batch:
    """Records that one invocation gets."""

    records: tuple[Record, ...]
    failures: int = 0
    """Function errors that count against the retry attempts."""


def shard_of(key: str, shards: int) -> int:
    """Return the shard of a partition key, from 0: the key's MD5 among equal ranges."""
    digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest, "big") * shards // _KEYS


@attrs.define(eq=False)
class Shard:
    """One shard, and Lambda's place in it."""

    stream: Stream
    readable_at: int = 0
    """When as much has been read as its limit allows."""
    _unread: deque[Record] = attrs.field(factory=deque[Record])
    _batches: deque[Batch] = attrs.field(factory=deque[Batch])

    @property
    def empty(self) -> bool:
        """Whether nothing is left to do."""
        return not self._unread and not self._batches

    @property
    def ends_by_retention(self) -> bool:
        """Whether a record that is too old is so as the stream keeps it no longer: then no destination is told."""
        return self._oldest == self.stream.retention_period * 1000

    @property
    def _oldest(self) -> int:
        age, retention = self.stream.maximum_record_age, self.stream.retention_period
        return (retention if age < 0 else min(age, retention)) * 1000

    def put(self, record: Record) -> None:
        """Append a record."""
        self._unread.append(record)

    def too_old(self, *, now: int) -> list[Record]:
        """Take out what is too old to be tried, and return it."""
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
        """Return the batch to try, read now if need be; None where nothing may be read yet, or nothing is there."""
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
        """Go on behind the head batch."""
        self._batches.popleft()

    def failed(self) -> tuple[Record, ...]:
        """Halve the head batch, or count a failure; return its records where it is given up."""
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
